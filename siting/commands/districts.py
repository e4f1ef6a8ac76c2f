"""``profile``, ``scorecard`` and ``audit``: what is asked of districts."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geodata.errors import Fault, InputError
from siting.commands.arguments import NO_PROOF, add_command, parameters_of, study_of_result

if TYPE_CHECKING:
    import pandas as pd

    from geodata.pack import Pack


def add(commands: Any) -> None:
    """Add the commands to the parser's collection."""
    profile = add_command(commands, "profile", _profile, "how exports and port access are spread over districts")
    profile.add_argument("--pack", type=Path, help="folder of a pack (default: the bundled one)")
    profile.add_argument("--result", type=Path, metavar="DIR", help="result that tests the paper's claim on hubs")
    profile.add_argument(
        "--list", type=Path, action="append", default=[], metavar="CSV",
        help="official list of districts (columns state, district) to compare with the rule; may be given again",
    )  # fmt: skip

    profile.add_argument(
        "--exports", action="append", default=[], metavar="YEAR=CSV",
        help="export table of another fiscal year, in the schema of the pack; may be given again",
    )  # fmt: skip

    card = add_command(
        commands, "scorecard", _scorecard, "write a page per district or state of a result, to print on A4"
    )
    card.add_argument("result", type=Path, metavar="DIR", help="folder of a result")
    card.add_argument("--district", action="append", default=[], metavar="NAME", help="name or id; may be given again")
    card.add_argument(
        "--state", action="append", default=[], metavar="NAME", help="page of a state; may be given again"
    )
    card.add_argument("--all", action="store_true", help="all districts and states")
    card.add_argument("--lang", action="append", choices=("en", "hi"), help="may be given again (default: en)")
    card.add_argument("--study", type=Path, help="study file of a result that was made from own data")
    card.add_argument("--out", type=Path, required=True, help="folder for the pages")
    card.add_argument("--quiet", action="store_true", help="print only the result")

    audit = add_command(commands, "audit", _audit, "hold a plan against a year that has passed, and plan on from there")
    audit.add_argument("result", type=Path, metavar="PLAN", help="folder of the plan's result")
    audit.add_argument(
        "--exports", type=Path, required=True, metavar="CSV", help="export table of the year, in the schema of the pack"
    )
    audit.add_argument(
        "--built", type=Path, required=True, metavar="CSV",
        help="what has been built: option_id, commissioned (blank: not yet), capex_inr_crore, fixed_cost_inr_per_year",
    )  # fmt: skip
    audit.add_argument("--year", type=int, help="fiscal year by the one it ends in (default: that in the file's name)")
    audit.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a parameter of the year")
    audit.add_argument("--study", type=Path, help="study file of a result that was made from own data")
    audit.add_argument("--out", type=Path, help="folder of the plan's audits, which gains the year")
    audit.add_argument("--quiet", action="store_true", help="print only the result")


def _profile(arguments: argparse.Namespace) -> int:
    from siting.districts.ground import Ground
    from siting.districts.lists import load_district_list
    from siting.districts.profile import make_profile, profile_json, profile_lines
    from siting.results.read import open_result
    from siting.study import Study

    ground = Ground.of_study(Study(data={} if arguments.pack is None else {"pack": arguments.pack}))
    lists = {path.stem: load_district_list(path, ground.pack) for path in arguments.list}
    cut = None if arguments.result is None else open_result(arguments.result).summary["served_cost_cut"]
    yearly = dict(_yearly(text, ground.pack) for text in arguments.exports)
    profile = make_profile(ground, lists, hub_cost_cut=cut, yearly=yearly)
    if arguments.json:
        print(json.dumps(profile_json(profile), ensure_ascii=False))
    else:
        print("\n".join(profile_lines(profile)))
    return 0


def _yearly(text: str, pack: Pack) -> tuple[int, pd.DataFrame]:
    """Fiscal year and export table of an argument YEAR=CSV."""
    from geodata.exports import load_exports

    year, sign, path = text.partition("=")
    if not sign or not year.strip().isdecimal():
        raise InputError(Fault(f"--exports {text}", "write YEAR=CSV, for example 2024=exports.csv", "command line"))
    return int(year), load_exports(Path(path), pack.districts, pack.sectors)


def _scorecard(arguments: argparse.Namespace) -> int:
    from geodata.folders import atomic_folder
    from siting.districts.cards import Cards
    from siting.districts.ground import Ground
    from siting.districts.scorecards import Scorecards, asked_districts, asked_states, write_scorecards
    from siting.districts.words import Words
    from siting.results.read import open_result
    from siting.run import progress_bar

    if not (arguments.district or arguments.state or arguments.all):
        raise InputError(Fault("no page is asked for", "give --district NAME, --state NAME or --all", "command line"))
    plan = open_result(arguments.result)
    cards = Cards.of_plan(plan, Ground.of_study(study_of_result(plan, arguments.study)))
    districts, states = asked_districts(cards, arguments.district), asked_states(cards, arguments.state)
    if arguments.all:
        districts, states = list(cards.names), cards.states
    languages, written = arguments.lang or ["en"], 0
    with atomic_folder(arguments.out) as folder, progress_bar(arguments.quiet or arguments.json) as bar:
        task = bar.add_task("pages", total=len(languages) * (len(districts) + len(states)))
        for language in dict.fromkeys(languages):
            pages = Scorecards(cards, Words(language))
            written += write_scorecards(pages, folder, districts, states, lambda _: bar.advance(task))
    if arguments.json:
        print(json.dumps({"pages": written, "folder": str(arguments.out)}, ensure_ascii=False))
    else:
        print(f"{written} pages: {arguments.out}")
    return 0


def _audit(arguments: argparse.Namespace) -> int:
    from geodata.exports import load_exports
    from geodata.folders import check_replaceable
    from siting.districts.audit import Audit
    from siting.districts.audit_files import audit_json, audit_lines, check_history, write_audit
    from siting.districts.built import load_built, year_of_file
    from siting.districts.worlds import Year
    from siting.model.model import build_model
    from siting.results.read import open_result
    from siting.run import Log
    from siting.stages import BUILD_STAGES, PLAN_STAGES

    year, rates = year_of_file(arguments.exports, arguments.year), parameters_of(arguments.set)
    plan = open_result(arguments.result)
    if arguments.out is not None:
        check_history(arguments.out)
        check_replaceable(arguments.out)
    study = study_of_result(plan, arguments.study)
    log = Log(arguments.quiet or arguments.json, len(BUILD_STAGES + PLAN_STAGES))
    with log.bar:
        model = build_model(study, log)
        load_exports(arguments.exports, model.pack.districts, model.pack.sectors)  # its faults name it as it was given
        built = load_built(arguments.built, model.options, year)
        audit = Audit(model, tuple(plan.sites["option_id"]), Year(year, arguments.exports, built, rates))
        fingerprint, promised = plan.summary["fingerprint"], plan.summary["saving_inr_per_year"]
        if arguments.json:
            text = json.dumps(audit_json(audit, fingerprint), ensure_ascii=False)
        else:
            text = "\n".join(audit_lines(audit, fingerprint, promised))
        if arguments.out is not None:
            write_audit(audit, fingerprint, arguments.out, log)
    print(text)
    return 0 if audit.next_plan.solution.status == "optimal" else NO_PROOF
