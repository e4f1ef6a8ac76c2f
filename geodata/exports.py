"""District exports by sector -> tonnes by cargo class, concentration, and which districts are under-utilised.

An export table has one row per district: district_id, state, district, and one ``<sector>_usd_million``
column for each sector of the sector table (US$ million a year, free on board). Districts without a row export
nothing. The optional column ``counted_with`` holds the district_id of the district that the figures of a row are
counted with: of a district younger than the table, whose own figures are 0 there.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from geodata.districts import canonical_state, district_id, resolve_names
from geodata.errors import Fault, InputError
from geodata.tables import Column, read_table

HUB_CLASSES = ("general", "perishable")  # what warehouses, cold stores and parks serve
CARGO_CLASSES = (*HUB_CLASSES, "air_only", "port_bulk")
KEY_COLUMNS = ("district_id", "state", "district")
VALUE_SUFFIX = "_usd_million"
SECTOR_COLUMNS = (
    Column("sector", unique=True),
    Column("value_usd_per_t", "number", minimum=0.01),
    Column("cargo_class"),
    Column("air_share_of_value", "number", minimum=0, maximum=1),
    Column("source"),
    Column("part_load_propensity", "number", required=False, minimum=0, maximum=1),
    Column("part_load_propensity_low", "number", required=False, minimum=0, maximum=1),
    Column("part_load_propensity_high", "number", required=False, minimum=0, maximum=1),
    Column("part_load_propensity_source", required=False),
    Column("value_usd_per_t_low", "number", required=False, minimum=0.01),
    Column("value_usd_per_t_high", "number", required=False, minimum=0.01),
    Column("frozen_share", "number", required=False, minimum=0, maximum=1),
)
UNPLACED_COLUMNS = ("state", "district", "export_usd_million", "reason")
HISTORY_UNITS = ("usd_million", "inr_crore", "share")
"""Units of export histories: US$ million, crore rupees, share of the exports of the whole area."""
HISTORY_COLUMNS = (
    Column("state"),
    Column("district_id", required=False),  # blank: the whole state
    Column(
        "fiscal_year", "number", minimum=1900, maximum=2200
    ),  # by the year it ends in: 2025 is April 2024 to March 2025
    Column("months", "number", minimum=1, maximum=12),  # of the year that the value is of
    Column("value", "number", minimum=0),
    Column("unit"),
    Column("source"),
    Column("note", required=False),
)


def load_sectors(path: Path | str) -> pd.DataFrame:
    """Read the sector table, indexed by sector.

    Returns:
        DataFrame with columns value_usd_per_t, cargo_class (one of ``CARGO_CLASSES``), air_share_of_value
        (share of the value that flies, 0 to 1), source, and part_load_propensity (share of the cargo of small and
        few shippers that goes in part loads, 0 to 1; 1 where the table does not say: then volume alone decides) with
        its low, high and source, value_usd_per_t_low and _high, and frozen_share (share of the value that travels
        frozen, 0 to 1; 0 where the table does not say).

    Raises:
        InputError: naming every missing or unknown column, doubled sector and value out of range.
    """
    return check_sectors(read_table(path, SECTOR_COLUMNS, numbered=True), path)


def check_sectors(sectors: pd.DataFrame, path: Path | str) -> pd.DataFrame:
    """Index a table with ``SECTOR_COLUMNS``, numbered by its file's rows, by sector.

    Raises InputError for an unknown cargo class or a range upside down.
    """
    problems = [
        Fault(
            f"sector {sector!r} has the unknown cargo_class {cargo_class!r}",
            f"use one of {', '.join(CARGO_CLASSES)}",
            path,
            int(row),
            "cargo_class",
            cargo_class,
        )
        for row, sector, cargo_class in zip(sectors.index, sectors["sector"], sectors["cargo_class"], strict=True)
        if cargo_class not in CARGO_CLASSES
    ]
    sectors = sectors.fillna({"part_load_propensity": 1.0, "frozen_share": 0.0})
    for column in ("part_load_propensity", "value_usd_per_t"):
        value = sectors[column]
        low, high = (sectors[f"{column}_{end}"].fillna(value) for end in ("low", "high"))
        problems += [
            Fault(
                f"sector {sectors['sector'][row]!r} has a {column} outside its low and high",
                "correct one of them",
                path,
                int(row),
                column,
                float(value[row]),
            )
            for row in sectors.index[(low > value) | (value > high)]
        ]
    if problems:
        raise InputError(problems)
    return sectors.set_index("sector")


def load_exports(path: Path | str, districts: pd.DataFrame, sectors: pd.DataFrame) -> pd.DataFrame:
    """Read and check an export table.

    Args:
        path: CSV with ``KEY_COLUMNS`` and one ``<sector>_usd_million`` column per sector.
        districts: district table (column district_id).
        sectors: table of ``load_sectors``.

    Returns:
        DataFrame with ``KEY_COLUMNS``, ``counted_with`` ("" where a row stands for itself) and the value columns in
        the order of ``sectors``; US$ million a year.

    Raises:
        InputError: naming every missing or unknown column, unknown or doubled district, value that is negative or
            not a number, and row that is counted with a district which has no figures or has some of its own.
    """
    columns = [Column("district_id", unique=True), Column("state"), Column("district")]
    columns += [Column("counted_with", required=False)]
    columns += [Column(f"{sector}{VALUE_SUFFIX}", "number", minimum=0) for sector in sectors.index]
    exports = read_table(path, columns, numbered=True)
    known = set(districts["district_id"])
    problems = [
        Fault(f"district_id {key!r} is not in the district table", "correct it", path, int(row), "district_id", key)
        for row, key in zip(exports.index, exports["district_id"], strict=True)
        if key not in known
    ]
    problems += _counted_with_problems(path, exports)
    if problems:
        raise InputError(problems)
    return exports.reset_index(drop=True)


def load_unplaced(path: Path | str | None) -> pd.DataFrame:
    """Read exports that name no district, with ``UNPLACED_COLUMNS``; an empty table where there is no file."""
    if path is None:
        return pd.DataFrame({name: [] for name in UNPLACED_COLUMNS}).astype({"export_usd_million": float})
    columns = [Column("state"), Column("export_usd_million", "number")]
    # A pack built from own data also tells what the source calls each, where it stands there and what it may mean.
    columns += [Column(name, required=False) for name in ("district", "reason", "name_in_source", "suggestions", "row")]
    return read_table(path, columns, may_be_empty=True)[list(UNPLACED_COLUMNS)]


def load_export_history(path: Path | str | None) -> pd.DataFrame:
    """Read exports of earlier periods, with ``HISTORY_COLUMNS``; an empty table where there is no file.

    Raises:
        InputError: naming every fault; an unknown unit among them.
    """
    if path is None:
        return pd.DataFrame({column.name: [] for column in HISTORY_COLUMNS})
    table = read_table(path, HISTORY_COLUMNS, may_be_empty=True, numbered=True)
    faults = [
        Fault(remedy=f"choose from {', '.join(HISTORY_UNITS)}", file=path, row=row, column="unit", value=unit)
        for row, unit in zip(table.index, table["unit"], strict=True)
        if unit not in HISTORY_UNITS
    ]
    if faults:
        raise InputError(faults)
    return table.reset_index(drop=True).astype({"fiscal_year": int, "months": int})


def _counted_with_problems(path: Path | str, exports: pd.DataFrame) -> list[Fault]:
    young = exports[exports["counted_with"] != ""]
    stands_for_itself = set(exports.loc[exports["counted_with"] == "", "district_id"])
    own_value = young.filter(like=VALUE_SUFFIX).sum(axis=1)
    problems = [
        Fault(
            f"{key} is counted with {other!r}, which has no row of its own",
            "correct it",
            path,
            row,
            "counted_with",
            other,
        )
        for row, key, other in zip(young.index, young["district_id"], young["counted_with"], strict=True)
        if other not in stands_for_itself
    ]
    return problems + [
        Fault(
            f"{key} is counted with another district but has figures of its own",
            "clear one of the two",
            path,
            row,
            "counted_with",
            young["counted_with"][row],
        )
        for row, key in zip(young.index, young["district_id"], strict=True)
        if own_value[row] > 0
    ]


def with_counted(table: pd.DataFrame, known: pd.DataFrame, districts: pd.DataFrame) -> pd.DataFrame:
    """Add to an export table the districts that another table counts with one of this table's.

    Args:
        table: ``KEY_COLUMNS`` and value columns; every row stands for itself.
        known: table of ``load_exports``, from which ``counted_with`` is taken.
        districts: district table; only its districts are added.

    Returns:
        The table with ``counted_with``, sorted by district_id; rows that were added have the value 0.
    """
    young = known.loc[known["counted_with"] != "", [*KEY_COLUMNS, "counted_with"]]
    young = young[
        young["district_id"].isin(districts["district_id"]) & young["counted_with"].isin(table["district_id"])
    ]
    young = young[~young["district_id"].isin(table["district_id"])]
    both = pd.concat([table.assign(counted_with=""), young], ignore_index=True)
    values = both.filter(like=VALUE_SUFFIX).fillna(0.0)
    both = pd.concat([both[[*KEY_COLUMNS, "counted_with"]], values], axis=1)
    return both.sort_values("district_id", ignore_index=True)


def place_exports(
    raw: pd.DataFrame, districts: pd.DataFrame, aliases: pd.DataFrame, source_table: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Put an export table with names as published onto the districts of a pack; nothing is guessed.

    A row is placed when (state, name), through the alias table or as it stands, is a district of the pack.
    Rows that lead to the same district are added up; all others are listed with the reason.

    Args:
        raw: columns state, district and ``<sector>_usd_million``, as published.
        districts: district table (columns district_id, state, district).
        aliases: table of ``geodata.districts.load_aliases``.
        source_table: which rows of the alias table apply.

    Returns:
        (placed, unplaced): an export table sorted by district_id, and a table with ``UNPLACED_COLUMNS``.
    """
    value_columns = [column for column in raw.columns if column.endswith(VALUE_SUFFIX)]
    state = raw["state"].map(canonical_state)
    name = resolve_names(state, raw["district"], aliases, source_table)
    keys = pd.Series(
        [district_id(*pair) for pair in zip(state, name, strict=True)], index=raw.index, name="district_id"
    )
    found = keys.isin(set(districts["district_id"]))
    totals = raw.loc[found, value_columns].groupby(keys[found]).sum().reset_index()
    placed = totals.merge(districts[list(KEY_COLUMNS)], on="district_id").sort_values("district_id")

    nowhere = raw[~found]
    reasons = [
        "the source names no district"
        if district.strip().casefold() == "unspecified"
        else f"{home} has no district of this name and the alias table does not say which one is meant"
        for home, district in zip(state[~found], nowhere["district"], strict=True)
    ]
    unplaced = pd.DataFrame(
        {
            "state": state[~found],
            "district": nowhere["district"],
            "export_usd_million": nowhere[value_columns].sum(axis=1),
            "reason": reasons,
        }
    )
    columns = [*KEY_COLUMNS, *value_columns]
    return placed[columns].reset_index(drop=True), unplaced.sort_values(["state", "district"]).reset_index(drop=True)


