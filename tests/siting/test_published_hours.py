"""Hours of the bundled pack against published ones: rail from Delhi to Nhava Sheva, and what a sea port takes.

The Logistics Data Bank measured 69:42 h for boxes from Tughlakabad to Jawaharlal Nehru Port in April 2018, before the
western freight corridor opened. The National Time Release Study 2025 counts about 30 h of customs and over 157 h of
logistics from the goods' arrival at a sea port to the ship's departure.
"""

import numpy as np
import pandas as pd
import pytest

from geodata.pack import open_pack
from siting.model.costs import Tariff
from siting.model.lanes import NONE, LanePricer, Lanes
from siting.model.model import conditions
from siting.model.places import Places, survey_pack
from siting.parameters import Parameters, load_parameters

TKD_JNPT_H = 69.7
RELEASE_H = 30 + 157


@pytest.fixture(scope="module")
def survey():
    return survey_pack(open_pack())


def place(places: Places, name: str) -> int:
    return int(np.flatnonzero(places.table["place_id"] == name)[0])


def parts(survey, p: Parameters, hub: str | None, terminal: str | None, gateway: str) -> pd.DataFrame:
    """Parts of the lane of one tonne in full or part loads from Delhi."""
    places = survey.places(p)
    hub_at, terminal_at = (NONE if name is None else place(places, name) for name in (hub, terminal))
    clients = pd.DataFrame({
        "place": [place(places, "delhi/new-delhi")], "cargo_class": ["general"],
        "load": ["full" if hub is None else "part"], "time_inr_per_t_h": [1.0], "first_mile_factor": [1.0],
    })  # fmt: skip
    pricer = LanePricer(places, Tariff.from_parameters(p), conditions(open_pack(), places, p), clients)
    lanes = Lanes(*(np.array([at]) for at in (0, hub_at, terminal_at, place(places, gateway))), np.zeros(1))
    return pricer.parts(lanes).set_index("mode")


def test_tughlakabad_to_nhava_sheva_by_rail_takes_what_the_data_bank_measured(survey):
    """Within 25 % on today's lines, some 1,190 km of them the corridor; closer on those of 2018, without one."""
    p = load_parameters()
    today = parts(survey, p, None, "tughlakabad", "INNSA").loc["rail", "hours"]
    assert today == pytest.approx(TKD_JNPT_H, rel=0.25)
    without_corridor = p.with_overrides({"rail_speed_dfc_km_h": p["rail_speed_main_km_h"]})
    in_2018 = parts(survey, without_corridor, None, "tughlakabad", "INNSA").loc["rail", "hours"]
    assert in_2018 == pytest.approx(TKD_JNPT_H, rel=0.10)
    assert today < in_2018


def test_a_sea_port_takes_what_the_time_release_study_found(survey):
    """Part loads boxed at the port, from their arrival at its sheds to the ship's departure; by exports 187 h."""
    pack = open_pack()
    flows, gateways = pack.observed_flows, pack.gateways
    ports = gateways.loc[gateways["container_service"], "gateway_id"]
    by_sea = flows[flows["gateway_id"].isin(ports)].groupby("gateway_id")["usd_million"].sum()
    hours = {}
    for gateway in by_sea.index:
        at_port = parts(survey, load_parameters(), gateway, None, gateway).loc["dwell", "hours"]
        hours[gateway] = at_port.sum()
        assert hours[gateway] == pytest.approx(RELEASE_H, rel=0.25), gateway
    mean = np.average([hours[gateway] for gateway in by_sea.index], weights=by_sea)
    assert mean == pytest.approx(RELEASE_H, rel=0.05)
