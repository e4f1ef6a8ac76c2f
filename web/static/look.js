// Look: one plan, one measure, one filter, one selection; all are in the address, so that a view can be passed on.

import * as address from "./address.js";
import { showBrief, totals } from "./brief.js";
import * as data from "./data.js";
import { byId, h } from "./dom.js";
import { crore, hours, number, rupees, word } from "./format.js";
import * as filters from "./filter.js";
import { _, named, ngettext } from "./i18n.js";
import { createInsets } from "./insets.js";
import { boundsOf, createMap, webglWorks } from "./map.js";
import { HIDDEN, MEASURES, classify } from "./measures.js";
import { allEntries, createSearch } from "./search.js";
import * as shell from "./shell.js";

const EMBEDDED = document.body.classList.contains("embed"); // in a page elsewhere
const NETWORKS = ["roads", "rail"];
const INSETS_BELOW = 5.5; // zoom: the whole country is in sight
const SIDE_BY_SIDE = "(min-width: 801px)"; // room for map and table
const WEIGHTS = { exports: "export_usd", tonnes: "tonnes_per_year" };
const CHOICES = {
  classes: ["quantile", "equal"],
  bars: ["number", ...Object.keys(WEIGHTS)],
  tab: ["map", "table", "both"],
  layer: [...byId("layer").options].map((option) => option.value),
};

const view = {
  measure: "saving",
  classes: "quantile",
  bars: "number",
  tab: "map",
  layer: "districts",
  sort: null,
  filter: null,
  selection: null,
};
let plans = [];
let plan = null;
let map = null;
let insets = null;
let fillSearch = null;
let keys = []; // of each district: the class of the measure that it is in
let asked = 0; // counts questions, so that a late answer to an old one is dropped

// What the first view can do without is fetched when it is asked for.
const later = (fetched) => {
  let module = null;
  return () => (module ??= fetched());
};
const cards = later(async () =>
  (await import("./lookcards.js")).createCards({ plan: () => plan, close: card.close, pick: toMap, attempt: shell.attempt }),
);
const tablePage = later(async () =>
  (await import("./tablepage.js")).createTablePage({ view, plan: () => plan, shownDistricts, chosen, pick: toMap, light, remember }),
);
const card = shell.createCard(byId("card"), () => shell.attempt(() => select(null)));
const layerBoxes = [...document.querySelectorAll("[data-layer]")];

shell.start(async () => {
  ({ plans } = await data.get(`${data.API}/plans`));
  if (!plans.length) {
    shell.showNoPlan();
    return;
  }
  fillSearch = createSearch(byId("search"), byId("found"), ({ kind, row }) =>
    shell.attempt(async () => {
      setTab(kind === "state" && matchMedia(SIDE_BY_SIDE).matches ? "both" : "map"); // a state with its table
      if (kind === "state") return showState(row);
      return select({ kind, row });
    }),
  );
  shell.drawSymbols();
  shell.foldLayers();
  byId("no-webgl").hidden = webglWorks();
  for (const tab of document.querySelectorAll("[data-tab]")) tab.onclick = () => setTab(tab.dataset.tab);
  for (const box of layerBoxes) box.onchange = () => shell.attempt(() => setLayer(box));
  byId("bars").onchange = () => {
    view.bars = byId("bars").value;
    paint();
  };
  byId("show-tour").onclick = () => shell.attempt(showTour);
  byId("classes").onchange = () => setMeasure({ classes: byId("classes").value });
  for (const name of ["q", "state", "group", "type"])
    byId(`filter-${name}`).oninput = () => setFilter({ ...view.filter, [name]: byId(`filter-${name}`).value });
  byId("filter-clear").onclick = () => setFilter(filters.fromAddress({}));
  byId("layer").onchange = () => {
    view.layer = byId("layer").value;
    view.sort = null;
    fillTable();
  };
  byId("copy").onclick = copyLink;
  byId("png").onclick = () => shell.attempt(async () => (await import("./share.js")).savePng(byId("svg").href, `${plan.id}.png`));
  if (byId("embed")) byId("embed").onclick = showEmbed;
  const touring = EMBEDDED || localStorage.getItem("tour") ? null : shell.attempt(showTour);
  address.onReturn((values) => shell.attempt(() => apply(values)));
  await Promise.all([apply(address.read()), touring]);
});

