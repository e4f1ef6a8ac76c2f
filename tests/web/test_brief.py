"""The first view says where, how much and how sure in a sentence; a state has the same of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser import Visit, needs_chromium

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def visit(chromium, app) -> Iterator[Visit]:
    with chromium.visiting(app, webgl=False) as visit:
        yield visit
        visit.assert_quiet()


def test_the_brief_tells_sites_capital_saving_and_how_sure(visit):
    page = visit.open("/")
    told = page.inner_text("#brief .sentence")
    assert "1 warehouse" in told
    assert "₹7.50 crore" in told
    page.click("#brief .sure summary")
    assert page.locator("#brief .sure dt").all_inner_texts() == ["Solver ?", "Inputs ?"]


def test_the_strongest_state_and_site_are_links(visit):
    page = visit.open("/")
    page.click("#brief .leads button:has-text('Beeland')")
    page.wait_for_selector("#card h2:has-text('Beeland')")
    page.click("#brief .leads button:has-text('Alpha')")
    page.wait_for_selector("#brief .sentence:has-text('Alpha:')")
    assert "state=Alpha" in page.url


def test_a_state_has_its_own_address_totals_print_and_table(visit):
    page = visit.open("/#state=Alpha")
    assert "saved a year by the districts of Alpha" in page.inner_text("#saving")
    assert page.inner_text("#figures dt >> nth=0") == "Capital ?"
    assert "state=Alpha" in page.get_attribute("#print", "href")
    page.click("[data-tab=table]")
    page.wait_for_selector("#table tbody tr")
    assert "state=Alpha" in page.get_attribute("[data-download=csv]", "href")
    page.click("#brief button:has-text('Back to all of India')")
    assert "state=" not in page.url
    assert "running costs paid" in page.inner_text("#saving")


def test_the_brief_says_what_the_saving_consists_of(visit):
    page = visit.open("/")
    told = page.evaluate(
        """async () => {
          const { composition } = await import('/assets/shell.js');
          const before = { cost_inr_per_year: 500e7, taste_inr_per_year: 200e7 };
          const after = { cost_inr_per_year: 402e7, taste_inr_per_year: 98e7 };
          const plain = { cost_inr_per_year: 5e7, taste_inr_per_year: 0 };
          const told = composition({ before, after, fixed_cost_inr_per_year: 31e7 });
          return [told, composition({ before: plain, after: plain })];
        }"""
    )
    assert told[0].startswith("₹98.0 crore freight, handling, time and carbon, ₹102 crore ports and trains")
    assert told[0].endswith("less ₹31.0 crore to run the sites")
    assert told[1] is None  # nobody's taste counts: the saving is money and time


def test_what_one_points_at_in_the_brief_stands_out_on_the_map(visit):
    page = visit.open("/")
    page.hover("#brief .leads button:has-text('Alpha')")
    assert page.locator(".svg-districts .lit").count() == 3
    page.focus("#brief .leads button:has-text('Beeland')")
    page.mouse.move(0, 0)
    page.focus("#brief .leads button:has-text('Beeland')")
    assert page.locator(".svg-districts .lit").count() <= 1


@pytest.mark.parametrize(("typed", "opened"), [("Alpha", None), ("Port Sea", "Port Sea"), ("Dry Dep", "Dry Depot")])
def test_the_search_knows_states_ports_and_depots(visit, typed, opened):
    page = visit.open("/")
    page.fill("#search", typed)
    page.keyboard.press("Enter")
    if opened is None:
        page.wait_for_selector("#brief .sentence:has-text('Alpha:')")
    else:
        page.wait_for_selector(f"#card h2:has-text('{opened}')")


@pytest.mark.parametrize(
    ("old", "now"), [("Bangalore", "Bengaluru Urban"), ("gurgaon", "Gurugram"), ("Alahabad", "Prayagraj")]
)
def test_old_names_are_known(visit, old, now):
    page = visit.open("/")
    found = page.evaluate(
        """async ([old, now]) => {
          const { districtEntries } = await import('/assets/search.js');
          const { find } = await import('/assets/names.js');
          const rows = ['Aaland', now, 'Beeland'].map((district) => ({ district, state: 'Alpha' }));
          return find(old, districtEntries({ districts: rows }).map((entry) => entry.keys), 1);
        }""",
        [old, now],
    )
    assert found == [1]


def test_leaders_are_a_class_of_their_own(visit):
    page = visit.open("/")
    assert "leaders, not counted" in page.inner_text("#legend")
    page.select_option("#measure", "exports")
    assert "leaders, not counted" not in page.inner_text("#legend")


def test_a_state_that_is_not_there_has_no_drawing(app):
    assert app.test_client().get("/api/v1/plans/tiny/map.svg?state=Nowhere").status_code == 404
    drawn = app.test_client().get("/api/v1/plans/tiny/map.svg?state=Alpha")
    assert drawn.status_code == 200
