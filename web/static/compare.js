// Compare: two plans side by side on linked maps, what differs as a map and as lists, and the frontier of a sweep.

import * as address from "./address.js";
import { heading } from "./card.js";
import * as data from "./data.js";
import { byId, h, sideBySide } from "./dom.js";
import { NOTHING, crore, hours, number, percent, perTonne, rupees, signed, word } from "./format.js";
import { drawFrontier } from "./frontier.js";
import { _, named, ngettext } from "./i18n.js";
import { createMap } from "./map.js";
import { MEASURES, classify, diverge } from "./measures.js";
import * as shell from "./shell.js";

const LISTED_DISTRICTS = 200;
const VIEWS = ["pair", "difference", "lists"];
const SIDES = ["a", "b"];
const SITE_KEY = [
  ["warehouse:new", _("only in B")],
  ["warehouse:gone", _("only in A")],
  ["warehouse", _("in both")],
];

const view = { a: null, b: null, view: "pair", measure: "saving" };
let plans = [];
let sweeps = [];
let names = new Map();
let sides = null; // {a: plan, b: plan}
let told = null; // the comparison
let classes = null; // of every measure, over the districts of both
let maps = {};
const card = shell.createCard(byId("card"), () => Object.values(maps).forEach((map) => map.choose(null, null)));
let turn = Promise.resolve(); // views open one after the other, or a late one would paint over a newer one

shell.start(async () => {
  ({ plans, sweeps } = await data.get(`${data.API}/plans`));
  names = shell.planNames(plans);
  if (!plans.length) {
    shell.showNoPlan();
    return;
  }
  byId("site-key").replaceChildren(...SITE_KEY.map(([symbol, text]) => h("li", {}, h("span", { "data-symbol": symbol }), text)));
  shell.drawSymbols();
  for (const button of document.querySelectorAll("[data-view]"))
    button.onclick = () => inTurn(() => setView(button.dataset.view));
  byId("swap").onclick = () => go({ a: view.b, b: view.a });
  shell.fillSelect(byId("measure"), shell.options(MEASURES), "saving", (measure) => {
    view.measure = measure;
    paintPair();
    remember();
  });
  if (sweeps.length) {
    byId("frontier-section").hidden = false;
    shell.fillSelect(
      byId("sweep"),
      sweeps.map((id) => [id, id]),
      sweeps[0],
      showFrontier,
    );
  }
  address.onReturn(() => inTurn(() => apply(address.read())));
  await apply(address.read());
});

const placeName = (name) => name && sides.a.placeName(name);
const isRun = (id) => id?.startsWith("run:");
const known = (id) => isRun(id) || names.has(id);
const baseOf = (id) => (isRun(id) ? data.runBase(id.slice(4)) : data.planBase(id));
const nameOf = (id) => names.get(id) ?? told?.[id === view.a ? "a" : "b"].name ?? id;
const inTurn = (act) => {
  turn = turn.then(() => shell.attempt(act));
  return turn;
};
const go = (values) => {
  address.write({ ...address.read(), ...values }, true);
  return inTurn(() => apply(address.read()));
};

async function apply(values) {
  shell.ready(false);
  view.a = [values.a, values.plan].find(known) ?? plans[0].id;
  const gone = [values.a, values.b, values.plan].find((id) => id && !known(id));
  if (gone) shell.tell(_("There is no plan {name}; this is another one.", { name: gone }));
  view.b = [values.b].find(known) ?? plans.map((plan) => plan.id).find((id) => id !== view.a) ?? view.a;
  view.view = VIEWS.includes(values.view) ? values.view : "pair";
  view.measure = values.measure in MEASURES ? values.measure : "saving";
  byId("measure").value = view.measure;
  fillChoices();
  const two = view.a !== view.b;
  for (const place of document.querySelectorAll("[data-of-two]")) place.hidden = !two;
  byId("view-none").hidden = two;
  if (!two) {
    byId("only-one").textContent =
      plans.length > 1
        ? _("A and B are the same plan. Choose another one for A or B.")
        : _("There is one plan only. Make another one to compare it with:");
    for (const name of VIEWS) byId(`view-${name}`).hidden = true;
    remember();
    shell.ready(true);
    return;
  }
  const [comparison, a, b, cut] = await Promise.all([
    data.get(`${data.API}/compare?${new URLSearchParams({ a: view.a, b: view.b })}`),
    data.plan(baseOf(view.a)),
    data.plan(baseOf(view.b)),
    data.classes(view.a, view.b),
  ]);
  told = {
    ...comparison,
    districts: data.rows(comparison.districts),
    only_a: data.rows(comparison.sites.only_a),
    only_b: data.rows(comparison.sites.only_b),
  };
  sides = { a, b };
  classes = cut;
  card.close();
  fillChoices();
  for (const side of SIDES) {
    byId(`name-${side}`).replaceChildren(
      h("span", { class: "letter" }, side.toUpperCase()),
      ` ${nameOf(view[side])}: `,
      h("strong", {}, rupees(sides[side].summary.saving_inr_per_year)),
      ` ${_("saved a year")}`,
    );
  }
  document.title = `${_("Compare two plans")} – ${_("Export hubs")}`;
  shell.showNotes(sides.b.summary, sides.b.placeName);
  for (const map of Object.values(maps)) map.remove();
  maps = {};
  showTotals();
  showLists();
  await setView(view.view);
  const own = plans.find((plan) => [view.a, view.b].includes(plan.id) && plan.sweep)?.sweep;
  if (own) byId("sweep").value = own;
  if (sweeps.length) await showFrontier(byId("sweep").value);
  shell.ready(true);
}

