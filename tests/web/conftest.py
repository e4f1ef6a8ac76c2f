from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from tiny_result import tiny_pack, write_result

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
    return create_app(results, tiny_pack())


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
