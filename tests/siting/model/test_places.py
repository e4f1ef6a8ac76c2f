"""Places are named by their ids alone, so no two may share one."""

from __future__ import annotations

import pytest

from geodata.errors import InputError
from geodata.pack import INDIA, open_pack
from siting.model.places import survey_pack


def test_places_of_different_layers_may_not_share_an_id(tiny_layers, tmp_path):
    depots = tmp_path / "depots.csv"
    depots.write_text(tiny_layers["depots"].read_text().replace("mid,Mid depot", "INPRT,Mid depot"))
    with pytest.raises(InputError) as refused:
        survey_pack(open_pack(INDIA, {**tiny_layers, "depots": depots}))
    assert refused.value.problems == [
        "'INPRT' is the id of a depot and a gateway; "
        "give every district, planned site, depot and gateway an id of its own"
    ]
