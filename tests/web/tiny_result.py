"""A small finished result, made by hand: three districts on one road, one of them with a warehouse.

::

    Aaland -- Beeland (warehouse) -- Port Sea        by road
    Seeland ................ Dry Depot ==== Port Sea  by rail from the depot

The name of Seeland is an attack on the page, that of Beeland exists in two states.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.network import Network
from geodata.pack import Pack

HOSTILE = '<script>alert("x")</script>'
CENTRES = {"Aaland": (75.5, 20.5), "Beeland": (76.5, 20.5), HOSTILE: (77.5, 20.5)}
PORT = (78.9, 20.5)
DEPOT = (77.5, 21.2)
STATE = "Alpha"


def districts_table() -> pd.DataFrame:
    return pd.DataFrame({
        "district_id": ["alpha/aaland", "alpha/beeland", "alpha/script-alert-x-script"],
        "state": STATE, "district": list(CENTRES),
        "lgd_code": [1, None, 3], "lon": [x for x, _ in CENTRES.values()], "lat": 20.5,
        "counted_with": [None, "alpha/aaland", None],
        "under_utilised": [True, True, False],
        "export_usd": [1e6, 2e6, 9e9], "tonnes_per_year": [100.0, 50.0, 1000.0],
        "cost_before_inr_per_t": [2000.0, 1500.0, 900.0], "hours_before": [80.0, 70.0, 60.0],
        "co2e_before_t_per_year": [10.0, 5.0, 1.0],
        "cost_after_inr_per_t": [1000.0, 1400.0, 900.0], "hours_after": [60.0, 65.0, 60.0],
        "co2e_after_t_per_year": [8.0, 6.0, 1.0],
        "gateway_before": "Port Sea", "gateway_before_id": "XXSEA", "gateway_after": "Port Sea",
        "gateway_after_id": "XXSEA", "hub_1": ["Beeland", "Beeland", None],
        "hub_1_id": ["alpha/beeland", "alpha/beeland", None], "hub_2": None, "hub_2_id": None,
        "saving_inr_per_year": [1e5, 5e3, 0.0], "hours_to_gateway_after": [30.0, 25.0, 20.0],
    })  # fmt: skip


def sites_table() -> pd.DataFrame:
    return pd.DataFrame({
        "option_id": ["warehouse-small@alpha/beeland"], "site_id": ["warehouse@alpha/beeland"],
        "place_id": ["alpha/beeland"], "district_id": ["alpha/beeland"], "name": ["Beeland"], "state": [STATE],
        "lon": [76.5], "lat": [20.5], "facility_type": ["warehouse"], "tier": ["small"], "status": ["candidate"],
        "capex_inr_crore": [7.5], "capacity_t_per_year": [400.0], "throughput_t_per_year": [150.0],
        "utilisation": [0.375], "districts_served": [2], "saving_inr_per_year": [105_000.0],
    })  # fmt: skip


def lanes_table() -> pd.DataFrame:
    part = ["lane", "district", "load", "part", "mode", "from", "to", "km", "tonnes_per_year"]
    rows = [
        (1, "Aaland", "part", 1, "road", "Aaland", "Beeland", 110.0, 100.0),
        (1, "Aaland", "part", 2, "handling", "Beeland", "Beeland", 0.0, 100.0),
        (1, "Aaland", "part", 3, "road", "Beeland", "Port Sea", 260.0, 100.0),
        (1, "Aaland", "part", 4, "dwell", "Port Sea", "Port Sea", 0.0, 100.0),
        (2, "Beeland", "part", 1, "road", "Beeland", "Beeland", 20.0, 50.0),
        (2, "Beeland", "part", 2, "handling", "Beeland", "Beeland", 0.0, 50.0),
        (2, "Beeland", "part", 3, "road", "Beeland", "Port Sea", 260.0, 50.0),
        (3, HOSTILE, "full", 1, "road", HOSTILE, "Dry Depot", 90.0, 1000.0),
        (3, HOSTILE, "full", 2, "handling", "Dry Depot", "Dry Depot", 0.0, 1000.0),
        (3, HOSTILE, "full", 3, "rail", "Dry Depot", "Port Sea", 170.0, 1000.0),
    ]
    table = pd.DataFrame(rows, columns=part)
    ids = {"Aaland": "alpha/aaland", "Beeland": "alpha/beeland", HOSTILE: "alpha/script-alert-x-script",
           "Dry Depot": "dry", "Port Sea": "XXSEA"}  # fmt: skip
    at_site = (table["mode"] == "handling") & (table["from"] == "Beeland")
    return table.assign(
        district_id=table["district"].map(ids), from_id=table["from"].map(ids), to_id=table["to"].map(ids),
        client_id=table["district"].map(ids) + ":general:" + table["load"], state=STATE,
        option_id=np.where(at_site, "warehouse-small@alpha/beeland", None),
        under_utilised=table["district"] != HOSTILE, cargo_class="general", hours=2.0, cost_inr_per_t=10.0,
        freight_inr_per_t=8.0, co2e_kg_per_t=1.0,
    )  # fmt: skip


def write_result(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name, content in _files().items():
        (folder / name).write_bytes(content)
    return folder


@cache
def _files() -> dict[str, bytes]:
    """All files of the result by name; the GeoPackage takes a while to write."""
    with TemporaryDirectory() as name:
        _write(Path(name))
        return {path.name: path.read_bytes() for path in Path(name).iterdir()}


def _write(folder: Path) -> None:
    summary = {
        "study": "Tiny study", "area": "Tiny", "fingerprint": "0" * 64, "status": "optimal",
        "objective_inr": 1.0, "bound_inr": 1.0, "gap": 0.0,
        "budget_inr_crore": 10, "capex_inr_crore": 7.5, "fixed_cost_inr_per_year": 0.0,
        "served_cost_cut": 0.4, "part_load_cost_before_inr_per_year": 275_000.0,
        "concentration": {"districts_of_first_half": 1, "districts_of_first_three_quarters": 1},
        "not_recovering_capital": {"sites": 0, "capex_inr_crore": 0.0},
        "before": {"cost_inr_per_year": 275_000.0, "mean_hours": 77.0, "co2e_t_per_year": 15.0},
        "after": {"cost_inr_per_year": 170_000.0, "mean_hours": 62.0, "co2e_t_per_year": 14.0},
        "saving_inr_per_year": 105_000.0, "benefit_cost_ratio": 1.5, "payback_years": 7.0,
        "counts": {"districts": 3, "under_utilised": 2, "served_by_hub": 2, "unreachable": 0}, "unreachable": [],
        "resolved_study": {"data": {}},
    }  # fmt: skip
    (folder / "plan.json").write_text(json.dumps(summary), encoding="utf-8")
    for name, table in (("districts", districts_table()), ("sites", sites_table()), ("lanes", lanes_table())):
        table.to_csv(folder / f"{name}.csv", index=False)
    (folder / "report.html").write_text("<!doctype html><title>Report</title>", encoding="utf-8")
    squares = [shapely.box(x - 0.5, y - 0.5, x + 0.5, y + 0.5) for x, y in CENTRES.values()]
    flows = pd.DataFrame({
        "mode": "road", "from_place": [0, 1], "to_place": [1, 9], "km": [110.0, 260.0],
        "tonnes_per_year": [100.0, 150.0], "from_name": ["Aaland", "Beeland"], "to_name": ["Beeland", "Port Sea"],
        "from_id": ["alpha/aaland", "alpha/beeland"], "to_id": ["alpha/beeland", "XXSEA"],
    })  # fmt: skip
    a, b = CENTRES["Aaland"], CENTRES["Beeland"]
    layers = {
        "districts": gpd.GeoDataFrame(districts_table(), geometry=squares).iloc[::-1],  # order must not matter
        "sites": gpd.GeoDataFrame(sites_table(), geometry=[shapely.Point(b)]),
        "lanes": gpd.GeoDataFrame(flows, geometry=[shapely.LineString(x) for x in ([a, (76, 20.9), b], [b, PORT])]),
        "gateways": gpd.GeoDataFrame(gateways(), geometry=[shapely.Point(PORT)]),
        "depots": gpd.GeoDataFrame(depots(), geometry=[shapely.Point(DEPOT)]),
    }  # fmt: skip
    for name, layer in layers.items():
        layer.set_crs(4326).to_file(folder / "study.gpkg", layer=name, driver="GPKG", engine="pyogrio")


def gateways() -> pd.DataFrame:
    return pd.DataFrame({
        "gateway_id": ["XXSEA"], "name": ["Port Sea"], "state": [STATE], "lon": [PORT[0]], "lat": [PORT[1]],
        "container_service": [True],
    })  # fmt: skip


def depots() -> pd.DataFrame:
    return pd.DataFrame({
        "depot_id": ["dry"], "name": ["Dry Depot"], "state": [STATE], "lon": [DEPOT[0]], "lat": [DEPOT[1]],
        "rail_served": [True],
    })  # fmt: skip


def network(*points: tuple[float, float]) -> Network:
    """A chain of straight edges."""
    nodes = np.array(points, dtype=float)
    n = len(nodes) - 1
    return Network(
        nodes[:, 0], nodes[:, 1], np.arange(n), np.arange(1, n + 1), np.full(n, 100.0),
        np.full(n, "plain", dtype=object), np.full(n, None, dtype=object),
        np.array([shapely.LineString(nodes[k : k + 2]) for k in range(n)], dtype=object),
    )  # fmt: skip


def tiny_pack() -> Pack:
    """A pack without files: its layers are put where they would be read to."""
    pack = Pack({})
    squares = [shapely.box(x - 0.5, y - 0.5, x + 0.5, y + 0.5) for x in (75.5, 76.5) for y in (20.5,)]
    known = gpd.GeoDataFrame({
        "state": STATE, "district_id": ["alpha/aaland", "alpha/beeland"], "district_hi": ["आलैंड", None],
        "lon": [75.5, 76.5], "lat": [20.5, 20.5],
    }, geometry=squares, crs=4326)  # fmt: skip
    # The rail ends inland of the port; the connector says where.
    rail_end = (78.5, 20.9)
    connectors = pd.DataFrame({"terminal_id": ["XXSEA"], "lon": [rail_end[0]], "lat": [rail_end[1]], "km": [50.0]})
    states = pd.DataFrame({"state": [STATE], "state_hi": ["अल्फ़ा"]})
    layers = {
        "districts": known, "states": states, "land": known.iloc[:0], "gateways": gateways(), "depots": depots(),
        "rail_connectors": connectors,
        "road": network(*CENTRES.values(), DEPOT), "rail": network(DEPOT, (78.0, 21.5), rail_end, (78.88, 20.6)),
        "manifest": {
            "name": "Tiny", "built": "2025-01-01",
            "files": {"road.parquet": {"source": "OSM", "licence": "ODbL-1.0, © OpenStreetMap contributors"}},
            "figures": {"districts": {"polygons_with_code": 777}},
        },
    }  # fmt: skip
    pack.__dict__.update(layers)
    return pack
