"""The pure modules of the pages, each on its own in the Chromium that runs the pages, and how all of them are kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Visit, needs_chromium

from web.assets import load_assets

WEB = Path(__file__).parents[2] / "web"
LONGEST_LINE = 140
IMPORTS = re.compile(r'(?:from |import\()"\./([\w.-]+)"')


@pytest.fixture(scope="module")
def visit(chromium, app) -> Iterator[Visit]:
    with chromium.visiting(app, webgl=False) as visit:
        visit.open("/")
        yield visit
        visit.assert_quiet()


def run(visit: Visit, module: str, code: str):
    """What an expression gives in which ``m`` is a module."""
    return visit.page.evaluate(f"async () => {{ const m = await import('/assets/{module}.js'); return {code}; }}")


@needs_chromium
@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("m.number(12345678)", "1,23,45,678"),
        ("m.number(-0.004, 1)", "0.0"),
        ("m.number(null)", "–"),
        ("m.rupees(1.5e7)", "₹1.50 crore"),
        ("m.rupees(-2.5e5)", "−₹2.50 lakh"),
        ("m.rupees(950)", "₹950"),
        ("m.percent(0.1234, 1)", "12.3\u00a0%"),
        ("m.signed(-3, (v) => `${v}`)", "−3"),
        ("m.signed(undefined, (v) => `${v}`)", "–"),
        ("m.word('mmlp')", "Logistics park"),
        ("m.word('some_thing')", "some thing"),
    ],
)
def test_numbers_are_written_as_in_india(visit, code, told):
    assert run(visit, "format", code) == told


@needs_chromium
@pytest.mark.parametrize(
    ("site", "told"),
    [
        ("{opens_in_phase: 'to 2030', stages: ''}", [["Opens in phase", "to 2030"]]),
        (
            "{opens_in_phase: 'to 2030', stages: 'first_stage in to 2030; announced in to 2035'}",
            [["Opens in phase", "to 2030"], ["Grows in stages", "first_stage in to 2030; announced in to 2035"]],
        ),
        ("{opens_in_phase: null, stages: null}", []),
        ("{}", []),
    ],
)
def test_the_card_of_a_site_says_when_it_is_built_in_a_study_with_phases(visit, site, told):
    assert run(visit, "card", f"m.whenBuilt({site})") == told


@needs_chromium
@pytest.mark.parametrize(
    ("proven", "answer", "told"),
    [
        (
            "true",
            "{objective_inr: 3e9, bound_inr: 2.95e9}",
            "Proven: no other plan is better by over ₹5.00 crore a year",
        ),
        ("true", "{objective_inr: 3, bound_inr: 3.1}", "Proven: no other plan is better by over ₹0 a year"),
        (
            "false",
            "{objective_inr: 3e9, bound_inr: 2e9}",
            "Not proven: another plan may be better by up to ₹100 crore a year",
        ),
        ("false", "{gap: 0.5, bound_inr: null}", "Not proven: the best possible plan may cost up to 50.00\u00a0% less"),
    ],
)
def test_a_proof_is_told_in_rupees_a_year(visit, proven, answer, told):
    assert run(visit, "shell", f"m.proofText({proven}, {answer})") == told


@needs_chromium
def test_rings_are_put_together_from_arcs_that_are_sent_once(visit):
    arcs = "[[[0, 0], [0, 1], [1, 1]], [[0, 0], [1, 0], [1, 1]], [[5, 5], [6, 5], [5, 5]]]"
    square, island = [[0, 0], [0, 1], [1, 1], [1, 0], [0, 0]], [[5, 5], [6, 5], [5, 5]]
    assert run(visit, "data", f"m.polygonsOf([[[[0, -2]], [[2]]], []], {arcs})") == [[[square], [island]], []]


@needs_chromium
def test_names_are_found_despite_slips_spelling_and_script(visit):
    entries = "['Nashik', 'Bengaluru Urban', 'Pune', 'Thane'].map((name) => [m.key(name)])"
    for typed, row in (("Nasik", 0), ("Bengalooru", 1), ("Pnue", 2), ("पुणे", 2), ("ठाणे", 3)):
        assert run(visit, "names", f"m.find('{typed}', {entries}, 1)") == [row], typed
    assert run(visit, "names", f"m.find('Xyzzy', {entries}, 3)") == []


@needs_chromium
def test_a_question_is_replaced_and_never_changed(visit):
    told = run(
        visit,
        "question",
        """(() => {
          const base = m.ofStudy({ budget_inr_crore: 10 });
          const at = { facility_type: 'warehouse', place_id: 'a/b' };
          const option = (tier) => ({ option_id: `warehouse-${tier}@a/b`, ...at });
          const options = [option('small'), option('large')];
          const forced = m.toggleForced(base, options[0], options);
          const larger = m.toggleForced(forced, options[1], options);
          const barred = m.toggleForbidden(larger, 'a/b', options);
          const closed = m.toggleGateway(barred, 'INNSA');
          const changes = m.changes(closed, base);
          const back = m.same(changes.reduce(m.undoChange, closed), base);
          return { base, larger: larger.forced, barred: [barred.forced, barred.forbidden], changes, back };
        })()""",
    )
    nothing = {name: [] for name in ("forced", "forbidden", "closed_gateways", "rules_off", "levers")}
    assert told["base"] == {"budget_inr_crore": 10, **nothing}
    assert told["larger"] == ["warehouse-large@a/b"]  # one size of a site
    assert told["barred"] == [[], ["a/b"]]  # what is forced gives way to what is forbidden
    assert [(change["list"], change["added"]) for change in told["changes"]] == [
        ("forbidden", True),
        ("closed_gateways", True),
    ]
    assert told["back"]


@needs_chromium
def test_a_filter_asks_the_server_for_what_it_shows(visit):
    asked = "{ q: 'a', state: 'Alpha', group: 'under', type: 'mmlp', class: '2' }, 'districts'"
    assert run(visit, "filter", f"m.query({asked}, {{ measure: 'saving', classes: 'equal' }})") == [
        ["state", "Alpha"], ["q", "a"], ["under_utilised", "true"],
        ["measure", "saving"], ["classes", "equal"], ["class", "2"],
    ]  # fmt: skip
    shown = "m.shows.districts(m.fromAddress({ q: 'ÁAL' }))({ district: 'Aaland', state: 'Alpha' })"
    assert run(visit, "filter", shown) is True


@needs_chromium
def test_assets_are_kept_for_good_and_the_second_view_is_small(chromium, app):
    with chromium.visiting(app, webgl=False) as visit:
        visit.open("/")
        own = [request for request in visit.requests if "/assets/" in request]
        assert own and all(re.search(r"\.[0-9a-f]{12}\.(js|css|svg)$", request) for request in own)
        visit.received_bytes = 0
        visit.open("/")
        assert visit.received_bytes < 5_000


def test_modules_name_each_other_by_content(client):
    assets = load_assets()
    for name, body in assets.bodies.items():
        for imported in IMPORTS.findall(body.content.decode()):
            assert imported in assets.hashed.values(), (name, imported)
        response = client.get(assets.address(name))
        assert response.status_code == 200
        assert "immutable" in response.headers["Cache-Control"]
        assert "immutable" not in client.get(f"/assets/{name}").headers["Cache-Control"]


def test_no_line_is_too_long_to_be_read():
    files = [*WEB.glob("static/*.js"), *WEB.glob("static/*.css"), *WEB.glob("templates/*.html")]
    long = [
        f"{file.name}:{n}"
        for file in files
        for n, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > LONGEST_LINE
    ]
    assert long == []


@needs_chromium
@pytest.mark.parametrize(
    ("most", "told"),
    [(200, [0, 50, 100, 150, 200]), (606, [0, 200, 400, 600, 800]), (1, [0, 0.25, 0.5, 0.75, 1]), (0, [0, 1])],
)
def test_axes_end_on_round_numbers(visit, most, told):
    assert run(visit, "frontier", f"m.ticks({most})") == pytest.approx(told)


@needs_chromium
def test_the_last_crore_of_a_point_is_told_from_the_point_before(visit):
    points = [{"capex_inr_crore": c, "saving_inr_per_year": s} for c, s in ((100, 30), (50, 20), (100, 30))]
    code = f"(() => {{ const p = {points}; const found = m.marginals(p); return p.map((one) => found.get(one)); }})()"
    assert run(visit, "frontier", code) == [pytest.approx(0.2), pytest.approx(0.4), None]


@needs_chromium
def test_no_cell_of_the_exported_table_is_a_formula(visit):
    told = run(visit, "workbench", "m.csvOf([{ name: '=1+1', rules: 'a, b', saving_inr_per_year: -5, against: null }])")
    assert "'=1+1" in told and '"a, b"' in told and ",-5," in told
