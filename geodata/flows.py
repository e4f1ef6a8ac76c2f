"""Where exports are seen to leave: observed flows by state and gateway, and the tastes calibrated on them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from geodata.errors import Fault, InputError
from geodata.tables import Column, read_table

LEAVES_BY = ("sea", "icd", "sez", "air", "land", "other")
"""Kinds of customs location: sea port, inland depot, special economic zone, airport, land station, other."""

OBSERVED_FLOW_COLUMNS = (
    Column("state"),  # as the pack spells it, or UNSPECIFIED
    Column("leaves_by"),
    Column("gateway_id", required=False),  # blank where the location is no gateway of the pack
    Column("district_id", required=False),  # of a maker that clears its goods at its own works, else blank
    Column("usd_million", "number", minimum=0),
    Column("land_neighbours_usd_million", "number", minimum=0),  # the part that goes to countries reached by land
)

TASTE_COLUMNS = (
    Column("term"),  # sensitivity, rail or gateway
    Column("gateway_id", required=False),
    Column("group", required=False),  # gateways that share a constant, by the name of one of them
    Column("value", "number"),
    Column("standard_error", "number", minimum=0),
)
TERMS = ("sensitivity", "rail", "gateway")


def load_observed_flows(path: Path | str) -> pd.DataFrame:
    """Exports of a year by state and customs location, with ``OBSERVED_FLOW_COLUMNS``.

    Raises:
        InputError: naming every fault.
    """
    path = Path(path)
    table = read_table(path, OBSERVED_FLOW_COLUMNS)
    faults = [
        Fault(remedy=f"choose from {', '.join(LEAVES_BY)}", file=path, row=row, column="leaves_by", value=value)
        for row, value in enumerate(table["leaves_by"], start=2)
        if value not in LEAVES_BY
    ]
    part, whole = table["land_neighbours_usd_million"], table["usd_million"]
    faults += [
        Fault(remedy=f"a part is no more than the whole, {whole[row]:g}", file=path, row=row + 2,
              column="land_neighbours_usd_million", value=float(part[row]))
        for row in table.index[part > whole * (1 + 1e-9)]
    ]  # fmt: skip
    faults += [
        Fault("this state, way and gateway stand there before", "add the rows up", path, row + 2)
        for row in table.index[table.duplicated(["state", "leaves_by", "gateway_id", "district_id"])]
    ]
    if faults:
        raise InputError(faults)
    return table


def load_gateway_tastes(path: Path | str) -> pd.DataFrame:
    """Calibrated constants, as ``siting calibrate`` writes them, with ``TASTE_COLUMNS``.

    Raises:
        InputError: naming every fault.
    """
    path = Path(path)
    table = read_table(path, TASTE_COLUMNS)
    remedy = "write the table with `siting calibrate`"
    faults = []
    for row, (term, gateway) in enumerate(zip(table["term"], table["gateway_id"], strict=True), start=2):
        if term not in TERMS:
            faults.append(
                Fault(remedy=f"choose from {', '.join(TERMS)}", file=path, row=row, column="term", value=term)
            )
        elif (term == "gateway") != bool(gateway):
            faults.append(Fault(remedy="it goes with the term 'gateway', and only with it", file=path, row=row,
                                column="gateway_id", value=gateway))  # fmt: skip
    faults += [
        Fault(f"has not one row with the term {term!r}", remedy, path)
        for term in ("sensitivity", "rail")
        if (table["term"] == term).sum() != 1
    ]
    if (table.loc[table["term"] == "sensitivity", "value"] <= 0).any():
        faults.append(Fault("the sensitivity is not above zero: shippers would prefer what costs more", remedy, path))
    if faults:
        raise InputError(faults)
    return table
