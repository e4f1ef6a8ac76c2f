"""The JSON API: what it answers, how it travels, what it refuses."""

from __future__ import annotations

import gzip
import json
import shutil
from itertools import accumulate

import numpy as np
import pytest
import shapely
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


def decode(steps):
    xy = np.array(steps).reshape(-1, 2)
    return np.column_stack([list(accumulate(xy[:, 0])), list(accumulate(xy[:, 1]))]) / 1000


def test_all_finished_plans_are_listed_sweeps_included(client):
    plans = get(client, "/api/v1/plans")["plans"]
    assert [plan["key"] for plan in plans] == ["tiny", "sweep~budget-10"]
    assert plans[0]["study"] == "Tiny study"
    assert "report.html" in plans[0]["files"]


def test_a_plan_answers_with_its_summary(client, results):
    assert get(client, PLAN) == json.loads((results / "tiny" / "plan.json").read_text())


def test_districts_come_as_columns_of_equal_length_with_missing_values_null(client):
    table = get(client, f"{PLAN}/districts")
    assert {len(column) for column in table.values()} == {3}
    assert table["district"] == list(CENTRES)
    assert table["district_id"][:2] == ["alpha/aaland", "alpha/beeland"]
    assert table["district_hi"] == ["आलैंड", None, None]
    assert table["lgd_code"] == [1, None, 3]
    assert table["bounds"][0] == [75.0, 20.0, 76.0, 21.0]


def test_shapes_decode_to_the_squares_in_the_order_of_the_districts(client):
    shapes = get(client, f"{PLAN}/shapes")
    for ((ring,),), (x, y) in zip(shapes["districts"], CENTRES.values(), strict=True):
        polygon = shapely.Polygon(decode(ring))
        assert polygon.equals(shapely.box(x - 0.5, y - 0.5, x + 0.5, y + 0.5))


def test_the_state_is_the_union_of_its_districts(client):
    states = get(client, f"{PLAN}/shapes")["states"]
    assert states["names"] == ["Alpha"]
    (((ring,),),) = states["shapes"]
    assert shapely.Polygon(decode(ring)).equals(shapely.box(75, 20, 78, 21))


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


@pytest.mark.parametrize("name", ["road", "rail"])
def test_networks_are_lines_between_their_ends(client, name):
    (line,) = get(client, f"/api/v1/networks/{name}")["lines"]
    ends = {tuple(decode(line)[0]), tuple(decode(line)[-1])}
    assert ends == {"road": {CENTRES["Aaland"], DEPOT}, "rail": {DEPOT, (78.88, 20.6)}}[name]


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
        "/api/v1/networks/..%2froad",
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
    ],
)
def test_nothing_outside_the_lists_is_found(client, url):
    response = client.get(url)
    assert response.status_code in (400, 404)
    assert b"not for the web" not in response.data
    assert response.get_json()["error"]


@pytest.mark.parametrize("query", ["", "?district=a/b&site=c", "?lane=1"])
def test_lanes_of_nothing_or_of_two_things_are_refused_with_the_remedy(client, query):
    response = client.get(f"{PLAN}/lanes{query}")
    assert response.status_code == 400
    assert "?district=" in response.get_json()["error"]


def test_nothing_can_be_written(client):
    for method in (client.post, client.put, client.delete, client.patch):
        assert method(PLAN).status_code == 405


def test_files_of_a_plan_are_downloads_and_the_report_a_page_without_scripts(client, results):
    with client.get("/results/tiny/sites.csv") as table:
        assert table.data == (results / "tiny" / "sites.csv").read_bytes()
        assert table.headers["Content-Disposition"] == "attachment; filename=tiny-sites.csv"
    with client.get("/results/tiny/report.html") as report:
        assert report.mimetype == "text/html"
        assert "script-src" not in report.headers["Content-Security-Policy"]
        assert "default-src 'none'" in report.headers["Content-Security-Policy"]


@pytest.mark.parametrize("url", ["/", "/assets/app.js", PLAN, "/nothing"])
def test_every_answer_carries_the_secure_headers(client, url):
    headers = client.get(url).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_the_page_brings_no_inline_script_or_style_and_names_no_other_host(client):
    page = client.get("/").get_data(as_text=True)
    assert "<style" not in page
    assert "style=" not in page
    assert "http" not in page
    assert page.count("<script") == page.count("<script src=")
    assert "© OpenStreetMap contributors" in page
    assert "Survey of India" in page
    assert "88.4\u00a0%" in page


def test_all_that_the_page_names_is_there(client):
    for name in ("maplibre-gl.js", "maplibre-gl.css", "style.css", "icon.svg", "app.js"):
        assert client.get(f"/assets/{name}").status_code == 200
    assert client.get("/assets/app.js").mimetype == "text/javascript"


def test_a_result_may_be_named_itself(results):
    assert list(Results(results / "tiny").plans()) == ["tiny"]


def test_a_folder_without_a_finished_result_is_an_input_error_that_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match="make study"):
        create_app(tmp_path, tiny_pack())
    with pytest.raises(InputError, match="no such folder"):
        create_app(tmp_path / "nowhere", tiny_pack())
    half = write_result(tmp_path / "half")
    (half / "lanes.csv").unlink()
    with pytest.raises(InputError, match=r"lanes\.csv"):
        create_app(tmp_path, tiny_pack())


def test_plans_that_come_and_go_are_noticed(tmp_path):
    write_result(tmp_path / "one")
    write_result(tmp_path / ".two-scratch")
    client = create_app(tmp_path, tiny_pack()).test_client()
    assert [plan["key"] for plan in get(client, "/api/v1/plans")["plans"]] == ["one"]
    (tmp_path / ".two-scratch").rename(tmp_path / "two")
    assert [plan["key"] for plan in get(client, "/api/v1/plans")["plans"]] == ["one", "two"]
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
    lanes.write_text(lanes.read_text().replace("Dry Depot", "Nowhere"))
    client = create_app(tmp_path, tiny_pack()).test_client()
    response = client.get("/api/v1/plans/torn/lanes?district=alpha/aaland")
    assert response.status_code == 500
    assert "Nowhere" in response.get_json()["error"]
