"""``compare`` and ``show``: what is asked of a result."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from siting.commands.arguments import add_command


def add(commands: Any) -> None:
    """Add the commands to the parser's collection."""
    both = add_command(commands, "compare", _compare, "tell which sites and districts differ between two results")
    both.add_argument("a", type=Path)
    both.add_argument("b", type=Path)

    show = add_command(commands, "show", _show, "print a result")
    show.add_argument("folder", type=Path)


def _compare(arguments: argparse.Namespace) -> int:
    from siting.report.brief import comparison_lines
    from siting.results.compare import compare
    from siting.results.read import open_result

    a, b = open_result(arguments.a), open_result(arguments.b)
    found = compare(a, b)
    if arguments.json:
        tables = {name: json.loads(getattr(found, name).to_json(orient="records"))
                  for name in ("only_a", "only_b", "districts")}  # fmt: skip
        print(json.dumps({"totals": json.loads(found.totals.to_json(orient="index")), **tables}, ensure_ascii=False))
    else:
        print("\n".join(comparison_lines(a.summary, b.summary, found)))
    return 0


def _show(arguments: argparse.Namespace) -> int:
    from siting.report.brief import plan_lines, site_table
    from siting.results.read import open_result

    plan = open_result(arguments.folder)
    if arguments.json:
        print(json.dumps(plan.summary, ensure_ascii=False, indent=2))
        return 0
    print("\n".join(plan_lines(plan.summary, plan.sites)))
    if len(plan.sites):
        print("\n" + site_table(plan.sites))
    return 0
