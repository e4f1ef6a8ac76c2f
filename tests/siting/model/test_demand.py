"""Clients, waiting and distances, worked by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geodata.errors import InputError
from geodata.facts import district_facts
from siting.model.costs import part_load_share
from siting.model.demand import DEMAND_FIELDS, build_clients, cargo_faults, district_demand, same_demand
from siting.model.model import Model, build_model, conditions, restated
from siting.model.places import Survey, mean_distance_inside_km
from siting.model.potential import benchmark_usd
from siting.parameters import load_parameters
from siting.study import Study

USD_PER_CRORE_INR = 1e7 / 84.61


def survey(rail_access_km: list[float]) -> Survey:
    """Districts of 900 km2 a road apart from a port that rail passes at 2 km, with some km to their own rail."""
    n = len(rail_access_km)
    table = pd.DataFrame({
        "place_id": [*(f"d{i}" for i in range(n)), "port"], "kind": ["district"] * n + ["gateway"], "rail_served": True,
        "rail_line_km": [*rail_access_km, 2.0],
    })  # fmt: skip
    road = np.full((n + 1, n + 1), 100.0)
    np.fill_diagonal(road, 0.0)
    rail_km = np.append(np.full(n, 500.0), 0.0)[:, None]
    access_km = np.array([*rail_access_km, 2.0])
    hours_at = {(25.14, 46.0): rail_km / 40}
    return Survey(table, None, road, np.full(n, 900.0), access_km, rail_km, rail_km * 0.9, None, hours_at)


def demand(general_t: list[float], perishable_t: list[float]) -> pd.DataFrame:
    """Cargo worth 1 crore a 100 t: 100,000 INR/t."""
    table = pd.DataFrame({"general_t": general_t, "perishable_t": perishable_t})
    for cargo_class in ("general", "perishable"):
        table[f"{cargo_class}_usd"] = table[f"{cargo_class}_t"] / 100 * USD_PER_CRORE_INR
        table[f"{cargo_class}_part_of_t"], table[f"{cargo_class}_part_of_usd"] = 0.5, 0.8
        table[f"{cargo_class}_frozen_of_usd"], table[f"{cargo_class}_frozen_of_part"] = 0.0, 0.0
    table["under_utilised"] = [True] * (len(general_t) - 1) + [False]
    return table


def clients(**overrides: float) -> pd.DataFrame:
    """Of three districts, with rail at 9 km, 60 km (too far for a park: NaN) and 10 km; the last one leads."""
    p = load_parameters().with_overrides(overrides)
    here = survey([9.0, 60.0, 10.0]).places(p)
    return build_clients(demand([75_000, 225_000, 75_000], [0, 150_000, 75_000]), here, p, leader_weight=0.25)


def test_without_sectors_half_of_250_tonnes_a_day_moves_in_part_loads_and_a_quarter_of_750() -> None:
    """(24) at g = 1: 75,000 t in 300 days are 250 a day, 250 / (250 + 250) part loads; of 225,000 t 250 / 1,000."""
    table = clients(part_load_volume_exponent=1.0, part_loads_by_sector=0.0)
    table = table.set_index(["district", "cargo_class", "load"])["tonnes_per_year"]
    assert table.to_dict() == pytest.approx({
        (0, "general", "full"): 37_500, (0, "general", "part"): 37_500,
        (1, "general", "full"): 168_750, (1, "general", "part"): 56_250,
        (1, "perishable", "full"): 100_000, (1, "perishable", "part"): 50_000,
        (2, "general", "full"): 37_500, (2, "general", "part"): 37_500,
        (2, "perishable", "full"): 37_500, (2, "perishable", "part"): 37_500,
    })  # fmt: skip
    assert list(table.index) == sorted(table.index)


def test_sectors_and_volume_together_make_part_loads() -> None:
    """(24): 225,000 t are 750 a day, (1 + 750 / 250) ^ -1/2 = 1/2; sectors that send half in part loads: a quarter."""
    table = clients().set_index(["district", "cargo_class", "load"])["tonnes_per_year"]
    assert table[1, "general", "part"] == pytest.approx(225_000 / 4)
    assert table[1, "general", "full"] == pytest.approx(225_000 * 3 / 4)


def test_part_loads_grow_without_end() -> None:
    """100 times 75,000 t: 25,000 t a day, 101 ^ -1/2 of them; at g = 1 no district has more than 75,000 t a year."""

    def part(g: float) -> float:
        p = load_parameters().with_overrides({"part_load_volume_exponent": g})
        return float(7_500_000 * part_load_share(np.array([7_500_000.0]), p)[0])

    assert part(0.5) == pytest.approx(7_500_000 / math.sqrt(101))
    assert part(1.0) == pytest.approx(7_500_000 / 101) and part(1.0) < 75_000


def test_what_goes_in_part_loads_is_the_dearer_cargo() -> None:
    """75,000 t of 100,000 INR/t; half of the tonnes and 0.8 of the value are of sectors that send part loads.

    Part loads: s x 0.8 / (s x 0.5) = 1.6 times the mean value; full: (1 - 0.8 s) / (1 - 0.5 s), s = 2 ^ -1/2.
    """
    table = clients().set_index(["district", "cargo_class", "load"])["time_inr_per_t_h"]
    hour, s = 100_000 * 0.00029 / 24, 0.5**0.5
    assert table[0, "general", "part"] == pytest.approx(1.6 * hour)
    assert table[0, "general", "full"] == pytest.approx((1 - 0.8 * s) / (1 - 0.5 * s) * hour)


def test_an_hour_costs_a_24th_of_the_days_share_of_the_cargos_value() -> None:
    """100,000 INR/t: 0.029 % a day of general cargo, 0.6 % of perishable."""
    table = clients(part_loads_by_sector=0.0)
    general = table["cargo_class"] == "general"
    np.testing.assert_allclose(table.loc[general, "time_inr_per_t_h"], 100_000 * 0.00029 / 24)
    np.testing.assert_allclose(table.loc[~general, "time_inr_per_t_h"], 100_000 * 0.006 / 24)


def test_what_is_frozen_loses_less_by_the_day() -> None:
    """Half of the value frozen, all of it in full loads, of which it is half of 1 / (1 - 0.8 s), s = 2 ^ -1/2."""
    p = load_parameters()
    table = demand([0.0], [75_000])
    table["perishable_frozen_of_usd"] = 0.5
    rows = build_clients(table, survey([9.0]).places(p), p, leader_weight=1.0).set_index("load")["time_inr_per_t_h"]
    s = 0.5**0.5
    frozen = 0.5 / (1 - 0.8 * s)
    per_day = (1 - frozen) * 0.006 + frozen * 0.0005 if frozen < 1 else 0.0005
    assert rows["full"] == pytest.approx(100_000 * (1 - 0.8 * s) / (1 - 0.5 * s) * per_day / 24)
    assert rows["part"] == pytest.approx(1.6 * 100_000 * 0.006 / 24)


def test_leaders_count_by_their_weight_and_the_others_in_full() -> None:
    assert clients().groupby("district")["weight"].unique().str[0].to_dict() == {0: 1.0, 1: 1.0, 2: 0.25}


@pytest.mark.parametrize(("rail_km", "far"), [(9.0, {1, 2}), (9.5, {1, 2}), (8.9, {0, 1, 2}), (50, {1}), (60, set())])
def test_weak_access_makes_the_first_mile_dearer_beyond_its_own_distance(rail_km: float, far: set[int]) -> None:
    """Districts at 9, 60 and 10 km: one too far for a park may still be near enough; 9 km is not beyond 9."""
    table = clients(weak_access_markup=0.15, weak_access_rail_km=rail_km)
    factor = table.groupby("district")["first_mile_factor"].first().to_dict()
    assert factor == pytest.approx({d: 1.15 if d in far else 1.0 for d in range(3)})


@pytest.mark.parametrize(("congestion", "saved_h", "hours"), [
    (0.0, 0.0, 140.0),
    (0.18, 0.0, 158.0),
    (0.0, 24.0, 116.0),
    (0.18, 24.0, 134.0),
    (0.0, 150.0, 0.0),
])  # fmt: skip
def test_congestion_lengthens_the_wait_at_a_port_and_digital_customs_shorten_it(
    tiny_model: Model, congestion: float, saved_h: float, hours: float
) -> None:
    p = load_parameters().with_overrides({"port_congestion_delay": congestion, "customs_time_saved_h": saved_h})
    assert conditions(tiny_model.pack, tiny_model.places, p).gateway_dwell_h == pytest.approx([hours])


def test_levers_of_the_table_reach_the_conditions(tiny_model: Model) -> None:
    p = load_parameters().with_overrides({"road_only_delay": 0.1, "warehouse_shortage_markup": 0.05})
    made = conditions(tiny_model.pack, tiny_model.places, p)
    assert (made.road_only_delay, made.shortage_markup) == (0.1, 0.05)


def test_half_a_tonne_is_a_client_and_nothing_is_none() -> None:
    p = load_parameters()
    few = build_clients(demand([0.8, 0.0], [0.0, 0.0]), survey([9.0, 9.0]).places(p), p, leader_weight=1.0)
    assert few["district"].tolist() == [0, 0] and few["load"].tolist() == ["full", "part"]
    assert few["tonnes_per_year"].sum() == pytest.approx(0.8)


def test_exporters_are_two_thirds_of_a_radius_from_the_centre() -> None:
    """900 km2: a radius of sqrt(900 / pi) = 16.926 km, two thirds of it 11.284, by roads x 1.26 = 14.218 km."""
    assert mean_distance_inside_km(np.array([900.0]), 1.26) == pytest.approx([14.218], abs=1e-3)
    here = survey([9.0, 60.0]).places(load_parameters())
    inside = 2 / 3 * math.sqrt(900 / math.pi) * 1.26
    np.testing.assert_allclose(here.first_mile_km, [[inside, 100, 100], [100, inside, 100], [100, 100, 0]])
    assert here.road_km[0, 0] == 0, "a box that starts at a hub of its own district is there"


def test_rail_takes_the_way_to_the_line_at_both_ends_at_the_trains_speed() -> None:
    """500 km along the line, 9 km to it and 2 km from it: 511 km; 12.5 h and 11 / 25.14 h."""
    here = survey([9.0, 60.0, 10.0]).places(load_parameters())
    np.testing.assert_allclose(here.rail_km[:3, 0], [511, np.nan, 512])
    np.testing.assert_allclose(here.rail_h[:3, 0], [12.5 + 11 / 25.14, np.nan, 12.5 + 12 / 25.14])
    np.testing.assert_allclose(here.table["rail_access_km"], [9, np.nan, 10, 2])
    wider = survey([9.0, 60.0]).places(load_parameters().with_overrides({"mmlp_max_rail_km": 60.0}))
    np.testing.assert_allclose(wider.rail_km[:2, 0], [511, 562])


def test_rail_is_never_shorter_than_the_straight_line() -> None:
    bent = survey([0.0])
    bent.straight_km[0, 0] = 530.0
    assert bent.places(load_parameters()).rail_km[0, 0] == 530.0


def test_potential_takes_the_place_of_exports_only_where_a_district_under_uses_its_own(tiny_study: Study) -> None:
    """The leader keeps its tonnes; at the highest percentile no other district has less than today."""
    today = build_model(tiny_study).demand
    later = build_model(tiny_study.with_changes(tonnage_basis="potential", potential_percentile=100.0)).demand
    leader = ~today["under_utilised"]
    assert leader.any()
    np.testing.assert_allclose(later.loc[leader, "general_t"], today.loc[leader, "general_t"])
    assert (later["general_t"] >= today["general_t"] * (1 - 1e-12)).all()
    assert (later.loc[~leader, "general_t"] > today.loc[~leader, "general_t"] * 1.01).any()


SECTORS = """sector,value_usd_per_t,cargo_class,air_share_of_value,part_load_propensity,frozen_share,source
textiles,8500,general,0,0.5,0,test
cloth,2000,general,0.25,1,0,test
fruit,900,perishable,0.5,0.2,0.25,test
fish,4000,perishable,0,1,1,test
ore,50,port_bulk,0,1,0,test
"""


def test_tonnes_value_and_what_sectors_send_in_parts_and_frozen_by_hand(tiny_study: Study, tmp_path: Path) -> None:
    """D2 exports 17, 8, 9, 4 and 5 million: 2,000 + 3,000 t general, 5,000 + 1,000 t perishable; the rest flies, or is
    ore. D9 has a customs station, so half of its 8.5 million of textiles goes by land; D3 exports ore alone, D4
    nothing, D5 half a dollar.
    """
    (tmp_path / "sectors.csv").write_text(SECTORS)
    exports = pd.read_csv(tiny_study.data["exports"])[["district_id", "state", "district"]]
    for sector in ("textiles", "cloth", "fruit", "fish", "ore"):
        exports[f"{sector}_usd_million"] = 0.0
    million = [f"{sector}_usd_million" for sector in ("textiles", "cloth", "fruit", "fish", "ore")]
    exports.loc[2, million] = [17.0, 8.0, 9.0, 4.0, 5.0]
    exports.loc[3, "ore_usd_million"] = 12.0
    exports.loc[9, "textiles_usd_million"] = 8.5
    exports.loc[0, "textiles_usd_million"] = 170.0
    exports.loc[5, "fish_usd_million"] = 5e-7
    exports.to_csv(tmp_path / "exports.csv", index=False)
    files = {name: tmp_path / f"{name}.csv" for name in ("sectors", "exports")}
    table = build_model(tiny_study.with_changes(data={**tiny_study.data, **files})).demand
    two, three, four, nine = (table.iloc[k] for k in (2, 3, 4, 9))
    assert two["export_usd"] == pytest.approx(43e6) and three["export_usd"] == pytest.approx(12e6)
    assert (two["general_t"], two["general_usd"]) == (pytest.approx(5_000), pytest.approx(23e6))
    assert (two["perishable_t"], two["perishable_usd"]) == (pytest.approx(6_000), pytest.approx(8.5e6))
    assert two["general_part_of_t"] == pytest.approx((0.5 * 2_000 + 3_000) / 5_000)
    assert two["general_part_of_usd"] == pytest.approx((0.5 * 17 + 6) / 23)
    assert two["perishable_part_of_t"] == pytest.approx((0.2 * 5_000 + 1_000) / 6_000)
    assert two["perishable_part_of_usd"] == pytest.approx((0.2 * 4.5 + 4) / 8.5)
    assert two["perishable_frozen_of_usd"] == pytest.approx((0.25 * 4.5 + 4) / 8.5)
    assert two["perishable_frozen_of_part"] == pytest.approx((0.2 * 0.25 * 4.5 + 4) / (0.2 * 4.5 + 4))
    assert (nine["general_t"], nine["general_usd"]) == (pytest.approx(500), pytest.approx(4.25e6))
    assert nine["export_usd"] == pytest.approx(8.5e6), "what leaves by land is exported all the same"
    # Who ships none of a class is as inclined to part loads as all that is shipped of it.
    whole_t = (170e6 + 8.5e6 + 17e6) / 8_500
    for one in (three, four):
        assert one["general_t"] == one["perishable_usd"] == one["general_frozen_of_usd"] == 0
        assert one["general_part_of_t"] == pytest.approx((0.5 * whole_t + 3_000) / (whole_t + 3_000))
        assert one["general_part_of_usd"] == pytest.approx((0.5 * 195.5 + 6) / 201.5)
    assert table["perishable_frozen_of_usd"][5] == table["perishable_part_of_usd"][5] == pytest.approx(1.0)
    assert table["under_utilised"].tolist() == [False, True, False] + [True] * 9, "170 and 43 of 233.5 are 3/4"


def test_what_hardly_exports_takes_the_mix_of_the_area_up_to_its_benchmark(tiny_study: Study, tmp_path: Path) -> None:
    """D4 exports 5,000 dollars of fruit, D7 nothing: each gets the textiles and fruit that make up the area's exports.

    The others are lifted in their own mix.
    """
    exports = pd.read_csv(tiny_study.data["exports"])
    exports.loc[4, ["textiles_usd_million", "fruit_usd_million"]] = [0.0, 0.005]
    exports.loc[7, ["textiles_usd_million", "fruit_usd_million"]] = 0.0
    exports.to_csv(tmp_path / "exports.csv", index=False)
    study = tiny_study.with_changes(data={**tiny_study.data, "exports": tmp_path / "exports.csv"})
    today = build_model(study)
    lifted = restated(today, study.with_changes(tonnage_basis="potential", potential_percentile=60.0)).demand
    benchmark = benchmark_usd(district_facts(today.pack), today.places, 60.0).to_numpy()
    usd = {name: exports[f"{name}_usd_million"] * 1e6 for name in ("textiles", "fruit")}
    own = usd["textiles"] + usd["fruit"]
    raised = 0
    for d in range(12):
        by_sea = 0.5 if d == 9 else 1.0  # it has a customs station
        mix = {name: some.sum() / own.sum() if own[d] < 1e4 else some[d] / own[d] for name, some in usd.items()}
        if today.demand["under_utilised"][d] and benchmark[d] > own[d]:
            expected = (benchmark[d] * mix["textiles"] / 8500, benchmark[d] * mix["fruit"] / 900)
            raised += 1
        else:
            expected = (usd["textiles"][d] / 8500, usd["fruit"][d] / 900)
        assert lifted["general_t"][d] == pytest.approx(by_sea * expected[0]), d
        assert lifted["perishable_t"][d] == pytest.approx(by_sea * expected[1]), d
    assert 2 < raised < 12 and (own[4] < benchmark[4]) and (own[7] < benchmark[7])


def test_half_a_tonne_of_one_district_is_something_to_move() -> None:
    little = demand([0.5, 0.0], [0.0, 0.0]).assign(export_usd=1.0)
    assert cargo_faults(little, Path("exports.csv")) == []
    (fault,) = cargo_faults(little.assign(general_t=0.0), Path("exports.csv"))
    assert "no district exports" in fault.message


@pytest.mark.parametrize(("million_usd", "words"), [
    (0.0, "no district exports anything that hubs serve; fill the columns of the sectors"),
    (1e300, "more than the world makes; give millions"),
])  # fmt: skip
def test_exports_that_cannot_be_are_refused(tiny_study: Study, tmp_path: Path, million_usd: float, words: str) -> None:
    exports = pd.read_csv(tiny_study.data["exports"])
    for column in ("textiles_usd_million", "fruit_usd_million"):
        exports[column] = million_usd
    exports.to_csv(tmp_path / "mine.csv", index=False)
    study = tiny_study.with_changes(data={**tiny_study.data, "exports": tmp_path / "mine.csv"})
    with pytest.raises(InputError, match=f"mine.csv: .*{words}"):
        build_model(study)


def test_demand_looks_at_no_other_field_of_a_study_than_those_that_tell_two_apart(tiny_model: Model) -> None:
    looked_at = set()

    class Watched:
        def __getattr__(self, name: str) -> object:
            looked_at.add(name)
            return getattr(tiny_model.study, name)

    district_demand(tiny_model.pack, Watched(), tiny_model.places, tiny_model.parameters)  # type: ignore[arg-type]
    assert looked_at and looked_at <= set(DEMAND_FIELDS)


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"budget_inr_crore": 1.0, "parameters": {"fx_inr_per_usd": 90.0}}, True),
        ({"parameters": {"land_border_share": 0.9}}, False),
        ({"leader_share": 0.5}, False),
        ({"export_growth": {"Madhya Pradesh": 1.0}}, False),
    ],
)
def test_a_study_that_exports_otherwise_is_told_from_one_that_does_not(
    tiny_model: Model, changes: dict[str, object], same: bool
) -> None:
    assert tiny_model.pack.observed_flows is None
    assert same_demand(tiny_model.study.with_changes(**changes), tiny_model.study, tiny_model.pack) is same


def test_potential_exports_hang_on_distances_and_are_worked_out_anew(tiny_model: Model) -> None:
    study = tiny_model.study.with_changes(tonnage_basis="potential")
    assert not same_demand(study, study, tiny_model.pack)
