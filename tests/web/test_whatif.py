"""What if: a changed budget, site or port is solved again, and one sees how far the proof is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser import Visit, needs_chromium

from siting.study import load_study

pytestmark = needs_chromium
PROVEN = "#work:has(#cancel[hidden]) #proof.proven"


@pytest.fixture(scope="module", params=["svg", pytest.param("webgl", marks=pytest.mark.slow)])
def visit(request, chromium, asked) -> Iterator[Visit]:
    with chromium.visiting(asked, webgl=request.param == "webgl") as visit:
        yield visit
        visit.assert_quiet()


def ask(page, act) -> str:
    """Do something that asks the solver; return what the answer is against the base."""
    seen = page.url
    act()
    page.wait_for_function("seen => location.href !== seen", arg=seen)
    page.wait_for_selector(PROVEN, timeout=60_000)  # the first question waits for the model
    return page.inner_text("#against")


def place(page, name: str) -> None:
    """Open the card of a district's possible sites; they come once a solver knows them."""
    page.fill("#search", name)
    page.keyboard.press("Enter")
    page.wait_for_selector("#card .choices", timeout=60_000)


@pytest.fixture
def page(visit):  # in place of the page of pytest-playwright, which has no server
    return visit.open("/what-if#plan=tiny")


def set_budget(page, crore: int) -> None:
    page.fill("#budget-exact", str(crore))
    page.keyboard.press("Enter")


def test_a_smaller_budget_is_proven_again_and_saves_less(page):
    assert page.inner_text("#against") == "as in the base"
    assert ask(page, lambda: set_budget(page, 10)).startswith("−₹")
    assert "Proven: no other plan is better by over ₹" in page.inner_text("#proof")
    page.wait_for_selector("#figures:has-text('of ₹10.0 crore')")


def test_the_slider_asks_by_keyboard_too(page):
    page.focus("#budget")
    ask(page, lambda: page.keyboard.press("Home"))
    assert page.inner_text("#budget-shown") == "₹0 crore"
    page.wait_for_selector("#figures dt:has-text('New sites') + dd strong:text-is('0')")


def test_a_site_is_forced_and_forbidden_by_choosing_it(page):
    place(page, "D3")
    ask(page, lambda: page.click("#card [aria-label='Force: D3, Warehouse (small)']"))
    assert "Forced: D3, Warehouse (small)" in page.inner_text("#changes")
    ask(page, lambda: page.click("#card button:has-text('Forbid all here')"))
    assert page.inner_text("#changes").startswith("Forbidden: D3")  # what was forced there gave way
    assert page.locator("#changes li").count() == 1


def test_a_click_on_the_map_opens_what_can_be_built_there(page):
    box = page.locator("#map").bounding_box()
    page.mouse.click(box["x"] + 0.47 * box["width"], box["y"] + 0.45 * box["height"])
    page.wait_for_selector("#card h2")


SLOW_WORKERS = """window.Worker = class extends Worker {
  addEventListener(type, heard, ...more) {
    super.addEventListener(type, type === "message" ? (event) => setTimeout(() => heard(event), 400) : heard, ...more);
  }
};"""


def test_a_click_before_the_map_is_drawn_is_kept_until_it_is(chromium, asked):
    with chromium.visiting(asked, webgl=True) as visit:
        visit.page.add_init_script(SLOW_WORKERS)  # they cut the shapes into what is drawn
        page = visit.open("/what-if#plan=tiny")
        box = page.locator("#map").bounding_box()
        page.mouse.click(box["x"] + 0.47 * box["width"], box["y"] + 0.45 * box["height"])
        page.wait_for_selector("#card h2:text-is('D7')")
        visit.assert_quiet()


