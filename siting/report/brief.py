"""The brief: a result on exactly two A4 pages, in English or Hindi, for who decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

import jinja2
import pandas as pd

from geodata.pack import Pack
from siting.certainty import CORE
from siting.districts.words import Words
from siting.model.rules import told
from siting.money import INR_PER_CRORE
from siting.parameters import load_parameters
from siting.report.formats import KeptTemplates
from siting.report.lines import SITE_WORDS
from siting.report.map import NO_SAVING, SavingClasses, brief_map
from siting.report.parameters import plain_name
from siting.results.read import PlanTables

SITES, STATES, LOSING, RULES, ASSUMED, SOURCES = 10, 8, 4, 2, 11, 5
"""Rows of each table: what fits two pages in either language."""
CHARACTERS = 90  # of a source
NAME_CHARACTERS = 60  # of a study or rule
TITLE = "Where the plan builds, and who saves"
HOURS = 0.5  # more than this is slower
SIZE_WORDS = {
    "small": "small", "medium": "medium", "large": "large", "standard": "standard", "announced": "announced",
    "first_stage": "first stage",
}  # fmt: skip
PARAMETERS = {
    "part_load_half_t_per_day": "Tonnes a day at which half of the cargo fills boxes",
    "light_truck_inr_per_t_km": "Small truck, part loads",
    "truck_inr_per_t_km": "Mean truck, part loads over a distance",
    "heavy_trailer_inr_per_t_km": "Full trailer",
    "rail_inr_per_t_km": "Train",
    "rail_terminal_dwell_h": "Wait at a rail terminal",
    "road_km_per_day": "Truck, distance a day",
    "time_cost_general_per_day": "Cost of time, general cargo",
    "cargo_terminal_capex_inr_crore": "Cargo terminal, capital",
    "warehouse_capex_inr_per_m2": "Warehouse, capital",
    "discount_rate": "Real rate of interest",
    "appraisal_years": "Years of appraisal",
}
"""Assumptions that every brief tells, in its words; those that a study replaces are told first."""
SOURCE_FILES = ("exports.csv", "observed_flows.csv", "districts.parquet", "road.parquet", "rail.parquet", "sectors.csv")


@dataclass(frozen=True)
class Brief:
    """A result as two pages.

    Args:
        pack: of the result: its districts, their names and sources.
        words: of the language.
        day: that the pages bear.
    """

    plan: PlanTables
    pack: Pack
    words: Words
    day: date

    def html(self) -> str:
        """The pages as one self-contained document."""
        words, s = self.words, self.plan.summary
        environment = jinja2.Environment(
            loader=jinja2.PackageLoader("siting.report"), autoescape=True, undefined=jinja2.StrictUndefined,
            lstrip_blocks=True, trim_blocks=True, bytecode_cache=KeptTemplates(),
        )  # fmt: skip
        environment.globals.update(_=words, lang=words.language)
        environment.filters.update(
            crore=_dashed(words.crore), number=_dashed(words.number), whole=_dashed(words.whole),
            percent=_dashed(words.percent), ratio=_dashed(lambda value: f"{value:.2f}"),
        )  # fmt: skip
        return environment.get_template("brief.html").render(
            s={**s, **self._more}, study=s["resolved_study"], study_name=_clipped(s["study"], NAME_CHARACTERS),
            day=self.day.strftime("%d-%m-%Y"), pack=self.pack.manifest,
            map=brief_map(self.pack, self.plan.districts, self.plan.sites, words(TITLE)),
            key=[*SavingClasses.of(self.plan.districts).key(), (NO_SAVING, "0")],
            kinds=[words(SITE_WORDS[kind]) for kind in self._kinds],
            sites=self.sites, states=self.states, losing=self.losing, slower=self.slower, sure=self.sure,
            rules=self.rules, assumed=self.assumptions, sources=self.sources,
            osm=any("OpenStreetMap" in file["licence"] for file in self.pack.manifest.get("files", {}).values()),
        )  # fmt: skip

    @cached_property
    def _more(self) -> dict[str, Any]:
        """What the pages tell beside ``plan.json``."""
        s = self.plan.summary
        before = s["before"]["cost_inr_per_year"]
        return {"site_count": len(self.plan.sites), "share": s["saving_inr_per_year"] / before if before else None}

    @cached_property
    def _kinds(self) -> list[str]:
        built = set(self.plan.sites["facility_type"])
        return [kind for kind in SITE_WORDS if kind in built]

    @cached_property
    def _names(self) -> dict[str, str]:
        """Names of places in the language, by district_id and by the English name of the state."""
        if self.words.language != "hi":
            return {}
        districts, states = self.pack.districts, self.pack.states
        pairs = [*zip(districts["district_id"], districts["district_hi"], strict=True),
                 *zip(states["state"], states["state_hi"], strict=True)]  # fmt: skip
        return {str(key): str(name) for key, name in pairs if isinstance(name, str) and name}

    def _site(self, row: Mapping[Any, Any]) -> dict[str, Any]:
        words = self.words
        return {
            "name": self._names.get(row["place_id"], row["name"]),
            "state": self._names.get(row["state"], row["state"]),
            "kind": f"{words(SITE_WORDS[row['facility_type']])}, {words(SIZE_WORDS.get(row['tier'], row['tier']))}",
            "capex": INR_PER_CRORE * row["capex_inr_crore"],
            "saving": row["saving_inr_per_year"],
            "per_rupee": row["saving_inr_per_year"] / (INR_PER_CRORE * row["capex_inr_crore"]),
            "repays": None if pd.isna(row["repays_share"]) else row["repays_share"],
        }

    @cached_property
    def sites(self) -> list[dict[str, Any]]:
        """Those that save most."""
        return [self._site(row) for row in self.plan.sites.head(SITES).to_dict("records")]

    @cached_property
    def losing(self) -> list[dict[str, Any]]:
        """Sites that do not recover their own capital, the dearest first."""
        losing = self.plan.sites[~self.plan.sites["recovers_capital"].astype(bool)]
        losing = losing.sort_values("capex_inr_crore", ascending=False, kind="stable")
        return [self._site(row) for row in losing.head(LOSING).to_dict("records")]

    @cached_property
    def states(self) -> list[dict[str, Any]]:
        """States whose districts save most."""
        districts = self.plan.districts[self.plan.districts["under_utilised"].astype(bool)]
        saved = districts.groupby("state")["saving_inr_per_year"].sum().nlargest(STATES)
        built = self.plan.sites.groupby("state")["capex_inr_crore"].agg(["size", "sum"])
        built = built.reindex(saved.index, fill_value=0)
        rows = zip(saved.index, built["size"], built["sum"], saved, strict=True)
        return [
            {"name": self._names.get(state, state), "sites": int(n), "capex": INR_PER_CRORE * capex, "saving": inr}
            for state, n, capex, inr in rows
            if inr > 0
        ]

    @cached_property
    def slower(self) -> int:
        """Under-utilised districts whose cargo travels longer with the plan."""
        table = self.plan.districts[self.plan.districts["under_utilised"].astype(bool)]
        return int((table["hours_after"] > table["hours_before"] + HOURS).sum())

    @cached_property
    def sure(self) -> dict[str, Any]:
        """What another choice could add at most, and in how many sites draws leave no doubt."""
        s, sites = self.plan.summary, self.plan.sites
        share = s["gap_of_saving"]
        return {
            "slack_inr": None if share is None else share * s["saving_inr_per_year"],
            "repaying": int((sites["repays_share"] >= CORE).sum()),
            "core": int((sites["chosen_share"] >= CORE).sum()),
        }

    @cached_property
    def rules(self) -> list[dict[str, Any]]:
        """Rules of the study, the dearest first, each by the limit that the plan is nearest to."""
        rules = sorted(self.plan.summary["rules"], key=lambda rule: -(rule["price_inr_per_year"] or 0.0))
        return [
            {
                "name": _clipped(rule["name"], NAME_CHARACTERS),
                "reached": told(rule["reached"], rule["unit"]),
                "price": rule["price_inr_per_year"],
            }
            for rule in rules[:RULES]
        ]  # fmt: skip

    @cached_property
    def assumptions(self) -> list[dict[str, Any]]:
        """Parameters that the study replaces, then those that every brief tells."""
        rows, values = load_parameters().rows, self.plan.summary["resolved_study"]["parameters"]
        changed = [key for key in rows if values.get(key) not in (None, rows[key].value)]
        keys = list(dict.fromkeys([*changed, *PARAMETERS]))[:ASSUMED]
        return [
            {"name": self.words(PARAMETERS.get(key, plain_name(key))), "value": values[key], "unit": rows[key].unit,
             "low": rows[key].low, "high": rows[key].high, "source": _clipped(rows[key].source),
             "changed": key in changed}
            for key in keys if key in values
        ]  # fmt: skip

    @cached_property
    def sources(self) -> list[tuple[str, str]]:
        """Files of the pack and what they were made of."""
        files, own = self.pack.manifest.get("files", {}), self.plan.summary["resolved_study"]["data"]
        names = [name for name in SOURCE_FILES if name in files] or list(files)[:SOURCES]
        replaced = [(layer, str(name)) for layer, name in own.items()]
        return [*replaced, *((name, _clipped(files[name]["source"])) for name in names)][:SOURCES]


def today() -> date:
    """The day, where this runs."""
    return datetime.now().astimezone().date()


def _clipped(text: str, most: int = CHARACTERS) -> str:
    """A text at most as long as that, cut between words where it has any."""
    if len(text) <= most:
        return text
    end = text.rfind(" ", most // 2, most)
    return text[: most if end < 0 else end].rstrip(",;") + " …"


def _dashed(words: Any) -> Any:
    return lambda value: "–" if value is None else words(value)
