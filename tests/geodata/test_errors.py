"""Faults: fields for programs, one line for people."""

import pickle
from pathlib import Path

import pytest

from geodata.errors import Fault, InputError


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (
            Fault(remedy="write a number", file=Path("ports.csv"), row=3, column="lon", value="east"),
            "ports.csv: row 3: lon is 'east'; write a number",
        ),
        (Fault("no such file", "check the path", "a/b.csv"), "a/b.csv: no such file; check the path"),
        (Fault("row 1 is empty"), "row 1 is empty"),
        (Fault("cannot be read (line one\nline two)", "mend it", "a\nb.toml"),
         "a b.toml: cannot be read (line one line two); mend it"),
    ],
)  # fmt: skip
def test_a_fault_is_one_line(fault, line):
    assert str(fault) == line


def test_an_error_tells_every_fault_as_fields_and_as_lines():
    error = InputError([Fault("no such file", "check the path", "a.csv"), "gap is 2; give 0 to 0.5"])
    assert error.problems == ["a.csv: no such file; check the path", "gap is 2; give 0 to 0.5"]
    assert error.faults[0].file == "a.csv" and error.faults[0].remedy == "check the path"
    assert str(error) == "\n".join(error.problems)


def test_faults_survive_the_way_between_processes():
    error = InputError([Fault(file="a.csv", row=2, column="lon", value="x"), "second"])
    assert pickle.loads(pickle.dumps(error)).faults == error.faults
