"""What-if questions: answered, saved, cancelled, lost and found again."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest

import web.runs.queue
from siting.study import load_study
from web.app import create_app
from web.runs.questions import model_key, plain_values
from web.runs.store import ACTIVE, RunStore

PATIENCE_S = 90.0  # the first question waits for the process and its model


def ask(client, expected=202, **content):
    response = client.post("/api/v1/runs", json={"plan": "tiny", **content})
    assert response.status_code == expected, response.get_data(as_text=True)
    return response.get_json()


def watch(client, run, until=lambda run: run["state"] not in ACTIVE):
    """Follow a run by long polls until it is as wanted."""
    end = time.monotonic() + PATIENCE_S
    while not until(run):
        assert time.monotonic() < end, run
        run = client.get(f"{run['links']['self']}?after={run['version']}&wait_s=5").get_json()
    return run


def answer(client, **content):
    run = watch(client, ask(client, **content))
    assert run["state"] == "finished", run["message"]
    return run


def get(client, address):
    response = client.get(address)
    assert response.status_code == 200, response.get_data(as_text=True)
    return response.get_json()


@contextmanager
def frozen(pids) -> Iterator[None]:
    """Stop solver processes in their tracks: what they run lasts as long as the block."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@pytest.fixture
def client(asked):
    return asked.test_client()


@pytest.fixture
def pool(asked, client):
    """The pool with all its processes up and idle."""
    pool = asked.extensions["pool"]
    pool.start()
    end = time.monotonic() + PATIENCE_S
    while len(pool.pids()) < 2 or pool.health()["busy"]:
        assert time.monotonic() < end
        time.sleep(0.05)
    return pool


def test_an_answer_is_proven_and_has_all_that_a_plan_has(client):
    run = answer(client, changes={"budget_inr_crore": 30})
    assert run["proven"] is True
    assert run["gap"] <= run["gap_asked"]
    assert run["stage"] == "done"
    plan = get(client, run["links"]["plan"])
    assert plan["budget_inr_crore"] == 30
    assert plan["capex_inr_crore"] <= 30
    assert plan["saving_inr_per_year"] == pytest.approx(run["saving_inr_per_year"])
    districts = get(client, run["links"]["districts"])
    assert districts["district_id"] == get(client, "/api/v1/plans/tiny/districts")["district_id"]
    sites = get(client, run["links"]["sites"])
    assert sum(sites["capex_inr_crore"]) == pytest.approx(plan["capex_inr_crore"], abs=0.01)
    assert get(client, run["links"]["places"])["gateways"]["closed"] == [False]
    assert plan["links"]["shapes"] == get(client, "/api/v1/plans/tiny")["links"]["shapes"]
    assert client.get(run["links"]["map"]).mimetype == "image/svg+xml"
    assert client.get(run["links"]["print"]).status_code == 200


def test_an_answer_tells_its_lanes_which_carry_what_its_sites_take(client):
    run = answer(client, changes={})
    sites = get(client, run["links"]["sites"])
    assert sites["site_id"]
    for site, throughput in zip(sites["site_id"], sites["throughput_t_per_year"], strict=True):
        lanes = get(client, f"{run['links']['lanes']}?site={site}")
        assert sum(lane["tonnes_per_year"] for lane in lanes["lanes"]) == pytest.approx(throughput, abs=1)
        assert lanes["movements"]["features"]


def test_the_base_study_without_changes_gives_its_own_plan(client):
    run = answer(client, changes={}, gap=1e-4)
    own = get(client, "/api/v1/plans/tiny")
    assert get(client, run["links"]["plan"])["fingerprint"] == own["fingerprint"]
    assert run["saving_inr_per_year"] == pytest.approx(own["saving_inr_per_year"], rel=1e-3)


