"""What a district should do first: sentences that follow from its numbers by rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from siting.districts.words import Words

MOST = 5
FAR_FROM_CUSTOMS_KM = 100.0
ONE_SIDED = 0.6
"""Share of one sector in exports from which on a district hangs on it."""
WORTH_USD = 1e5
NEAR_TERMINAL_KM = 50.0
WORTH_SHARE = 0.05
"""Of the cost of a tonne by road, what makes changing to rail worth while."""
LONG_WAIT = 0.25
"""Share of waiting in the cost of a tonne from which on it is told."""

Card = Mapping[str, Any]
MEASURES: Mapping[str, str] = {
    "warehouse": "a warehouse in the district",
    "terminal": "a rail terminal in the district",
    "port": "a day less at its port",
    "customs": "a day less at customs, everywhere",
    "corridor": "four lanes on the way to its port",
}
"""Measures of :mod:`siting.districts.lifts` in words."""
FACILITIES: Mapping[str, str] = {
    "warehouse": "Warehouse",
    "cold_store": "Cold store",
    "cargo_terminal": "Cargo terminal",
    "mmlp": "Logistics park",
}


def first_actions(card: Card, words: Words, name: Callable[[Mapping[str, Any]], str]) -> list[str]:
    """At most `MOST` sentences for a card of :class:`siting.districts.cards.Cards`.

    Args:
        name: name of a place in the language of ``words``, from its names.
    """
    rules = (
        _young, _no_exports, _hub, _rail, _waiting, _connection, _strength, _potential, _one_sided, _customs, _adequate,
    )  # fmt: skip
    told = [text for rule in rules if (text := rule(card, words, name))]
    return told[:MOST]


def _young(card: Card, words: Words, name: Callable[[Mapping[str, Any]], str]) -> str:
    if card["counted_with"] is None:
        return ""
    return words(
        "Ask for export figures of the district's own: today they are counted with %(district)s.",
        district=name(card["counted_with"]),
    )


def _no_exports(card: Card, words: Words, name: Callable[[Mapping[str, Any]], str]) -> str:
    if card["exports"] is None or card["exports"]["export_usd"] > 0:
        return ""
    return words(
        "Find who ships today: no exports are recorded, but traders elsewhere may declare its goods as their own."
    )


def _hub(card: Card, words: Words, name: Callable[[Mapping[str, Any]], str]) -> str:
    if not card["hubs"]:
        return ""
    site = card["hubs"][0]
    return words(
        "Prepare exporters to use the plan's %(kind)s at %(place)s: it saves the district %(saving)s a year.",
        kind=words(FACILITIES.get(site["facility_type"], site["facility_type"])).lower(),
        place=name(site["names"]) if site["names"] else site["name"],
        saving=words.crore(card["plan"]["saving_inr_per_year"]),
    )  # fmt: skip


def _rail(card: Card, words: Words, name: Callable[[Mapping[str, Any]], str]) -> str:
    connected = card["connected"]
    road, rail, km = (connected[key] for key in ("road_inr_per_t", "rail_inr_per_t", "terminal_km"))
    if None in (road, rail, km) or km > NEAR_TERMINAL_KM or rail > road * (1.0 - WORTH_SHARE):
        return ""
    return words(
        "Put boxes on the train: a terminal is %(km)s km away, and rail costs ₹%(saving)s a tonne less than road.",
        km=words.whole(km), saving=words.whole(road - rail),
    )  # fmt: skip


def _waiting(card: Card, words: Words, name: Callable[[Mapping[str, Any]], str]) -> str:
    cost, waiting = card["plan"]["cost_before_inr_per_t"], card["plan"]["dwell_before_inr_per_t"]
    if not cost or waiting < LONG_WAIT * cost:
        return ""
    return words(
        "Shorten the wait: ₹%(waiting)s of the ₹%(cost)s that a tonne costs are time spent waiting, mostly at port.",
        waiting=words.whole(waiting), cost=words.whole(cost),
    )  # fmt: skip


def _strength(card: Card, words: Words, name: Callable[[Mapping[str, Any]], str]) -> str:
    exports = card["exports"]
    if exports is None or card["leader"] or not card["sectors"] or exports["export_usd"] < exports["q75_usd"]:
        return ""
    return words(
        "Build on %(sector)s: the district exports %(times)s times what the median of its kind does.",
        sector=words.sector(card["sectors"][0]["key"]), times=words.number(exports["export_usd"] / exports["q50_usd"]),
    )  # fmt: skip


def _connection(card: Card, words: Words, name: Callable[[Mapping[str, Any]], str]) -> str:
    connected, measures = card["connected"], card["measures"]
    if connected["inr_per_t"] is None:
        return words("Build a road: none leads from the district to a port.")
    if connected["adequate"]:
        return ""
    if not measures:
        return words("No single investment looked at makes its way to port cheaper.")
    lifting = [row for row in measures if row["lifts"]]
    best = lifting[0] if lifting else max(measures, key=lambda row: row["index"])
    values = {
        "measure": words(MEASURES[best["key"]]), "crore": words.crore(best["inr_crore"] * 1e7),
        "now": words.whole(connected["index"]), "then": words.whole(best["index"]),
    }  # fmt: skip
    if lifting:
        return words(
            "Ask for %(measure)s (%(crore)s): the cheapest single step that makes its way to port adequate, "
            "index %(now)s to %(then)s.", **values,
        )  # fmt: skip
    return words(
        "No single investment makes its way to port adequate; %(measure)s (%(crore)s) comes nearest, "
        "index %(now)s to %(then)s.", **values,
    )  # fmt: skip


def _adequate(card: Card, words: Words, name: Callable[[Mapping[str, Any]], str]) -> str:
    if not card["connected"]["adequate"]:
        return ""
    return words(
        "Leave the way to port as it is: it is adequate. What is exported matters more here than how it travels."
    )


def _potential(card: Card, words: Words, name: Callable[[Mapping[str, Any]], str]) -> str:
    exports = card["exports"]
    if exports is None or card["leader"] or exports["unrealised_usd"] < WORTH_USD:
        return ""
    near = ", ".join(words.sector(row["key"]) for row in card["nearest"])
    if near:
        return words(
            "Look for exporters near what it does already (%(sectors)s): districts of its kind export %(usd)s more.",
            sectors=near, usd=words.usd(exports["unrealised_usd"]),
        )  # fmt: skip
    return words("Districts of its kind export %(usd)s more: ask its peers how they began.",
                 usd=words.usd(exports["unrealised_usd"]))  # fmt: skip


def _one_sided(card: Card, words: Words, name: Callable[[Mapping[str, Any]], str]) -> str:
    sectors = card["sectors"]
    if not sectors or sectors[0]["share"] < ONE_SIDED:
        return ""
    return words(
        "Spread the risk: %(share)s of exports are %(sector)s.",
        share=words.percent(sectors[0]["share"]), sector=words.sector(sectors[0]["key"]),
    )  # fmt: skip


def _customs(card: Card, words: Words, name: Callable[[Mapping[str, Any]], str]) -> str:
    km = card["connected"]["customs_km"]
    if km is None or km <= FAR_FROM_CUSTOMS_KM or not card["sectors"]:
        return ""
    return words(
        "Ask for customs clearance nearer by: the next place is %(km)s km away, far from the factories.",
        km=words.whole(km),
    )  # fmt: skip
