"""Ports and depots have names in Hindi, which say that nobody has checked them."""

from __future__ import annotations

import csv

from browser import needs_chromium
from tiny_result import tiny_pack

from geodata.pack import open_pack
from web.app import create_app
from web.places import FILE, places_in_hindi


def test_every_port_and_depot_of_the_pack_has_a_name_in_hindi_marked_as_unverified():
    pack = open_pack()
    assert set(places_in_hindi()) == {*pack.gateways["name"], *pack.depots["name"]}
    with FILE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert all("unverified" in row["source"] for row in rows)
    assert all(any("\u0900" <= sign <= "\u097f" for sign in row["name_hi"]) for row in rows)


@needs_chromium
def test_pages_in_hindi_name_ports_so_in_cards_search_and_tables_and_say_they_are_unverified(
    chromium, results, monkeypatch
):
    monkeypatch.setitem(places_in_hindi(), "Port Sea", "समुद्र बंदरगाह")
    fresh = create_app(results, tiny_pack(), results.parent / "studies")
    with chromium.visiting(fresh, webgl=False) as visit:
        page = visit.open("/?lang=hi#district=alpha%2Faaland")
        page.wait_for_selector("#card h2")
        assert "समुद्र बंदरगाह" in page.inner_text("#card") and "Port Sea" not in page.inner_text("#card")
        assert "असत्यापित" in page.inner_text("#panel .notes")
        page.fill("#search", "samudra")
        page.keyboard.press("Enter")
        page.wait_for_selector("#card h2:has-text('समुद्र बंदरगाह')")
        page = visit.open("/?lang=hi#tab=table&layer=gateways")
        page.wait_for_selector("#table tbody th:has-text('समुद्र बंदरगाह')")
        page = visit.open("/?lang=en#district=alpha%2Faaland")
        page.wait_for_selector("#card h2")
        assert "Port Sea" in page.inner_text("#card")
        visit.assert_quiet()
