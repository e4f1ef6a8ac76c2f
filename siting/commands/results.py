"""``compare``, ``verify``, ``show``, ``brief``, ``why`` and ``order``: what is asked of a result."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from geodata.errors import Fault, InputError
from siting.commands.arguments import NO_PROOF, add_command, count_of, positive_of, study_of_result


def add(commands: Any) -> None:
    """Add the commands to the parser's collection."""
    several = add_command(
        commands, "compare", _compare, "tell what differs between results: totals, what was asked, sites, districts"
    )
    several.add_argument("first", type=Path, metavar="A")
    several.add_argument("others", type=Path, metavar="B", nargs="+", help="as many as you like")
    several.add_argument("--all", action="store_true", help="list everything (default: at most 40 lines)")

    verify = add_command(
        commands, "verify", _verify, "ask the question of a result again: the same plan, or what changed"
    )
    verify.add_argument("folder", type=Path, help="result of siting run, scenarios or sweep")
    verify.add_argument("--study", type=Path, help="study file that it was made from; needed where it has its own data")
    verify.add_argument("--workers", type=count_of, default=1, help="processes that share the work (default: 1)")

    show = add_command(commands, "show", _show, "print a result")
    show.add_argument("folder", type=Path)

    brief = add_command(commands, "brief", _brief, "write a result on two A4 pages, for who decides")
    brief.add_argument("folder", type=Path)
    brief.add_argument("--language", choices=("en", "hi"), default="en", help="English (default) or Hindi")
    brief.add_argument("--out", type=Path, help="file to write (default: FOLDER-brief.html)")
    brief.add_argument("--study", type=Path, help="study file of a result that was made from own data")

    why = add_command(commands, "why", _why, "tell why a site is built, or what it would take to build or serve")
    why.add_argument("folder", type=Path, help="result of siting run; or a study file that nothing fits")
    why.add_argument(
        "name", nargs="?", help="an option, a site, a place or a district: an id of sites.csv or districts.csv"
    )
    why.add_argument("--tonnage", action="store_true", help="also how much more cargo a place needs (takes minutes)")
    why.add_argument("--study", type=Path, help="study file of a result that was made from own data")

    order = add_command(commands, "order", _order, "tell in what order to build the sites of a plan: what first?")
    order.add_argument("folder", type=Path)
    order.add_argument("--per-year", metavar="CRORE", help="₹ crore that come in a year (default: a fifth of all)")
    order.add_argument("--study", type=Path, help="study file of a result that was made from own data")


def _compare(arguments: argparse.Namespace) -> int:
    from siting.report.comparison import comparison_lines, many_lines
    from siting.results.compare import compare, compare_many
    from siting.results.read import open_result

    plans = [open_result(folder) for folder in (arguments.first, *arguments.others)]
    found: Any
    tables: tuple[str, ...]
    if len(plans) == 2:
        found, tables = compare(*plans), ("only_a", "only_b", "districts")
        lines = comparison_lines(plans[0].summary, plans[1].summary, found, arguments.all)
    else:
        found, tables = compare_many(plans), ("sites", "districts")
        lines = many_lines([plan.summary for plan in plans], found, arguments.all)
    if arguments.json:
        told = {name: json.loads(getattr(found, name).to_json(orient="records")) for name in tables}
        print(json.dumps({"totals": json.loads(found.totals.to_json(orient="index")), **told}, ensure_ascii=False))
    else:
        print("\n".join(lines))
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from siting.results.read import open_result
    from siting.scenarios.verify import verify_batch, verify_plan
    from siting.study import load_study

    folder, workers = arguments.folder, max(arguments.workers, 1)
    given = None if arguments.study is None else load_study(arguments.study)
    if (folder / "batch.json").is_file():
        changes = verify_batch(folder, {} if given is None else given.data, workers)
    else:
        changes = verify_plan(folder, study_of_result(open_result(folder), arguments.study), given, workers)
    if arguments.json:
        print(json.dumps({"same": not changes, "changes": changes}, ensure_ascii=False))
    else:
        print("\n".join(changes or [f"{folder}: the same plan, byte for byte"]))
    return NO_PROOF if changes else 0