// Shows what an address says.
async function apply(values) {
  shell.ready(false);
  const { id, fingerprint } = plans.find((p) => p.id === values.plan) ?? plans[0];
  if (values.plan && id !== values.plan) shell.tell(_("There is no plan {name}; this is another one.", { name: values.plan }));
  else if (values.fp && values.fp !== pin(fingerprint))
    shell.tell(_("This plan has changed since the link was made: its figures are new ones."));
  for (const [name, allowed] of Object.entries(CHOICES)) view[name] = allowed.includes(values[name]) ? values[name] : allowed[0];
  view.measure = values.measure in MEASURES ? values.measure : "saving";
  view.sort = values.sort ? { key: values.sort.replace("-", ""), down: values.sort.startsWith("-") } : null;
  view.filter = filters.fromAddress(values);
  if (values.layers !== undefined)
    for (const box of layerBoxes) box.checked = values.layers.split(",").includes(box.dataset.layer);
  view.selection = null;
  if (plan?.id !== id) await openPlan(id);
  for (const name of ["classes", "bars", "layer"]) byId(name).value = view[name];
  for (const name of filters.WRITTEN) byId(`filter-${name}`).value = view.filter[name];
  if (!filters.isEmpty(view.filter)) byId("filter").open = true;
  shell.fillSelect(byId("plan"), [...shell.planNames(plans)], id, (other) => {
    address.write({ ...address.read(), plan: other, site: null, fp: null }, true);
    return apply(address.read());
  });
  shell.fillSelect(byId("measure"), shell.options(MEASURES), view.measure, (measure) => setMeasure({ measure }));
  await Promise.all(layerBoxes.map(setLayer));
  setTab(view.tab);
  paint();
  await fillTable();
  const rows = { district: find(plan.districts, "district_id", values.district), site: find(plan.sites, "site_id", values.site) };
  const camera = values.at?.split(",").map(Number);
  if (rows.district >= 0) await select({ kind: "district", row: rows.district }, !camera);
  else if (rows.site >= 0) await select({ kind: "site", row: rows.site }, !camera);
  else {
    card.close();
    if (view.filter.state && !camera) fitState();
  }
  if (camera?.length === 3 && camera.every(Number.isFinite)) map.setCamera(camera);
  remember();
  shell.ready(true);
}

const find = (rows, column, value) => (value ? rows.findIndex((row) => row[column] === value) : -1);

async function openPlan(id) {
  map?.remove();
  const [opened, classes] = await Promise.all([data.plan(data.planBase(id)), data.classes(id)]);
  plan = { id, ...opened, classes };
  if (EMBEDDED) plan.summary.can_what_if = false; // other pages do not open in a frame
  document.title = `${plan.summary.study} – ${_("Export hubs")}`;
  byId("title").textContent = plan.summary.study;
  shell.showProof(plan.summary.status === "optimal", plan.summary);
  shell.showNotes(plan.summary, plan.placeName);
  byId("fainter").hidden = !plan.sites.some((row) => row.chosen_share < 0.9 && row.chosen_share !== null);
  byId("report").hidden = !plan.summary.links.report;
  if (plan.summary.links.report) byId("report").href = plan.summary.links.report;
  const states = new Map(plan.districts.map((row) => [row.state, named(row, "state")]));
  byId("filter-state").replaceChildren(
    h("option", { value: "" }, _("all")),
    ...[...states].sort((a, b) => a[1].localeCompare(b[1])).map(([state, name]) => h("option", { value: state }, name)),
  );
  fillSearch(allEntries(plan));
  paintBrief(); // before the map, which fits what it has room for
  insets = createInsets(byId("insets"), plan, showState);
  map = await createMap(byId("map"), plan, {
    hover,
    moved: remember,
    left: shell.covered("layers"),
    states: true,
    clusters: true,
    pick: (found) =>
      shell.attempt(() => (found?.kind === "state" ? showState(plan.states.names[found.row]) : select(found, false))),
  });
}