def test_sites_are_forced_and_forbidden(client):
    free = answer(client, changes={})
    opened = get(client, free["links"]["sites"])
    without = answer(client, changes={"forbidden": [opened["site_id"][0]]})
    assert opened["site_id"][0] not in get(client, without["links"]["sites"])["site_id"]
    options = get(client, free["links"]["options"])
    closed = next(o for o, s in zip(options["option_id"], options["site_id"], strict=True)
                  if s not in opened["site_id"] and o.startswith("warehouse-small"))  # fmt: skip
    forced = answer(client, changes={"forced": [closed]})
    assert closed in get(client, forced["links"]["sites"])["option_id"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"budget_inr_crore": 1, "forced": ["warehouse-large@madhya-pradesh/d3"]}, "enough would be"),
    ],
)
def test_a_question_without_an_answer_fails_in_plain_words(client, changes, words):
    run = watch(client, ask(client, changes=changes))
    assert run["state"] == "failed"
    assert words in run["message"]
    assert "Traceback" not in run["message"]
    assert client.get(run["links"]["districts"]).status_code == 409


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"changes": {"budget_inr_crore": -1}}, "budget_inr_crore = -1"),
        ({"changes": {"budget_inr_crore": "many"}}, "is not a number"),
        ({"changes": {"budget_inr_crore": float("nan")}}, "is not a number"),
        ({"changes": {"budget_inr_crore": 10**400}}, "is out of range"),
        ({"changes": {"forced": ["\ud800"]}}, "forced names unknown"),
        ({"changes": {"forbidden": ["x" * 30_000]}}, "forbidden names unknown"),
        ({"changes": {"forced": "x"}}, "forced"),
        ({"changes": {"leader_weight": 1}}, "leader_weight"),
        ({"changes": {"forced": ["x"] * 1001}}, "1001"),
        ({"changes": {"forced": ["warehouse-smal@madhya-pradesh/d3"]}}, "'warehouse-small@madhya-pradesh/d3'"),
        ({"changes": {"forced": ["warehouse-small@madhya-pradesh/d33"]}}, "did you mean 'warehouse-small@madhya-"),
        ({"changes": {"forced": ["warehouse@madhya-pradesh/d3"]}}, "forced names unknown"),
        ({"changes": {"forbidden": ["nowhere"]}}, "unknown 'nowhere'; write type-tier@place, type@place or a place"),
        ({"changes": {"closed_gateways": ["INXYZ"]}}, "unknown 'INXYZ'; known: INPRT"),
        ({"changes": {"closed_gateways": ["INPRT"]}}, "leave one open"),
        ({"gap": 2}, "gap"),
        ({"study": "tiny"}, "name the base"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_what_cannot_be_a_question_is_refused_with_the_remedy(client, content, words):
    problem = ask(client, expected=400, **content)
    assert words in problem["detail"]


def test_a_session_warms_the_model_and_then_tells_the_options(client):
    end = time.monotonic() + PATIENCE_S
    while client.post("/api/v1/sessions", json={"study": "tiny"}).get_json()["state"] != "warm":
        assert time.monotonic() < end
        time.sleep(0.1)
    options = get(client, "/api/v1/plans/tiny/options")  # a plan of the study is asked of the same model
    assert {len(column) for column in options.values()} == {len(options["option_id"])}
    assert "mmlp-small@mmlp-east" in options["option_id"]
    # The last district has no road, which is known once its ways are measured.
    no_road = ask(client, expected=400, changes={"forced": ["warehouse-small@madhya-pradesh/d11"]})
    assert "unknown 'warehouse-small@madhya-pradesh/d11'" in no_road["detail"]


def test_a_killed_process_fails_its_run_only_and_the_next_run_works(client, pool):
    before = answer(client, changes={"budget_inr_crore": 20})
    pids = pool.pids()
    with frozen(pids):
        run = watch(client, ask(client, changes={"budget_inr_crore": 21}), lambda run: run["state"] == "running")
        os.kill(pool.process_of(run["id"]), signal.SIGKILL)
        run = watch(client, run)
    assert run["state"] == "failed"
    assert run["message"] == web.runs.queue.LOST
    assert answer(client, changes={"budget_inr_crore": 22})["proven"]
    assert get(client, before["links"]["self"])["state"] == "finished"
    again = client.post(run["links"]["restart"], json={}).get_json()
    assert watch(client, again)["state"] == "finished"


def test_a_process_killed_while_idle_is_replaced(client, pool):
    killed = pool.pids()
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    run = watch(client, ask(client, changes={"budget_inr_crore": 23}))
    for _ in killed:
        if run["state"] == "failed":  # asked in the moment before the death of one of them was noticed
            run = watch(client, client.post(run["links"]["restart"], json={}).get_json())
    assert run["state"] == "finished"


def test_a_running_and_a_waiting_run_can_be_cancelled(client, pool, monkeypatch):
    monkeypatch.setattr(web.runs.queue, "GRACE_S", 0.1)
    with frozen(pool.pids()):
        running = watch(client, ask(client), lambda run: run["state"] == "running")
        waiting = ask(client)
        assert waiting["state"] == "queued"
        assert waiting["position"] == 1
        assert client.delete(waiting["links"]["self"]).get_json()["state"] == "cancelled"
        assert client.delete(running["links"]["self"]).status_code == 202
        assert watch(client, running)["state"] == "cancelled"
    assert client.delete(running["links"]["self"]).status_code == 409
    assert answer(client, changes={})["proven"]


def test_the_next_question_of_a_slider_takes_the_place_of_the_last(client, pool, monkeypatch):
    monkeypatch.setattr(web.runs.queue, "GRACE_S", 0.1)
    with frozen(pool.pids()):
        first = watch(client, ask(client, changes={"budget_inr_crore": 31}), lambda run: run["state"] == "running")
        second = ask(client, changes={"budget_inr_crore": 32}, replaces=first["id"])
        assert watch(client, first)["state"] == "cancelled"
    assert watch(client, second)["state"] == "finished"


def test_a_second_user_does_not_wait_for_the_first_ones_long_run(asked, client, pool, monkeypatch):
    monkeypatch.setattr(web.runs.queue, "GRACE_S", 0.1)
    answer(client, changes={})
    other = asked.test_client()
    other.set_cookie("client", "somebody-else")
    pids = pool.pids()
    with frozen(pids):
        long = watch(client, ask(client), lambda run: run["state"] == "running")
        busy = pool.process_of(long["id"])
        second = ask(client)  # the same user's next one waits: the free process is for others
        os.kill(next(pid for pid in pids if pid != busy), signal.SIGCONT)
        assert answer(other, changes={"budget_inr_crore": 25})["proven"]
        assert get(client, second["links"]["self"])["state"] == "queued"
        client.delete(second["links"]["self"])
        client.delete(long["links"]["self"])
        watch(client, long)


def test_the_queue_is_bounded(client, pool, monkeypatch):
    monkeypatch.setattr(web.runs.queue, "MAX_QUEUE", 1)
    monkeypatch.setattr(web.runs.queue, "GRACE_S", 0.1)
    with frozen(pool.pids()):
        first = watch(client, ask(client), lambda run: run["state"] == "running")
        second = ask(client)
        refused = client.post("/api/v1/runs", json={"plan": "tiny"})
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) > 0
        for run in (second, first):
            client.delete(run["links"]["self"])
        watch(client, first)


