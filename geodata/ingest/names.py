"""Which district of an area a name in a table means: by code, by alias or as it stands, never by likeness."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from rapidfuzz import fuzz, process, utils

from geodata.coverage import EQUAL_AREA_WORLD
from geodata.districts import canonical_state, district_id, plain_name, slug
from geodata.errors import Fault, InputError
from geodata.tables import Column, read_table

SUGGESTIONS = 3
ALIKE = 60.0  # rapidfuzz score, of 100, from which a name is suggested
SAME_STATE = 80.0  # score from which a state that is not in the area is taken for a slip of the pen
TRUSTED_CODES = 0.9  # share of districts of one name that must bear one code before codes are believed
COVERED = 0.05  # share of a district's area from which another that lies on it is suggested

PLACED_NOWHERE = ("state", "name_in_source", "district", "export_usd_million", "reason", "suggestions", "row")
"""Columns of an alias table first, the district left blank: filled in, the list is an alias table."""


@dataclass(frozen=True)
class DistrictNames:
    """The districts of an area and what they are called elsewhere.

    Args:
        districts: ``district_id``, ``state``, ``district``; ``lgd_code`` and ``district_hi`` where known.
        own: key of a name (`name_key`) -> district, "" for nowhere, by the user's alias table.
        pack: the same by the fallback pack's alias table, and from districts of the fallback pack by their codes.
        lies_on: key of a district of the fallback pack that has none here -> the districts that lie where it lay, each
            with a text for messages: ``("goa/south-goa", "Goa/South Goa (covers 93% of it)")``; the largest first.
    """

    districts: pd.DataFrame
    own: Mapping[str, str] = field(default_factory=dict)
    pack: Mapping[str, str] = field(default_factory=dict)
    lies_on: Mapping[str, list[tuple[str, str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known, states = set(self.districts["district_id"]), {slug(state) for state in self.districts["state"]}
        wrong = {t for t in self.own.values() if t and t not in known and t.split("/")[0] in states}
        if wrong:
            raise InputError([
                Fault(f"aliases: {target!r} is no district of the area", "correct the name") for target in sorted(wrong)
            ])  # fmt: skip

    def find(self, keys: pd.Series[str]) -> pd.Series[str]:
        """District of each name key: by own alias, as it stands, in Hindi, by the pack; NaN where there is none."""
        as_it_stands = {key: key for key in self.districts["district_id"]}
        hindi = {}
        if "district_hi" in self.districts:
            rows = self.districts.dropna(subset="district_hi")
            names = zip(rows["state"], rows["district_hi"], strict=True)
            hindi = dict(zip([name_key(*pair) for pair in names], rows["district_id"], strict=True))
        lookup = {**self.pack, **hindi, **as_it_stands, **self.own}
        found = keys.map(lookup.get)
        return found.where(found.isin(as_it_stands))

    def by_code(self, codes: pd.Series[float]) -> pd.Series[str]:
        """District of each code; NaN where there is none."""
        rows = self.districts.dropna(subset="lgd_code").drop_duplicates("lgd_code", keep=False)
        return codes.map(dict(zip(rows["lgd_code"].astype(float), rows["district_id"], strict=True)))

    def near(self, state: str, name: str) -> tuple[str, list[str]]:
        """Why a name means no district, and what it may mean: never a decision."""
        key = name_key(state, name)
        if key in self.own and not self.own[key]:
            return "your alias table places it nowhere", []
        if state not in set(self.districts["state"]):
            return f"the area has no state {state}; give state/district", suggestions(state, self._states())
        reason = f"{state} has no district of this name, and no alias says which is meant"
        if key in self.lies_on:
            return reason, [text for _, text in self.lies_on[key]]
        names = self.districts.loc[self.districts["state"] == state, "district"]
        near = suggestions(name, {n: n for n in names})
        elsewhere = self.districts[self.districts["district"].map(slug) == slug(name)]
        near = [f"{row.state}/{row.district}" for row in elsewhere.itertuples()][:SUGGESTIONS] + near
        return reason, near

    def is_outside(self, state: str) -> bool:
        """Whether a state is simply another one, not one of the area's with a slip of the pen."""
        states = self._states()
        if state in states:
            return False
        near = suggestions(state, states)
        return not near or fuzz.ratio(state, near[0]) < SAME_STATE

    def _states(self) -> dict[str, str]:
        return {state: state for state in self.districts["state"]}


def district_names(
    districts: pd.DataFrame,
    own_aliases: pd.DataFrame | None = None,
    pack_aliases: pd.DataFrame | None = None,
    fallback: gpd.GeoDataFrame | None = None,
) -> DistrictNames:
    """Names of an area's districts.

    Args:
        districts: as in `DistrictNames`; with geometry where ``fallback`` is given.
        own_aliases: table of `load_own_aliases`; it comes first.
        pack_aliases: table of `geodata.districts.load_aliases`; it counts where its district exists here.
        fallback: districts of the fallback pack, whose names its tables use.

    Raises:
        InputError: an own alias leads to no district of the area.
    """
    known = set(districts["district_id"])
    own = _alias_targets(own_aliases)
    same = {} if fallback is None else same_codes(districts, fallback)
    pack = {key: same.get(target, target) for key, target in _alias_targets(pack_aliases).items()}
    pack = {key: target for key, target in {**pack, **same}.items() if target in known}
    names = DistrictNames(districts, own, pack)
    if fallback is None:
        return names
    missing = fallback[names.find(fallback["district_id"]).isna()]
    return DistrictNames(districts, own, pack, _lies_on(missing, districts))


