"""Every number of the cost model says what it is, how sure it is and where it is from."""

import ast
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest

import siting
from geodata.errors import InputError
from siting.model.costs import Tariff, appraisal_factor
from siting.model.options import facility_tiers
from siting.parameters import BUNDLED, load_parameters
from siting.study import study_faults

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
    with pytest.raises(InputError, match=r"row 2: a: value 3"):
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


@pytest.mark.parametrize(("key", "value"), [
    ("discount_rate", 8),
    ("rail_terminal_dwell_h", 1e9),
    ("consolidation_dwell_h", -1),
    ("container_payload_t", 0),
    ("teu_per_train", 0),
    ("road_km_per_day", 0),
    ("rail_speed_main_km_h", 0),
    ("warehouse_built_m2_per_acre", 0),
    ("working_days_per_year", 400),
    ("appraisal_years", 0),
    ("land_border_share", 1.2),
    ("trailer", 1),
    ("rail_inr_per_t_km", 1e300),
    ("rail_inr_per_t_km", -1),
    ("rail_inr_per_t_km", float("nan")),
    ("rail_inr_per_t_km", "2"),
    ("rail_inr_per_t_km", True),
])  # fmt: skip
def test_impossible_values_are_refused_in_one_line(key, value):
    (fault,) = study_faults({"parameters": {key: value}}, "my.toml")
    line = str(fault)
    assert line.startswith("my.toml: ") and key in line and ";" in line and "\n" not in line


def test_a_refusal_says_what_is_possible_and_what_is_defensible():
    (fault,) = study_faults({"parameters": {"container_payload_t": 0}}, "my.toml")
    assert str(fault) == (
        "my.toml: parameter container_payload_t = 0 is not possible; give 0.16 to 2600 t; 16 to 26 is defensible"
    )


def test_every_parameter_at_zero_is_refused_where_the_model_divides_by_it():
    """Rates may be nothing; tonnes, floors, speeds and years may not."""
    faults = study_faults({"parameters": dict.fromkeys(load_parameters(), 0)}, "my.toml")
    refused = {fault.column for fault in faults}
    assert refused >= {"container_payload_t", "teu_per_train", "payload_t_per_teu", "road_km_per_day", "fx_inr_per_usd",
                       "rail_speed_main_km_h", "rail_speed_dfc_km_h", "working_days_per_year", "appraisal_years",
                       "warehouse_built_m2_per_acre", "warehouse_small_m2", "cold_store_capacity_t"}  # fmt: skip
    assert not refused & {"carbon_price_inr_per_t_co2e", "stuffing_inr_per_t", "emission_rail_g_per_t_km",
                          "customs_time_saved_h", "part_load_collection_km", "discount_rate"}  # fmt: skip


@pytest.mark.parametrize("end", ["least", "most"])
def test_the_ends_of_what_is_possible_price_and_size_everything(end):
    """At every end alone, rates and sites are numbers."""
    for key, row in load_parameters().rows.items():
        least, most = row.limits
        assert least <= row.low < row.high <= most, key
        assert row.fault(least) is None and row.fault(most) is None
        assert row.fault(least - 1e-6) is not None and row.fault(most * 1.01) is not None, key
        p = load_parameters().with_overrides({key: least if end == "least" else most})
        tariff = astuple(Tariff.from_parameters(p))
        numbers = [*np.hstack(tariff), appraisal_factor(p)]
        assert np.isfinite(numbers).all() and min(numbers) >= 0, key
        sizes = facility_tiers(p)[["project_cost_inr_crore", "capacity_t_per_year"]].to_numpy()
        assert np.isfinite(sizes).all() and (sizes >= 0).all(), key


def test_a_value_outside_its_range_is_possible_and_warned_of():
    row = load_parameters().rows["rail_inr_per_t_km"]
    assert load_parameters().with_overrides({row.key: row.low}).warnings() == []
    assert load_parameters().with_overrides({row.key: row.high}).warnings() == []
    assert load_parameters().with_overrides({row.key: 3.0}).warnings() == [
        "parameter rail_inr_per_t_km = 3 INR/t-km is outside the range 1.6 to 2.3 that its source supports "
        "(siting/parameters.csv)"
    ]
