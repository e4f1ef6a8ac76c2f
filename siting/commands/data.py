"""``calibrate`` and ``pack build``: what makes the data of a study."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from geodata.errors import Fault, InputError
from siting.commands.arguments import add_command
from siting.money import indian


def add(commands: Any) -> None:
    """Add the commands to the parser's collection."""
    tastes = add_command(
        commands, "calibrate", _calibrate, "fit tastes for gateways and rail to the observed flows of a study's pack"
    )
    tastes.add_argument("study", type=Path, help="study file (TOML); its rates price the lanes")
    tastes.add_argument("--out", type=Path, help="table to write, for the layer gateway_tastes of a pack or study")

    packs = commands.add_parser("pack", help="make the data of a study area").add_subparsers(
        required=True, metavar="COMMAND"
    )
    build = add_command(packs, "build", _pack_build, "build a pack from the sources that an area file names")
    build.add_argument("area", type=Path, help="area file (TOML)")
    build.add_argument("--out", type=Path, required=True, help="folder for the pack")
    build.add_argument("--quiet", action="store_true", help="print only the result")


def _calibrate(arguments: argparse.Namespace) -> int:
    """Fit tastes, print how well they tell the flows, and write them where asked."""
    from geodata.flows import load_gateway_tastes
    from geodata.folders import atomic_file, check_writable_file
    from siting.model.calibration import calibrate, choices_of
    from siting.model.model import build_model
    from siting.report.lines import text_table
    from siting.study import load_study

    if arguments.out is not None:
        if os.path.lexists(arguments.out):
            load_gateway_tastes(arguments.out)  # only such a table is replaced
        check_writable_file(arguments.out)  # before the minutes that the fit takes
    model = build_model(load_study(arguments.study).with_changes(shippers=0))
    if model.pack.observed_flows is None:
        raise InputError(
            Fault(
                "its pack has no observed_flows.csv",
                "add one, or leave the bundled tastes as they are",
                arguments.study,
            )
        )
    found = calibrate(choices_of(model, model.pack.observed_flows))
    table = found.table()
    if arguments.out is not None:
        with atomic_file(arguments.out) as scratch:
            table.round(4).to_csv(scratch, index=False)
    if arguments.json:
        told = {"distance": found.distance, "distance_left_out": found.distance_left_out}
        print(json.dumps({**told, "states": found.by_state.to_dict("records")}, ensure_ascii=False))
        return 0
    print(text_table(table.drop_duplicates(["term", "group"]).drop(columns="gateway_id")))
    print("\n" + text_table(found.by_state.round(3)))
    print(f"\nDistance between modelled and observed shares of gateways, by value: {found.distance:.3f}; "
          f"leaving one state out: {found.distance_left_out:.3f}")  # fmt: skip
    return 0


def _pack_build(arguments: argparse.Namespace) -> int:
    """Build a pack and name what its quality report wants mended."""
    from geodata.ingest.area import load_area
    from geodata.ingest.build import build_pack
    from siting.run import progress_bar

    area = load_area(arguments.area)
    with progress_bar(arguments.quiet or arguments.json) as bar:
        task = bar.add_task("starting", total=1.0)

        def tell(text: str, share: float) -> None:
            bar.update(task, description=text, completed=share)

        report = build_pack(area, arguments.out, tell)
    if arguments.json:
        print(json.dumps(report, ensure_ascii=False))
        return 0
    for finding in report["findings"]:
        if finding["weight"] == "fault":
            cases = f": {indian(finding['cases'])}" if finding["cases"] else ""
            print(f"To be mended, {finding['layer'].replace('_', ' ')}: {finding['title']}{cases}")
            for line in finding["lines"]:
                print(f"  {line}")
    counts = report["counts"]
    print(f"{area.name}: {counts['fault']} findings to be mended, {counts['look']} to be looked at, "
          f"{counts['mended']} mended on the way")  # fmt: skip
    print(f"Pack: {arguments.out}, quality report: {arguments.out / 'quality.html'}")
    return 0
