"""Stages go between programs by name; people read words, which stand in one place for each language of readers."""

from __future__ import annotations

import re
from pathlib import Path

from siting.model.model import build_model
from siting.plan import make_plan
from siting.run import Log, write_result
from siting.stages import BUILD_STAGES, PLAN_STAGES, WORDS, Stage

PAGE = Path(__file__).parents[2] / "web" / "static" / "whatifview.js"


def test_a_run_announces_every_stage_in_order(tiny_study, tmp_path, monkeypatch):
    monkeypatch.setattr("siting.run.write_report", lambda *_arguments: None)
    heard: list[Stage] = []
    plan = make_plan(build_model(tiny_study, heard.append), heard.append)
    write_result(plan, tmp_path, heard.append)
    assert heard == [*BUILD_STAGES, *PLAN_STAGES] == list(Stage)


def test_the_log_is_written_in_words():
    log = Log(quiet=True, stages=len(Stage))
    for stage in Stage:
        log(stage)
    assert [line.split(" s  ")[1] for line in log.lines] == [WORDS[stage] for stage in Stage]


def test_the_page_has_words_for_every_stage():
    (words,) = re.findall(r"const STAGES = \{(.*?)\};", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert set(re.findall(r"(\w+): _\(", words)) == {"queued", *Stage}
