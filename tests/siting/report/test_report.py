"""The report says what plan.json says, asks nothing of the network, and survives plans that build nothing."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from siting.districts.claims import paper_claims
from siting.districts.intelligence import district_intelligence
from siting.model.model import build_model
from siting.money import crore, indian
from siting.plan import make_plan
from siting.report import page as report
from siting.report.charts import saving_chart, sweep_chart, ticks
from siting.report.lines import plan_lines
from siting.report.map import SavingClasses, bundle
from siting.report.page import cost_components, render_report, write_report
from siting.report.parameters import plain_name
from siting.results.compare import frontier
from siting.results.geometry import flow_lines
from siting.results.tables import sites_table, summary
from siting.rule_prices import with_rule_prices
from siting.run import BRIEFS
from siting.scenarios.draws import evaluate_draws
from siting.scenarios.sensitivity import sensitivity

VOID = {"meta", "br", "wbr", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """Tags with their attributes, text, and whether every tag is closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        self.text = " ".join("".join(self.words).replace("\u00a0", " ").replace("−", "-").split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag in ("td", "th", "dt", "dd", "p"):
            self.words.append(" ")

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def html(tiny_plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    told = replace(tiny_plan, intelligence=district_intelligence(tiny_plan))
    write_report(told, folder, flow_lines(told))
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def render(plan, depends=None):
    return render_report(plan, flow_lines(plan), depends)


def test_the_report_holds_the_figures_of_the_plan(tiny_plan, page):
    s = summary(tiny_plan)
    assert s["capex_inr_crore"] > 0
    for shown in (
        f"₹{indian(s['budget_inr_crore'])} crore",
        f"₹{indian(s['capex_inr_crore'])} crore",
        f"{crore(s['saving_inr_per_year'])} a year",
        crore(s["before"]["cost_inr_per_year"]),
        crore(s["after"]["cost_inr_per_year"]),
        f"{s['benefit_cost_ratio']:.2f}",
        f"{s['payback_years']:.1f} years",
        f"{100 * s['gap']:.3f} %",
        f"of {s['counts']['under_utilised']} under-utilised",
        s["fingerprint"],
        s["solver"],
    ):
        assert shown in page.text


def test_the_first_paragraph_says_how_sure_where_draws_were_made(tiny_plan, page):
    drawn = replace(tiny_plan, certainty=evaluate_draws(tiny_plan, 3))
    spread = summary(drawn)["draws"]["own_saving"]
    answer = render(drawn).split('<p class="answer">')[1].split("</p>")[0]
    told = f"{crore(spread['low_inr_per_year'])} to {crore(spread['high_inr_per_year'])} a year in nine of ten draws"
    assert told in " ".join(answer.split())
    assert "nine of ten draws" not in page.text


def test_every_site_and_unreachable_district_is_named(tiny_plan, page):
    for name in sites_table(tiny_plan)["name"]:
        assert f"{name}, Madhya Pradesh" in page.text
    assert "D11 Madhya Pradesh" in page.text
    assert "no road to a gateway" in page.text


def test_every_parameter_is_listed_with_its_source(tiny_plan, page):
    for key, row in tiny_plan.model.parameters.rows.items():
        assert key in page.text
        assert " ".join(row.source.split()) in page.text


def test_the_page_asks_nothing_of_any_host(html, page):
    assert not {"script", "link", "img", "iframe", "object", "embed", "use", "image"} & {name for name, _ in page.tags}
    for _, attributes in page.tags:
        assert not {"src", "srcset", "data", "action"} & set(attributes)
        assert (attributes.get("href") or "#").startswith("#") or attributes["href"] in BRIEFS
        assert not any(name.startswith("on") for name in attributes)
    assert not re.search(r"url\s*\(|@import", html)
    assert len(html.encode()) < 1_500_000


def test_the_page_can_be_read_without_eyes(page):
    assert page.open == []
    assert page.named("html") == [{"lang": "en"}]
    assert len(page.named("h1")) == 1
    assert len(page.named("table")) == len(page.named("caption"))
    assert all(attributes.get("scope") in ("col", "row") for attributes in page.named("th"))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for drawing in page.named("svg"):
        assert set((drawing["aria-labelledby"] or "").split()) <= set(ids)
    assert {a["href"] for a in page.named("a")} <= {*(f"#{name}" for name in ids), *BRIEFS}


def test_sources_and_boundaries_of_the_bundled_pack_are_credited(tiny_plan):
    model = tiny_plan.model
    layers = {name: file for name, file in model.study.data.items() if name != "districts"}
    page = Page(render(replace(tiny_plan, model=replace(model, study=model.study.with_changes(data=layers)))))
    for note in (
        "© OpenStreetMap contributors",
        "ODbL",
        "Government Open Data Licence",
        "Survey of India",
    ):
        assert note in page.text


def test_own_districts_are_not_called_those_of_the_bundled_pack(page):
    assert "District boundaries are those of districts.parquet" in page.text
    assert "Survey of India" not in page.text and "post offices" not in page.text.lower().split("files of the pack")[0]


def test_own_tables_are_named_by_their_files(tiny_plan):
    model = tiny_plan.model
    data = {**model.study.data, "exports": {"file": model.study.data["exports"], "value_unit": "usd"}}
    page = Page(render(replace(tiny_plan, model=replace(model, study=model.study.with_changes(data=data)))))
    assert "exports (exports.csv)" in page.text and "districts (districts.parquet)" in page.text


def test_the_report_of_another_area_says_nothing_of_india(tiny_study, tiny_pack):
    plan = make_plan(build_model(tiny_study.with_changes(data={"pack": tiny_pack})))
    html = render(replace(plan, intelligence=district_intelligence(plan)))
    without_sources = re.sub(r'<section aria-labelledby="assumptions">.*?</section>', "", html, flags=re.DOTALL)
    text = Page(without_sources).text
    for word in ("India", "Yadav", "the paper", "The paper", "OpenStreetMap", "Post offices"):
        assert word not in text, text[max(text.find(word) - 80, 0) : text.find(word) + 80]
    assert "How concentrated exports are" in text
    assert "India" not in "\n".join(plan_lines(summary(plan), plan.opened))
    assert "the paper" not in "\n".join(plan_lines(summary(plan), plan.opened))


def test_one_site_is_no_sites(tiny_model):
    plan = make_plan(tiny_model, budget_inr_crore=15.0)
    assert len(plan.opened) == 1
    text = Page(render(plan)).text
    assert "1 site for" in text
    assert not re.search(r"(?<![\d.,])1 (sites|districts|parameters)\b", text)


def test_every_figure_of_the_paper_stands_beside_ours(page):
    for claim in paper_claims()["claim"]:
        assert claim in page.text
    for share in ("8.5 %", "7.8 %", "5.2 %", "4.9 %", "4.5 %", "11 %", "49 %"):
        assert share in page.text


def test_districts_as_hubs_say_what_districts_csv_says(tiny_plan, page):
    told = district_intelligence(tiny_plan)
    assert f"{100 * told.figures['share_below']:.0f} % of districts are below 100" in page.text
    table = told.table
    assert (table.loc[table["lift_inr_crore"].notna(), "connectivity_index"] < 100).all()
    for name in table.loc[table["lift_inr_crore"].notna()].nsmallest(3, "lift_inr_crore")["district"]:
        assert f"{name}, Madhya Pradesh" in page.text
    quartiles = table[["benchmark_low_usd", "benchmark_usd", "benchmark_high_usd"]].to_numpy()
    assert (np.diff(quartiles) >= 0).all()
    assert table.loc["madhya-pradesh/d11", "connectivity_index"] == 0.0  # no road
    assert "no forecast" in page.text


def test_names_from_the_data_cannot_become_markup(tiny_plan):
    evil = "<script>alert(1)</script>"
    model = tiny_plan.model
    places = replace(model.places, table=model.places.table.assign(name=evil))
    demand = model.demand.assign(district=evil)
    html = render(replace(tiny_plan, model=replace(model, places=places, demand=demand)))
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_a_plan_that_builds_nothing_says_so(tiny_model, tmp_path):
    plan = make_plan(tiny_model, budget_inr_crore=0.0)
    write_report(plan, tmp_path, flow_lines(plan))
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "nothing is built and nothing is saved" in page.text
    assert "No district gains." in page.text
    assert not re.search(r"\bnan\b|\binf\b|None(?! of)", page.text)


def test_a_plan_without_a_proven_bound_claims_none(tiny_plan):
    unproven = replace(tiny_plan.solution, status="feasible", bound=-np.inf, gap=np.inf)
    page = Page(render(replace(tiny_plan, solution=unproven)))
    assert "stopped at its time limit" in page.text
    assert "proven within" not in page.text
    assert not re.search(r"\bnan\b|\binf\b", page.text)


def test_a_plan_that_reaches_every_district_says_so(tiny_plan, monkeypatch):
    monkeypatch.setattr(report, "summary", lambda plan: summary(plan) | {"unreachable": []})
    assert "None: every district has a road" in Page(render(tiny_plan)).text


def test_replaced_parameters_are_marked(tiny_study):
    study = tiny_study.with_changes(parameters={"stuffing_inr_per_t": 199.0})
    page = Page(render(make_plan(build_model(study))))
    assert "This study replaces 1, marked below." in page.text
    assert page.named("tr").count({"class": "changed"}) == 1
    assert "value outside" not in page.text


def test_a_parameter_outside_the_range_of_its_source_is_marked(tiny_study):
    study = tiny_study.with_changes(parameters={"discount_rate": 0.4})
    assert Page(render(make_plan(build_model(study)))).text.count("value outside") == 1


def test_what_it_depends_on_names_the_largest_effect(tiny_plan, page):
    table = sensitivity(tiny_plan)
    assert f"{plain_name(table['key'].iloc[0])} matters most" in page.text


def test_cost_components_add_up_to_the_plan(tiny_plan):
    s, components = summary(tiny_plan), cost_components(tiny_plan)
    assert components["before"].sum() == pytest.approx(s["before"]["cost_inr_per_year"])
    after = s["after"]["cost_inr_per_year"] + s["fixed_cost_inr_per_year"]
    assert components["after"].sum() == pytest.approx(after)
    assert components.loc["First mile of part loads", "after"] < components.loc["First mile of part loads", "before"]


def test_shared_stretches_are_drawn_once_with_their_sum():
    shared = [(0.0, 0.0), (1.0, 0.0)]
    flows = gpd.GeoDataFrame(
        {"mode": "road", "tonnes_per_year": [4e5, 3e5]},
        geometry=[shapely.LineString([*shared, (2, 0)]), shapely.LineString([(1, 1), *reversed(shared)])],
        crs="EPSG:4326",
    )
    bundled = bundle(flows).set_index("width_class")
    assert bundled.loc[2, "tonnes_per_year"] == 7e5
    assert bundled.loc[2, "geometry"].equals(shapely.LineString(shared))
    assert bundled.loc[1, "geometry"].length == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("savings", "words"),
    [
        ([], ["> 0"]),
        ([0.0, 0.0], ["> 0"]),
        ([3e7], ["> 0"]),
        ([1e4, 4e4, 3e5, 8e5, 2e7], ["< 0.5", "0.5–2", "2–10", "10–200", "≥ 200"]),
    ],
)
def test_classes_of_savings_have_round_limits_and_leaders_are_in_none(savings, words):
    districts = pd.DataFrame(
        {"saving_inr_per_year": [*savings, 1e9], "under_utilised": [True] * len(savings) + [False]}
    )
    classes = SavingClasses.of(districts.astype({"saving_inr_per_year": float, "under_utilised": bool}))
    told = [text.replace("\N{NO-BREAK SPACE}", " ") for _, text in classes.key()]
    assert told == words[: len(classes.fills)]
    fills = [classes.fill(saving) for saving in savings if saving > 0]
    assert fills == sorted(fills, key=classes.fills.index)


def test_ticks_are_round_and_cover_the_data():
    assert ticks(0, 482) == [0, 100, 200, 300, 400, 500]
    assert ticks(-30, 70) == [-40, -20, 0, 20, 40, 60, 80]
    assert ticks(0, 0)[0] == 0 < ticks(0, 0)[-1]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("light_truck_inr_per_t_km", "Light truck rate"),
        ("rail_speed_dfc_km_h", "Rail speed dedicated freight corridor"),
        ("mmlp_small_acre", "MMLP small size"),
        ("discount_rate", "Discount rate"),
    ],
)
def test_parameter_keys_become_words(key, words):
    assert plain_name(key) == words


