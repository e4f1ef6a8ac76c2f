"""Scorecards: one self-contained page per district and per state, in English or Hindi, that prints on A4."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jinja2

from geodata.districts import slug
from geodata.errors import Fault, InputError
from geodata.hints import hint
from siting.districts.actions import FACILITIES, MEASURES, first_actions
from siting.districts.cards import Cards
from siting.districts.drawing import COMPONENT_FILLS, COMPONENTS, StateMaps, component_bar
from siting.districts.state_cards import state_card
from siting.districts.words import Words

COMPONENT_WORDS = {
    "freight": "freight", "handling": "handling", "time": "time on the way", "dwell": "time waiting",
    "carbon": "carbon",
}  # fmt: skip
SUFFIX = {"en": ".html", "hi": ".hi.html"}


@dataclass(frozen=True)
class Scorecards:
    """Pages of one result in one language."""

    cards: Cards
    words: Words

    @cached_property
    def maps(self) -> StateMaps:
        return StateMaps(self.cards.ground.pack)

    @cached_property
    def _environment(self) -> jinja2.Environment:
        environment = jinja2.Environment(
            loader=jinja2.PackageLoader("siting.districts"), autoescape=True, undefined=jinja2.StrictUndefined,
            lstrip_blocks=True, trim_blocks=True,
        )  # fmt: skip
        words = self.words
        environment.globals.update(
            _=words, lang=words.language, name=self.name, state_name=self.state_name, sector=words.sector,
            measures=MEASURES, facilities=FACILITIES, components=COMPONENTS, component_words=COMPONENT_WORDS,
            component_fills=COMPONENT_FILLS, page=self.file_name, plan=self.cards.plan.summary,
            reference=self.cards.profile.connectivity, fixed_date=self.cards.ground.pack.manifest.get("built", ""),
        )  # fmt: skip
        environment.filters.update(
            number=_dashed(words.number), whole=_dashed(words.whole), percent=_dashed(words.percent),
            crore=_dashed(words.crore), usd=_dashed(words.usd),
            million=_dashed(words.million),
        )  # fmt: skip
        return environment

    def name(self, names: Mapping[str, Any]) -> str:
        """Name of a district in the language; in English where no other is known."""
        return self._in_language(names, "district")

    def state_name(self, names: Mapping[str, Any]) -> str:
        """Name of a state likewise."""
        return self._in_language(names, "state")

    def _in_language(self, names: Mapping[str, Any], key: str) -> str:
        own = names.get(f"{key}_hi") if self.words.language == "hi" else None
        return str(own or names[key])

    def file_name(self, key: str) -> str:
        """File of a district (by its id) or of a state (by its name) in the folder."""
        if key in self.cards.names:
            return f"{key}{SUFFIX[self.words.language]}"
        return f"{slug(key)}/index{SUFFIX[self.words.language]}"

    def district(self, district_id: str) -> str:
        """Page of a district as HTML."""
        card, cards = self.cards.district(district_id), self.cards
        title = self.name(card["names"])
        return self._environment.get_template("district.html").render(
            c=card,
            title=title,
            map=self.maps.district(district_id, title),
            bar_before=component_bar([value or 0.0 for value in card["before"]], cards.most_inr_per_t),
            bar_after=component_bar([value or 0.0 for value in card["after"]], cards.most_inr_per_t),
            actions=first_actions(card, self.words, self.name),
        )

    def state(self, state: str) -> str:
        """Page of a state as HTML."""
        card = state_card(self.cards, state)
        title = self.state_name(card["names"])
        return self._environment.get_template("state.html").render(
            c=card, title=title, map=self.maps.state(state, title, card["dark"], card["site_points"])
        )

    def index(self, states: Iterable[str]) -> str:
        """Page that leads to those of the states."""
        cards = [state_card(self.cards, state) for state in states]
        return self._environment.get_template("index.html").render(states=cards)


def _dashed(words: Callable[[float], str]) -> Callable[[float | None], str]:
    return lambda value: "–" if value is None else words(value)


def asked_districts(cards: Cards, names: Iterable[str]) -> list[str]:
    """district_id of districts asked for by id or name.

    Raises:
        InputError: for a name that nothing has, or that several districts have.
    """
    found, faults = [], []
    by_name: dict[str, list[str]] = {}
    for key, row in cards.names.items():
        by_name.setdefault(slug(row["district"]), []).append(key)
    for asked in names:
        same = [asked] if asked in cards.names else by_name.get(slug(asked), [])
        if len(same) == 1:
            found += same
        elif same:
            faults.append(Fault(f"{asked!r} is the name of several districts", f"give one of {', '.join(same)}",
                                "command line"))  # fmt: skip
        else:
            known = [row["district"] for row in cards.names.values()]
            faults.append(Fault(f"no district {asked!r}", hint(asked, known), "command line"))
    if faults:
        raise InputError(faults)
    return found


def asked_states(cards: Cards, names: Iterable[str]) -> list[str]:
    """States asked for by name; raises InputError for a name that nothing has."""
    by_slug = {slug(state): state for state in cards.states}
    faults = [
        Fault(f"no state {name!r}", hint(name, cards.states), "command line")
        for name in names if slug(name) not in by_slug
    ]  # fmt: skip
    if faults:
        raise InputError(faults)
    return [by_slug[slug(name)] for name in names]


def write_scorecards(
    pages: Scorecards,
    folder: Path,
    districts: Iterable[str],
    states: Iterable[str],
    progress: Callable[[int], None] = lambda done: None,
) -> int:
    """Write pages into a folder, and one that leads to the states; returns how many."""
    done, states = 0, list(states)
    todo = [(pages.district, key) for key in districts] + [(pages.state, key) for key in states]
    for render, key in todo:
        file = folder / pages.file_name(key)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(render(key), encoding="utf-8")
        done += 1
        progress(done)
    if len(states) > 1:
        (folder / f"index{SUFFIX[pages.words.language]}").write_text(pages.index(states), encoding="utf-8")
        done += 1
    return done
