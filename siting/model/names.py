"""Names of options, sites, places and gateways: which a study may use, and what an unknown one may have meant."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from geodata.errors import Fault
from geodata.pack import Pack
from siting.model.options import facility_tiers, tiers_at
from siting.money import indian
from siting.study import Study

LIKE = 75.0  # likeness, of 100, from which a known name is suggested for an unknown one
HINTED = 20  # unknown names of one list that are looked for; a long list of them has one cause
TOLD_CHARACTERS = 100

Names = Mapping[str, Collection[str]]
"""Names that each of the keys ``forced``, ``forbidden`` and ``closed_gateways`` of a study may hold."""


def names_of(options: pd.DataFrame, gateway_ids: Collection[str]) -> Names:
    """Return the names of options (columns ``option_id``, ``site_id``) and gateways by the keys that take them."""
    option, site = options["option_id"].unique(), options["site_id"].unique()
    place = pd.unique(pd.Series(site, dtype=object).str.split("@").str[1])
    return {
        "forced": dict.fromkeys(option),
        "forbidden": dict.fromkeys([*option, *site, *place]),
        "closed_gateways": dict.fromkeys(gateway_ids),
    }


def possible_names(pack: Pack, facility_types: Sequence[str], parameters: Mapping[str, float]) -> Names:
    """Return what could be named in a study of a pack, were there road and rail everywhere; nothing is measured."""
    tiers = facility_tiers(parameters)
    districts, planned = pack.districts["district_id"].tolist(), pack.planned_sites["site_id"].tolist()
    rows = pd.concat([
        tiers_at(districts + planned if kind == "mmlp" else districts, kind, tiers, pack.planned_sites)
        for kind in facility_types
    ])  # fmt: skip
    options = pd.DataFrame({
        "option_id": rows["facility_type"] + "-" + rows["tier"] + "@" + rows["place_id"],
        "site_id": rows["facility_type"] + "@" + rows["place_id"],
    })  # fmt: skip
    return names_of(options, gateways_of(pack))


def gateways_of(pack: Pack) -> list[str]:
    """Return the gateways that take containers, which are all that a study knows."""
    ids: list[str] = pack.gateways.loc[pack.gateways["container_service"], "gateway_id"].tolist()
    return ids


def name_faults(values: Mapping[str, Sequence[str]], known: Names, source: str) -> list[Fault]:
    """List the unknown names of a study, each with what it may have meant; of closed gateways also that none is left.

    Args:
        values: lists by the keys of ``known``; other keys are not looked at.
        source: where the values come from.
    """
    faults = []
    for key, names in known.items():
        asked = list(dict.fromkeys(values.get(key, ())))
        unknown = [name for name in asked if name not in names]
        for k, name in enumerate(unknown):
            near = suggestion(name, names) if k < HINTED else None
            remedy = f"did you mean '{near}'?" if near else _where(key, names)
            told = name[:TOLD_CHARACTERS]
            faults.append(Fault(f"{key} names unknown '{told}'", remedy, source, column=key, value=told))
        if key == "closed_gateways" and names and not unknown and len(asked) == len(names):
            faults.append(Fault("all gateways are closed", "leave one open", source, column=key))
    return faults


def contradictions(study: Study, options: pd.DataFrame) -> list[Fault]:
    """List why no plan of a study can open all that it forces: forbidden too, two sizes of a site, over the budget."""
    forced = options[options["option_id"].isin(study.forced)]
    place = forced["site_id"].str.split("@").str[1]
    names = pd.DataFrame({"option": forced["option_id"], "site": forced["site_id"], "place": place})
    faults = [
        Fault(
            f"forced and forbidden both name '{name}'", "keep one of the two", study.name, column="forced", value=name
        )
        for name in names.loc[names.isin(study.forbidden).any(axis=1), "option"]
    ]
    for site, sizes in names.groupby("site")["option"]:
        if len(sizes) > 1:
            told = ", ".join(f"'{name}'" for name in sizes)
            remedy = "a site has one size: keep one of them"
            faults.append(Fault(f"forced names {told}", remedy, study.name, column="forced", value=site))
    needed = float(forced["capex_inr_crore"].sum())
    if needed > study.budget_inr_crore * (1 + 1e-12):
        faults.append(
            Fault(
                f"the forced sites need ₹{indian(needed, 1)} crore, budget_inr_crore is {study.budget_inr_crore:g}",
                "raise the budget or force fewer", study.name, column="forced", value=needed,
            )
        )  # fmt: skip
    return faults


def _where(key: str, names: Collection[str]) -> str:
    if key == "closed_gateways":
        return f"known: {', '.join(sorted(names))}"
    form = "type-tier@place" if key == "forced" else "type-tier@place, type@place or a place"
    return f"write {form}, as in sites.csv of an earlier run"


def suggestion(name: str, known: Collection[str]) -> str | None:
    """Return the known name most like one, of the same type where it names a type that there is; None if none is."""
    from rapidfuzz import fuzz, process, utils  # only a wrong name needs it

    head = name[: name.find("@") + 1]
    same = {other[len(head) :]: other for other in known if other.startswith(head)}
    near = process.extractOne(
        name[len(head) :][:TOLD_CHARACTERS] if same else name[:TOLD_CHARACTERS],
        list(same or known), scorer=fuzz.WRatio, processor=utils.default_process, score_cutoff=LIKE,
    )  # fmt: skip
    if near is None:
        return None
    return same[near[0]] if same else str(near[0])
