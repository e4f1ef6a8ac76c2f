from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from tiny_result import tiny_pack, write_result

from siting.cli import write_result as write_plan
from siting.plan import Plan
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


@pytest.fixture(scope="module")
def asked(solved: Path) -> Iterator[Flask]:
    """An application that answers what-if questions to the solved study."""
    app = create_app(solved / "results", studies=solved / "studies")
    yield app
    app.extensions["pool"].close()
