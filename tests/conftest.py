"""A study area small enough to reason about: 12 square districts between a port and an inland depot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geodata.network import great_circle_km
from siting.model.model import Model, build_model
from siting.plan import Plan, make_plan
from siting.study import Study

SECTORS = ("textiles", "fruit")
NO_MINIMUM = {"freight_station_min_teu_per_year": 0, "inland_depot_min_teu_per_year": 0}
COLUMNS, ROWS = 6, 2


@pytest.fixture(scope="session", autouse=True)
def _private_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests neither read nor fill the user's cache of matrices."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def write_tiny_pack(folder: Path) -> dict[str, Path]:
    """Write all layers of the tiny pack and return them by name.

    Districts of one degree from 76 E, 20 N; the port stands south-west of them; a railway runs along the southern
    row to the port; the depot is in the middle of that row. The last district has no road.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for k in range(COLUMNS * ROWS):
        west, south = 76.0 + k % COLUMNS, 20.0 + k // COLUMNS
        rows.append({
            "district_id": f"madhya-pradesh/d{k}", "state": "Madhya Pradesh", "district": f"D{k}",
            "district_hi": None, "lgd_code": None, "lon": west + 0.5, "lat": south + 0.5, "post_offices": 10,
            "population_weight": 1e5 * (k + 1), "geometry": shapely.box(west, south, west + 1, south + 1),
        })  # fmt: skip
    districts = gpd.GeoDataFrame(rows, crs="EPSG:4326").astype({"lgd_code": "Int64", "district_hi": "object"})
    districts.to_parquet(folder / "districts.parquet")
    states = gpd.GeoDataFrame(
        {"state": ["Madhya Pradesh"], "state_hi": [None]}, geometry=[districts.union_all()], crs="EPSG:4326"
    )
    states.to_parquet(folder / "states.parquet")
    pd.DataFrame({
        "sector": SECTORS, "value_usd_per_t": [8500, 900], "cargo_class": ["general", "perishable"],
        "air_share_of_value": [0.0, 0.0], "source": "test",
    }).to_csv(folder / "sectors.csv", index=False)  # fmt: skip
    exports = districts[["district_id", "state", "district"]].copy()
    exports["textiles_usd_million"] = [900.0, *np.linspace(60, 200, 11)]
    exports["fruit_usd_million"] = [0.0, *np.linspace(10, 0, 11)]
    exports.to_csv(folder / "exports.csv", index=False)
    pd.DataFrame([{
        "gateway_id": "INPRT", "name": "Port", "state": "Madhya Pradesh", "lon": 75.5, "lat": 19.5,
        "container_service": True, "rail_served": True, "export_dwell_h": 100, "source": "test",
    }]).to_csv(folder / "gateways.csv", index=False)  # fmt: skip
    pd.DataFrame([{
        "depot_id": "mid", "name": "Mid depot", "state": "Madhya Pradesh", "lon": 79.5, "lat": 20.5,
        "rail_served": True, "source": "test",
    }]).to_csv(folder / "depots.csv", index=False)  # fmt: skip
    pd.DataFrame([{
        "site_id": "mmlp-east", "name": "East park", "state": "Madhya Pradesh", "lon": 81.4, "lat": 20.5,
        "coordinate_basis": "test", "source": "test",
    }]).to_csv(folder / "planned_sites.csv", index=False)  # fmt: skip
    pd.DataFrame([{"terminal_id": "INPRT", "lon": 75.5, "lat": 19.5, "km": 2, "source": "test"}]).to_csv(
        folder / "rail_connectors.csv", index=False
    )
    pd.DataFrame(
        [{"district_id": "madhya-pradesh/d9", "station": "Pass", "neighbour": "Next", "source": "test"}]
    ).to_csv(folder / "land_customs.csv", index=False)
    port, points = (75.5, 19.5), list(zip(districts["lon"], districts["lat"], strict=True))
    south = [port, *points[:COLUMNS]]
    road = list(zip(south, south[1:], strict=False))
    road += [(points[k], points[k + COLUMNS]) for k in range(COLUMNS - 1)]
    _write_network(road, "road", folder / "road.parquet")
    rail = [south[0], (76.5, 20.0), *[(lon, 20.5) for lon in (77.5, 78.5, 79.5, 80.5, 81.4)]]
    _write_network(list(zip(rail, rail[1:], strict=False)), "main", folder / "rail.parquet")
    return {path.stem: path for path in folder.iterdir()}


def _write_network(lines: list[tuple[tuple[float, float], tuple[float, float]]], kind: str, path: Path) -> None:
    nodes = {point: k for k, point in enumerate(dict.fromkeys(p for line in lines for p in line))}
    km = [float(great_circle_km(a[0], a[1], b[0], b[1])) * 1.1 for a, b in lines]
    table = {
        "from_node": [nodes[a] for a, _ in lines], "to_node": [nodes[b] for _, b in lines], "km": km,
        "edge_class": kind, "repair": pd.Series([None] * len(lines), dtype=object),
    }  # fmt: skip
    gpd.GeoDataFrame(table, geometry=[shapely.LineString(line) for line in lines], crs="EPSG:4326").to_parquet(path)


@pytest.fixture(scope="session")
def tiny_layers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_tiny_pack(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def tiny_pack(tiny_layers: dict[str, Path]) -> Path:
    """The folder of the tiny pack, with a manifest, so that other packs can be built on it."""
    folder = tiny_layers["districts"].parent
    files = {path.name: {"source": "made up", "licence": "CC0-1.0"} for path in tiny_layers.values()}
    manifest = {"name": "Tiny", "bounds": [70, 15, 90, 25], "built": "2026-01-01", "figures": {}, "files": files}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture(scope="session")
def tiny_study(tiny_layers: dict[str, Path]) -> Study:
    """Budget for a few small sites; small warehouses are cheap enough to pay in a small world.

    It has too few boxes for a customs station, so that no site needs a minimum of them.
    """
    return Study(name="Tiny", budget_inr_crore=60.0, draws=0, parameters=NO_MINIMUM, data=tiny_layers)


@pytest.fixture(scope="session")
def tiny_model(tiny_study: Study) -> Model:
    return build_model(tiny_study)


@pytest.fixture(scope="session")
def free_study(tiny_study: Study) -> Study:
    """The study whose capital costs nothing within the budget: it builds sites that do not pay for theirs."""
    return tiny_study.with_changes(capital_charge=False)


@pytest.fixture(scope="session")
def free_model(free_study: Study) -> Model:
    return build_model(free_study)


@pytest.fixture(scope="session")
def free_plan(free_model: Model) -> Plan:
    return make_plan(free_model)


@pytest.fixture(scope="session")
def tiny_plan(tiny_model: Model) -> Plan:
    return make_plan(tiny_model)
