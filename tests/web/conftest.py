from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from tiny_result import tiny_pack, write_result

from siting.model.model import Model
from siting.plan import Plan, make_plan
from siting.run import write_result as write_plan
from siting.study import study_text
from web.app import create_app


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("web") / "results"
    write_result(root / "tiny")
    write_result(root / "sweep" / "budget-10")
    (root / "secret.txt").write_text("not for the web", encoding="utf-8")
    return root


@pytest.fixture(scope="session")
def app(results: Path) -> Flask:
    return create_app(results, tiny_pack(), results.parent / "studies")


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    from browser import Chromium, playwright

    with playwright.sync_playwright() as driver:
        chromium = Chromium(driver)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def solved(tiny_plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``studies/tiny.toml`` and what the solver makes of it, ``results/tiny``."""
    root = tmp_path_factory.mktemp("solved")
    (root / "studies").mkdir()
    folder = root / "results" / "tiny"
    folder.mkdir(parents=True)
    text = study_text(tiny_plan.model.study, root / "studies")
    (root / "studies" / "tiny.toml").write_text(text, encoding="utf-8")
    write_plan(tiny_plan, folder, lambda stage: None)
    return root


@pytest.fixture(scope="session")
def swept(solved: Path, tiny_model: Model, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An application with the solved study and a sweep of it, ``sweep/budget-10`` and ``sweep/budget-30``."""
    root = tmp_path_factory.mktemp("swept")
    for part in ("studies", "results/tiny"):  # and nothing that other tests have saved beside
        copytree(solved / part, root / part)
    for budget in (10, 30):
        folder = root / "results" / "sweep" / f"budget-{budget}"
        folder.mkdir(parents=True)
        write_plan(make_plan(tiny_model, budget_inr_crore=float(budget)), folder, lambda stage: None)
    app = create_app(root / "results", studies=root / "studies")
    yield app
    app.extensions["pool"].close()


@pytest.fixture(scope="module")
def asked(solved: Path) -> Iterator[Flask]:
    """An application that answers what-if questions to the solved study."""
    app = create_app(solved / "results", studies=solved / "studies")
    yield app
    app.extensions["pool"].close()
