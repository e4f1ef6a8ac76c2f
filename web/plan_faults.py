"""Whether a folder holds a whole result: what is missing or unreadable is named before anybody opens it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pyogrio

SUMMARY = {
    "study": str, "fingerprint": str, "status": str, "gap": float, "budget_inr_crore": float, "capex_inr_crore": float,
    "saving_inr_per_year": float, "before": dict, "after": dict, "counts": dict,
}  # fmt: skip
COLUMNS = {
    "districts.csv": (
        "state", "district", "under_utilised", "export_usd", "tonnes_per_year", "cost_before_inr_per_t",
        "cost_after_inr_per_t", "gateway_after", "hub_1", "saving_inr_per_year",
    ),
    "sites.csv": ("site_id", "name", "state", "lon", "lat", "facility_type", "tier", "capex_inr_crore"),
    "lanes.csv": ("state", "district", "load", "part", "mode", "from", "to", "km", "tonnes_per_year"),
}  # fmt: skip
MAP_LAYERS = ("districts", "gateways", "depots")


def plan_fault(folder: Path) -> str | None:
    """Return what keeps the result in a folder from being shown, with the remedy; None where nothing does."""
    checks: Mapping[str, Callable[[Path], str | None]] = {
        "plan.json": _summary_fault,
        **dict.fromkeys(COLUMNS, _table_fault),
        "study.gpkg": _map_fault,
    }
    for name, check in checks.items():
        try:
            fault = check(folder / name)
        except FileNotFoundError:
            fault = "is missing"
        except (OSError, ValueError, csv.Error, pyogrio.errors.DataSourceError) as error:
            fault = f"cannot be read ({type(error).__name__}: {error})"
        if fault:
            return f"{folder / name} {fault}; write the result again with `siting run`, or remove its folder"
    return None


def _summary_fault(path: Path) -> str | None:
    content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    if not isinstance(content, dict):
        return "is not an object"
    for name, kind in SUMMARY.items():
        value = content.get(name)
        if not isinstance(value, (int, float) if kind is float else kind):
            return f"has no {name}" if value is None else f"has {name} = {str(value)[:50]!r}"
    return None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _table_fault(path: Path) -> str | None:
    with path.open(encoding="utf-8", newline="") as lines:
        header = next(csv.reader(lines), [])
    missing = [name for name in COLUMNS[path.name] if name not in header]
    return f"has no column {missing[0]}" if missing else None


def _map_fault(path: Path) -> str | None:
    path.stat()  # a file that is not there is told as such
    layers = pyogrio.list_layers(path)[:, 0]
    missing = [name for name in MAP_LAYERS if name not in layers]
    return f"has no layer {missing[0]}" if missing else None