def test_a_saved_plan_is_a_study_that_the_command_line_answers_with_the_same_fingerprint(client, solved, monkeypatch):
    forbidden = [get(client, "/api/v1/plans/tiny/sites")["site_id"][0]]
    run = answer(client, changes={"budget_inr_crore": 45, "forbidden": forbidden})
    saved = client.post(run["links"]["save"], json={"name": 'Cheap & "good" <plan>'})
    assert saved.status_code == 202
    saved = watch(client, saved.get_json())
    assert (saved["state"], saved["plan"]) == ("finished", "cheap-good-plan")
    assert saved["study_file"] == "studies/cheap-good-plan.toml"
    plan = get(client, f"/api/v1/plans/{saved['plan']}")
    assert plan["study"] == 'Cheap & "good" <plan>'
    assert plan["can_what_if"] is True
    assert "report.html" in plan["files"]
    study = load_study(solved / "studies" / "cheap-good-plan.toml")
    assert study.fingerprint(study.pack()) == plan["fingerprint"]
    assert (study.budget_inr_crore, list(study.forbidden)) == (45, forbidden)
    taken = client.post(run["links"]["save"], json={"name": "cheap GOOD plan"})
    assert taken.status_code == 409
    assert "another name" in taken.get_json()["detail"]
    # The plan outlives the run that saved it.
    monkeypatch.setattr(web.runs.queue, "MAX_REMEMBERED", 1)
    answer(client, changes={})
    assert client.get(saved["links"]["self"]).status_code == 404
    assert get(client, "/api/v1/plans/cheap-good-plan") == plan


