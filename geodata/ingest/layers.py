"""A layer from a table of the user's own, as an area file or a study names it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from geodata.districts import canonical_state, load_aliases
from geodata.errors import Fault, InputError
from geodata.exports import SECTOR_COLUMNS, check_sectors, load_exports
from geodata.gateways import (
    DEPOT_COLUMNS,
    GATEWAY_COLUMNS,
    LAND_CUSTOMS_COLUMNS,
    PLANNED_SITE_COLUMNS,
    RAIL_CONNECTOR_COLUMNS,
)
from geodata.ingest.exports import read_exports
from geodata.ingest.names import DistrictNames, district_names, load_own_aliases, name_key
from geodata.ingest.placing import OwnExports
from geodata.ingest.points import read_points
from geodata.pack import Pack
from geodata.tables import Bounds, Column

POINT_LAYERS: dict[str, tuple[Column, ...]] = {
    "gateways": GATEWAY_COLUMNS, "depots": DEPOT_COLUMNS, "planned_sites": PLANNED_SITE_COLUMNS,
    "rail_connectors": RAIL_CONNECTOR_COLUMNS, "land_customs": LAND_CUSTOMS_COLUMNS,
}  # fmt: skip
TABLES = ("exports", "sectors", *POINT_LAYERS)
"""Layers that a study may take from a table of the user's own."""


def layer_reader(layer: str, values: Mapping[str, Any]) -> Callable[[Pack], pd.DataFrame]:
    """How a layer of a pack is read from the user's own table.

    Args:
        layer: one of ``TABLES``.
        values: what an area file may say of it (`geodata.ingest.area.LAYERS`), files as absolute paths.
    """

    def read(pack: Pack) -> pd.DataFrame:
        if layer == "exports":
            return _exports_of_study(values, pack)
        if layer == "sectors":
            table, _ = own_points(values, SECTOR_COLUMNS, pack.bounds)
            return check_sectors(table, values["file"])
        names = district_names(pack.districts) if layer == "land_customs" else None
        return own_points(values, POINT_LAYERS[layer], pack.bounds, names)[0].reset_index(drop=True)

    return read


def own_exports(
    values: Mapping[str, Any], names: DistrictNames, sectors: Sequence[str], reference: pd.DataFrame | None
) -> OwnExports:
    """Read an export table; as `read_exports`, with the words of an area file."""
    return read_exports(
        values["file"], names, sectors, unit=values["unit"], columns=values.get("columns"),
        layout=values.get("sectors", "across"), sector_names=values.get("sector_names"),
        inr_per_usd=values.get("inr_per_usd"), total=values.get("total"), state=values.get("state"),
        sheet=values.get("sheet"), header_row=values.get("header_row"), decimal=values.get("decimal", ""),
        reference=reference,
    )  # fmt: skip


def own_points(
    values: Mapping[str, Any], schema: Sequence[Column], bounds: Bounds, names: DistrictNames | None = None
) -> tuple[pd.DataFrame, list[str]]:
    """Read a point table, whose index holds the rows of the file; as `read_points`, with the words of an area file.

    Args:
        names: of the area's districts, where the first column of the schema is a ``district_id`` that the table may
            give by state and district instead (``columns = { state = '...', district = '...' }``).
    """
    by_name = names is not None and "district" in values.get("columns", {})
    if by_name:
        schema = (Column("state"), Column("district"), *schema[1:])
    table, notes = read_points(
        values["file"], schema, bounds, columns=values.get("columns"), constants=values.get("constants"),
        crs=values.get("crs"), sheet=values.get("sheet"), header_row=values.get("header_row"),
        decimal=values.get("decimal", ""),
    )  # fmt: skip
    if by_name and names is not None:
        table = _with_ids(table, names, values["file"])
    return table, notes


def _with_ids(table: pd.DataFrame, names: DistrictNames, file: Path) -> pd.DataFrame:
    """Put ``district_id`` in place of state and district; InputError naming every name that is no district."""
    home = table["state"].map(canonical_state)
    keys = [name_key(*pair) for pair in zip(home, table["district"], strict=True)]
    found = names.find(pd.Series(keys, table.index, dtype=object))
    faults = []
    for row in table.index[found.isna()]:
        reason, near = names.near(home[row], table["district"][row])
        remedy = f"perhaps {'; '.join(near)}" if near else "correct the name, or remove the row"
        faults.append(
            Fault(f"{table['district'][row]!r}: {reason}", remedy, file, int(row), "district", table["district"][row])
        )
    if faults:
        raise InputError(faults)
    return table.assign(district_id=found).drop(columns=["state", "district"])


def _exports_of_study(values: Mapping[str, Any], pack: Pack) -> pd.DataFrame:
    """Exports of a study, which has no list of leftovers: each name must lead to a district or be set aside."""
    folder = pack.files["districts"].parent
    of_pack = folder / "district_aliases.csv"
    names = district_names(
        pack.districts,
        load_own_aliases(values["aliases"]) if "aliases" in values else None,
        load_aliases(of_pack) if of_pack.is_file() else None,
    )
    own = own_exports(values, names, list(pack.sectors.index), _exports_in(folder / "exports.csv", pack))
    faults = []
    for row in own.unplaced.to_dict("records"):
        key = name_key(canonical_state(row["state"]), row["name_in_source"])
        if key in names.own or row["name_in_source"].strip().casefold() == "unspecified":
            continue
        near = f"perhaps {row['suggestions']}; " if row["suggestions"] else ""
        faults.append(Fault(
            f"{row['name_in_source']!r} of {row['state']} with US$ {row['export_usd_million']:,.1f} million: "
            f"{row['reason']}",
            f"{near}give aliases = '...' with columns state, name_in_source, district (blank to leave it out)",
            values["file"], row["row"], "district", row["name_in_source"],
        ))  # fmt: skip
    if faults:
        raise InputError(faults)
    return own.table


def _exports_in(file: Path, pack: Pack) -> pd.DataFrame | None:
    """The pack's own exports to compare the size with; None where they are not by the same sectors."""
    try:
        return load_exports(file, pack.districts, pack.sectors)
    except InputError:
        return None
