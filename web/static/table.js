// The map's data as a sortable table: everything the map shows by colour and click is here in words.

import { h } from "./dom.js";
import { crore, facility, hours, number, percent, rupees, words } from "./format.js";

const rupeesPerTonne = (value) => (value === null ? "–" : number(value));
const text = (value) => value ?? "–";

export const DISTRICT_COLUMNS = [
  { name: "District", key: "district", show: text },
  { name: "State", key: "state", show: text },
  { name: "Group", key: "under_utilised", show: (v) => (v ? "under\u2011utilised" : "leader") },
  { name: "Exports, US$ million", key: "export_usd", show: (v) => (v === null ? "–" : number(v / 1e6, 1)), numeric: true },
  { name: "Tonnes a year", key: "tonnes_per_year", show: (v) => number(v), numeric: true },
  { name: "Cost before, ₹/t", key: "cost_before_inr_per_t", show: rupeesPerTonne, numeric: true },
  { name: "Cost after, ₹/t", key: "cost_after_inr_per_t", show: rupeesPerTonne, numeric: true },
  { name: "Hours to gateway", key: "hours_to_gateway_after", show: hours, numeric: true },
  { name: "CO2e avoided, t", key: "co2e_cut_t_per_year", show: (v) => number(v), numeric: true },
  { name: "Saving a year", key: "saving_inr_per_year", show: rupees, numeric: true },
  { name: "Hub", key: "hub_1", show: text },
  { name: "Port", key: "gateway_after", show: text },
];

export const SITE_COLUMNS = [
  { name: "Site", key: "name", show: text },
  { name: "State", key: "state", show: text },
  { name: "Type", key: "facility_type", show: facility },
  { name: "Tier", key: "tier", show: words },
  { name: "Status", key: "status", show: text },
  { name: "Capital", key: "capex_inr_crore", show: crore, numeric: true },
  { name: "Capacity, t a year", key: "capacity_t_per_year", show: (v) => number(v), numeric: true },
  { name: "Used, t a year", key: "throughput_t_per_year", show: (v) => number(v), numeric: true },
  { name: "Utilisation", key: "utilisation", show: (v) => percent(v), numeric: true },
  { name: "Districts", key: "districts_served", show: (v) => number(v), numeric: true },
  { name: "Saving a year", key: "saving_inr_per_year", show: rupees, numeric: true },
];

export function createTable(container, { caption, columns, rows, sortBy, pick }) {
  const state = { key: sortBy, down: true, filter: "" };
  const body = h("tbody");
  const told = h("p", { class: "quiet", role: "status" });
  const filter = h("input", { type: "search", placeholder: "Filter by any word in the table", "aria-label": `Filter ${caption}`,
    oninput: (event) => { state.filter = event.target.value.trim().toLowerCase(); fill(); } });
  const heads = columns.map((column) => h("th", { scope: "col", class: column.numeric ? "numeric" : null },
    h("button", { type: "button", onclick: () => sort(column) }, column.name)));
  const table = h("table", { class: "data" }, h("caption", {}, caption), h("thead", {}, h("tr", {}, heads)), body);
  container.replaceChildren(h("div", { class: "table-tools" }, filter, told), h("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": caption }, table));

  function sort(column) {
    state.down = state.key === column.key ? !state.down : Boolean(column.numeric);
    state.key = column.key;
    fill();
  }

  function fill() {
    columns.forEach((column, i) => {
      if (column.key === state.key) heads[i].setAttribute("aria-sort", state.down ? "descending" : "ascending");
      else heads[i].removeAttribute("aria-sort");
    });
    const found = rows
      .map((row, index) => ({ row, index }))
      .filter(({ row }) => columns.some((c) => !c.numeric && String(c.show(row[c.key])).toLowerCase().includes(state.filter)))
      .sort((a, b) => order(a.row[state.key], b.row[state.key], state.down));
    told.textContent = `${number(found.length)} of ${number(rows.length)}`;
    body.replaceChildren(...found.map(({ row, index }) => h("tr", {}, columns.map((column, i) =>
      i === 0
        ? h("th", { scope: "row" }, h("button", { type: "button", class: "link", onclick: () => pick(index) }, column.show(row[column.key])))
        : h("td", { class: column.numeric ? "numeric" : null }, column.show(row[column.key]))))));
  }

  fill();
}

// What is missing comes last, whichever way.
function order(a, b, down) {
  if (a === b) return 0;
  if (a === null || a === undefined) return 1;
  if (b === null || b === undefined) return -1;
  const rising = typeof a === "string" ? a.localeCompare(b, "en-IN") : a - b;
  return down ? -rising : rising;
}