def test_sweep_chart_shows_each_budget(tiny_model):
    plans = [make_plan(tiny_model, budget_inr_crore=budget) for budget in (0.0, 20.0, 60.0)]
    table = frontier((summary(plan), plan.opened) for plan in plans)
    drawing = ET.fromstring(sweep_chart(table))
    tips = [tip.text or "" for tip in drawing.iter("{http://www.w3.org/2000/svg}title")]
    of_something = table[["benefit_cost_ratio", "marginal_benefit_per_year_per_rupee"]].notna().sum(axis=1)
    assert of_something.tolist()[:2] == [0, 2]
    for budget, ratios in zip(("0", "20", "60"), of_something, strict=True):
        assert sum(f"at ₹{budget} crore" in tip for tip in tips) == 6 + ratios
    assert "Benefit of the last crore spent" in sweep_chart(table) and "Budget, ₹ crore" in sweep_chart(table)
    assert "nan" not in sweep_chart(table)


def test_sweep_chart_of_one_empty_plan_is_still_a_chart(tiny_model):
    nothing = make_plan(tiny_model, budget_inr_crore=0.0)
    assert "</svg>" in sweep_chart(frontier([(summary(nothing), nothing.opened)]))


def test_rules_are_told_with_limit_value_and_price(tiny_model):
    rules = ({"rule": "sites", "at_most": 1}, {"rule": "carbon", "at_most_share": 1.0})
    text = Page(render(with_rule_prices(make_plan(tiny_model, rules=rules)))).text
    assert "Rules and what they cost" in text
    assert "Sites at most 1 site 1 site" in text
    assert "all rules together cost" in text


