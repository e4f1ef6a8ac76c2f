// The map's data as sortable tables: everything the map shows by colour and click is here in words.

import { h } from "./dom.js";
import { NOTHING, crore, hours, number, percent, rupees, word } from "./format.js";
import { _, named } from "./i18n.js";

const text = (value) => value ?? NOTHING;
const whole = (value) => number(value);
const yesNo = (value) => (value ? _("yes") : _("no"));
const yesNoUnknown = (value) => (value === undefined || value === null ? NOTHING : yesNo(value));
const name = (column) => (_value, row) => named(row, column) ?? NOTHING;

const millions = (v) => (v === null ? NOTHING : number(v / 1e6, 1));
const position = (lon, lat) => [
  { name: _("Longitude"), key: lon, show: (v) => number(v, 3), numeric: true },
  { name: _("Latitude"), key: lat, show: (v) => number(v, 3), numeric: true },
];

const EDGES = [
  { name: _("Kind"), key: "edge_class", show: word },
  { name: _("State"), key: "state", show: name("state") },
  { name: _("Length, km"), key: "km", show: (v) => number(v, 1), numeric: true },
  ...position("from_lon", "from_lat").map((column) => ({
    ...column,
    name: _("{coordinate} of its start", { coordinate: column.name }),
  })),
  ...position("to_lon", "to_lat").map((column) => ({
    ...column,
    name: _("{coordinate} of its end", { coordinate: column.name }),
  })),
];

export const COLUMNS = {
  districts: [
    { name: _("District"), key: "district", show: name("district") },
    { name: _("State"), key: "state", show: name("state") },
    { name: _("Group"), key: "under_utilised", show: (v) => (v ? _("under-utilised") : _("leader")) },
    { name: _("Saving a year"), key: "saving_inr_per_year", show: rupees, numeric: true },
    { name: _("Exports, US$ million"), key: "export_usd", show: millions, numeric: true },
    { name: _("Tonnes a year"), key: "tonnes_per_year", show: whole, numeric: true },
    { name: _("Cost before, ₹/t"), key: "cost_before_inr_per_t", show: whole, numeric: true },
    { name: _("Cost after, ₹/t"), key: "cost_after_inr_per_t", show: whole, numeric: true },
    { name: _("Hours before"), key: "hours_before", show: hours, numeric: true },
    { name: _("Hours after"), key: "hours_after", show: hours, numeric: true },
    { name: _("Hours to port"), key: "hours_to_gateway_after", show: hours, numeric: true },
    { name: _("CO2e before, t"), key: "co2e_before_t_per_year", show: whole, numeric: true },
    { name: _("CO2e after, t"), key: "co2e_after_t_per_year", show: whole, numeric: true },
    { name: _("CO2e avoided, t"), key: "co2e_saved_t_per_year", show: whole, numeric: true },
    { name: _("Hub"), key: "hub_1", show: text },
    { name: _("Port"), key: "gateway_after", show: text },
  ],
  sites: [
    { name: _("Site"), key: "name", show: name("name") },
    { name: _("State"), key: "state", show: name("state") },
    { name: _("Type"), key: "facility_type", show: word },
    { name: _("Size"), key: "tier", show: word },
    { name: _("Status"), key: "status", show: word },
    { name: _("Capital"), key: "capex_inr_crore", show: crore, numeric: true },
    { name: _("Capacity, t a year"), key: "capacity_t_per_year", show: whole, numeric: true },
    { name: _("Used, t a year"), key: "throughput_t_per_year", show: whole, numeric: true },
    { name: _("Utilisation"), key: "utilisation", show: (v) => percent(v), numeric: true },
    { name: _("Districts served"), key: "districts_served", show: whole, numeric: true },
    { name: _("Saving a year"), key: "saving_inr_per_year", show: rupees, numeric: true },
    { name: _("Net of its running"), key: "net_saving_inr_per_year", show: rupees, numeric: true },
    { name: _("Recovers its capital"), key: "recovers_capital", show: yesNoUnknown, numeric: false },
  ],
  lanes: [
    { name: _("District"), key: "district", show: name("district") },
    { name: _("State"), key: "state", show: name("state") },
    { name: _("Cargo"), key: "cargo_class", show: word },
    { name: _("Load"), key: "load", show: word },
    { name: _("Part"), key: "part", show: whole, numeric: true },
    { name: _("Mode"), key: "mode", show: word },
    { name: _("From"), key: "from", show: text },
    { name: _("To"), key: "to", show: text },
    { name: _("Distance, km"), key: "km", show: whole, numeric: true },
    { name: _("Hours"), key: "hours", show: hours, numeric: true },
    { name: _("Cost, ₹/t"), key: "cost_inr_per_t", show: whole, numeric: true },
    { name: _("Tonnes a year"), key: "tonnes_per_year", show: whole, numeric: true },
  ],
  gateways: [
    { name: _("Port"), key: "name", show: name("name") },
    { name: _("State"), key: "state", show: name("state") },
    { name: _("Container service"), key: "container_service", show: yesNo },
    ...position("lon", "lat"),
  ],
  depots: [
    { name: _("Depot"), key: "name", show: name("name") },
    { name: _("State"), key: "state", show: name("state") },
    { name: _("Served by rail"), key: "rail_served", show: yesNo },
    ...position("lon", "lat"),
  ],
  states: [
    { name: _("State"), key: "state", show: name("state") },
    { name: _("Districts"), key: "districts", show: whole, numeric: true },
    { name: _("Exports, US$ million"), key: "export_usd", show: millions, numeric: true },
    { name: _("Tonnes a year"), key: "tonnes_per_year", show: whole, numeric: true },
    { name: _("New sites"), key: "sites", show: whole, numeric: true },
    { name: _("Capital"), key: "capex_inr_crore", show: crore, numeric: true },
    { name: _("Saving a year"), key: "saving_inr_per_year", show: rupees, numeric: true },
  ],
  roads: EDGES,
  rail: EDGES,
};

