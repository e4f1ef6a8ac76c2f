"""Official lists of districts: those under a scheme, for example."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from geodata.districts import canonical_state, district_id
from geodata.errors import Fault, InputError
from geodata.hints import hint
from geodata.pack import Pack
from geodata.tables import Column, read_table


def load_district_list(path: Path, pack: Pack) -> pd.Index:
    """Read a list of districts by state and name.

    Returns:
        Their district_id, each once; a district that is counted with another stands for itself.

    Raises:
        InputError: naming each row whose district the pack does not know.
    """
    table = read_table(path, [Column("state"), Column("district")])
    ids = [district_id(canonical_state(s), d) for s, d in zip(table["state"], table["district"], strict=True)]
    known = set(pack.districts["district_id"])
    faults = [
        Fault(f"no district {name!r} in {state}", hint(key, known), path, row)
        for row, (key, state, name) in enumerate(zip(ids, table["state"], table["district"], strict=True), start=2)
        if key not in known
    ]
    if faults:
        raise InputError(faults)
    return pd.Index(ids).unique()
