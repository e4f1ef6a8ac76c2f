"""Scorecards: a page for every district and state, in both languages, whole by itself, saying what the tables say."""

import ast
import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from babel.messages.pofile import read_po

from siting.cli import build_parser, run_command
from siting.commands.arguments import study_of_result
from siting.districts.actions import FACILITIES, MEASURES, first_actions
from siting.districts.cards import Cards
from siting.districts.drawing import component_bar
from siting.districts.ground import Ground
from siting.districts.scorecards import COMPONENT_WORDS, Scorecards
from siting.districts.state_cards import state_card
from siting.districts.words import SECTOR_WORDS, TRANSLATIONS, Words
from siting.report.brief import PARAMETERS, SIZE_WORDS, TITLE
from siting.report.lines import SITE_WORDS
from siting.results.read import open_result
from siting.results.tables import write_summary, write_tables

ROOM = Path(__file__).parents[3] / "siting" / "districts"
YOUNG, PARENT = "madhya-pradesh/d1", "madhya-pradesh/d2"


def siting(*argv: object) -> int:
    parser, _ = build_parser()
    return run_command(parser, [str(a) for a in argv])


@pytest.fixture(scope="module")
def made(tmp_path_factory, tiny_layers):
    """A study file on the tiny pack, where D1 is counted with D2 and D3 exports nothing, and its result."""
    from siting.model.model import build_model
    from siting.plan import make_plan
    from siting.study import load_study

    folder = tmp_path_factory.mktemp("scorecards")
    for path in tiny_layers.values():
        shutil.copy(path, folder / path.name)
    exports = pd.read_csv(folder / "exports.csv")
    exports["counted_with"] = ""
    figures = [name for name in exports if name.endswith("_usd_million")]
    exports.loc[[1, 3], figures] = 0.0
    exports.loc[1, "counted_with"] = PARENT
    exports.to_csv(folder / "exports.csv", index=False)
    data = "\n".join(f'{name} = "{path.name}"' for name, path in tiny_layers.items())
    study = folder / "tiny.toml"
    study.write_text(f'[study]\nname = "Tiny"\nbudget_inr_crore = 60\ncapital_charge = false\n[data]\n{data}\n')
    (folder / "manifest.json").write_text(json.dumps({"name": "Tiny", "bounds": [70, 15, 90, 25], "files": {}}))
    plan, out = make_plan(build_model(load_study(study))), folder / "result"
    out.mkdir()
    write_tables(plan, out)
    write_summary(plan, out)
    return study, out


@pytest.fixture(scope="module")
def cards(made):
    plan = open_result(made[1])
    return Cards.of_plan(plan, Ground.of_study(study_of_result(plan, made[0])))


@pytest.mark.parametrize("language", ["en", "hi"])
def test_every_page_is_whole_and_loads_nothing(cards, language):
    pages = Scorecards(cards, Words(language))
    rendered = [*map(pages.district, cards.names), *map(pages.state, cards.states), pages.index(cards.states)]
    assert len(rendered) == 12 + 1 + 1
    for html in rendered:
        assert len(html.encode()) < 150_000
        assert f'<html lang="{language}">' in html
        assert not re.search(r"\b(nan|None|inf)\b", html.replace("None of the", ""))
        assert not re.search(r'(?:src|href)="(?:https?:)?//', html)
        assert "%(" not in html


def test_a_page_says_what_the_tables_say(cards):
    html = Scorecards(cards, Words("en")).district("madhya-pradesh/d5")
    plan = cards.planned["madhya-pradesh/d5"]
    assert f"US$ {plan['export_usd'] / 1e6:.0f} million" in html
    assert f"₹{plan['cost_before_inr_per_t']:,.0f} a tonne and {plan['hours_before']:.0f} hours" in html
    assert "Textiles" in html and "mostly through Port" in html


def test_a_district_of_each_kind_says_so(cards):
    pages = Scorecards(cards, Words("en"))
    assert ">Leader<" in pages.district("madhya-pradesh/d0")
    assert "exports counted with D2" in pages.district(YOUNG)
    assert "none recorded" in pages.district("madhya-pradesh/d3")
    assert "Build a road" in pages.district("madhya-pradesh/d11")


