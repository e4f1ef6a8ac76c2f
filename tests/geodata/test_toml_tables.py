"""Files of named tables: what is no such file is said at once and in one line."""

import time

import pytest

from geodata.errors import InputError
from geodata.toml_tables import read_tables


def fault_of(path) -> str:
    with pytest.raises(InputError) as refused:
        read_tables(path, ("study",), "study", "studies/")
    return str(refused.value)


def test_a_name_of_fifty_thousand_parts_is_refused_before_the_parser_squares_them(tmp_path):
    path = tmp_path / "deep.toml"
    path.write_text("[study]\nname = 'x'\n[" + "a." * 50_000 + "b]\n")
    start = time.process_time()
    told = fault_of(path)
    assert time.process_time() - start < 0.5
    assert told == f"{path}: row 3: has a name of more than 20 parts, so no study file; see studies/ for examples"


def test_texts_and_numbers_may_hold_as_many_points_as_they_like(tmp_path):
    path = tmp_path / "points.toml"
    path.write_text("[study]\nname = '" + "." * 99 + "'\nnumbers = [\n" + "1.5, " * 99 + "\n]\n")
    assert len(read_tables(path, ("study",), "study", "studies/")["study"]["numbers"]) == 99


def test_what_is_no_file_is_told_once(tmp_path):
    assert fault_of(tmp_path) == f"{tmp_path}: is no file; see studies/ for examples"
