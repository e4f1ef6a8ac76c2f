"""Whatever is sent that the description allows, or nearly allows: the server never fails, and answers as described."""

from __future__ import annotations

import json
from pathlib import Path

import hypothesis
import pytest

import web

schemathesis = pytest.importorskip("schemathesis", reason="the package schemathesis is not installed")

from schemathesis.checks import not_a_server_error  # noqa: E402
from schemathesis.specs.openapi.checks import (  # noqa: E402
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
KEYS = ["tiny", "sweep~budget-10", "sweep", "nothing"]
DESCRIPTION = json.loads((Path(web.__file__).parent / "api" / "openapi.json").read_text(encoding="utf-8"))
OPERATIONS = [(method, path) for path, methods in DESCRIPTION["paths"].items() for method in methods]


@pytest.fixture(scope="module")
def schema(app):
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_no_request_makes_the_server_fail(schema, method, path):
    @hypothesis.given(case=schema[path][method].as_strategy())
    @hypothesis.settings(max_examples=12, deadline=None, derandomize=True, database=None,
                         suppress_health_check=list(hypothesis.HealthCheck))  # fmt: skip
    def check(case):
        if "key" in case.path_parameters:
            case.path_parameters["key"] = KEYS[len(str(case.path_parameters["key"])) % len(KEYS)]
        # The test client does not unpack what it gets.
        case.call_and_validate(checks=CHECKS, headers={"Accept-Encoding": "identity"})

    check()
