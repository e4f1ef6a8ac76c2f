"""What the page of a state tells, in numbers: sums of its districts, and its sites in order of saving per rupee."""

from __future__ import annotations

from siting.districts.cards import SECTORS_SHOWN, Cards, Row, rows_by_id
from siting.money import INR_PER_CRORE


def state_card(cards: Cards, state: str) -> Row:
    """All that the page of a state tells.

    Unrealised exports are summed over its under-utilised districts; what its sites save may be saved by others.
    """
    table = cards.profile.connectivity.table
    ids = [str(key) for key in table.index[table["state"] == state]]
    rows: list[Row] = [
        {"id": key, "names": cards.names[key], "exports": cards.exports.get(key), "connected": cards.connected[key],
         "plan": cards.planned[key]}
        for key in ids
    ]  # fmt: skip
    told = [row["exports"] for row in rows if row["exports"] is not None]
    under = [row for row in told if not row["leader"]]
    sums = rows_by_id(cards.profile.concentration.states.reindex([state]).fillna(0.0))[state]
    sectors = cards.profile.facts.sector_usd.loc[[key for key in ids if key in cards.exports]].sum()
    sites = cards.plan.sites[cards.plan.sites["state"] == state]
    per_rupee = sites["saving_inr_per_year"] / (sites["capex_inr_crore"] * INR_PER_CRORE)
    sites = sites.assign(saving_per_rupee=per_rupee).sort_values("saving_per_rupee", ascending=False, kind="stable")
    return {
        "state": state,
        "names": cards.names[ids[0]],
        "districts": sorted(rows, key=lambda row: -row["exports"]["export_usd"] if row["exports"] else 0.0),
        "export_usd": float(sums["export_usd"] + sums["unplaced_usd"]),
        "unplaced_usd": float(sums["unplaced_usd"]),
        "share": float(sums["share"]),
        "leaders": sum(bool(row["leader"]) for row in told),
        "exporting": sum(row["export_usd"] > 0 for row in told),
        "adequate": sum(bool(row["connected"]["adequate"]) for row in rows),
        "unrealised": {name: sum(row[f"unrealised{name}_usd"] for row in under) for name in ("", "_low", "_high")},
        "sectors": [(str(key), float(usd)) for key, usd in sectors.nlargest(SECTORS_SHOWN).items() if usd > 0],
        "saving_inr_per_year": sum(row["plan"]["saving_inr_per_year"] for row in rows),
        "capex_inr_crore": float(sites["capex_inr_crore"].sum()),
        "sites": cards.site_rows(sites),
        "dark": [row["id"] for row in rows if row["connected"]["adequate"]],
        "site_points": sites[["lon", "lat", "name"]],
    }
