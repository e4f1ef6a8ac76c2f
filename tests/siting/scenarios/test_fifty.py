"""A file of fifty named scenarios, of which three are infeasible and one meets a fault of ours: 46 plans, four told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from siting.scenarios import runner
from siting.study import Study, study_text
from web.command import build_command, run_command

FLOOR = 'rules = [{ rule = "state_budget", states = ["Madhya Pradesh"], at_least_inr_crore = 61 }]'
INFEASIBLE = {
    "more forced than paid for": 'forced = ["mmlp-large@mmlp-east"]',
    "a floor above the budget": FLOOR,
    "no carbon": 'rules = [{ rule = "carbon", at_most_share = 0.0 }]',
}
FORBIDDEN, BUDGETS, RATES, BROKEN_SEED = 11, 31, (0.06, 0.12, 0.2), 13


def scenarios() -> dict[str, str]:
    """What each scenario of the file replaces in the study."""
    plans = {"as it is": ""}
    plans |= {f"₹{budget} crore": f"budget_inr_crore = {budget}" for budget in range(5, 5 + 2 * BUDGETS, 2)}
    plans |= {f"nothing at D{k}": f'forbidden = ["madhya-pradesh/d{k}"]' for k in range(FORBIDDEN)}
    plans |= {f"money at {rate}": f"parameters = {{ discount_rate = {rate} }}" for rate in RATES}
    return {**plans, **INFEASIBLE, "meets a fault": f"seed = {BROKEN_SEED}"}


@pytest.fixture
def file(tiny_study: Study, tmp_path: Path) -> Path:
    (tmp_path / "study.toml").write_text(study_text(tiny_study, tmp_path), encoding="utf-8")
    tables = "".join(f'\n[scenario."{name}"]\n{keys}\n' for name, keys in scenarios().items())
    (tmp_path / "fifty.toml").write_text(f'study = "study.toml"\n{tables}', encoding="utf-8")
    return tmp_path / "fifty.toml"


@pytest.mark.slow
def test_fifty_named_scenarios_give_46_plans_and_tell_of_four(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = runner.model_of

    def faulty(model: Any, study: Study) -> Any:
        if study.seed == BROKEN_SEED:
            raise ZeroDivisionError("a fault of ours")
        return made(model, study)

    monkeypatch.setattr(runner, "model_of", faulty)
    out = file.parent / "out"
    code = run_command(build_command(), ["scenarios", str(file), "--out", str(out), "--json"])
    rows = {row["scenario"]: row for row in json.loads(capsys.readouterr().out)}
    assert code == 1 and list(rows) == list(scenarios()) and len(rows) == 50

    told = {name: row for name, row in rows.items() if row["fingerprint"] is None}
    assert {name: row["status"] for name, row in told.items()} == {
        **dict.fromkeys(INFEASIBLE, "infeasible"), "meets a fault": "crashed",
    }  # fmt: skip
    assert "ZeroDivisionError: a fault of ours" in told["meets a fault"]["message"]
    assert "need ₹550.0 crore, budget_inr_crore is 60" in told["more forced than paid for"]["message"]
    assert "the budget is ₹60.0 crore" in told["a floor above the budget"]["message"]
    assert "no plan comes below" in told["no carbon"]["message"]

    plans = {name: row for name, row in rows.items() if name not in told}
    assert len(plans) == 46 and {row["status"] for row in plans.values()} == {"optimal"}
    written = {path.parent.name for path in out.glob("*/plan.json")}
    assert written == {row["folder"] for row in plans.values()} and len(written) == 46