// Another measure has other classes: none of the old ones stays chosen.
function setMeasure(change) {
  Object.assign(view, change);
  view.filter = { ...view.filter, class: "" };
  paint();
}

const inFilter = (i) => filters.shows.districts(view.filter)(plan.districts[i]);
const isShown = (i) => inFilter(i) && (!view.filter.class || keys[i] === view.filter.class);

function shownDistricts() {
  return plan.districts.filter((_row, i) => isShown(i));
}

async function fillTable() {
  if (view.tab !== "map") await (await tablePage())();
  else remember();
}

function paint() {
  const found = classify(plan.districts, MEASURES[view.measure], plan.classes[view.measure][view.classes], inFilter);
  keys = found.keys;
  const colours = found.colours.map((colour, i) => (isShown(i) ? colour : HIDDEN));
  map.paint(colours);
  insets.paint(colours);
  const sites = filters.shows.sites(view.filter);
  map.showSites(filters.isEmpty(view.filter) ? null : rowsWhere(plan.sites, sites));
  paintBrief();
  showTotals(view.filter.state);
  byId("measure-note").textContent = MEASURES[view.measure].note;
  shell.showLegend(byId("legend"), weighted(found.legend), {
    chosen: view.filter.class,
    light: (key) => map.light(key === null ? [] : rowsWhere(plan.districts, (_row, i) => keys[i] === key && isShown(i))),
    pick: (key) => setFilter({ ...view.filter, class: key === view.filter.class ? "" : key }),
  });
  const count = shownDistricts().length;
  byId("filter-count").textContent = filters.isEmpty(view.filter)
    ? ""
    : _("{n} of {all} districts", { n: number(count), all: number(plan.districts.length) });
  fillTable();
}

// The legend with what share of all that is shown each class has, where bars are to tell it.
function weighted(legend) {
  const column = WEIGHTS[view.bars];
  if (!column) return legend;
  const sums = new Map();
  let all = 0;
  plan.districts.forEach((row, i) => {
    if (!inFilter(i)) return;
    sums.set(keys[i], (sums.get(keys[i]) ?? 0) + (row[column] ?? 0));
    all += row[column] ?? 0;
  });
  return legend.map((entry) => ({ ...entry, share: all ? (sums.get(entry.key) ?? 0) / all : 0 }));
}

// Makes a district, a site or a state stand out on the map while one points at it elsewhere.
function light(row) {
  const same = !row ? () => false : row.district_id ? (one) => one.district_id === row.district_id : (one) => one.state === row.state;
  map.light(rowsWhere(plan.districts, same));
}

const rowsWhere = (rows, test) => rows.map((row, i) => (test(row, i) ? i : -1)).filter((i) => i >= 0);

// The state view: its own address, totals, print and table; "" is all of India.
function showState(state) {
  setFilter({ ...view.filter, state });
  return select(null);
}

function setFilter(filter) {
  const moved = filter.state !== view.filter.state;
  view.filter = filter;
  if (moved) fitState();
  for (const name of filters.WRITTEN) {
    if (byId(`filter-${name}`).value !== filter[name]) byId(`filter-${name}`).value = filter[name];
  }
  paint();
}

function paintBrief() {
  showBrief(byId("brief"), plan, view.filter.state, {
    state: showState,
    site: (row) => toMap("site", row),
    all: () => showState(""),
    light,
  });
}

