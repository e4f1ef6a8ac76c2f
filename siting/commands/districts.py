"""``profile``, ``scorecard`` and ``audit``: what is asked of districts."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from siting.commands.arguments import add_command

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


def _profile(arguments: argparse.Namespace) -> int:
    from siting.districts.profile import make_profile, profile_json, profile_lines
    from siting.results.read import open_result
    from siting.study import Study

    study = Study(data={} if arguments.pack is None else {"pack": arguments.pack})
    pack = study.pack()
    lists = {path.stem: _listed(path, pack) for path in arguments.list}
    cut = None if arguments.result is None else open_result(arguments.result).summary["served_cost_cut"]
    profile = make_profile(study, lists, hub_cost_cut=cut)
    if arguments.json:
        print(json.dumps(profile_json(profile), ensure_ascii=False))
    else:
        print("\n".join(profile_lines(profile)))
    return 0


def _listed(path: Path, pack: Pack) -> pd.Index:
    from siting.districts.lists import load_district_list

    return load_district_list(path, pack)