@pytest.mark.parametrize("name", ["", " ", 7, None, "x" * 81, "a\nb"])
def test_a_plan_is_not_saved_without_a_proper_name(client, name):
    run = answer(client, changes={})
    assert client.post(run["links"]["save"], json={"name": name}).status_code == 400


def test_a_name_is_never_a_path(client, solved):
    run = answer(client, changes={})
    saved = client.post(run["links"]["save"], json={"name": "../../outside"}).get_json()
    assert saved["study_file"] == "studies/outside.toml"
    assert not (solved.parent / "outside.toml").exists()
    client.delete(saved["links"]["self"])
    watch(client, saved)


def test_a_save_that_is_cancelled_leaves_nothing_behind(client, pool, solved, monkeypatch):
    monkeypatch.setattr(web.runs.queue, "GRACE_S", 0.1)
    run = answer(client, changes={})
    with frozen(pool.pids()):
        saving = client.post(run["links"]["save"], json={"name": "Regret"}).get_json()
        watch(client, saving, lambda run: run["state"] == "running")
        client.delete(saving["links"]["self"])
        assert watch(client, saving)["state"] == "cancelled"
    assert not (solved / "studies" / "regret.toml").exists()
    assert not (solved / "results" / "regret").exists()


def test_after_a_restart_running_runs_are_interrupted_and_can_start_again_and_finished_ones_are_there(solved, tmp_path):
    from shutil import copytree

    copytree(solved / "results" / "tiny", tmp_path / "results" / "tiny")
    first = create_app(tmp_path / "results", studies=solved / "studies")
    client, pool = first.test_client(), first.extensions["pool"]
    finished = answer(client, changes={"budget_inr_crore": 30})
    sites = get(client, finished["links"]["sites"])
    with frozen(pool.pids()):
        running = watch(client, ask(client, changes={"budget_inr_crore": 35}), lambda run: run["state"] == "running")
        waiting = ask(client, changes={"budget_inr_crore": 36})
        pool.close()

    second = create_app(tmp_path / "results", studies=solved / "studies")
    client = second.test_client()
    try:
        listed = {run["id"]: run["state"] for run in get(client, "/api/v1/runs")["runs"]}
        assert listed == {finished["id"]: "finished", running["id"]: "interrupted", waiting["id"]: "interrupted"}
        assert get(client, finished["links"]["sites"]) == sites
        assert "again" in get(client, running["links"]["self"])["message"]
        again = client.post(running["links"]["restart"], json={}).get_json()
        assert again["changes"] == running["changes"]
        assert watch(client, again)["state"] == "finished"
    finally:
        second.extensions["pool"].close()


def test_an_answer_that_cannot_be_written_fails_its_run_and_leaves_nothing(client, asked, solved):
    pool = asked.extensions["pool"]
    folder = pool.store.root
    with frozen(pool.pids()):
        run = ask(client, changes={"budget_inr_crore": 44})
        blocked = folder / run["id"] / "lanes.parquet"
        blocked.mkdir()  # a write there fails, as on a full disk
    run = watch(client, run)
    assert run["state"] == "failed"
    assert "cannot be written" in run["message"]
    assert "Traceback" not in run["message"]
    assert [path.name for path in (folder / run["id"]).iterdir() if path.is_file()] == ["run.json"]
    blocked.rmdir()
    assert watch(client, client.post(run["links"]["restart"], json={}).get_json())["state"] == "finished"


def test_a_second_server_that_cannot_start_leaves_the_runs_of_the_first_alone(client, pool, solved):
    run = answer(client, changes={})
    with frozen(pool.pids()):
        saving = client.post(run["links"]["save"], json={"name": "Still running"}).get_json()
        saving = watch(client, saving, lambda run: run["state"] == "running")
        before = (pool.store.root / saving["id"] / "run.json").read_text()
        second = create_app(solved / "results", studies=solved / "studies")  # and then its port is taken
        assert get(second.test_client(), saving["links"]["self"])["state"] == "interrupted"
        assert (pool.store.root / saving["id"] / "run.json").read_text() == before
        assert (solved / "studies" / "still-running.toml").is_file()
        client.delete(saving["links"]["self"])
        watch(client, saving)


