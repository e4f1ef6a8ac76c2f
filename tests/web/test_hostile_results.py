"""One bad file among results and studies: it is named, the good ones are served, and nothing waits or fails."""

import json
import os
import time
from pathlib import Path

import pytest
from tiny_result import tiny_pack, write_result

from web.app import create_app

DEPTH = 200_000
ADDRESSES = (
    "/", "/health", "/compare", "/what-if", "/api/v1/plans", "/api/v1/studies", "/api/v1/runs", "/api/v1/plans/tiny",
    "/api/v1/plans/tiny/districts", "/api/v1/plans/tiny/sites", "/api/v1/plans/tiny/lanes?district=alpha/aaland",
    "/api/v1/plans/tiny/tables/sites.csv", "/api/v1/plans/tiny/map.svg", "/print/plans/tiny",
    "/api/v1/compare?a=tiny&b=tiny", "/api/v1/batches", "/?embed=1",
)  # fmt: skip
SECONDS = 2.0  # processor time of an answer


def nested(depth: int, opening: str = "[", closing: str = "]") -> str:
    return opening * depth + closing * depth


def with_key(key: str, value: object):
    """A ``plan.json`` that differs in one key, dots leading inwards."""

    def content(good: dict) -> str:
        *way, last = key.split(".")
        at = good
        for step in way:
            at = at[step]
        at[last] = value
        return json.dumps(good)

    return content


def with_text(key: str, text: str):
    """A ``plan.json`` in which a value is written in letters that Python would not write."""
    return lambda good: with_key(key, "@@")(good).replace('"@@"', text)