// A table that is filled again and again; its heads keep the focus. `pick(row)` makes first cells buttons, `light(row)`
// is told which row one points at, null for none.
export function createTable(container, { layer, caption, columns, onSort, pick, light }) {
  const body = h("tbody");
  const heads = columns.map((column) =>
    h(
      "th",
      { scope: "col", class: column.numeric ? "numeric" : null },
      h("button", { type: "button", onclick: () => onSort(column) }, column.name),
    ),
  );
  container.replaceChildren(
    h("table", { class: "data", "data-layer": layer }, h("caption", {}, caption), h("thead", {}, h("tr", {}, heads)), body),
  );

  return (rows, sort) => {
    columns.forEach((column, i) => {
      if (column.key === sort.key) heads[i].setAttribute("aria-sort", sort.down ? "descending" : "ascending");
      else heads[i].removeAttribute("aria-sort");
    });
    body.replaceChildren(
      ...[...rows]
        .sort((a, b) => order(a[sort.key], b[sort.key], sort.down))
        .map((row) =>
          h(
            "tr",
            light && {
              onmouseenter: () => light(row),
              onmouseleave: () => light(null),
              onfocusin: () => light(row),
              onfocusout: () => light(null),
            },
            columns.map((column, i) => {
              const shown = column.show(row[column.key], row);
              if (i > 0) return h("td", { class: column.numeric ? "numeric" : null }, shown);
              return h(
                "th",
                { scope: "row" },
                pick ? h("button", { type: "button", class: "link", onclick: () => pick(row) }, shown) : shown,
              );
            }),
          ),
        ),
    );
  };
}

// What is missing comes last, whichever way.
function order(a, b, down) {
  if (a === b) return 0;
  if (a === null || a === undefined) return 1;
  if (b === null || b === undefined) return -1;
  const rising = typeof a === "string" ? a.localeCompare(b, "en-IN") : a - b;
  return down ? -rising : rising;
}
