// The page: one plan, one measure, one selection; all three are in the address, so that a view can be passed on.

import * as data from "./data.js";
import { districtCard, hoverText, servedText, siteCard } from "./card.js";
import { byId, h } from "./dom.js";
import { count, crore, facility, number, percent, rupees, words } from "./format.js";
import { createGlMap, webglWorks } from "./glmap.js";
import { symbolCanvas } from "./icons.js";
import { MEASURES, classify } from "./measures.js";
import { createSearch } from "./search.js";
import { createSvgMap } from "./svgmap.js";
import { DISTRICT_COLUMNS, SITE_COLUMNS, createTable } from "./table.js";

const NETWORK = { roads: "road", rail: "rail" };

const view = { plan: null, measure: "saving", tab: "map", selection: null };
let plans = [];
let plan = null;
let map = null;
let opener = null; // where the keyboard was before the card opened

const byKey = (rows, column, value) => rows.findIndex((row) => row[column] === value);

start().catch(fail);

async function start() {
  const address = new URLSearchParams(location.hash.slice(1));
  plans = await data.plans();
  const chooser = byId("plan");
  chooser.replaceChildren(...plans.map((p) => h("option", { value: p.key }, planName(p))));
  chooser.onchange = () => openPlan(chooser.value).catch(fail);
  byId("measure").replaceChildren(...Object.entries(MEASURES).map(([key, m]) => h("option", { value: key }, m.label)));
  byId("measure").onchange = () => setMeasure(byId("measure").value);
  for (const tab of document.querySelectorAll("[data-tab]")) tab.onclick = () => setTab(tab.dataset.tab);
  for (const box of document.querySelectorAll("[data-layer]")) box.onchange = () => setLayer(box).catch(fail);
  for (const place of document.querySelectorAll("[data-symbol]")) place.append(legendSymbol(place.dataset.symbol));
  if (innerWidth <= 800) byId("layers").open = false;
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll(".files details")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") select(null); });
  const known = plans.some((p) => p.key === address.get("plan")) ? address.get("plan") : plans[0].key;
  if (address.get("measure") in MEASURES) view.measure = address.get("measure");
  await openPlan(known);
  if (["districts", "sites"].includes(address.get("view"))) setTab(address.get("view"));
  const row = { district: byKey(plan.districts, "district_id", address.get("district")), site: byKey(plan.sites, "site_id", address.get("site")) };
  for (const kind of ["district", "site"]) if (row[kind] >= 0) await select({ kind, row: row[kind] });
  document.documentElement.dataset.ready = "yes";
}

function planName(p) {
  const budget = p.budget_inr_crore === null ? "" : `, ${crore(p.budget_inr_crore)}`;
  const twins = plans.filter((other) => other.study === p.study && other.budget_inr_crore === p.budget_inr_crore);
  return `${p.study ?? p.key}${budget}${twins.length > 1 ? ` (${p.key})` : ""}`;
}

async function openPlan(key) {
  document.documentElement.dataset.ready = "no";
  plan = await data.plan(key);
  view.plan = byId("plan").value = key;
  view.selection = null;
  byId("card").hidden = true;
  document.title = `${plan.summary.study} – export hubs`;
  showFigures(plan.summary);
  showDownloads(plans.find((p) => p.key === key));
  createSearch(byId("search"), byId("found"), plan.districts, (row) => select({ kind: "district", row }));
  fillTables();
  map?.remove();
  const on = { hover: showTip, pick };
  const canDraw = webglWorks();
  byId("no-webgl").hidden = canDraw;
  map = await (canDraw ? createGlMap : createSvgMap)(byId("map"), plan, on);
  setMeasure(view.measure);
  await Promise.all([...document.querySelectorAll("[data-layer]")].map(setLayer));
  document.documentElement.dataset.ready = "yes";
}

