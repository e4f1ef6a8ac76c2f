// The table twin of each layer: of the filter and the selection of the map, sorted as one likes.

import * as data from "./data.js";
import { byId } from "./dom.js";
import * as filters from "./filter.js";
import { number } from "./format.js";
import { _, ngettext } from "./i18n.js";
import * as shell from "./shell.js";
import { COLUMNS, createTable } from "./table.js";

const LISTED = 500; // rows of a long layer; its files hold all
const LONG = ["lanes", "roads", "rail"]; // filtered and sorted by the server
const BY_NAME = ["gateways", "depots"];

export const SORTED = {
  districts: "saving_inr_per_year",
  sites: "net_saving_inr_per_year",
  lanes: "tonnes_per_year",
  gateways: "name",
  depots: "name",
  states: "saving_inr_per_year",
  roads: "km",
  rail: "km",
};

// `page`: plan(), view, shownDistricts(), chosen(), pick(kind, row), light(row), remember(). Returns what fills the table.
export function createTablePage(page) {
  let asked = 0; // counts questions, so that a late answer to an old one is dropped
  let states = { plan: null, rows: [] }; // of the plan, once its table was asked for

  async function statesOf(plan) {
    if (states.plan !== plan) {
      const answer = await data.get(`${plan.base}/tables/states.json`);
      states = { plan, rows: data.rows(answer.columns).map(plan.inWords) };
    }
    return states.rows;
  }

  // Rows of a layer as the filter leaves them, and how many there are in all; null where the question is an old one.
  async function rowsOf(plan, layer, wanted, sort) {
    const question = (asked += 1);
    if (LONG.includes(layer)) {
      const query = new URLSearchParams([...wanted, ["sort", sort], ["limit", LISTED]]);
      const answer = await shell.attempt(() => data.get(`${plan.base}/tables/${layer}.json?${query}`));
      return answer && question === asked ? { rows: data.rows(answer.columns).map(plan.inWords), all: answer.matches } : null;
    }
    if (layer === "districts") return { rows: page.shownDistricts(), all: plan.districts.length };
    const rows = layer === "states" ? await statesOf(plan) : plan[layer];
    return question === asked ? { rows: rows.filter(filters.shows[layer](page.view.filter)), all: rows.length } : null;
  }

  async function fill() {
    const { view } = page;
    const plan = page.plan();
    page.remember();
    if (view.tab === "map") return;
    const { layer } = view;
    view.sort ??= { key: SORTED[layer], down: !BY_NAME.includes(layer) };
    const wanted = [...filters.query(view.filter, layer, view), ...(layer === "lanes" ? page.chosen() : [])];
    for (const link of document.querySelectorAll("[data-download]")) {
      link.href = `${plan.base}/tables/${layer}.${link.dataset.download}?${new URLSearchParams(wanted)}`;
    }
    const found = await rowsOf(plan, layer, wanted, `${view.sort.down ? "-" : ""}${view.sort.key}`);
    if (found) show(plan, layer, found);
  }

  function show(plan, layer, { rows, all }) {
    const { view } = page;
    const kind = { districts: "district", sites: "site" }[layer];
    const focused = byId("table").contains(document.activeElement) ? document.activeElement.textContent : null;
    const draw = createTable(byId("table"), {
      layer,
      caption: byId("layer").selectedOptions[0].textContent,
      columns: COLUMNS[layer],
      pick: kind && ((row) => page.pick(kind, row)),
      light: layer === "districts" || layer === "sites" || layer === "states" ? page.light : null,
      onSort: (column) => {
        view.sort = { key: column.key, down: view.sort.key === column.key ? !view.sort.down : Boolean(column.numeric) };
        if (rows.length < all && LONG.includes(layer)) return shell.attempt(fill);
        draw(rows, view.sort);
        return page.remember();
      },
    });
    draw(rows, view.sort);
    if (focused) [...byId("table").querySelectorAll("thead button")].find((head) => head.textContent === focused)?.focus();
    byId("row-count").textContent =
      rows.length === all
        ? ngettext("{n} row", "{n} rows", all)
        : _("{n} of {all} rows", { n: number(rows.length), all: number(all) });
  }

  return fill;
}
