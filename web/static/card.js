// What is known of one district or site, with its lanes.

import { h } from "./dom.js";
import { count, crore, facility, hours, number, percent, rupees, short, tonnes, words } from "./format.js";

const LISTED_DISTRICTS = 30;

export function districtCard(row, lanes, on) {
  const sites = lanes.sites.map((id) => on.siteRow(id)).filter((site) => site >= 0);
  return [
    heading(row.district, row.district_hi, row.state, on),
    h("p", { class: "tags" },
      tag(row.under_utilised ? "Under-utilised" : "Leader"),
      row.cost_before_inr_per_t === null ? tag(row.tonnes_per_year > 0 ? "No road to a port" : "No containable cargo") : null),
    row.cost_before_inr_per_t === null ? null
      : row.saving_inr_per_year ? figure(rupees(row.saving_inr_per_year), "saved a year") : figure("No saving", "in this plan"),
    row.cost_before_inr_per_t === null ? null : compare([
      ["Cost per tonne", row.cost_before_inr_per_t, row.cost_after_inr_per_t, (v) => (v === null ? "–" : `₹${number(v)}`)],
      ["Hours, port dwell included", row.hours_before, row.hours_after, hours],
      ["CO2e a year", row.co2e_before_t_per_year, row.co2e_after_t_per_year, tonnes],
    ]),
    facts([
      ["Port", before(row.gateway_before, row.gateway_after)],
      ["Hub", [row.hub_1, row.hub_2].filter(Boolean).join(" and ") || "no new site"],
      ["Exports a year", row.export_usd === null ? "–" : `US$ ${short(row.export_usd / 1e6)} million`],
      ["Cargo a year", tonnes(row.tonnes_per_year)],
      ["Hours to the port's gate", hours(row.hours_to_gateway_after)],
    ]),
    sites.length ? section("Sites it uses", links(sites, (i) => on.siteName(i), (i) => on.pick({ kind: "site", row: i }))) : null,
    laneSection(lanes),
  ];
}

export function siteCard(row, lanes, on) {
  const cargo = new Map();
  for (const lane of lanes.lanes) {
    const name = `${lane.district}, ${lane.state}`;
    cargo.set(name, (cargo.get(name) ?? 0) + lane.tonnes_per_year);
  }
  const served = [...cargo].sort((a, b) => b[1] - a[1]).slice(0, LISTED_DISTRICTS);
  return [
    heading(row.name, null, row.state, on),
    h("p", { class: "tags" }, tag(facility(row.facility_type)), tag(words(row.tier)), tag(row.status)),
    figure(rupees(row.saving_inr_per_year), "saved a year through this site"),
    facts([
      ["Capital", crore(row.capex_inr_crore)],
      ["Capacity a year", tonnes(row.capacity_t_per_year)],
      ["Used a year", `${tonnes(row.throughput_t_per_year)} (${percent(row.utilisation)})`],
      ["Districts served", number(row.districts_served)],
    ]),
    h("meter", { class: "use", min: 0, max: 1, value: row.utilisation ?? 0, "aria-label": "Utilisation" }),
    section("Districts by cargo through here", h("ul", { class: "plain" }, served.map(([name, t]) =>
      h("li", {}, h("button", { type: "button", class: "link", onclick: () => on.pickDistrict(name) }, name), h("span", { class: "amount" }, tonnes(t)))))),
    key(lanes.movements.features),
  ];
}

function heading(name, hindi, state, on) {
  return h("header", {},
    h("h2", { tabindex: "-1" }, name),
    h("p", { class: "quiet" }, hindi ? h("span", { lang: "hi" }, hindi) : null, hindi ? " · " : null, state),
    h("button", { type: "button", class: "close", "aria-label": "Close", onclick: on.close }, "×"));
}

const tag = (text) => h("span", { class: "tag" }, text);
const figure = (value, label) => h("p", { class: "figure" }, h("strong", {}, value), " ", label);
const section = (title, ...content) => h("section", {}, h("h3", {}, title), content);
const before = (old, now) => (old === now || !old ? now ?? "–" : `${now} (before: ${old})`);

function facts(rows) {
  return h("dl", { class: "facts" }, rows.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

function compare(rows) {
  return h("table", { class: "compare" },
    h("thead", {}, h("tr", {}, h("td", {}), ["Before", "After", "Change"].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, rows.map(([name, old, now, format]) => {
      const change = old ? (now - old) / old : null;
      const text = change === null ? "–" : `${change > 0 ? "+" : change < 0 ? "−" : ""}${number(Math.abs(100 * change), 1)} %`;
      return h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, format(old)), h("td", {}, format(now)), h("td", {}, text));
    })));
}

function links(rows, name, pick) {
  return h("ul", { class: "plain" }, rows.map((row) =>
    h("li", {}, h("button", { type: "button", class: "link", onclick: () => pick(row) }, name(row)))));
}

function key(features) {
  const modes = new Set(features.map((feature) => feature.properties.mode));
  const line = (mode) => h("span", {}, h("i", { class: `stroke ${mode}` }), mode);
  return modes.size ? h("p", { class: "key" }, ["road", "rail"].filter((mode) => modes.has(mode)).map(line)) : null;
}

function laneSection(lanes) {
  if (!lanes.lanes.length) return null;
  return section("Lanes", key(lanes.movements.features), lanes.lanes.map((lane) =>
    h("details", { class: "lane", open: lane === lanes.lanes[0] },
      h("summary", {}, `${lane.cargo_class === "perishable" ? "Perishable" : "General"} cargo, ${lane.load} loads`,
        h("span", { class: "amount" }, tonnes(lane.tonnes_per_year))),
      h("ol", { class: "parts" }, lane.parts.map(part)),
      h("p", { class: "quiet" }, `₹${number(lane.cost_inr_per_t)} per tonne, ${hours(lane.hours)}`))));
}

function part(p) {
  const moves = p.mode === "road" || p.mode === "rail";
  const inside = p.from === p.to;
  const doing = { handling: "Handling", dwell: "Waiting", road: "Road", rail: "Rail" }[p.mode] ?? words(p.mode);
  const where = !moves ? `${doing} at ${p.to}` : inside ? `${doing} in ${p.to}` : `${doing} to ${p.to}`;
  const size = moves ? `${number(p.km)} km` : p.hours ? hours(p.hours) : "";
  return h("li", { class: p.mode },
    h("span", {}, where, size ? h("span", { class: "quiet" }, ` · ${size}`) : null),
    h("span", { class: "amount" }, `₹${number(p.cost_inr_per_t)}`));
}

export const hoverText = (lines) => lines.filter(Boolean).map((line, i) => h(i ? "span" : "strong", {}, line));
export const servedText = (row) => count(row.districts_served, "district served", "districts served");
