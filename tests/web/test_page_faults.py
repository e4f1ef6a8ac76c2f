"""Pages tell what they show: no old figure under a new question, no other plan than was asked for, no dead control."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser import Visit, needs_chromium
from tiny_result import tiny_pack

from web.app import create_app

pytestmark = needs_chromium
PROVEN = "#work:has(#cancel[hidden]) #proof.proven"


@pytest.fixture(scope="module")
def visit(chromium, asked) -> Iterator[Visit]:
    with chromium.visiting(asked, webgl=False) as visit:
        yield visit


def write_budget(page, crore: str) -> None:
    page.fill("#budget-exact", crore)
    page.keyboard.press("Enter")


def ask_budget(page, crore: str) -> None:
    write_budget(page, crore)
    page.wait_for_function("() => location.hash.includes('run=')")
    page.wait_for_selector(PROVEN, timeout=60_000)  # the first question waits for the model


def test_figures_of_an_earlier_question_are_grey_and_named_as_such(visit):
    page = visit.open("/what-if#plan=tiny")
    before = page.inner_text("#figures")
    page.evaluate("() => document.querySelector('#ports input').click()")  # without its port nothing can be answered
    page.wait_for_selector("#proof:has-text('This failed')", timeout=60_000)
    assert page.inner_text("#figures") == before
    assert page.locator("#figures.old").count() == 1
    assert page.locator("#map.old").count() == 1
    assert "earlier question" in page.inner_text("#age")
    page.click("#reset")
    page.wait_for_selector("#age", state="hidden")
    assert page.locator(".old").count() == 0


@pytest.mark.parametrize("budget", ["1e12", "-5"])
def test_a_budget_out_of_range_is_refused_where_it_is_written(visit, budget):
    page = visit.open("/what-if#plan=tiny")
    write_budget(page, budget)
    page.wait_for_function("() => !document.querySelector('#budget-exact').checkValidity()")
    page.wait_for_timeout(400)  # longer than a slider needs to settle
    assert "run=" not in page.url
    assert page.inner_text("#against") == "as in the base"


@pytest.mark.parametrize("address", ["/#plan=gone", "/what-if#plan=gone", "/compare#a=gone&b=tiny"])
def test_a_plan_that_is_not_there_is_named(visit, address):
    page = visit.open(address)
    assert "gone" in page.inner_text("#notice")


def test_questions_are_told_apart_by_what_they_ask(visit):
    page = visit.open("/what-if#plan=tiny")
    ask_budget(page, "30")
    page.evaluate("() => { document.querySelector('#recent').open = true; }")
    page.wait_for_selector("#runs li", state="attached")
    assert "₹30.0 crore" in page.locator("#runs").text_content()


def test_a_saved_plan_is_in_the_list_of_bases_at_once(visit, asked):
    page = visit.open("/what-if#plan=tiny")
    ask_budget(page, "31")
    page.fill("#save-name", "Thirty one")
    page.click("#save button")
    page.wait_for_selector("#saved a", timeout=60_000)
    page.wait_for_function(
        "() => [...document.querySelector('#base').options].some((o) => o.value === 'plan:thirty-one')"
    )


@pytest.mark.parametrize("address", ["/", "/compare"])
def test_a_server_without_a_plan_shows_what_to_do_and_no_dead_controls(chromium, tmp_path, address):
    with chromium.visiting(create_app(tmp_path / "none", tiny_pack(), tmp_path / "studies"), webgl=False) as visit:
        page = visit.open(address)
        assert "There is no plan yet" in page.inner_text("main.empty")
        assert page.locator("select:visible, input:visible").count() == 0
        visit.assert_quiet()


def test_a_link_that_cannot_be_copied_is_not_called_copied(chromium, app):
    with chromium.visiting(app, webgl=False) as visit:
        page = visit.open("/")
        page.evaluate("() => Object.defineProperty(navigator, 'clipboard', { value: undefined })")
        page.click("#copy")
        assert page.inner_text("#copy") == "Copy it from the address bar"


@pytest.mark.parametrize(("width", "height"), [(390, 844), (820, 1180), (1024, 768), (1366, 768)])
@pytest.mark.parametrize("lang", ["en", "hi"])
def test_nothing_collides_or_runs_out_of_the_page(chromium, app, width, height, lang):
    parts = (".brand", ".pages", ".top .plan", ".top .search", ".top .tabs", ".languages")
    with chromium.visiting(app, webgl=False, width=width, height=height) as visit:
        page = visit.open(f"/?lang={lang}")
        boxes = {part: page.locator(part).bounding_box() for part in parts}
        for part, box in boxes.items():
            assert box["x"] >= 0 and box["x"] + box["width"] <= width, part
            for other, its in boxes.items():
                apart = (
                    box["x"] + box["width"] <= its["x"] + 1
                    or its["x"] + its["width"] <= box["x"] + 1
                    or box["y"] + box["height"] <= its["y"] + 1
                    or its["y"] + its["height"] <= box["y"] + 1
                )
                assert part == other or apart, (part, other)
        assert page.evaluate("() => document.scrollingElement.scrollHeight <= innerHeight + 1")
        assert page.evaluate("() => document.scrollingElement.scrollWidth <= innerWidth")


def test_the_print_view_is_one_sheet(chromium, app):
    with chromium.visiting(app, webgl=False) as visit:
        page = visit.open("/")
        page.goto(visit.url + page.get_attribute("#print", "href"))
        pdf = page.pdf(prefer_css_page_size=True)
        assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") + pdf.count(b"/Type /Page/") == 1


def test_the_lists_of_compare_are_reached_and_scrolled_by_keyboard(chromium, swept):
    with chromium.visiting(swept, webgl=False) as visit:
        page = visit.open("/compare#a=tiny&b=sweep~budget-10&view=lists")
        scrolls = "part => getComputedStyle(part).overflowY === 'auto' || getComputedStyle(part).overflowX === 'auto'"
        for part in page.locator("#view-lists, #view-lists ul, #view-lists .table-scroll").all():
            assert not part.evaluate(scrolls) or part.get_attribute("tabindex") == "0"


def test_districts_without_cargo_are_not_called_unchanged_in_a_difference(visit):
    page = visit.open("/")
    keys = page.evaluate(
        "async () => (await import('/assets/measures.js')).diverge([null, undefined, 0, 0.4, 2e7, -2e7]).keys"
    )
    assert keys[:4] == ["missing", "missing", "same", "same"]
    assert keys[4][0] == "+" and keys[5][0] == "−"


def test_sites_are_ranked_by_what_is_left_when_their_running_is_paid(visit):
    page = visit.open("/")
    told = page.evaluate(
        """async () => {
          const { perRupee, netSaving } = await import('/assets/sites.js');
          const { SORTED } = await import('/assets/tablepage.js');
          const row = { saving_inr_per_year: 9e7, net_saving_inr_per_year: 2e7, capex_inr_crore: 4 };
          return [netSaving(row), perRupee(row), SORTED.sites];
        }"""
    )
    assert told == [2e7, 0.5, "net_saving_inr_per_year"]


@pytest.mark.parametrize(("lang", "told"), [("en", "lost"), ("hi", "सॉल्वर अचानक रुक गया")])
def test_what_ends_a_run_is_told_in_the_language_of_the_page(visit, lang, told):
    page = visit.open(f"/?lang={lang}")
    text = page.evaluate(
        "async () => (await import('/assets/data.js')).runMessage({ code: 'lost', message: 'the solver was lost' })"
    )
    assert told in text


def test_without_webgl_nothing_stands_on_the_map_but_its_names_and_boxes(visit):
    page = visit.open("/?lang=en")
    assert page.is_visible("#panel #no-webgl")  # told beside the map, not on it
    assert page.locator(".svg-labels text").count() > 0
    north = page.locator(".svg-districts").bounding_box()
    on_it = page.evaluate(
        """([x, y]) => document.elementFromPoint(x, y).closest('svg, .layerbox, .insets')?.tagName.toLowerCase()""",
        [north["x"] + north["width"] / 2, north["y"] + 3],
    )
    assert on_it == "svg"


@pytest.mark.parametrize("width", [1024, 1366, 1920])
def test_without_webgl_the_box_of_layers_stands_beside_the_country(chromium, app, width):
    with chromium.visiting(app, webgl=False, width=width, height=768) as visit:
        page = visit.open("/")
        box = page.locator("#layers").bounding_box()
        country = page.locator(".svg-districts").bounding_box()
        if box["height"] > 100:  # open, where there is room
            assert box["x"] + box["width"] <= country["x"]
        assert width < 1366 or box["height"] > 100
        visit.assert_quiet()


def test_a_filter_of_one_state_moves_the_map_there(chromium, app):
    with chromium.visiting(app) as visit:
        page = visit.open("/?lang=en#at=80.00,24.00,4.00")
        page.click("#filter summary")
        page.select_option("#filter-state", "Alpha")
        page.wait_for_function("!location.hash.includes('at=80.00')")
        assert "state=Alpha" in page.url
        visit.assert_quiet()