function showTotals(state) {
  if (!state) {
    byId("saving").replaceChildren(...shell.savingLine(plan.summary));
    shell.showFigures(byId("figures"), plan.summary, plan.sites);
    return;
  }
  const of = totals(plan, state);
  byId("saving").replaceChildren(
    h("strong", {}, rupees(of.saving_inr_per_year)),
    h("span", {}, ` ${_("saved a year by the districts of {state}", { state: plan.stateNames.get(state) })}`),
  );
  shell.fillFigures(byId("figures"), [
    [_("Capital"), crore(of.capex_inr_crore), _("in the state"), "capital"],
    [_("New sites"), number(of.sites.length), shell.siteCounts(of.sites), "site"],
    [_("Districts served"), number(of.served), _("of {n} under-utilised", { n: number(of.districts.length) }), "under_utilised"],
    [_("Mean time"), hours(of.hours_after), _("{hours} today", { hours: hours(of.hours_before) }), "mean_time"],
  ]);
}

function fitState() {
  const rows = plan.districts.filter((row) => !view.filter.state || row.state === view.filter.state);
  if (!rows.length) return;
  map.fit(data.boundsOf(rows), view.filter.state ? { left: shell.covered("layers") } : {});
}

async function setLayer(box) {
  const name = box.dataset.layer;
  await map.show(name, box.checked, NETWORKS.includes(name) ? () => data.network(name) : null);
  remember();
}

function setTab(tab) {
  view.tab = tab;
  for (const button of document.querySelectorAll("[data-tab]")) {
    button.setAttribute("aria-pressed", String(button.dataset.tab === tab));
  }
  byId("tab-map").hidden = tab === "table";
  byId("tab-table").hidden = tab === "map";
  byId("main").classList.toggle("both", tab === "both");
  if (tab !== "table") map.resize();
  if (tab === "both" && !view.selection) fitState();
  fillTable();
  remember();
}

function chosen() {
  if (!view.selection) return [];
  const { kind, row } = view.selection;
  return [[kind, plan[`${kind}s`][row][`${kind}_id`]]];
}

function toMap(kind, row) {
  return shell.attempt(async () => {
    if (view.tab === "table") setTab("map");
    await select({ kind, row: plan[`${kind}s`].indexOf(row) });
  });
}

async function select(selection, move = true) {
  const question = (asked += 1);
  shell.showTip(byId("tip"), byId("map"), null);
  const isPlace = selection && !["district", "site"].includes(selection.kind);
  view.selection = isPlace ? null : selection;
  remember(true);
  if (!view.selection) {
    map.choose(null, null);
    map.drawLanes(shell.NOTHING_DRAWN);
    if (isPlace) {
      const kind = selection.kind === "gateway" ? "gateways" : "depots";
      map.choose(null, plan[kind][selection.row]);
      card.open((await cards()).place(kind, plan[kind][selection.row]));
    } else {
      card.close();
    }
    return;
  }
  const { kind, row: i } = selection;
  const row = plan[`${kind}s`][i];
  map.choose(kind === "district" ? i : null, kind === "site" ? row : null);
  const [lanes, made] = await Promise.all([data.lanes(plan.base, kind, row[`${kind}_id`]), cards()]);
  if (question !== asked) return; // another one was chosen meanwhile
  card.open(made[kind](row, lanes));
  map.drawLanes(lanes.movements);
  if (kind === "district" && plan.summary.can_what_if) shell.attempt(() => made.outlook(row.district_id, () => question === asked));
  const around = kind === "district" ? row.bounds : [row.lon - 0.5, row.lat - 0.5, row.lon + 0.5, row.lat + 0.5];
  if (move) map.fit(boundsOf(lanes.movements, around), { left: shell.covered("layers"), right: shell.covered("card") });
}

// The state that the view is of as its districts' ids begin; a scorecard goes by that name.
const stateFolder = () => plan.districts.find((row) => row.state === view.filter.state)?.district_id.split("/")[0];

function hover(found, point) {
  shell.showTip(byId("tip"), byId("map"), found && tipLines(found), point);
}