def test_the_plan_and_its_site_are_told(cards):
    served = [key for key, row in cards.planned.items() if row["hub_1_id"]]
    assert served
    card = cards.district(served[0])
    assert card["hubs"][0]["place_id"] == card["plan"]["hub_1_id"]
    assert any(
        text.startswith("Prepare exporters") for text in first_actions(card, Words("en"), lambda n: n["district"])
    )


def test_how_sure_a_site_is_is_told_as_far_as_it_is_known(made, tmp_path):
    """Without draws, with draws that hold the plan's own sites, and with draws that choose anew."""
    sites = pd.read_csv(made[1] / "sites.csv")
    for shares, told in (
        ({}, "the plan was made without draws"),
        ({"repays_share": 0.65}, "repays in draws"),
        ({"repays_share": 0.65, "chosen_share": 0.35}, "chosen in draws"),
    ):
        folder = tmp_path / str(len(shares))
        shutil.copytree(made[1], folder)
        sites.assign(**shares).to_csv(folder / "sites.csv", index=False)
        plan = open_result(folder)
        known = Cards.of_plan(plan, Ground.of_study(study_of_result(plan, made[0])))
        served = next(key for key, row in known.planned.items() if row["hub_1_id"])
        html = Scorecards(known, Words("en")).district(served)
        assert told in html
        assert {0: "–", 1: "65.0 %", 2: "35.0 %"}[len(shares)] in html.partition("What the plan does for it")[2]


def test_sites_of_a_state_are_in_order_of_saving_per_rupee(cards):
    sites = state_card(cards, "Madhya Pradesh")["sites"]
    rates = [row["saving_inr_per_year"] / (row["capex_inr_crore"] * 1e7) for row in sites]
    assert len(sites) > 1 and rates == sorted(rates, reverse=True)


def test_sums_of_a_state_are_those_of_its_districts(cards):
    state = state_card(cards, "Madhya Pradesh")
    assert state["export_usd"] == pytest.approx(sum(row["export_usd"] for row in cards.planned.values()))
    assert state["saving_inr_per_year"] == pytest.approx(
        sum(row["saving_inr_per_year"] for row in cards.planned.values())
    )
    assert state["unrealised"]["_low"] <= state["unrealised"][""] <= state["unrealised"]["_high"]


def test_peers_are_others_and_exist(cards):
    for key in cards.names:
        peers = [row["id"] for row in cards.district(key)["peers"]]
        assert key not in peers and set(peers) <= set(cards.names)


def card_of(**changes):
    """A card on which no rule fires, but for changes."""
    connected = {"inr_per_t": 900.0, "adequate": False, "index": 80.0, "customs_km": 10.0, "terminal_km": 90.0,
                 "road_inr_per_t": 900.0, "rail_inr_per_t": 950.0}  # fmt: skip
    exports = {"export_usd": 5e6, "unrealised_usd": 0.0, "q50_usd": 5e6, "q75_usd": 9e6}
    card = {
        "counted_with": None, "leader": False, "exports": exports, "hubs": [], "nearest": [], "measures": [],
        "sectors": [{"key": "toys", "share": 0.5}], "connected": connected,
        "plan": {"cost_before_inr_per_t": 1000.0, "dwell_before_inr_per_t": 100.0, "saving_inr_per_year": 0.0},
    }  # fmt: skip
    for key, value in changes.items():
        card[key] = {**card[key], **value} if isinstance(value, dict) and card[key] is not None else value
    return card


MEASURE = {"key": "warehouse", "inr_crore": 7.0, "index": 95.0, "lifts": False}


