"""A sub-district study: every district of the bundled pack in eight parts, through the whole chain.

    python -m benchmarks.sub_districts

About 6,000 origins, all of them places to build at: boundaries and exports as files, a pack built from them, distances,
lanes and a plan. Writes results/sub_districts.md.
"""

from __future__ import annotations

import os
import platform
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from benchmarks.routers import peak_mb
from benchmarks.solver import RESULTS
from geodata.exports import VALUE_SUFFIX
from geodata.ingest.area import load_area
from geodata.ingest.build import build_pack
from geodata.pack import Pack, open_pack
from siting.model.model import build_model
from siting.plan import make_plan
from siting.study import load_study

PARTS = 8
AREA = """[area]
name = "Sub-districts"
[boundaries]
source = "file"
file = "parts.gpkg"
[exports]
source = "file"
file = "exports.csv"
unit = "usd_million"
[land_customs]
source = "none"
"""
STUDY = '[study]\nname = "Sub-districts"\nbudget_inr_crore = 10000\n[data]\npack = "pack"\n'


def split(pack: Pack, parts: int, seed: int = 0) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Voronoi cells of random points in every district, and its exports and people shared out at random."""
    rng = np.random.default_rng(seed)
    exports = pack.exports.set_index("district_id").filter(like=VALUE_SUFFIX)
    cells, values = [], []
    for district in pack.districts.itertuples():
        shape = shapely.make_valid(district.geometry)
        inside = gpd.GeoSeries([shape]).sample_points(parts, rng=rng).iloc[0]
        found = shapely.get_parts(shapely.voronoi_polygons(inside, extend_to=shape))
        pieces = [gpd.GeoSeries([shapely.intersection(cell, shape)]).explode().union_all() for cell in found]
        share = rng.dirichlet(np.ones(len(pieces)))
        for k, piece in enumerate(pieces):
            name = {"state": district.state, "district": f"{district.district} part {k + 1}"}
            point = shapely.point_on_surface(piece)
            people = district.population_weight * share[k]
            cells.append({**name, "lon": point.x, "lat": point.y, "population": people, "geometry": piece})
            if district.district_id in exports.index:
                own = (exports.loc[district.district_id] * share[k]).rename(lambda c: c.removesuffix(VALUE_SUFFIX))
                values.append({**name, **own})
    return gpd.GeoDataFrame(cells, crs=4326), pd.DataFrame(values)


def main() -> None:
    """Run the chain and write how long its stages took."""
    rows: list[tuple[str, float, float]] = []
    began = time.perf_counter()

    def done(stage: str) -> None:
        nonlocal began
        rows.append((stage, time.perf_counter() - began, peak_mb()))
        print(*rows[-1], flush=True)
        began = time.perf_counter()

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["XDG_CACHE_HOME"] = name  # nothing from an earlier run
        cells, values = split(open_pack(), PARTS)
        cells.to_file(folder / "parts.gpkg")
        values.to_csv(folder / "exports.csv", index=False)
        (folder / "area.toml").write_text(AREA)
        (folder / "study.toml").write_text(STUDY)
        began = time.perf_counter()
        build_pack(load_area(folder / "area.toml"), folder / "pack")
        done("pack build")
        model = build_model(load_study(folder / "study.toml"))
        done("distances and lanes")
        plan = make_plan(model)
        done("plan")
    lines = [
        f"Measured on {platform.machine()}, {len(os.sched_getaffinity(0))} cores, load average "
        f"{os.getloadavg()[2]:.1f}, one run. {len(cells):,} districts, {len(model.clients):,} clients, "
        f"{len(model.options):,} options, {len(model.improving.client):,} lanes that beat today's. The plan is "
        f"{plan.solution.status}, gap {plan.solution.gap:.2g}.",
        "",
        "| stage | seconds | peak MB so far |",
        "|---|---:|---:|",
        *(f"| {stage} | {seconds:.0f} | {memory:.0f} |" for stage, seconds, memory in rows),
    ]
    (RESULTS / "sub_districts.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