def test_closing_the_only_port_is_told_and_can_be_undone(page, visit):
    page.click("#port-list summary")
    page.click("#ports label:has-text('Port')")
    page.wait_for_selector("#changes:has-text('Closed: Port')")
    page.wait_for_selector("text=leave one open")
    while visit.complaints:  # Chromium logs that the question was refused
        assert "400" in visit.complaints.pop()
    page.wait_for_selector("#cancel", state="hidden")
    page.click("#undo")
    page.wait_for_selector(PROVEN)
    assert page.inner_text("#against") == "as in the base"
    assert page.is_disabled("#undo")


def test_news_of_a_run_leave_alone_what_one_is_writing(page):
    set_budget(page, 10)
    page.wait_for_selector("#proof:not(.proven)")
    page.evaluate("() => { window.asked = document.querySelector('#ports input'); }")
    page.wait_for_selector(PROVEN, timeout=60_000)
    assert page.evaluate("() => window.asked === document.querySelector('#ports input')")


def test_undo_takes_back_one_step(page):
    ask(page, lambda: set_budget(page, 10))
    ask(page, lambda: set_budget(page, 30))
    ask(page, lambda: page.click("#undo"))
    assert page.inner_text("#budget-shown") == "₹10.0 crore"


def test_a_reload_finds_the_question_and_its_answer(page):
    told = ask(page, lambda: set_budget(page, 20))
    page.reload()
    page.wait_for_selector(PROVEN)
    assert page.inner_text("#budget-shown") == "₹20.0 crore"
    page.wait_for_function("told => document.getElementById('against').textContent === told", arg=told)
    assert page.is_enabled("#undo")


def test_an_answer_is_saved_as_a_study_file_with_the_same_fingerprint(page, solved, request):
    ask(page, lambda: set_budget(page, 15))
    name = f"Fifteen crore {request.node.callspec.id}"  # a name is taken once
    page.fill("#save-name", name)
    page.click("#save button")
    page.wait_for_selector("#saved code", timeout=60_000)
    file = page.inner_text("#saved code").split()[-1]
    study = load_study(solved / "studies" / file.rpartition("/")[2])
    assert study.budget_inr_crore == 15
    page.click("#saved a")
    page.wait_for_selector("html[data-ready=yes] #saving strong")
    assert name in page.title()


def test_a_run_shows_its_stage_and_can_be_cancelled_and_started_again(visit):
    """The server's answers are held still here: the tiny study is solved before one could click."""
    page = visit.page
    run = {
        "id": "slow", "kind": "what-if", "state": "running", "version": 1, "base": {"plan": "tiny"}, "name": "Tiny",
        "changes": {"budget_inr_crore": 25}, "gap_asked": 0.001, "elapsed_s": 1.0, "position": 0, "stage": "solve",
        "gap": 0.02, "saving_inr_per_year": 1e7, "proven": False, "message": None, "links": {},
    }  # fmt: skip
    page.route("**/api/v1/runs/slow?*", lambda route: route.fulfill(json=run))
    page.route("**/api/v1/runs/slow", lambda route: route.fulfill(
        json=run if route.request.method == "GET" else run | {"state": "cancelled", "version": 2}))  # fmt: skip
    page.route("**/api/v1/runs/slow/restart", lambda route: route.fulfill(json=run | {"version": 3}))
    visit.open("/what-if#plan=tiny&run=slow")
    assert page.inner_text("#proof") == "Solving · gap 2.00\u00a0%"
    assert page.inner_text("#saving").startswith("₹1.00 crore")
    assert page.is_visible("#progress")
    run |= {"state": "cancelled", "version": 2}
    page.locator("#cancel").dispatch_event("click")  # the mocked answers come without a pause
    page.wait_for_selector("#proof:has-text('Cancelled')")
    run |= {"state": "running", "version": 3}
    page.locator("#restart").dispatch_event("click")
    page.wait_for_selector("#proof:has-text('Solving')")
    page.goto("about:blank")  # the page would go on to ask for a run that the server does not know
    page.unroute_all(behavior="ignoreErrors")