@pytest.mark.parametrize(("changes", "words"), [
    ({"counted_with": {"district": "D9"}}, "counted with D9"),
    ({"exports": {"export_usd": 0.0}}, "no exports are recorded"),
    ({"connected": {"terminal_km": 20.0, "rail_inr_per_t": 700.0}}, "rail costs ₹200 a tonne less"),
    ({"plan": {"dwell_before_inr_per_t": 300.0}}, "₹300 of the ₹1,000"),
    ({"measures": [MEASURE]}, "No single investment makes its way to port adequate; a warehouse in the"),
    ({"measures": [MEASURE, {**MEASURE, "index": 120.0, "lifts": True, "key": "port"}]}, "Ask for a day less at its"),
    ({"connected": {"adequate": True}}, "Leave the way to port as it is"),
    ({"exports": {"export_usd": 1e7}}, "Build on Toys: the district exports 2.0 times"),
    ({"exports": {"unrealised_usd": 4e6}, "nearest": [{"key": "leather"}]}, "(Leather): districts of its kind"),
    ({"exports": {"unrealised_usd": 4e6}}, "ask its peers"),
    ({"sectors": [{"key": "toys", "share": 0.61}]}, "61.0 % of exports are Toys"),
    ({"connected": {"customs_km": 101.0}}, "101 km away"),
])  # fmt: skip
def test_each_rule_follows_from_the_numbers(changes, words):
    told = first_actions(card_of(**changes), Words("en"), lambda names: names["district"])
    assert any(words in text for text in told), told
    assert not any(words in text for text in first_actions(card_of(), Words("en"), lambda names: names["district"]))


def test_a_component_bar_is_as_long_as_its_share():
    assert 'width="150.0"' in component_bar([50.0, 0, 0, 0, 0], 100.0)
    assert "inf" not in component_bar([0.0] * 5, 0.0)


def texts() -> set[str]:
    """What pages may say: texts of the templates, of the code, and of its tables."""
    found = set()
    brief = ROOM.parent / "report" / "templates" / "brief.html"
    for path in [*ROOM.glob("templates/*.html"), brief]:
        found |= set(re.findall(r'\b_\("((?:[^"\\]|\\.)*)"', path.read_text(encoding="utf-8")))
    for name in ("actions.py", "words.py"):
        for node in ast.walk(ast.parse((ROOM / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("words", "self"):
                first = node.args[0]
                found |= {first.value} if isinstance(first, ast.Constant) else set()
    for table in (MEASURES, FACILITIES, SECTOR_WORDS, COMPONENT_WORDS, SITE_WORDS, SIZE_WORDS, PARAMETERS):
        found |= set(table.values())
    return found | {TITLE}


def test_every_text_has_its_hindi_with_the_same_values():
    with (TRANSLATIONS / "hi" / "LC_MESSAGES" / "messages.po").open("rb") as file:
        hindi = {str(message.id): str(message.string) for message in read_po(file, locale="hi") if message.id}
    assert texts() - hindi.keys() == set()
    for english, told in hindi.items():
        assert told, english
        assert sorted(re.findall(r"%\(\w+\)s", english)) == sorted(re.findall(r"%\(\w+\)s", told)), english


def test_sectors_of_the_bundled_pack_have_names_in_both_languages():
    from geodata.pack import open_pack

    sectors = set(open_pack().sectors.index)
    assert sectors == set(SECTOR_WORDS)
    for key in sectors:
        assert Words("hi").sector(key) != Words("en").sector(key), key


def test_gateways_of_the_bundled_pack_have_hindi_names():
    from geodata.pack import open_pack

    for name in open_pack().gateways["name"]:
        assert Words("hi")(name) != name, name


def test_the_command_writes_pages_in_both_languages_or_nothing(made, tmp_path, capsys):
    study, result = made
    out = tmp_path / "pages"
    assert siting("scorecard", result, "--study", study, "--district", "D5", "--state", "madhya pradesh",
                  "--lang", "en", "--lang", "hi", "--out", out) == 0  # fmt: skip
    assert capsys.readouterr().out.startswith("4 pages: ")
    files = {path.relative_to(out).as_posix() for path in out.rglob("*.html")}
    assert files == {f"madhya-pradesh/{name}{end}" for name in ("d5", "index") for end in (".html", ".hi.html")}
    for arguments, told in [
        (["--district", "D55", "--study", study], "no district 'D55'; did you mean 'D5'?"),
        (["--state", "Madhya", "--study", study], "no state 'Madhya'"),
        (["--study", study], "no page is asked for; give --district NAME"),
        (["--all"], "name the study file that it was made from with --study"),
    ]:
        assert siting("scorecard", result, *arguments, "--out", tmp_path / "none") == 2
        assert told in capsys.readouterr().err
        assert not (tmp_path / "none").exists()