def test_a_save_whose_process_is_killed_leaves_no_scratch(client, pool, solved, monkeypatch):
    run = answer(client, changes={})
    with frozen(pool.pids()):
        saving = client.post(run["links"]["save"], json={"name": "Cut short"}).get_json()
        watch(client, saving, lambda run: run["state"] == "running")
        for name in (".cut-short-abcd1234", ".cut-short-too-abcd1234"):  # the second is of another plan
            (solved / "results" / name).mkdir()
        os.kill(pool.process_of(saving["id"]), signal.SIGKILL)
        assert watch(client, saving)["state"] == "failed"
    assert [path.name for path in (solved / "results").glob(".cut-short*")] == [".cut-short-too-abcd1234"]
    assert not (solved / "studies" / "cut-short.toml").exists()


def test_two_tabs_ask_at_once_and_each_gets_its_own_answer(asked, client):
    answer(client, changes={})
    budgets = [11.0, 22.0, 33.0, 44.0]
    with ThreadPoolExecutor(len(budgets)) as tabs:
        runs = list(tabs.map(lambda b: answer(asked.test_client(), changes={"budget_inr_crore": b}), budgets))
    assert [get(client, run["links"]["plan"])["budget_inr_crore"] for run in runs] == budgets


def test_own_data_that_is_mended_makes_another_model(client, solved, tmp_path):
    study = load_study(solved / "studies" / "tiny.toml")
    copy = tmp_path / "exports.csv"
    copy.write_bytes(study.data["exports"].read_bytes())
    values = plain_values(study.with_changes(data={**study.data, "exports": copy}))
    before = model_key(values)
    assert before == model_key(values)
    os.utime(copy, (1, 1))
    assert model_key(values) != before


def test_runs_of_another_version_are_left_aside(solved, tmp_path):
    store = RunStore(tmp_path)
    good = {"id": "good", "kind": "what-if", "base": {}, "name": "x", "changes": {}, "client": "x",
            "values": plain_values(load_study(solved / "studies" / "tiny.toml"))}  # fmt: skip
    for name, content in {
        "good": good,
        "bare": {**good, "id": "bare", "values": {}},
        "list": [],
        "odd": {"id": 1},
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(json.dumps(content))
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "run.json").write_text("{")
    assert [run.id for run in store.all()] == ["good"]


def test_tables_of_old_answers_make_room_but_no_question_is_lost(client, solved, monkeypatch):
    first = answer(client, changes={"budget_inr_crore": 41})
    monkeypatch.setattr(web.runs.queue, "MAX_ANSWERS", 1)
    second = answer(client, changes={"budget_inr_crore": 42})
    ask(client)  # room is made when something is asked
    gone = client.get(first["links"]["districts"])
    assert gone.status_code == 410
    assert "Start it again" in gone.get_json()["detail"]
    told = get(client, first["links"]["self"])
    assert (told["state"], told["message"]) == ("finished", gone.get_json()["detail"])
    assert client.get(second["links"]["districts"]).status_code == 200
    again = watch(client, client.post(first["links"]["restart"], json={}).get_json())
    assert (again["state"], again["message"], again["changes"]) == ("finished", None, first["changes"])
    assert get(client, again["links"]["plan"])["budget_inr_crore"] == 41


def test_runs_and_plans_are_compared(client):
    run = answer(client, changes={"budget_inr_crore": 10})
    same = get(client, "/api/v1/compare?a=tiny&b=tiny")
    assert not any(same["districts"]["changed"])
    assert same["sites"]["only_a"]["site_id"] == []
    less = get(client, f"/api/v1/compare?a=tiny&b=run:{run['id']}")
    assert less["totals"]["budget_inr_crore"] == {"a": 60.0, "b": 10.0}
    assert any(less["districts"]["changed"])
    change = less["districts"]["saving_change_inr_per_year"]
    gross = [sum(x for x in get(client, f"{base}/districts")["saving_inr_per_year"] if x)
             for base in ("/api/v1/plans/tiny", run["links"]["self"])]  # fmt: skip
    assert sum(x for x in change if x) == pytest.approx(gross[1] - gross[0], abs=1)