function showFigures(s) {
  const kinds = [...data.groupBy(plan.sites, (row) => row.facility_type)]
    .sort((a, b) => b[1].length - a[1].length)
    .map(([type, rows]) => count(rows.length, facility(type).toLowerCase(), `${facility(type).toLowerCase()}s`));
  const cost = s.before.cost_inr_per_year;
  const entries = [
    ["Benefit–cost ratio", number(s.benefit_cost_ratio, 2), s.payback_years ? `paid back in ${number(s.payback_years, 1)} years` : "never paid back"],
    ["Spent", crore(s.capex_inr_crore), `of ${crore(s.budget_inr_crore)}`],
    ["New sites", number(plan.sites.length), kinds.join(", ")],
    ["Districts served", number(s.counts.served_by_hub), `of ${number(s.counts.under_utilised)} under-utilised`],
  ];
  byId("saving").replaceChildren(
    h("strong", {}, rupees(s.saving_inr_per_year)),
    h("span", {}, ` saved a year: ${percent(cost ? s.saving_inr_per_year / cost : null, 1)} of today's cost of under-utilised districts, the sites' running costs paid`));
  byId("figures").replaceChildren(...entries.map(([name, value, more]) => h("div", {}, h("dt", {}, name), h("dd", {}, h("strong", {}, value), h("span", { class: "quiet" }, more)))));
  const proven = s.status === "optimal";
  byId("proof").className = proven ? "proof proven" : "proof";
  byId("proof").textContent = proven
    ? `Proven within ${percent(s.gap, 3)} of the best possible plan`
    : `Not proven: the best possible plan may cost up to ${percent(s.gap, 2)} less`;
  const own = s.resolved_study?.data?.districts;
  if (own) byId("boundaries").textContent = `District boundaries are those of ${own}.`;
  const cut = s.unreachable?.length ?? 0;
  byId("unreachable").textContent = cut ? `${count(cut, "district has", "districts have")} no road to a port: ${s.unreachable.map((d) => d.district).join(", ")}.` : "";
}

function showDownloads({ key, files }) {
  for (const link of document.querySelectorAll("[data-file]")) {
    link.href = `/results/${encodeURIComponent(key)}/${link.dataset.file}`;
    link.hidden = !files.includes(link.dataset.file);
  }
}

function fillTables() {
  createTable(byId("district-table"), { caption: "Districts", columns: DISTRICT_COLUMNS, rows: plan.districts, sortBy: "saving_inr_per_year",
    pick: (row) => { setTab("map"); select({ kind: "district", row }); } });
  createTable(byId("site-table"), { caption: "Sites", columns: SITE_COLUMNS, rows: plan.sites, sortBy: "saving_inr_per_year",
    pick: (row) => { setTab("map"); select({ kind: "site", row }); } });
}

function setMeasure(key) {
  view.measure = byId("measure").value = key;
  const measure = MEASURES[key];
  const { colours, legend } = classify(plan.districts, measure);
  map.paint(colours);
  byId("measure-note").textContent = measure.note;
  byId("legend").replaceChildren(...legend.map((entry) => h("li", {}, swatch(entry.colour), entry.label, h("span", { class: "amount", "aria-label": count(entry.count, "district", "districts") }, number(entry.count)))));
  remember();
}

function swatch(colour) {
  const mark = h("i", { class: "swatch" });
  mark.style.backgroundColor = colour;
  return mark;
}

function legendSymbol(name) {
  const canvas = symbolCanvas(name);
  canvas.className = "symbol";
  canvas.setAttribute("aria-hidden", "true");
  return canvas;
}

async function setLayer(box) {
  const name = box.dataset.layer;
  await map.show(name, box.checked, name in NETWORK ? () => data.network(NETWORK[name]) : null);
}

function setTab(tab) {
  view.tab = tab;
  for (const button of document.querySelectorAll("[data-tab]")) {
    button.setAttribute("aria-pressed", String(button.dataset.tab === tab));
    byId(`tab-${button.dataset.tab}`).hidden = button.dataset.tab !== tab;
  }
  byId("panel").hidden = tab !== "map";
  if (tab === "map") map.resize();
  remember();
}

function pick(found) {
  if (found && !["district", "site"].includes(found.kind)) {
    return select(found.under === undefined ? null : { kind: "district", row: found.under }).catch(fail);
  }
  return select(found).catch(fail);
}