PLANS = {
    "empty": lambda good: "",
    "no json": lambda good: "{",
    "a list": lambda good: "[]",
    "a number": lambda good: "1",
    "null": lambda good: "null",
    "deep list": lambda good: nested(DEPTH),
    "deep object": lambda good: '{"a":' * DEPTH + "1" + "}" * DEPTH,
    "deep below the parser's limit": lambda good: with_text("deep", nested(700))(good),
    "deep value of a key": lambda good: with_text("resolved_study", nested(DEPTH))(good),
    "deep study": lambda good: with_text("resolved_study", '{"a":' * 600 + "1" + "}" * 600)(good),
    "infinite": with_text("gap", "1e999"),
    "not a number": with_text("gap", "NaN"),
    "minus infinity": with_text("budget_inr_crore", "-Infinity"),
    "huge whole number": with_text("budget_inr_crore", "9" * 4000),
    "longer than a number may be": with_text("budget_inr_crore", "9" * 10_000),
    "huge number of no key": with_text("more", "9" * 4000),
    "half a surrogate pair": with_text("study", '"\\ud800"'),
    "half a surrogate pair in a key": lambda good: json.dumps(good)[:-1] + ', "\\udfff": 1}',
    "half a surrogate pair inside": with_text("resolved_study", '{"name": "\\udc00"}'),
    "study is a number": with_key("study", 7),
    "study is an object": with_key("study", {}),
    "study is null": with_key("study", None),
    "name of a study with a zero byte": with_key("study", "a\0b"),
    "resolved study is a list": with_key("resolved_study", []),
    "resolved study is null": with_key("resolved_study", None),
    "resolved study of nothing": with_key("resolved_study", {}),
    "data are a list": with_key("resolved_study", {"data": ["x"]}),
    "data are a number": with_key("resolved_study", {"data": 7}),
    "data are of lists": with_key("resolved_study", {"name": "x", "budget_inr_crore": 1, "data": {"districts": [1]}}),
    "data lead elsewhere": with_key("resolved_study", {"data": {"districts": "/etc/passwd", "pack": "/etc"}}),
    "parameters are a text": with_key("resolved_study", {"name": "x", "budget_inr_crore": 1, "parameters": "x"}),
    "closed gateways are a number": with_key("resolved_study", {"closed_gateways": 5}),
    "facility types of numbers": with_key("resolved_study", {"name": "x", "facility_types": [1, None, {}]}),
    "forced is a text": with_key("resolved_study", {"name": "x", "forced": "warehouse"}),
    "stages are a list": with_key("stages", []),
    "before is a list": with_key("before", []),
    "after is a text": with_key("after", "x"),
    "status is a list": with_key("status", []),
    "status of its own": with_key("status", "perfect"),
    "gap is a text": with_key("gap", "x"),
    "gap is a list": with_key("gap", [1]),
    "fingerprint is a number": with_key("fingerprint", 12),
    "saving is true": with_key("saving_inr_per_year", True),
    "capex is an object": with_key("capex_inr_crore", {"x": 1}),
}
TABLES = {
    "bytes": ("sites.csv", b"\xff\xfe\x00\x00"),
    "no rows": ("districts.csv", b""),
    "quote without end": ("districts.csv", b'district_id,state\n"x'),
    "a line of ten million": ("lanes.csv", b"x," * 5_000_000),
    "no database": ("study.gpkg", b"not a database"),
    "a database of nothing": ("study.gpkg", b"SQLite format 3\x00" + b"\x00" * 4096),
    "a map that leads elsewhere": ("study.gpkg", b'<OGRVRTDataSource><OGRVRTLayer name="districts">'
                                   b"<SrcDataSource>/vsicurl/http://192.0.2.1/x</SrcDataSource></OGRVRTLayer>"
                                   b"</OGRVRTDataSource>"),
}  # fmt: skip
STUDIES = {
    "bytes": b"\xff\xfe",
    "no toml": b"[study]\nname = ",
    "deep": b"[study]\nx = " + b"[" * 100_000,
    "deep tables": b"[" + b"a." * 50_000 + b"b]",
    "huge number": b"[study]\nname = 'x'\nbudget_inr_crore = " + b"9" * 10_000,
    "large number": b"[study]\nname = 'x'\nbudget_inr_crore = " + b"9" * 400,
    "infinite": b"[study]\nname = 'x'\nbudget_inr_crore = inf",
    "surrogate": b'[study]\nname = "\\ud800"\nbudget_inr_crore = 1',
    "wrong types": b"[study]\nname = 7\nbudget_inr_crore = 'x'\nforced = 1\n[parameters]\nx = []",
    "data of wrong types": b"[study]\nname = 'x'\nbudget_inr_crore = 1\n[data]\ndistricts = 7\nexports = [1]\n",
    "dates": b"[study]\nname = 1979-05-27\nbudget_inr_crore = 1979-05-27",
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hostile")
    results, studies = root / "results", root / "studies"
    studies.mkdir()
    write_result(results / "tiny")
    good = (results / "tiny" / "plan.json").read_text(encoding="utf-8")
    for number, content in enumerate(PLANS.values()):
        folder = results / f"plan-{number}"
        write_result(folder)
        (folder / "plan.json").write_text(content(json.loads(good)), encoding="utf-8")
    for number, (name, bytes_of_file) in enumerate(TABLES.values()):
        write_result(results / f"table-{number}")
        (results / f"table-{number}" / name).write_bytes(bytes_of_file)
    for number, bytes_of_study in enumerate(STUDIES.values()):
        (studies / f"study-{number}.toml").write_bytes(bytes_of_study)
    _odd_files(results, studies)
    return root


def _odd_files(results: Path, studies: Path) -> None:
    for name in ("plan.json", "sites.csv", "study.gpkg"):
        folder = results / f"fifo-{name.replace('.', '-')}"
        write_result(folder)
        (folder / name).unlink()
        os.mkfifo(folder / name)
    for name, content in (("deep", b"[" * 100_000), ("bytes", b"\xff\xfe\x00"), ("wide", b"a," * 1_000_000)):
        (results / f"batch-{name}").mkdir()
        (results / f"batch-{name}" / "scenarios.csv").write_bytes(content)
    (results / "batch-fifo").mkdir()
    os.mkfifo(results / "batch-fifo" / "scenarios.csv")
    write_result(results / "folder")
    (results / "folder" / "plan.json").unlink()
    (results / "folder" / "plan.json").mkdir()
    write_result(results / "loop")
    (results / "loop" / "plan.json").unlink()
    (results / "loop" / "plan.json").symlink_to("plan.json")
    write_result(Path(os.fsdecode(os.fsencode(results) + b"/\xff\xfe")))
    write_result(results / "<script>alert(1)</script>")
    os.mkfifo(studies / "fifo.toml")
    (studies / "folder.toml").mkdir()
    (studies / "gone.toml").symlink_to("nowhere")
    (studies / os.fsdecode(b"\xff.toml")).write_bytes(b"name = 'x'\nbudget_inr_crore = 1")


@pytest.fixture(scope="module")
def server(hostile: Path):
    return create_app(hostile / "results", tiny_pack(), hostile / "studies").test_client()


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_address_is_answered_at_once(server, hostile, address):
    start = time.process_time()
    answer = server.get(address)
    assert answer.status_code == 200
    assert time.process_time() - start < SECONDS
    assert str(hostile) not in answer.get_data(as_text=True)


def test_what_is_listed_can_be_opened_or_says_why_not(server, hostile):
    """A result that is shown answers all addresses; none of them fails, whatever it holds."""
    listed = [plan["id"] for plan in server.get("/api/v1/plans").get_json()["plans"]]
    assert "tiny" in listed
    for key in listed:
        for path in ("", "/districts", "/sites", "/places", "/shapes", "/tables/districts.csv", "/map.svg"):
            answer = server.get(f"/api/v1/plans/{key}{path}")
            assert answer.status_code == 200, (key, path, answer.get_json())
        assert server.get("/api/v1/compare", query_string={"a": "tiny", "b": key}).status_code == 200
        for method, path in (("get", f"/api/v1/plans/{key}/options"), ("post", "/api/v1/sessions")):
            answer = getattr(server, method)(path, **({"json": {"plan": key}} if method == "post" else {}))
            assert answer.status_code < 500, (key, path)


def test_the_bad_ones_are_named_without_their_folder(server, hostile):
    told = server.get("/health").get_json()["broken_results"]
    shown = {plan["id"] for plan in server.get("/api/v1/plans").get_json()["plans"]}
    assert {"fifo-plan-json", "fifo-sites-csv", "fifo-study-gpkg", "folder"} <= set(told)
    for number, name in enumerate(PLANS):
        assert (f"plan-{number}" in told) != (f"plan-{number}" in shown), name
    assert {f"table-{number}" for number in range(len(TABLES))} <= set(told)


def test_bad_studies_are_listed_with_their_faults(server):
    listed = server.get("/api/v1/studies").get_json()["studies"]
    assert all(study["problems"] for study in listed if study["id"].startswith("study-"))
    assert len([study for study in listed if study["id"].startswith("study-")]) == len(STUDIES)