function fillChoices() {
  for (const side of SIDES) {
    const choices = [...names, ...(isRun(view[side]) ? [[view[side], nameOf(view[side])]] : [])];
    shell.fillSelect(byId(side), choices, view[side], (id) => go({ [side]: id }));
  }
}

async function setView(name) {
  view.view = name;
  for (const button of document.querySelectorAll("[data-view]")) {
    button.setAttribute("aria-pressed", String(button.dataset.view === name));
    byId(`view-${button.dataset.view}`).hidden = button.dataset.view !== name;
  }
  byId("pair-measure").hidden = name !== "pair";
  if (name === "pair" && !maps.a) {
    const linked = (side, other) => ({
      hover: (found, point) => hoverPair(side, found, point),
      pick: (found) => pick(found, sides[side]),
      move: (byHand) => byHand && maps[other]?.setCamera(maps[other === "a" ? "b" : "a"].camera()),
    });
    [maps.a, maps.b] = await Promise.all([
      createMap(byId("map-a"), sides.a, linked("a", "b")),
      createMap(byId("map-b"), sides.b, linked("b", "a")),
    ]);
  }
  if (name === "difference" && !maps.difference) {
    maps.difference = await createMap(byId("map-difference"), sides.b, { hover, pick: (found) => pick(found) });
    const both = sides.b.sites.filter((site) => !told.only_b.some((only) => only.site_id === site.site_id));
    maps.difference.setSites([
      ...both,
      ...told.only_a.map((site) => ({ ...site, mark: "gone" })),
      ...told.only_b.map((site) => ({ ...site, mark: "new" })),
    ]);
  }
  if (name === "pair") paintPair();
  else paintDifference();
  remember();
}

// Both maps in the classes of both plans, so that a colour means the same on either side.
function paintPair() {
  if (!maps.a) return;
  const measure = MEASURES[view.measure];
  const all = [...sides.a.districts, ...sides.b.districts];
  const { colours, keys, legend } = classify(all, measure, classes[view.measure].quantile, () => true);
  const n = sides.a.districts.length;
  const of = { a: keys.slice(0, n), b: keys.slice(n) };
  maps.a.paint(colours.slice(0, n));
  maps.b.paint(colours.slice(n));
  byId("legend-title").textContent = _("Districts of A and of B");
  shell.showLegend(
    byId("legend"),
    legend.map((entry) => ({
      ...entry,
      counts: SIDES.map((side) => [side.toUpperCase(), of[side].filter((key) => key === entry.key).length]),
    })),
    { light: (key) => SIDES.forEach((side) => maps[side].light(rowsOf(of[side], key))) },
  );
}

function paintDifference() {
  const change = new Map(told.districts.map((row) => [row.district_id, row.saving_change_inr_per_year]));
  const of = (row) => (row.saving_inr_per_year === null ? null : (change.get(row.district_id) ?? null)); // no cargo: nothing to change
  const { colours, keys, legend } = diverge(sides.b.districts.map(of));
  maps.difference?.paint(colours);
  byId("legend-title").textContent = _("Saving a year: B less A");
  shell.showLegend(byId("legend"), legend, { light: (key) => maps.difference?.light(rowsOf(keys, key)) });
}

const rowsOf = (keys, key) => keys.flatMap((other, row) => (other === key ? [row] : []));

// ---- clicks: a district in both plans

function pick(found, of = sides.b) {
  const row = found?.kind === "district" ? of.districts[found.row] : null;
  if (!row) return card.close();
  const both = SIDES.map((side) => sides[side].districts.find((other) => other.district_id === row.district_id));
  for (const [name, map] of Object.entries(maps)) {
    map.choose(
      sides[name === "a" ? "a" : "b"].districts.findIndex((other) => other.district_id === row.district_id),
      null,
    );
  }
  const line = ([label, format, column]) => [label, ...both.map((one) => (one ? format(one[column]) : NOTHING))];
  return card.open([
    heading(named(row, "district"), null, named(row, "state"), { close: card.close }),
    sideBySide(["A", "B"], OF_DISTRICT.map(line)),
  ]);
}

const text = (value) => value ?? NOTHING;
const OF_DISTRICT = [
  [_("Saving a year"), rupees, "saving_inr_per_year"],
  [_("Cost per tonne"), perTonne, "cost_after_inr_per_t"],
  [_("Hours after"), hours, "hours_after"],
  [_("Hub"), (name) => text(placeName(name)), "hub_1"],
  [_("Port"), (name) => text(placeName(name)), "gateway_after"],
];