def name_key(state: str, name: str) -> str:
    """What names are compared by: the district_id they would have; a name without Latin letters stays as it is."""
    letters = unicodedata.normalize("NFC", plain_name(name)).replace("\u200d", "").replace("\u200c", "").casefold()
    return f"{slug(state)}/{slug(name) or letters}"


def suggestions(name: str, known: Mapping[str, str]) -> list[str]:
    """Names (values of ``known``) that look like a name, best first; never a decision."""
    found = process.extract(
        name, dict(known), scorer=fuzz.WRatio, processor=utils.default_process, limit=SUGGESTIONS, score_cutoff=ALIKE
    )
    return [str(match[0]) for match in found]


def same_codes(districts: pd.DataFrame, fallback: pd.DataFrame) -> dict[str, str]:
    """District of the fallback pack -> district of the same code here, where names differ.

    Codes come from more than one list (Local Government Directory, Census), in which one number means two districts.
    They are believed only if nearly all districts of one name have one code in both tables, and never against names.
    """
    if "lgd_code" not in districts or "lgd_code" not in fallback:
        return {}
    ours = districts.dropna(subset="lgd_code").drop_duplicates("lgd_code", keep=False)
    theirs = fallback.dropna(subset="lgd_code").drop_duplicates("lgd_code", keep=False)
    named = ours.merge(theirs, on="district_id", suffixes=("", "_of_pack"))
    if named.empty or (named["lgd_code"] == named["lgd_code_of_pack"]).mean() < TRUSTED_CODES:
        return {}
    known, there = set(districts["district_id"]), set(fallback["district_id"])
    pairs = ours.merge(theirs, on="lgd_code", suffixes=("", "_of_pack"))
    pairs = pairs[(pairs["state"] == pairs["state_of_pack"])]
    return {
        theirs: own
        for own, theirs in zip(pairs["district_id"], pairs["district_id_of_pack"], strict=True)
        if theirs not in known and own not in there
    }


def load_own_aliases(path: Path) -> pd.DataFrame:
    """A user's alias table: ``state``, ``name_in_source``, ``district`` (blank: nowhere) and what else a pack lists.

    ``district`` may also be written ``state/district`` where the district now belongs to another state.
    Raises InputError naming every fault.
    """
    columns = [Column("state"), Column("name_in_source"), Column("district", required=False)]
    ours = (*PLACED_NOWHERE[len(columns) :], "note")
    aliases = read_table(path, [*columns, *(Column(name, required=False) for name in ours)], numbered=True)
    pairs = zip(aliases["state"], aliases["name_in_source"], strict=True)
    keys = pd.Series([name_key(canonical_state(state), name) for state, name in pairs], aliases.index)
    problems = [
        Fault(
            f"{aliases['name_in_source'][row]!r} of {aliases['state'][row]} is listed twice",
            "keep one row",
            path,
            int(row),
            "name_in_source",
            aliases["name_in_source"][row],
        )
        for row in keys.index[keys.duplicated()]
    ]
    if problems:
        raise InputError(problems)
    return aliases.reset_index(drop=True)


def _alias_targets(aliases: pd.DataFrame | None) -> dict[str, str]:
    """Key of the name in the source -> key of the district, "" for nowhere."""
    if aliases is None:
        return {}
    targets = {}
    for row in aliases.to_dict("records"):
        home = canonical_state(row["state"])
        state, _, name = row["district"].rpartition("/")
        targets[name_key(home, row["name_in_source"])] = (
            district_id(canonical_state(state.replace("-", " ")) if state else home, name) if name else ""
        )
    return targets


def _lies_on(lost: gpd.GeoDataFrame, districts: pd.DataFrame) -> dict[str, list[tuple[str, str]]]:
    """The districts that lie where those of the fallback pack lay that have none here; see `DistrictNames`."""
    if lost.empty or "geometry" not in districts:
        return {}
    ours = gpd.GeoSeries(districts["geometry"], crs=lost.crs).to_crs(EQUAL_AREA_WORLD).make_valid()
    theirs = np.asarray(lost.geometry.to_crs(EQUAL_AREA_WORLD).make_valid().array, dtype=object)
    shapes = np.asarray(ours.array, dtype=object)
    old, own = shapely.STRtree(shapes).query(theirs, predicate="intersects")
    share = shapely.area(shapely.intersection(theirs[old], shapes[own])) / shapely.area(theirs[old])
    table = pd.DataFrame({"old": lost["district_id"].to_numpy()[old], "own": own, "share": share})
    table = table[table["share"] >= COVERED].sort_values("share", ascending=False)
    found: dict[str, list[tuple[str, str]]] = {}
    for key, i, part in zip(table["old"], table["own"], table["share"], strict=True):
        name = f"{districts['state'].iloc[i]}/{districts['district'].iloc[i]}"
        found.setdefault(str(key), []).append(
            (str(districts["district_id"].iloc[i]), f"{name} (covers {part:.0%} of it)")
        )
    return {key: parts[:SUGGESTIONS] for key, parts in found.items()}
