"""The JSON API: what it answers, how it travels, what it refuses."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
from xml.etree import ElementTree

import pytest
import shapely
from arcs import decode_ring
from markupsafe import escape
from tiny_result import CENTRES, DEPOT, HOSTILE, PORT, tiny_pack, write_result

from geodata.errors import InputError
from web.app import create_app
from web.results import Results

PLAN = "/api/v1/plans/tiny"


def get(client, url):
    response = client.get(url)
    assert response.status_code == 200, response.get_data(as_text=True)
    assert response.mimetype == "application/json"
    return response.get_json()


def test_all_finished_plans_are_listed_sweeps_included(client):
    plans = get(client, "/api/v1/plans")["plans"]
    assert [plan["id"] for plan in plans] == ["tiny", "sweep~budget-10"]
    assert plans[0]["study"] == "Tiny study"
    assert "report.html" in plans[0]["files"]


def test_a_plan_answers_with_its_summary(client, results):
    plan = get(client, PLAN)
    assert json.loads((results / "tiny" / "plan.json").read_text()).items() <= plan.items()
    assert (plan["id"], plan["kind"], plan["sweep"]) == ("tiny", "run", None)
    assert plan["links"]["report"] == "/results/tiny/report.html"
    assert plan["can_what_if"] is False  # the result does not tell its study


def test_districts_come_as_columns_of_equal_length_with_missing_values_null(client):
    table = get(client, f"{PLAN}/districts")
    assert {len(column) for column in table.values()} == {3}
    assert table["district"] == list(CENTRES)
    assert table["district_id"][:2] == ["alpha/aaland", "alpha/beeland"]
    assert table["district_hi"] == ["आलैंड", None, None]
    assert table["lgd_code"] == [1, None, 3]
    assert table["bounds"][0] == [75.0, 20.0, 76.0, 21.0]


def test_shapes_decode_to_the_squares_in_the_order_of_the_districts(client):
    shapes = get(client, get(client, PLAN)["links"]["shapes"])
    for ((ring,),), (x, y) in zip(shapes["districts"], CENTRES.values(), strict=True):
        polygon = shapely.Polygon(decode_ring(ring, shapes["arcs"]))
        assert polygon.equals(shapely.box(x - 0.5, y - 0.5, x + 0.5, y + 0.5))


def test_the_state_is_the_union_of_its_districts(client):
    shapes = get(client, f"{PLAN}/shapes")
    assert shapes["states"]["names"] == ["Alpha"]
    (((ring,),),) = shapes["states"]["shapes"]
    assert shapely.Polygon(decode_ring(ring, shapes["arcs"])).equals(shapely.box(75, 20, 78, 21))


def test_sites_and_places(client):
    assert get(client, f"{PLAN}/sites")["site_id"] == ["warehouse@alpha/beeland"]
    places = get(client, f"{PLAN}/places")
    assert places["gateways"]["name"] == ["Port Sea"]
    assert places["depots"]["rail_served"] == [True]


def test_lanes_of_a_district_follow_the_lines_of_the_result(client):
    lanes = get(client, f"{PLAN}/lanes?district=alpha/aaland")
    assert lanes["lane_count"] == 1
    assert [part["mode"] for part in lanes["lanes"][0]["parts"]] == ["road", "handling", "road", "dwell"]
    assert lanes["lanes"][0]["cost_inr_per_t"] == pytest.approx(40.0)
    first, second = lanes["movements"]["features"]
    assert first["geometry"]["coordinates"] == [[75.5, 20.5], [76.0, 20.9], [76.5, 20.5]]
    assert second["geometry"]["coordinates"][-1] == list(PORT)
    assert lanes["sites"] == ["warehouse@alpha/beeland"]


def test_lanes_without_a_new_site_are_routed_on_the_networks_and_rail_starts_at_its_connector(client):
    ids = get(client, f"{PLAN}/districts")["district_id"]
    lanes = get(client, f"{PLAN}/lanes?district={ids[2]}")
    road, rail = lanes["movements"]["features"]
    assert road["geometry"]["coordinates"] == [list(CENTRES[HOSTILE]), list(DEPOT)]
    # Out of the network where the connector says (78.5, 20.9), not at the node nearest to the port.
    assert rail["geometry"]["coordinates"] == [list(DEPOT), [78.0, 21.5], [78.5, 20.9], list(PORT)]
    assert rail["properties"]["mode"] == "rail"
    assert lanes["sites"] == []


def test_lanes_of_a_site_add_up_to_its_table_row(client):
    lanes = get(client, f"{PLAN}/lanes?site=warehouse@alpha/beeland")
    assert {lane["district"] for lane in lanes["lanes"]} == {"Aaland", "Beeland"}
    assert sum(lane["tonnes_per_year"] for lane in lanes["lanes"]) == 150.0
    flows = {(f["properties"]["from"], f["properties"]["to"]): f["properties"]["tonnes_per_year"]
             for f in lanes["movements"]["features"]}  # fmt: skip
    assert flows == {("Aaland", "Beeland"): 100.0, ("Beeland", "Port Sea"): 150.0}


@pytest.mark.parametrize("name", ["roads", "rail"])
def test_networks_are_lines_between_their_ends(client, name):
    (line,) = get(client, f"/api/v1/map/{name}")["lines"]
    ends = {tuple(point) for point in decode_ring([0], [line])[[0, -1]].tolist()}
    assert ends == {"roads": {CENTRES["Aaland"], DEPOT}, "rail": {DEPOT, (78.88, 20.6)}}[name]


@pytest.mark.parametrize("name", ["roads", "rail", "districts"])
def test_map_layers_come_in_one_detail(client, name):
    answer = client.get(f"/api/v1/map/{name}?detail=coarse")
    assert answer.status_code == 400
    assert "detail" in answer.get_json()["detail"]


def test_a_known_tag_is_answered_with_304_and_no_body(client):
    first = client.get(f"{PLAN}/shapes")
    again = client.get(f"{PLAN}/shapes", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_a_rewritten_plan_gets_another_tag(tmp_path):
    folder = write_result(tmp_path / "plan")
    client = create_app(tmp_path, tiny_pack()).test_client()
    before = client.get("/api/v1/plans/plan/sites")
    sites = folder / "sites.csv"
    sites.write_text(sites.read_text().replace("candidate", "planned"))
    (folder / "plan.json").touch()
    after = client.get("/api/v1/plans/plan/sites", headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert after.get_json()["status"] == ["planned"]


def test_answers_are_compressed_for_those_who_take_it(client):
    plain = client.get(f"{PLAN}/districts")
    zipped = client.get(f"{PLAN}/districts", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in zipped.headers["Vary"]
    assert gzip.decompress(zipped.data) == plain.data


@pytest.mark.parametrize(
    "url",
    [
        "/api/v1/plans/unknown",
        "/api/v1/plans/..",
        "/api/v1/plans/%2e%2e%2fsecret.txt/sites",
        "/api/v1/map/..%2froad",
        "/results/tiny/../../secret.txt",
        "/results/tiny/%2e%2e%2f%2e%2e%2fsecret.txt",
        "/results/..~/secret.txt",
        "/results/sweep/plan.json",
        "/results/tiny/log.txt",
        "/assets/..%2fapp.py",
        "/assets/%2e%2e/app.py",
        "/assets/%2fetc%2fpasswd",
        f"{PLAN}/lanes?district=../../etc/passwd",
        f"{PLAN}/lanes?site=nowhere",
        f"{PLAN}/tables/secret.txt",
        f"{PLAN}/tables/..%2f..%2fsecret.txt",
        "/api/v1/sweeps/..",
        "/api/v1/compare?a=..&b=tiny",
        "/api/v1/runs/../secret.txt",
        "/api/v1/runs/%2e%2e/plan",
        "/print/plans/..",
        "/messages/..%2f..%2fapp.json",
    ],
)
def test_nothing_outside_the_lists_is_found(client, url):
    response = client.get(url)
    assert response.status_code in (400, 404)
    assert b"not for the web" not in response.data
    assert response.mimetype == "application/problem+json"
    assert response.get_json()["detail"]


@pytest.mark.parametrize("query", ["", "?district=a/b&site=c"])
def test_lanes_of_nothing_or_of_two_things_are_refused_with_the_remedy(client, query):
    response = client.get(f"{PLAN}/lanes{query}")
    assert response.status_code == 400
    assert "?district=" in response.get_json()["detail"]


def test_nothing_can_be_written(client):
    for method in (client.post, client.put, client.delete, client.patch):
        assert method(PLAN, json={}).status_code == 405


def test_files_of_a_plan_are_downloads_and_the_report_a_page_without_scripts(client, results):
    with client.get("/results/tiny/sites.csv") as table:
        assert table.data == (results / "tiny" / "sites.csv").read_bytes()
        assert table.headers["Content-Disposition"] == "attachment; filename=tiny-sites.csv"
    with client.get("/results/tiny/report.html") as report:
        assert report.mimetype == "text/html"
        assert "script-src" not in report.headers["Content-Security-Policy"]
        assert "default-src 'none'" in report.headers["Content-Security-Policy"]


def test_the_page_brings_no_inline_script_or_style_and_names_no_other_host(client):
    page = client.get("/").get_data(as_text=True)
    assert "<style" not in page
    assert "style=" not in page
    assert "http" not in page
    assert page.count("<script") == page.count("<script src=")
    assert "© OpenStreetMap contributors" in page
    assert "Survey of India" in page


def test_all_that_the_page_names_is_there(client):
    for name in ("maplibre-gl.js", "maplibre-gl.css", "style.css", "icon.svg"):
        assert client.get(f"/assets/{name}").status_code == 200


def test_a_result_may_be_named_itself(results):
    assert list(Results(results / "tiny").plans()) == ["tiny"]


@pytest.mark.parametrize("name", ["", "nowhere"])
def test_without_a_result_the_map_starts_and_studies_can_be_asked(tmp_path, name):
    client = create_app(tmp_path / name, tiny_pack()).test_client()
    assert get(client, "/api/v1/plans") == {"plans": [], "sweeps": []}
    assert client.get("/").status_code == client.get("/what-if").status_code == 200
    assert "national" in [study["id"] for study in get(client, "/api/v1/studies")["studies"]]
    write_result(tmp_path / name / "first")
    assert [plan["id"] for plan in get(client, "/api/v1/plans")["plans"]] == ["first"]


def test_a_file_in_place_of_the_results_is_an_input_error(tmp_path):
    (tmp_path / "results").write_text("")
    with pytest.raises(InputError, match="is no folder"):
        create_app(tmp_path / "results", tiny_pack())


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("lanes.csv", None, "is missing"),
        ("plan.json", "{", "cannot be read"),
        ("plan.json", "[]", "is not an object"),
        ("plan.json", '{"gap": NaN}', "NaN is no number"),
        ("plan.json", '{"study": "x"}', "has no area; written by an older version"),
        ("districts.csv", "state,district\n", "has no column district_id; written by an older version"),
        ("sites.csv", "", "is empty"),
        ("lanes.csv", "\0\xff", "lanes.csv"),
        ("study.gpkg", "no map", "cannot be read"),
    ],
)
def test_a_broken_result_is_named_and_the_good_ones_are_served(tmp_path, caplog, file, content, words):
    write_result(tmp_path / "good")
    broken = write_result(tmp_path / "broken") / file
    whole = broken.read_bytes()
    broken.unlink() if content is None else broken.write_text(content, encoding="latin-1")
    client = create_app(tmp_path, tiny_pack()).test_client()
    for _ in range(2):
        assert [plan["id"] for plan in get(client, "/api/v1/plans")["plans"]] == ["good"]
    health = get(client, "/health")
    assert health["plans"] == 1
    assert words in health["broken_results"]["broken"]
    assert "siting run" in health["broken_results"]["broken"]
    (logged,) = [record for record in caplog.records if record.name == "web.results"]
    assert json.loads(logged.getMessage()) == {"broken_result": health["broken_results"]["broken"]}
    broken.write_bytes(whole)
    assert get(client, "/health")["broken_results"] == {}


def test_the_first_plan_is_the_newest_of_the_national_study(tmp_path):
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "national.toml").write_text('[study]\nname = "The whole country"\n')
    written = {"a-trial": 5, "national": 1, "national-again": 2, "b-trial": 4, "sweep/budget-900": 9}
    for name, second in written.items():
        file = write_result(tmp_path / "results" / name) / "plan.json"
        if "national" in name:
            file.write_text(file.read_text().replace("Tiny study", "The whole country"))
        os.utime(file, (second, second))
    client = create_app(tmp_path / "results", tiny_pack(), tmp_path / "studies").test_client()
    listed = [plan["id"] for plan in get(client, "/api/v1/plans")["plans"]]
    assert listed == ["national-again", "national", "a-trial", "b-trial", "sweep~budget-900"]


def test_plans_that_come_and_go_are_noticed(tmp_path):
    write_result(tmp_path / "one")
    write_result(tmp_path / ".two-scratch")
    client = create_app(tmp_path, tiny_pack()).test_client()
    assert [plan["id"] for plan in get(client, "/api/v1/plans")["plans"]] == ["one"]
    (tmp_path / ".two-scratch").rename(tmp_path / "two")
    assert {plan["id"] for plan in get(client, "/api/v1/plans")["plans"]} == {"one", "two"}
    shutil.rmtree(tmp_path / "one")
    assert client.get("/api/v1/plans/one").status_code == 404


def test_a_plan_that_opens_nothing_has_a_map_too(tmp_path):
    folder = write_result(tmp_path / "zero")
    sites, lanes = folder / "sites.csv", folder / "lanes.csv"
    sites.write_text(sites.read_text().splitlines()[0] + "\n")
    kept = [line for line in lanes.read_text().splitlines() if "Beeland" not in line]
    lanes.write_text("\n".join(kept) + "\n")
    client = create_app(tmp_path, tiny_pack()).test_client()
    assert get(client, "/api/v1/plans/zero/sites")["site_id"] == []
    assert get(client, "/api/v1/plans/zero/lanes?district=alpha/beeland")["lanes"] == []


def test_a_result_whose_tables_do_not_fit_together_says_so(tmp_path):
    folder = write_result(tmp_path / "torn")
    lanes = folder / "lanes.csv"
    lanes.write_text(lanes.read_text().replace(",dry,", ",nowhere,"))
    client = create_app(tmp_path, tiny_pack()).test_client()
    response = client.get("/api/v1/plans/torn/lanes?district=alpha/script-alert-x-script")
    assert response.status_code == 500
    assert "'nowhere'" in response.get_json()["detail"]


def test_the_api_is_described_route_by_route(app, client):
    paths = get(client, "/api/v1/openapi.json")["paths"]
    described = {(path, method.upper()) for path, methods in paths.items() for method in methods}
    served = {
        (re.sub(r"<(?:[^:<>]*:)?([^<>]*)>", r"{\1}", rule.rule), method)
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule.startswith(("/api/", "/print/", "/health"))
    }
    served = {(path.replace("/map/{name}", f"/map/{name}"), m) for path, m in served for name in ("roads", "rail")}
    assert served == described


def test_components_of_the_cost_are_told_where_the_result_has_them(client, asked):
    table = get(asked.test_client(), "/api/v1/plans/tiny/districts")
    for when in ("before", "after"):
        parts = [table[f"{part}_{when}_inr_per_t"] for part in ("freight", "handling", "time", "dwell", "carbon")]
        for total, *values in zip(table[f"cost_{when}_inr_per_t"], *parts, strict=True):
            assert total is None or sum(values) == pytest.approx(total, abs=0.01)
    assert "freight_before_inr_per_t" not in get(client, f"{PLAN}/districts")


def test_plans_on_the_same_districts_share_an_address_of_shapes_that_never_changes(client):
    links = [get(client, f"/api/v1/plans/{key}")["links"]["shapes"] for key in ("tiny", "sweep~budget-10")]
    assert links[0] == links[1]
    assert "immutable" in client.get(links[0]).headers["Cache-Control"]
    assert client.get("/api/v1/map/districts?v=0").status_code == 404


def test_a_sweep_is_a_frontier_of_its_plans(client):
    (point,) = get(client, "/api/v1/sweeps/sweep")["points"]
    assert (point["plan"], point["budget_inr_crore"], point["warehouses"]) == ("sweep~budget-10", 10, 1)
    assert point["marginal_benefit_per_year_per_rupee"] == pytest.approx(105_000 / 7.5e7)


@pytest.mark.parametrize("language", ["en", "hi"])
@pytest.mark.parametrize("chosen", ["", "&district=alpha/aaland", "&site=warehouse@alpha/beeland"])
def test_the_drawn_map_is_one_svg_that_brings_no_code_and_no_style(client, language, chosen):
    layers = "sites,ports,rail,roads,depots,states"
    response = client.get(f"{PLAN}/map.svg?measure=exports&lang={language}&layers={layers}{chosen}")
    assert response.mimetype == "image/svg+xml"
    text = response.get_data(as_text=True)
    root = ElementTree.fromstring(text)
    assert root.get("viewBox")
    assert "style=" not in text
    assert "<script" not in text
    names = [element.text for element in root.iter("{http://www.w3.org/2000/svg}title")]
    assert f"{HOSTILE}, {'अल्फ़ा' if language == 'hi' else 'Alpha'}" in names
    dashed = [e.get("stroke-dasharray") for e in root.iter("{http://www.w3.org/2000/svg}polyline")]
    assert not any(dashed)  # these lanes go by road
    assert len(dashed) == (0 if not chosen else 4)


def test_the_page_to_print_holds_map_legend_sources_and_fingerprint(client):
    page = client.get("/print/plans/tiny?measure=exports")
    text = page.get_data(as_text=True)
    assert "<svg" in text
    assert "OpenStreetMap contributors" in text
    assert "Survey of India" in text
    assert "0" * 64 in text
    assert "style=" not in text
    assert str(escape(HOSTILE)) in text
    assert HOSTILE not in text


def test_health_tells_of_plans_and_processes(client):
    health = get(client, "/health")
    assert (health["status"], health["plans"], health["queue"]) == ("ok", 2, 0)
    assert set(health["workers"]) == {"alive", "busy"}


def test_broken_studies_are_listed_with_their_faults(results, tmp_path):
    (tmp_path / "good.toml").write_text('[study]\nname = "Good"\n')
    (tmp_path / "bad.toml").write_text("[study]\nbudget_inr_crore = -4\n")
    client = create_app(results, tiny_pack(), tmp_path).test_client()
    bad, good = get(client, "/api/v1/studies")["studies"]
    assert (good["id"], good["name"]) == ("good", "Good")
    assert "budget_inr_crore" in bad["problems"][0]
    assert client.post("/api/v1/sessions", json={"study": "bad"}).status_code == 409