const TOTALS = {
  budget_inr_crore: [_("Budget"), crore],
  capex_inr_crore: [_("Spent"), crore],
  saving_inr_per_year: [_("Saving a year"), rupees],
  benefit_cost_ratio: [_("Benefit–cost ratio"), (v) => number(v, 2)],
  payback_years: [_("Years to pay back"), (v) => number(v, 1)],
  gap: [_("Proven gap"), (v) => percent(v, 3)],
};

function showTotals() {
  const rows = Object.entries(TOTALS).filter(([name]) => told.totals[name]);
  byId("totals").replaceChildren(
    sideBySide(
      ["A", "B"],
      rows.map(([name, [label, format]]) => [label, ...["a", "b"].map((side) => format(told.totals[name][side]))]),
    ),
  );
}

function siteList(title, sites) {
  return h(
    "section",
    {},
    h("h2", {}, `${title} (${number(sites.length)})`),
    h(
      "ul",
      { class: "plain", tabindex: 0, role: "list", "aria-label": title },
      sites.map((site) =>
        h(
          "li",
          {},
          `${named(site, "name")}, ${named(site, "state")}`,
          h("span", { class: "amount" }, `${word(site.facility_type)}, ${word(site.tier)}`),
        ),
      ),
    ),
  );
}

function showLists() {
  const changed = told.districts
    .filter((row) => row.changed)
    .sort((p, q) => Math.abs(q.saving_change_inr_per_year ?? 0) - Math.abs(p.saving_change_inr_per_year ?? 0));
  const byDistrict = new Map(sides.a.districts.map((row) => [row.district_id, row]));
  const listed = changed.slice(0, LISTED_DISTRICTS);
  const moved = (from, to) => (from === to ? (to ?? NOTHING) : `${from ?? NOTHING} → ${to ?? NOTHING}`);
  byId("view-lists").replaceChildren(
    h("div", { class: "columns" }, siteList(_("Sites only in A"), told.only_a), siteList(_("Sites only in B"), told.only_b)),
    h(
      "h2",
      {},
      ngettext("{n} district changes", "{n} districts change", changed.length),
      listed.length < changed.length
        ? h("span", { class: "quiet" }, ` ${_("the {n} that change most", { n: number(listed.length) })}`)
        : null,
    ),
    h(
      "div",
      { class: "table-scroll", tabindex: 0, role: "region", "aria-label": _("Districts that change") },
      h(
        "table",
        { class: "data" },
        h("caption", {}, _("Districts that change")),
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            [
              _("District"),
              _("State"),
              _("Saving a year: B less A"),
              _("Cost a tonne: B less A"),
              _("Hours: B less A"),
              _("Hub"),
              _("Port"),
            ].map((name) => h("th", { scope: "col" }, name)),
          ),
        ),
        h(
          "tbody",
          {},
          listed.map((row) =>
            h(
              "tr",
              {},
              h("th", { scope: "row" }, named(byDistrict.get(row.district_id) ?? row, "district")),
              h("td", {}, named(byDistrict.get(row.district_id) ?? row, "state")),
              h("td", { class: "numeric" }, signed(row.saving_change_inr_per_year, rupees)),
              h("td", { class: "numeric" }, signed(row.change_inr_per_t, perTonne)),
              h(
                "td",
                { class: "numeric" },
                signed(row.hours_change, (v) => number(v, 1)),
              ),
              h("td", {}, moved(placeName(row.hub_a), placeName(row.hub_b))),
              h("td", {}, moved(placeName(row.gateway_a), placeName(row.gateway_b))),
            ),
          ),
        ),
      ),
    ),
  );
}

async function showFrontier(id) {
  const sweep = await data.get(`${data.API}/sweeps/${encodeURIComponent(id)}`);
  const letter = (plan) => SIDES.find((side) => view[side] === plan)?.toUpperCase();
  const points = sweep.points.map((point) => ({
    ...point,
    id: point.plan,
    name: _("Budget {budget}", { budget: crore(point.budget_inr_crore) }),
    letter: letter(point.plan),
  }));
  drawFrontier(byId("frontier"), points, (plan) => go({ b: plan }));
}

function hover(found, point) {
  shell.showTip(
    byId("tip"),
    byId("map-difference"),
    found?.kind === "district" ? tipLines(sides.b.districts[found.row]) : null,
    point,
  );
}

function hoverPair(side, found, point) {
  const measure = MEASURES[view.measure];
  const row = found?.kind === "district" ? sides[side].districts[found.row] : null;
  shell.showTip(
    byId(`tip-${side}`),
    byId(`map-${side}`),
    row && [`${named(row, "district")}, ${named(row, "state")}`, `${measure.label}: ${measure.format(row[measure.column])}`],
    point,
  );
}

function tipLines(district) {
  const row = told.districts.find((other) => other.district_id === district.district_id);
  return [
    `${named(district, "district")}, ${named(district, "state")}`,
    row && `${_("Saving a year: B less A")}: ${signed(row.saving_change_inr_per_year, rupees)}`,
  ];
}

function remember() {
  address.write({ a: view.a, b: view.b, plan: names.has(view.b) ? view.b : null, view: view.view, measure: view.measure }, false);
}
