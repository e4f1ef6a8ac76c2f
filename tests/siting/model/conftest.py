"""Models that several modules of tests look at."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from siting.model.model import Model, build_model
from siting.study import Study

STATES = ("Madhya Pradesh", "Maharashtra")
HOME = "madhya-pradesh/d"


@pytest.fixture(scope="session")
def two_states(tiny_layers: dict[str, Path], tiny_study: Study, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The tiny area, its districts in two states by turns; d0 and d7 lead and count half; roads alone are slower."""
    folder = tmp_path_factory.mktemp("states")
    districts = gpd.read_parquet(tiny_layers["districts"])
    districts["state"] = [STATES[k % 2] for k in range(len(districts))]
    states = districts.dissolve("state", as_index=False)[["state", "geometry"]].assign(state_hi=None)
    exports = pd.read_csv(tiny_layers["exports"]).assign(state=districts["state"])
    files = {name: folder / tiny_layers[name].name for name in ("districts", "states", "exports")}
    districts.to_parquet(files["districts"])
    states.to_parquet(files["states"])
    exports.to_csv(files["exports"], index=False)
    return build_model(
        tiny_study.with_changes(
            data={**tiny_layers, **files}, leaders=(f"{HOME}0", f"{HOME}7"), leader_weight=0.5,
            parameters={**tiny_study.parameters, "road_only_delay": 0.1},
        )
    )  # fmt: skip