def tonnes_by_class(exports: pd.DataFrame, sectors: pd.DataFrame) -> pd.DataFrame:
    """Tonnes and value a year by cargo class.

    tonnes = value / value per tonne. The share of a sector's value that flies counts as ``air_only``; the
    rest moves on the surface in the sector's own class.

    Returns:
        DataFrame indexed by district_id with, for each cargo class, the columns ``<class>`` (tonnes a year),
        ``value_usd_<class>`` (US$ a year), and of both what its sectors are inclined to send in part loads:
        ``part_t_<class>`` and ``part_usd_<class>`` (sums weighted by ``part_load_propensity``); and of the values what
        travels frozen: ``frozen_usd_<class>`` and ``frozen_part_usd_<class>``.
    """
    index = pd.Index(exports["district_id"], name="district_id")
    value_usd = exports[[f"{sector}{VALUE_SUFFIX}" for sector in sectors.index]].to_numpy(dtype=float) * 1e6
    air_share = sectors["air_share_of_value"].to_numpy()
    # One row per sector, one column per class: the part of the sector's value in that class.
    shares = np.array([[own == cargo_class for cargo_class in CARGO_CLASSES] for own in sectors["cargo_class"]])
    shares = shares * (1 - air_share)[:, None]
    shares[:, CARGO_CLASSES.index("air_only")] += air_share
    t_per_usd = shares / sectors["value_usd_per_t"].to_numpy()[:, None]
    inclined = sectors["part_load_propensity"].to_numpy()[:, None]
    frozen = shares * sectors["frozen_share"].to_numpy()[:, None]
    sums = {
        "": t_per_usd, "value_usd_": shares, "part_t_": t_per_usd * inclined, "part_usd_": shares * inclined,
        "frozen_usd_": frozen, "frozen_part_usd_": frozen * inclined,
    }  # fmt: skip
    tables = [
        pd.DataFrame(value_usd @ per_usd, index, [f"{prefix}{name}" for name in CARGO_CLASSES])
        for prefix, per_usd in sums.items()
    ]
    return pd.concat(tables, axis=1)


