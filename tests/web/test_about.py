"""The pages that a government site must have, in texts an office can replace; words that explain themselves."""

from __future__ import annotations

import pytest
from browser import needs_chromium
from tiny_result import tiny_pack

from web.about import PAGES
from web.app import create_app
from web.glossary import glossary

HINDI = {"accessibility": "सुगम्यता", "contact": "संपर्क", "privacy": "गोपनीयता",
         "terms": "उपयोग की शर्तें", "sitemap": "साइट मानचित्र"}  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_each_page_has_owner_date_and_way_to_the_others_in_both_languages(client, name):
    english = client.get(f"/about/{name}?lang=en").get_data(as_text=True)
    hindi = client.get(f"/about/{name}?lang=hi").get_data(as_text=True)
    assert f"<h1>{PAGES[name]}</h1>" in english and f"<h1>{HINDI[name]}</h1>" in hindi
    assert "The office that runs this server" in english and "Last updated" in english
    assert "अंतिम अद्यतन" in hindi
    for other in PAGES:
        assert f'href="/about/{other}"' in english and f'href="/about/{other}"' in hindi


def test_every_page_of_the_map_leads_to_them(client):
    for address in ("/", "/compare", "/what-if"):
        assert 'href="/about/accessibility"' in client.get(address).get_data(as_text=True)


def test_the_site_map_names_each_plan(client):
    text = client.get("/about/sitemap").get_data(as_text=True)
    assert 'href="/#plan=tiny"' in text and 'href="/#plan=sweep~budget-10"' in text
    assert client.get("/about/nothing").status_code == 404


def test_an_office_puts_its_own_text_in_place(results, tmp_path):
    (tmp_path / "contact.en.txt").write_text("# Desk <b>\n\nSend word to\nRoom 1.\n", encoding="utf-8")
    (tmp_path / "owner.en.txt").write_text("Department of Examples\n", encoding="utf-8")
    (tmp_path / "terms.en.txt").write_bytes(b"\xff\xfe broken")
    app = create_app(results, tiny_pack(), tmp_path / "studies", pages=tmp_path)
    page = app.test_client().get("/about/contact?lang=en").get_data(as_text=True)
    assert "<h2>Desk &lt;b&gt;</h2>" in page and "<p>Send word to Room 1.</p>" in page
    assert "Department of Examples" in page
    assert "no decision" in app.test_client().get("/about/terms?lang=en").get_data(as_text=True)  # the usual one


def test_every_term_is_told_in_both_languages():
    english, hindi = glossary("en"), glossary("hi")
    assert english.keys() == hindi.keys()
    for key, told in english.items():
        assert all(told.values()) and all(hindi[key].values())
        assert hindi[key]["text"] != told["text"]


@needs_chromium
@pytest.mark.parametrize("lang", ["en", "hi"])
def test_a_word_explains_itself_where_it_stands(chromium, app, lang):
    with chromium.visiting(app, webgl=False) as visit:
        page = visit.open(f"/?lang={lang}")
        for button in page.locator(".help:visible").all():
            assert button.get_attribute("data-term") in glossary(lang)
        button = page.locator("#figures [data-term=benefit_cost_ratio]")
        button.click()
        assert page.inner_text("#figures .explain") == glossary(lang)["benefit_cost_ratio"]["text"]
        assert button.get_attribute("aria-expanded") == "true"
        page.keyboard.press("Enter")  # the button has the focus
        assert page.locator("#figures .explain").count() == 0
        visit.assert_quiet()
