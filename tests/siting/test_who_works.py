"""Workers and a scheduler are named for something to do, and only one of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from siting.cli import build_parser, run_command

NATIONAL = Path(__file__).parents[2] / "studies" / "national.toml"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--set", "draws=0", "--workers", "2"],
            "shares out draws, choices of structure, levers and ranges, and none are asked for; add --draws",
        ),
        (["--set", "draws=0", "--scheduler", "tcp://a:1"], "--scheduler shares out draws, choices of structure"),
        (["--set", "draws=0", "--draws", "0", "--workers", "1"], "--workers shares out"),
        (["--draws", "9", "--workers", "2", "--scheduler", "tcp://a:1"], "both say who does the work; leave one"),
    ],
)
def test_what_would_be_ignored_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    parser, _ = build_parser()
    out = tmp_path / "out"
    assert run_command(parser, ["run", str(NATIONAL), "--out", str(out), *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line and not out.exists()
