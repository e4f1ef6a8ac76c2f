"""What `siting why` says, in lines that fit a screen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from siting.infeasible import WhyNothingFits
from siting.money import INR_PER_CRORE, MINUS, counted, indian
from siting.scenarios.why import MOST_TIMES, DistrictReason, OptionReason, Range, SiteReason

LISTED = 5
PART_WORDS = {
    "freight": "freight", "handling": "handling", "time": "time on the way", "dwell": "waiting", "carbon": "carbon",
    "taste": "ports and services preferred", "running": "running the site", "capital": "its capital",
}  # fmt: skip


def site_lines(reason: SiteReason) -> list[str]:
    """Why a site is built."""
    parts = [f"  {PART_WORDS[name]:<30}{_signed(value):>9}" for name, value in reason.parts_inr_per_year.items()]
    gainers = reason.districts.head(LISTED)
    lines = [
        f"{reason.option_id} is worth {_crore(reason.worth_inr_per_year)} a year: without it, and all else chosen "
        "anew, the best plan costs that much more",
        _instead(reason),
        "What its cargo saves and what it costs, ₹ crore a year:",
        *parts,
        f"{counted(len(reason.districts), 'district')} use it" + (", most of all:" if len(gainers) else ""),
    ]
    rows = zip(gainers["district"], gainers["tonnes_per_year"], gainers["saving_inr_per_year"], strict=True)
    return lines + [f"  {name:<30}{_signed(saving):>9}  {indian(tonnes)} t" for name, tonnes, saving in rows]


def _instead(reason: SiteReason) -> str:
    if not reason.instead:
        return "Nothing would be built in its place" + _dropping(reason.dropped)
    return f"In its place: {', '.join(reason.instead[:LISTED])}" + _dropping(reason.dropped)


def _dropping(names: Sequence[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"; no longer: {', '.join(names[:LISTED])}{more}" if names else ""


def option_lines(reason: OptionReason) -> list[str]:
    """What it would take to build an option."""
    if reason.short_inr_per_year is None:
        return [f"{reason.option_id} cannot be built: {reason.message}"]
    short = reason.short_inr_per_year
    if short.low <= 0:
        lines = [f"{reason.option_id} is in a plan that is as good, as far as is proven ({_crore(short)} a year)"]
    else:
        lines = [f"{reason.option_id} is not built: the best plan with it costs {_crore(short)} a year more"]
    if reason.enough_inr_crore is not None:
        lines.append(
            f"  It would be if its capital were ₹{reason.enough_inr_crore:.1f} crore instead of "
            f"₹{reason.capex_inr_crore:.1f} crore"
        )
    else:
        lines.append(f"  It would not be for free: its capital is ₹{reason.capex_inr_crore:.1f} crore")
    if reason.tonnage_factor is not None:
        factor = reason.tonnage_factor
        lines.append(f"  or with {factor.low:.2f} to {factor.high:.2f} times the cargo of the districts it would serve")
    served = reason.districts
    names = ", ".join(served[:LISTED]) + (f" and {len(served) - LISTED} more" if len(served) > LISTED else "")
    lines.append(f"  It would serve {names}" if served else f"  It would serve nobody, with up to {MOST_TIMES:.0f} x")
    if reason.dropped:
        lines.append(f"  and these would not be built: {', '.join(reason.dropped[:LISTED])}")
    return lines


def district_lines(reason: DistrictReason) -> list[str]:
    """How the cargo of a district moves, and what would have to change."""
    lines = [f"{reason.district_id}: how its cargo moves, ₹ a tonne with ports preferred"]
    if not len(reason.ways):
        return [f"{reason.district_id} has no cargo that a site could serve"]
    lines.append(f"  {'cargo':<18}{'t a year':>10}{'today':>8}{'plan':>8}  by way of")
    for row in reason.ways.to_dict("records"):
        following = f"; next best {row['next_via'] or 'no site'} at {indian(row['next_inr_per_t'])}"
        lines.append(
            f"  {row['cargo_class'] + ', ' + row['load']:<18}{indian(row['tonnes_per_year']):>10}"
            f"{indian(row['before_inr_per_t']):>8}{indian(row['after_inr_per_t']):>8}  {row['via'] or 'what exists'}"
            + (following if np.isfinite(row["next_inr_per_t"]) else "")
        )
    lines.append("What could serve it:" if reason.options else "No site that is not built would make it cheaper.")
    for option in reason.options:
        lines += [f"  {line}" for line in option_lines(option)]
    return lines


def nothing_fits_lines(why: WhyNothingFits) -> list[str]:
    """Why nothing fits a study, and what is the least to loosen."""
    if why.fits is not False:
        found = "something fits" if why.fits else "it was not found out in time whether anything fits"
        return [f"{why.study}: {found}", *(f"  {line}" for line in why.known)]
    lines = [f"{why.study}: {'these cannot all be kept' if len(why.causes) > 1 else 'this cannot be kept'}"]
    lines += [f"  {cause.text}" for cause in why.causes]
    if not why.minimal and len(why.causes) > 1:
        lines.append("  (time was over before it was proven that all of them are needed)")
    several = len(why.ways) > 1
    lines += [f"enough would be {'any one of these, the cheapest first' if several else ''}".rstrip()] * bool(why.ways)
    lines += [f"  {way.text}" for way in why.ways]
    lines += [f"{name} alone is not enough, however far loosened" for name in why.hopeless]
    lines += [f"it was not found out in time whether {name} alone is enough" for name in why.undecided]
    return lines


def _signed(value_inr: float) -> str:
    value = value_inr / INR_PER_CRORE
    return f"{MINUS if round(value, 2) < 0 else ''}{abs(value):.2f}"


def _crore(sum_inr: Range) -> str:
    """A range in crore, as one number where the proofs leave little."""
    low, high = sum_inr.low / INR_PER_CRORE, sum_inr.high / INR_PER_CRORE
    return f"₹{high:.2f} crore" if high - low < 0.005 else f"₹{low:.2f} to {high:.2f} crore"