function tipLines({ kind, row, count }) {
  if (kind === "cluster") return [ngettext("{n} site", "{n} sites", count), _("Click to see them apart")];
  if (kind === "state") return [plan.stateNames.get(plan.states.names[row]), _("Click to see the state alone")];
  if (kind === "site") {
    const site = plan.sites[row];
    return [named(site, "name"), `${word(site.facility_type)}, ${word(site.tier)}`, shell.servedText(site)];
  }
  if (kind === "gateway")
    return [
      named(plan.gateways[row], "name"),
      plan.gateways[row].container_service ? _("Port with container service") : _("Port without container service"),
    ];
  if (kind === "depot")
    return [named(plan.depots[row], "name"), plan.depots[row].rail_served ? _("Inland depot with rail") : _("Inland depot")];
  const district = plan.districts[row];
  const measure = MEASURES[view.measure];
  return [
    `${named(district, "district")}, ${named(district, "state")}`,
    `${measure.label}: ${measure.format(district[measure.column])}`,
  ];
}

function remember(push = false) {
  if (!plan || !map) return;
  const camera = map.camera();
  byId("insets").hidden = Boolean(view.filter.state) || (camera !== null && camera[2] > INSETS_BELOW);
  const layers = layerBoxes
    .filter((box) => box.checked)
    .map((box) => box.dataset.layer)
    .join(",");
  const selected = Object.fromEntries(chosen());
  const kept = { plan: plan.id, fp: pin(plan.summary.fingerprint), measure: view.measure, classes: view.classes, layers };
  if (view.bars !== "number") kept.bars = view.bars;
  const lang = document.documentElement.lang;
  const { measure, classes } = view;
  const state = view.filter.state ? { state: view.filter.state } : {};
  byId("scorecard").hidden = !view.filter.state || !plan.summary.can_what_if;
  byId("two-pages").hidden = !plan.summary.can_what_if;
  byId("two-pages").href = `/brief/plans/${encodeURIComponent(plan.id)}?lang=${lang}`;
  byId("scorecard").href =
    `/scorecard/plans/${encodeURIComponent(plan.id)}/${stateFolder()}/index${lang === "hi" ? ".hi" : ""}.html`;
  const drawn = new URLSearchParams({ measure, classes, lang, layers, ...state, ...selected });
  byId("print").href = `${plan.summary.links.print}?${drawn}`;
  byId("svg").href = `${plan.summary.links.map}?${drawn}`;
  byId("svg").download = `${plan.id}.svg`;
  address.write(
    {
      ...kept,
      ...view.filter,
      ...selected,
      tab: view.tab === "map" ? null : view.tab,
      layer: view.tab === "map" ? null : view.layer,
      sort: view.tab === "map" || !view.sort ? null : `${view.sort.down ? "-" : ""}${view.sort.key}`,
      at: camera?.map((n) => n.toFixed(2)).join(","),
    },
    push === true,
  );
  byId("whole").firstElementChild.href = `/?${new URLSearchParams({ lang })}${location.hash}`;
}

// The view as other pages take it in; the whole map is a click away.
function showEmbed() {
  const box = byId("embed-box");
  box.hidden = !box.hidden;
  byId("embed").setAttribute("aria-expanded", String(!box.hidden));
  const query = new URLSearchParams({ lang: document.documentElement.lang, embed: 1 });
  const title = document.title.replace(/[&"<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
  const source = `${location.origin}/?${query}${location.hash}`.replaceAll("&", "&amp;");
  byId("embed-code").value = `<iframe src="${source}" title="${title}" width="960" height="600" loading="lazy"></iframe>`;
  if (!box.hidden) byId("embed-code").select();
}

const pin = (fingerprint) => fingerprint?.slice(0, 12) ?? null;

const showTour = async () => (await import("./tour.js")).showTour(byId("tour"), () => map?.resize());

async function copyLink() {
  const copied = await navigator.clipboard?.writeText(location.href).then(
    () => true,
    () => false,
  );
  byId("copy").textContent = copied ? _("Copied") : _("Copy it from the address bar"); // plain http has no clipboard
  setTimeout(() => {
    byId("copy").textContent = _("Copy link");
  }, 2000);
}