def concentration(values: pd.Series, share: float) -> int:
    """Number of the largest districts that together make at least ``share`` (0 to 1) of the total.

    Args:
        values: exports per district, any unit.
    """
    return int(_leaders(values, share).sum())


def under_utilised(values: pd.Series, leader_share: float = 0.75) -> pd.Series:
    """True for every district that is not a leader; leaders make the first ``leader_share`` of all exports.

    Args:
        values: exports per district, any unit; districts without exports count as 0 and are under-utilised.
        leader_share: share of the total, 0 to 1.

    Returns:
        Boolean Series with the index of ``values``.
    """
    return ~_leaders(values, leader_share)


def _leaders(values: pd.Series, share: float) -> pd.Series:
    """True for the fewest largest districts whose sum reaches ``share`` of the total; ties in file order."""
    if not 0 <= share <= 1:
        raise InputError(Fault(f"share is {share}", "give a share from 0 to 1"))
    order = np.argsort(-values.to_numpy(dtype=float), kind="stable")
    running = values.to_numpy(dtype=float)[order].cumsum()
    before = np.concatenate([[0.0], running[:-1]])
    # The tolerance keeps rounding in the running sum from adding a district that is not needed.
    leads = np.zeros(len(values), dtype=bool)
    leads[order] = before < share * running[-1] * (1 - 1e-12) if len(values) else False
    return pd.Series(leads, index=values.index)
