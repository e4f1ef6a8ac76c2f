"""Cards say why: what a site is worth and who gains, how a district fares, what would help it next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser import Visit, needs_chromium
from tiny_result import tiny_pack, write_result

from web.app import create_app

PLAN = "/api/v1/plans/tiny"
PROVEN = "#work:has(#cancel[hidden]) #proof.proven"
HINDI = pytest.mark.parametrize("lang", ["en", "hi"])


@pytest.fixture(scope="module")
def visit(chromium, asked) -> Iterator[Visit]:
    with chromium.visiting(asked, webgl=False) as visit:
        yield visit
        visit.assert_quiet()


def sites_of(app) -> dict[str, list]:
    return app.test_client().get(f"{PLAN}/sites").get_json()


@needs_chromium
@HINDI
def test_a_site_says_what_a_rupee_of_it_saves_whether_it_recovers_and_who_gains(visit, asked, lang):
    sites = sites_of(asked)
    site_id, capital = sites["site_id"][0], sites["capex_inr_crore"][0]
    page = visit.open(f"/?lang={lang}#plan=tiny&site={site_id.replace('@', '%40').replace('/', '%2F')}")
    page.wait_for_selector("#card h2")
    facts = page.locator("#card .facts dd").all_inner_texts()
    assert facts[1] == f"₹{sites['net_saving_inr_per_year'][0] / (1e7 * capital):.2f}"
    assert facts[2] == {"en": ("no", "yes"), "hi": ("नहीं", "हाँ")}[lang][sites["recovers_capital"][0]]
    assert page.locator("#card .plain li").count() == sites["districts_served"][0]


@needs_chromium
@HINDI
def test_a_site_is_forbidden_in_one_click_and_the_answer_says_what_that_costs(visit, asked, lang):
    site_id = sites_of(asked)["site_id"][0]
    page = visit.open(f"/?lang={lang}#plan=tiny&site={site_id.replace('@', '%40').replace('/', '%2F')}")
    page.click("#card a.button")
    page.wait_for_selector("html[data-ready=yes] #changes li", timeout=60_000)
    page.wait_for_function("() => location.hash.includes('run=')")
    page.wait_for_selector(PROVEN, timeout=60_000)
    assert page.locator("#changes li").count() == 1
    assert "−₹" in page.inner_text("#against")


@needs_chromium
@HINDI
def test_a_district_says_in_words_how_it_fares_and_what_would_help_it_next(visit, asked, lang):
    rows = asked.test_client().get(f"{PLAN}/districts").get_json()
    served = next(i for i, hub in enumerate(rows["hub_1"]) if hub)
    page = visit.open(f"/?lang={lang}#plan=tiny&district={rows['district_id'][served].replace('/', '%2F')}")
    page.wait_for_selector("#card #outlook a[href^='/scorecard']")
    words = page.inner_text("#card .words")
    slower = rows["hours_after"][served] - rows["hours_before"][served]
    expected = "As fast" if abs(slower) < 0.5 else "slower" if slower > 0 else "faster"
    assert {"As fast": "आज जितना तेज़", "slower": "धीमा", "faster": "तेज़"}[expected] in words or expected in words
    address = page.get_attribute("#outlook a[href^='/scorecard']", "href")
    assert address.endswith(".hi.html" if lang == "hi" else ".html")
    page.goto(visit.url + address)
    own = rows["district_hi"][served] if lang == "hi" else None
    assert (own or rows["district"][served]) in page.inner_text("h1")


@needs_chromium
def test_what_building_elsewhere_takes_is_one_click_from_a_district(visit, asked):
    rows = asked.test_client().get(f"{PLAN}/districts").get_json()
    empty = next(i for i, hub in enumerate(rows["hub_1"]) if not hub)
    page = visit.open(f"/?lang=en#plan=tiny&district={rows['district_id'][empty].replace('/', '%2F')}")
    page.click("#outlook a[href^='/what-if']", timeout=30_000)
    page.wait_for_selector(f"html[data-ready=yes] #card h2:has-text('{rows['district'][empty]}')", timeout=60_000)


@needs_chromium
def test_the_map_moves_to_a_district_beside_the_card(chromium, asked):
    rows = asked.test_client().get(f"{PLAN}/districts").get_json()
    with chromium.visiting(asked, width=1366, height=768) as visit:
        page = visit.open("/?lang=en#plan=tiny")
        before = page.url.partition("at=")[2]
        page.fill("#search", rows["district"][0])
        page.keyboard.press("Enter")
        page.wait_for_selector("#card h2")
        page.wait_for_function("before => !location.hash.endsWith(before)", arg=before)
        visit.assert_quiet()


@needs_chromium
def test_a_port_says_whose_main_port_it_is(visit):
    page = visit.open("/?lang=en#plan=tiny")
    page.fill("#search", "Port")
    page.keyboard.press("Enter")
    page.wait_for_selector("#card .facts")
    assert "Main port of districts today" in page.inner_text("#card .facts")


@needs_chromium
def test_a_plan_whose_study_is_unknown_offers_no_questions(chromium, tmp_path):
    write_result(tmp_path / "plan")
    with chromium.visiting(create_app(tmp_path, tiny_pack(), tmp_path / "studies"), webgl=False) as visit:
        page = visit.open("/#district=alpha%2Faaland")
        page.wait_for_selector("#card h2")
        assert page.locator("#card a[href^='/what-if'], #card a[href^='/scorecard']").count() == 0
        visit.assert_quiet()


def test_an_outlook_is_of_the_district_asked_for_in_the_language_asked_for(asked):
    client = asked.test_client()
    district = client.get(f"{PLAN}/districts").get_json()["district_id"][1]
    told = {lang: client.get(f"{PLAN}/outlook?district={district}&lang={lang}").get_json() for lang in ("en", "hi")}
    assert told["en"]["district_id"] == district
    assert told["en"]["connected"] == told["hi"]["connected"]
    assert told["en"]["actions"] != told["hi"]["actions"]
    assert client.get(f"{PLAN}/outlook?district=nowhere").status_code == 404


def test_a_plan_is_told_on_two_pages_in_the_language_asked_for(asked):
    client = asked.test_client()
    for lang, word in (("en", "How sure"), ("hi", "कितना पक्का")):
        response = client.get(f"/brief/plans/tiny?lang={lang}")
        assert response.status_code == 200 and response.mimetype == "text/html"
        text = response.get_data(as_text=True)
        assert word in text and text.count('class="sheet"') == 2
        assert "script" not in text and "'none'" in response.headers["Content-Security-Policy"]
    assert client.get("/brief/plans/tiny?lang=fr").status_code == 400
    assert client.get("/brief/plans/nothing").status_code == 404


def test_scorecards_lead_to_each_other_and_run_no_script(asked):
    client = asked.test_client()
    district = client.get(f"{PLAN}/districts").get_json()["district_id"][1]
    folder = district.partition("/")[0]
    for file in ("index.html", f"{folder}/index.html", f"{district}.html", f"{district}.hi.html"):
        response = client.get(f"/scorecard/plans/tiny/{file}")
        assert response.status_code == 200, file
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    for file in ("nothing.html", f"{folder}/nothing.html", "index.pdf", "../../x.html"):
        assert client.get(f"/scorecard/plans/tiny/{file}").status_code == 404, file


@needs_chromium
@HINDI
def test_a_site_tells_its_runner_up_and_what_is_lost_without_it(visit, asked, lang):
    site_id = sites_of(asked)["site_id"][0]
    page = visit.open(f"/?lang={lang}#plan=tiny&site={site_id.replace('@', '%40').replace('/', '%2F')}")
    page.click(f"#card button:has-text('{ {'en': 'Runner-up', 'hi': 'अगला विकल्प'}[lang] }')")
    told = page.locator("#runner-up")
    told.filter(has_text="₹").wait_for(timeout=60_000)
    assert {"en": "Without it the best plan costs ₹", "hi": "इसके बिना सर्वोत्तम योजना"}[lang] in told.inner_text()
    assert {"en": "n its place", "hi": "इसके स्थान पर"}[lang] in told.inner_text()


@needs_chromium
def test_a_loss_that_is_not_proven_narrowly_is_a_range(visit):
    page = visit.open("/?lang=en")
    told = page.evaluate(
        """async () => {
          const { lossText } = await import('/assets/lookcards.js');
          const now = { objective_inr: 100e7, bound_inr: 99e7 };
          return [lossText(now, { objective_inr: 104e7, bound_inr: 102e7 }),
                  lossText({ ...now, bound_inr: 100e7 }, { objective_inr: 103e7, bound_inr: 103e7 })];
        }"""
    )
    assert "₹2.00 crore to ₹5.00 crore" in told[0]
    assert "₹3.00 crore a year more." in told[1]
