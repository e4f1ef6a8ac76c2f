"""Sea ports, inland depots, planned parks and their rail links: the point tables of a pack."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from geodata.districts import INDIA_BOUNDS
from geodata.tables import Bounds, Column, read_table

_LON = Column("lon", "number", minimum=-180, maximum=180)
_LAT = Column("lat", "number", minimum=-90, maximum=90)

GATEWAY_COLUMNS = (
    Column("gateway_id", unique=True),  # UN/LOCODE
    Column("name"),
    Column("state"),
    _LON,
    _LAT,
    Column("category", required=False),  # "major" (Union government) or "non-major"
    Column("harbour", required=False),  # gateway_id that names a harbour of several gateways, which are liked alike
    Column("container_service", "boolean"),  # regular gateway container or liner service for exports today
    Column("rail_served", "boolean"),
    Column("container_capacity_million_teu", "number", required=False, minimum=0),
    Column("export_dwell_h", "number", minimum=0),
    Column("source"),
    Column("note", required=False),
)

DEPOT_COLUMNS = (
    Column("depot_id", unique=True),
    Column("name"),
    Column("state"),
    _LON,
    _LAT,
    Column("rail_served", "boolean"),
    Column("container_capacity_million_teu", "number", required=False, minimum=0),
    Column("kind", required=False, choices=("depot", "cargo_terminal")),  # a cargo terminal takes full boxes only
    Column("trains_per_week", "number", required=False, minimum=0),  # that carry exports; blank: not known
    Column("confidence", required=False),  # that it works and where it is: "high" or "medium"
    Column("source"),
    Column("note", required=False),
)

PLANNED_SITE_COLUMNS = (
    Column("site_id", unique=True),
    Column("name"),
    Column("host_district", required=False),
    Column("state"),
    _LON,
    _LAT,
    Column("coordinate_basis"),
    Column("programme_status", required=False),
    Column("acre", "number", required=False, minimum=0),
    Column("project_cost_inr_crore", "number", required=False, minimum=0),  # of all phases, as published
    Column("private_inr_crore", "number", required=False, minimum=0),  # of it, by the operator
    Column("throughput_million_t_per_year", "number", required=False, minimum=0),  # at the published horizon
    Column("project_source", required=False),
    Column("source"),
)

RAIL_CONNECTOR_COLUMNS = (
    Column("terminal_id", unique=True),  # a gateway_id, depot_id or site_id
    _LON,  # of the end on the rail network, not of the terminal
    _LAT,
    Column("km", "number", minimum=0),
    Column("source"),
)


LAND_CUSTOMS_COLUMNS = (
    Column("district_id", unique=True),
    Column("station"),
    Column("neighbour"),
    Column("source"),
)


def load_land_customs(path: Path | str) -> pd.DataFrame:
    """Districts with a land customs station, with ``LAND_CUSTOMS_COLUMNS``; raises InputError naming every fault."""
    return read_table(path, LAND_CUSTOMS_COLUMNS, may_be_empty=True)


def load_gateways(path: Path | str, bounds: Bounds = INDIA_BOUNDS) -> pd.DataFrame:
    """Sea ports, one row each, with ``GATEWAY_COLUMNS``; raises InputError naming every fault."""
    return read_table(path, GATEWAY_COLUMNS, bounds)


def load_depots(path: Path | str, bounds: Bounds = INDIA_BOUNDS) -> pd.DataFrame:
    """Inland container depots, one row each, with ``DEPOT_COLUMNS``; raises InputError naming every fault."""
    return read_table(path, DEPOT_COLUMNS, bounds, may_be_empty=True)


def load_planned_sites(path: Path | str, bounds: Bounds = INDIA_BOUNDS) -> pd.DataFrame:
    """Planned parks, one row each, with ``PLANNED_SITE_COLUMNS``; raises InputError naming every fault."""
    return read_table(path, PLANNED_SITE_COLUMNS, bounds, may_be_empty=True)


def load_rail_connectors(path: Path | str, bounds: Bounds = INDIA_BOUNDS) -> pd.DataFrame:
    """Rail links of terminals that lie off the network, with ``RAIL_CONNECTOR_COLUMNS``.

    A link runs ``km`` over rails from the terminal to the network's node nearest to (lon, lat).
    Raises InputError naming every fault.
    """
    return read_table(path, RAIL_CONNECTOR_COLUMNS, bounds, may_be_empty=True)