def _brief(arguments: argparse.Namespace) -> int:
    from geodata.folders import atomic_file
    from siting.districts.words import Words
    from siting.report.brief import Brief, today
    from siting.results.read import open_result

    plan = open_result(arguments.folder)
    suffix = ".hi.html" if arguments.language == "hi" else ".html"
    folder = arguments.folder.resolve()
    out = arguments.out or folder.with_name(f"{folder.name}-brief{suffix}")
    pack = study_of_result(plan, arguments.study).pack()
    text = Brief(plan, pack, Words(arguments.language), today()).html()
    with atomic_file(out) as scratch:
        scratch.write_text(text, encoding="utf-8")
    print(json.dumps({"file": str(out)}, ensure_ascii=False) if arguments.json else f"Two pages: {out}")
    return 0


def _why(arguments: argparse.Namespace) -> int:
    from siting.model.model import build_model
    from siting.plan import make_plan
    from siting.report.why import district_lines, option_lines, site_lines
    from siting.results.read import open_result
    from siting.scenarios.why import Why

    if arguments.folder.is_file():
        return _why_nothing_fits(arguments)
    if arguments.name is None:
        remedy = "name a site, a place or a district after the folder"
        raise InputError(Fault("why what?", remedy, "command line", column="name"))

    def progress(what: str) -> None:
        if not arguments.json:
            print(f"... {what}", file=sys.stderr)

    study = study_of_result(open_result(arguments.folder), arguments.study)
    study.refuse_phases("siting why", of_result=True)
    why = Why(make_plan(build_model(study)), progress)
    answers: dict[str, Any] = {}
    lines: list[str] = []
    for kind in why.kinds_of(arguments.name):
        if kind == "site":
            answers[kind] = why.site(arguments.name)
            lines += [line for site in answers[kind] for line in site_lines(site)]
        elif kind == "place":
            answers[kind] = why.place(arguments.name, arguments.tonnage)
            lines += [line for option in answers[kind] for line in option_lines(option)]
        else:
            answers[kind] = why.district(arguments.name)
            lines += district_lines(answers[kind])
    print(json.dumps(answers, default=_plain, ensure_ascii=False) if arguments.json else "\n".join(lines))
    return 0


def _order(arguments: argparse.Namespace) -> int:
    from siting.model.model import build_model
    from siting.report.lines import order_lines
    from siting.results.read import open_result
    from siting.scenarios.order import building_order

    result = open_result(arguments.folder)
    budget = None if arguments.per_year is None else positive_of(arguments.per_year, "--per-year")
    model = build_model(study_of_result(result, arguments.study))
    opened = model.options.index[model.options["option_id"].isin(result.sites["option_id"])].to_numpy()
    order = building_order(model, opened, budget)
    if arguments.json:
        told = {**vars(order), "table": json.loads(order.table.to_json(orient="records"))}
        print(json.dumps(told, ensure_ascii=False))
    else:
        print("\n".join(order_lines(order, result.sites)))
    return 0 if order.status == "optimal" else NO_PROOF


def _why_nothing_fits(arguments: argparse.Namespace) -> int:
    from siting.infeasible import why_nothing_fits
    from siting.report.why import nothing_fits_lines
    from siting.study import load_study, told_by_file

    study = load_study(arguments.folder)
    with told_by_file(study, arguments.folder):
        study.refuse_phases("why nothing fits")
        why = why_nothing_fits(study)
    lines = nothing_fits_lines(why)
    print(json.dumps(why.as_plain(), ensure_ascii=False) if arguments.json else "\n".join(lines))
    return NO_PROOF if why.fits is None else 0


def _plain(value: Any) -> Any:
    """A reason, or a table in it, as plain data."""
    return json.loads(value.to_json(orient="records")) if hasattr(value, "to_json") else vars(value)


def _show(arguments: argparse.Namespace) -> int:
    from siting.report.lines import plan_lines, site_table
    from siting.results.read import open_result

    plan = open_result(arguments.folder)
    if arguments.json:
        print(json.dumps(plan.summary, ensure_ascii=False, indent=2))
        return 0
    print("\n".join(plan_lines(plan.summary, plan.sites)))
    if len(plan.sites):
        print("\n" + site_table(plan.sites))
    return 0
