"""What is told beyond a plan: of a district potential, what would help it next, its scorecard; the two-page brief."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

from flask import Blueprint, Response, request

from geodata.districts import slug
from siting.districts.actions import MEASURES, first_actions
from siting.districts.cards import Cards
from siting.districts.ground import Ground
from siting.districts.scorecards import SUFFIX, Scorecards
from siting.districts.words import Words
from siting.report.brief import Brief, today
from siting.results.read import PlanTables
from siting.study import Study
from web.i18n import LANGUAGES, language
from web.map.plan import PlanData
from web.queries import choice, only
from web.security import refuse
from web.transfer import Body, Shelf, json_body

API = "/api/v1"
KEPT = 4  # plans whose districts are measured; each takes two seconds to make
SHELF_SIZE = 256


class CardBook:
    """Cards of the districts of plans, made when first asked for.

    Args:
        study_of: the study that a plan was made of; None where it cannot be had again.
    """

    def __init__(self, study_of: Callable[[PlanTables], Study | None]) -> None:
        self.study_of = study_of
        self._cards: dict[tuple[str, int], Cards] = {}
        self._lock = Lock()

    def of(self, plan: PlanTables) -> Cards:
        """Cards of a plan; ends the request with 409 where its study cannot be had."""
        with self._lock:
            cards = self._cards.get(plan.identity)
            if cards is None:
                study = self.study_of(plan)
                if study is None:
                    refuse(409, f"the plan '{plan.key}' does not tell the files it was made of: no scorecards of it")
                cards = self._cards[plan.identity] = Cards.of_plan(plan, Ground.of_study(study))
                for old in list(self._cards)[:-KEPT]:
                    del self._cards[old]
            return cards


def add_outlook_routes(
    api: Blueprint,
    find: Callable[[str], PlanData],
    study_of: Callable[[PlanTables], Study | None],
    policy: str,
) -> None:
    """Add what there is of one district or state of a plan.

    Args:
        policy: content security policy of pages that carry their own styles.
    """
    book, shelf = CardBook(study_of), Shelf(SHELF_SIZE)

    @api.get(f"{API}/plans/<key>/outlook")
    def outlook(key: str) -> Response:
        only("district", "lang")
        data, lang = find(key), _lang()
        district = request.args.get("district", "")
        data.row_of("district", district)
        cards = book.of(data.plan)
        made = (data.plan.identity, "outlook", district, lang)
        return shelf.get(made, lambda: json_body(_told(key, cards, district, Words(lang)))).response()

    @api.get("/scorecard/plans/<key>/<path:file>")
    def scorecard(key: str, file: str) -> Response:
        only()
        data = find(key)
        lang = next((lang for lang in ("hi", "en") if file.endswith(SUFFIX[lang])), None)
        if lang is None:
            refuse(404, f"no scorecard '{file}'; they end in {' or '.join(SUFFIX.values())}")
        pages = Scorecards(book.of(data.plan), Words(lang))
        content = shelf.get((data.plan.identity, file), lambda: Body(_page(pages, file, lang).encode(), "text/html"))
        response = content.response()
        response.headers["Content-Security-Policy"] = policy
        return response

    @api.get("/brief/plans/<key>")
    def brief(key: str) -> Response:
        only("lang")
        plan, lang = find(key).plan, _lang()
        study = study_of(plan)
        if study is None:
            refuse(409, f"the plan '{key}' does not tell the files it was made of: no brief of it")
        day = today()

        def made() -> Body:
            return Body(Brief(plan, study.pack(), Words(lang), day).html().encode(), "text/html")

        response = shelf.get((plan.identity, "brief", lang, day), made).response()
        response.headers["Content-Security-Policy"] = policy
        return response


def _page(pages: Scorecards, file: str, lang: str) -> str:
    """The page of a file, as `siting scorecard` names it."""
    name, cards = file.removesuffix(SUFFIX[lang]), pages.cards
    if name == "index":
        return pages.index(cards.states)
    if name in cards.names:
        return pages.district(name)
    states = {slug(state): state for state in cards.states}
    folder, _, page = name.partition("/")
    if folder not in states or page != "index":
        refuse(404, f"no scorecard '{file}'; there are index.html, STATE/index.html and STATE/DISTRICT.html")
    return pages.state(states[folder])


def _lang() -> str:
    return choice("lang", tuple(LANGUAGES), language())


def _told(key: str, cards: Cards, district: str, words: Words) -> dict[str, Any]:
    card, pages = cards.district(district), Scorecards(cards, words)
    exports, connected = card["exports"], card["connected"]
    potential = ("rank", "q50_usd", "unrealised_usd", "unrealised_low_usd", "unrealised_high_usd")
    names = ("inr_crore", "saves_inr_per_t", "lifts", "shared")
    return {
        "district_id": district,
        "exports": None if exports is None else {name: exports[name] for name in potential} | {"of": card["districts"]},
        "connected": {"index": connected["index"], "rank": connected["rank"], "of": card["connected_of"],
                      "adequate": connected["adequate"]},
        "measures": [
            {"key": row["key"], "text": words(MEASURES[row["key"]]), **{name: row[name] for name in names}}
            for row in card["measures"]
        ],
        "actions": first_actions(card, words, pages.name),
        "scorecard": f"/scorecard/plans/{key}/{pages.file_name(district)}",
    }  # fmt: skip