def test_the_report_tells_how_even_the_cost_is(tiny_plan, page):
    gini = summary(tiny_plan)["equity"]
    assert f"is {gini['gini_before']:.3f} today and {gini['gini_after']:.3f} with the plan" in page.text


def test_savings_of_scenarios_are_bars_and_ranges_lines():
    table = pd.DataFrame({
        "scenario": ["as it is", "dear <capital>"], "saving_inr_per_year": [3e8, -1e7],
        "saving_low_inr_per_year": [1e8, np.nan], "saving_high_inr_per_year": [5e8, np.nan],
    })  # fmt: skip
    drawing = ET.fromstring(saving_chart(table))
    svg = "{http://www.w3.org/2000/svg}"
    texts = [text.text for text in drawing.iter(f"{svg}text")]
    assert {"as it is", "dear <capital>", "30", "−1"} <= set(texts)
    assert len(list(drawing.iter(f"{svg}rect"))) == 3  # the ground, and two bars
    assert len([line for line in drawing.iter(f"{svg}line") if line.get("stroke-width") == "2"]) == 1
    assert "nan" not in saving_chart(table)


def test_what_the_saving_consists_of_adds_up(tiny_plan):
    """9 crore of cost and 4 of taste less 3 to run the sites are the net saving of 10."""
    told = summary(tiny_plan) | {
        "before": {"cost_inr_per_year": 100e7, "taste_inr_per_year": 30e7, "mean_hours": 1.0, "co2e_t_per_year": 1.0},
        "after": {"cost_inr_per_year": 91e7, "taste_inr_per_year": 26e7, "mean_hours": 1.0, "co2e_t_per_year": 1.0},
        "fixed_cost_inr_per_year": 3e7, "saving_inr_per_year": 10e7,
    }  # fmt: skip
    (line,) = [line for line in plan_lines(told, tiny_plan.opened) if line.startswith("Of which")]
    assert line.split(maxsplit=2)[2] == (
        "₹9 crore freight, handling, time and carbon, ₹4 crore ports and trains that suit shippers better, "
        "less ₹3 crore to run the sites"
    )
    assert not any(line.startswith("Of which") for line in plan_lines(summary(tiny_plan), tiny_plan.opened))
