"""Rows of an export table put on the districts of an area: by code, alias or name, never by likeness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from geodata.districts import canonical_state
from geodata.errors import Fault, InputError
from geodata.exports import KEY_COLUMNS, VALUE_SUFFIX
from geodata.ingest.names import PLACED_NOWHERE, DistrictNames, name_key
from geodata.ingest.sheets import SHOWN


@dataclass
class OwnExports:
    """Exports in the pack's schema and what did not find its way into it.

    Args:
        table: ``KEY_COLUMNS`` and ``<sector>_usd_million``, one row per district that exports.
        unplaced: names of the source that no district took, with ``PLACED_NOWHERE``; largest first.
        merged: districts that several names of the source lead to: ``district_id``, ``names``.
        outside_usd_million: exports of states that are not in the area.
        notes: what was done on the way.
    """

    table: pd.DataFrame
    unplaced: pd.DataFrame
    merged: pd.DataFrame
    outside_usd_million: float
    notes: list[str]


def place_rows(raw: pd.DataFrame, names: DistrictNames, sectors: Sequence[str], *, source: str) -> OwnExports:
    """Put rows on districts by code, alias or name; what fits nowhere is listed with suggestions.

    Args:
        raw: ``state``, ``district`` and US$ million for some of the sectors, ``lgd_code`` where the table has one; the
            index holds the rows of the source.
        names: of the area.
        sectors: of the pack.
        source: what messages call the table.

    Raises:
        InputError: no row leads to a district, or a code and a name lead to two.
    """
    districts = names.districts
    home = raw["state"].map(canonical_state)
    keys = pd.Series([name_key(*pair) for pair in zip(home, raw["district"], strict=True)], raw.index, dtype=object)
    target = names.find(keys)
    if "lgd_code" in raw:
        coded = names.by_code(raw["lgd_code"])
        faults = [
            Fault(
                f"code {raw['lgd_code'][row]:.0f} is {coded[row]}, but {raw['district'][row]!r} is {target[row]}",
                "correct one of the two, or take lgd_code out of columns if these are codes of another list",
                source, int(row), "lgd_code", raw["lgd_code"][row],
            )
            for row in raw.index[coded.notna() & target.notna() & (coded != target)][:SHOWN]
        ]  # fmt: skip
        if faults:
            raise InputError(faults)
        target = target.where(coded.isna(), coded)
    placed = target.notna()
    value_columns = [f"{sector}{VALUE_SUFFIX}" for sector in sectors]
    values = raw.reindex(columns=list(sectors)).fillna(0.0).set_axis(value_columns, axis=1)
    sums = values[placed].groupby(target[placed]).sum().rename_axis("district_id").reset_index()
    table = sums.merge(districts[list(KEY_COLUMNS)], on="district_id").sort_values("district_id", ignore_index=True)

    spellings = raw["district"][placed].groupby(target[placed]).agg(lambda names: sorted(set(names)))
    several = spellings[spellings.map(len) > 1]
    merged = pd.DataFrame({"district_id": several.index, "names": several.map(", ".join).to_numpy()})

    elsewhere = {state: names.is_outside(state) for state in set(home[~placed])}
    nowhere = ~placed & ~home.map(elsewhere).eq(True)
    outside = float(values[~placed & ~nowhere].sum().sum())
    usd_million = values[nowhere].sum(axis=1).groupby(keys[nowhere]).sum()
    rows = []
    for row in keys[nowhere].drop_duplicates().index:
        reason, near = names.near(home[row], raw["district"][row])
        total = float(usd_million[keys[row]])
        rows.append((home[row], raw["district"][row], "", total, reason, "; ".join(near), row))
    unplaced = pd.DataFrame(rows, columns=list(PLACED_NOWHERE))
    unplaced = unplaced.sort_values("export_usd_million", ascending=False, ignore_index=True)
    if table.empty:
        first = ", ".join(f"{row.name_in_source} ({row.state})" for row in unplaced.head(3).itertuples())
        raise InputError(
            Fault(
                f"not one row names a district of the area (unmatched: {first or 'all are of other states'})",
                "check the columns for state and district, or give aliases", source,
            )
        )  # fmt: skip
    return OwnExports(table[[*KEY_COLUMNS, *value_columns]], unplaced, merged, outside, [])
