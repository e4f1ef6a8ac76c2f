"""Every number of the cost model says what it is, how sure it is and where it is from."""

import ast
from pathlib import Path

import pytest

import siting
from geodata.errors import InputError
from siting.model.costs import Tariff
from siting.parameters import BUNDLED, load_parameters

ROOT = Path(siting.__file__).parent


def test_every_parameter_has_unit_range_year_and_source():
    rows = load_parameters().rows
    assert len(rows) > 40
    for row in rows.values():
        assert row.unit and row.source and row.year
        assert row.low <= row.value <= row.high
        assert row.low < row.high, f"{row.key}: a range is needed"


@pytest.mark.parametrize(("column", "cell"), [("source", ""), ("low", ""), ("high", "x"), ("unit", "")])
def test_a_missing_source_low_or_high_is_refused(tmp_path, column, cell):
    header, _, *rest = BUNDLED.read_text().splitlines()
    cells = dict(zip(header.split(","), ["a", "1", "t", "0", "2", "2024", "book", ""], strict=True)) | {column: cell}
    broken = tmp_path / "parameters.csv"
    broken.write_text("\n".join([header, ",".join(cells.values()), *rest]))
    with pytest.raises(InputError, match=f"row 2.*{column}"):
        load_parameters(broken)


def test_a_value_outside_its_range_is_refused(tmp_path):
    broken = tmp_path / "parameters.csv"
    broken.write_text("key,value,unit,low,high,year,source,note\na,3,t,0,2,2024,book,\n")
    with pytest.raises(InputError, match=r"row 2 \(a\): value 3"):
        load_parameters(broken)


def test_an_unknown_override_names_the_nearest_parameter():
    with pytest.raises(InputError, match="did you mean 'rail_inr_per_t_km'"):
        load_parameters().with_overrides({"rail_inr_per_tkm": 2.0})


def test_every_parameter_is_used():
    """A number nobody reads would look like an assumption that matters."""
    text = "".join(path.read_text() for path in ROOT.rglob("*.py"))
    literals = {node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)}
    patterns = (
        "time_cost_",
        "warehouse_",
        "mmlp_",
    )  # read as f"time_cost_{cargo_class}_per_day" and the like
    unused = [
        key for key in load_parameters() if key not in literals and not key.startswith(patterns)
    ]  # fmt: skip
    assert not unused


def test_road_against_rail_breaks_even_near_the_published_600_km():
    """DPIIT/NCAER 2025: 500 km of rail with 50 km of road at each end. Comes out of the rates, is not one of them."""
    assert Tariff.from_parameters(load_parameters()).rail_break_even_km() == pytest.approx(600, rel=0.15)