async function select(selection) {
  view.selection = selection;
  map.choose(selection);
  showTip(null);
  remember();
  const card = byId("card");
  if (selection && !card.contains(document.activeElement)) opener = document.activeElement;
  if (!selection) {
    if (!card.hidden) opener?.focus({ preventScroll: true });
    card.hidden = true;
    map.drawLanes({ type: "FeatureCollection", features: [] });
    return;
  }
  const row = (selection.kind === "district" ? plan.districts : plan.sites)[selection.row];
  const lanes = await data.lanes(plan.key, selection.kind, selection.kind === "district" ? row.district_id : row.site_id);
  if (view.selection !== selection) return; // another one was chosen meanwhile
  const on = {
    pick,
    close: () => select(null),
    siteRow: (id) => byKey(plan.sites, "site_id", id),
    siteName: (i) => `${facility(plan.sites[i].facility_type)}, ${plan.sites[i].name}`,
    pickDistrict: (name) => pick({ kind: "district", row: plan.districts.findIndex((d) => `${d.district}, ${d.state}` === name) }),
  };
  card.replaceChildren(...(selection.kind === "district" ? districtCard : siteCard)(row, lanes, on).filter(Boolean));
  card.hidden = false;
  card.scrollTop = 0;
  card.querySelector("h2").focus({ preventScroll: true });
  map.drawLanes(lanes.movements);
  map.fit(boundsOf(lanes.movements, selection.kind === "district" ? row.bounds : [row.lon - 0.5, row.lat - 0.5, row.lon + 0.5, row.lat + 0.5]), { left: covered("layers"), right: covered("card") });
}

// Screen pixels of the map's width under a box; a narrow screen has none to spare.
function covered(id) {
  const wide = byId("map").clientWidth > 900;
  return wide && byId(id).open !== false ? byId(id).offsetWidth : 0;
}

function boundsOf(collection, [west, south, east, north]) {
  const box = [[west, south], [east, north]];
  for (const { geometry } of collection.features) {
    for (const [lon, lat] of geometry.coordinates) {
      box[0] = [Math.min(box[0][0], lon), Math.min(box[0][1], lat)];
      box[1] = [Math.max(box[1][0], lon), Math.max(box[1][1], lat)];
    }
  }
  return box;
}

function showTip(found, point) {
  const tip = byId("tip");
  tip.hidden = !found;
  if (!found) return;
  tip.replaceChildren(...hoverText(tipLines(found)));
  const map = byId("map").getBoundingClientRect();
  tip.style.left = `${Math.min(point.x + 14, map.width - tip.offsetWidth - 8)}px`;
  tip.style.top = `${Math.min(point.y + 14, map.height - tip.offsetHeight - 8)}px`;
}

function tipLines({ kind, row }) {
  if (kind === "site") {
    const site = plan.sites[row];
    return [site.name, `${facility(site.facility_type)}, ${words(site.tier)}`, servedText(site)];
  }
  if (kind === "ports") return [plan.gateways[row].name, plan.gateways[row].container_service ? "Port with container service" : "Port without container service"];
  if (kind === "depots") return [plan.depots[row].name, plan.depots[row].rail_served ? "Inland depot with rail" : "Inland depot"];
  const district = plan.districts[row];
  const measure = MEASURES[view.measure];
  return [`${district.district}, ${district.state}`, `${measure.label}: ${measure.format(district[measure.column])}`];
}

function remember() {
  const address = new URLSearchParams({ plan: view.plan, measure: view.measure });
  if (view.tab !== "map") address.set("view", view.tab);
  if (view.selection?.kind === "district") address.set("district", plan.districts[view.selection.row].district_id);
  if (view.selection?.kind === "site") address.set("site", plan.sites[view.selection.row].site_id);
  history.replaceState(null, "", `#${address}`);
}

function fail(error) {
  const notice = byId("notice");
  notice.hidden = false;
  notice.textContent = `This did not work: ${error.message}`;
  console.error(error);
}
