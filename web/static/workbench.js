// The workbench of What if: every question answered so far as a dot on the frontier and a row to sort, compare, export.

import * as data from "./data.js";
import { byId, h } from "./dom.js";
import { NOTHING, crore, hours, number, percent, rupees, signed } from "./format.js";
import { drawFrontier, marginals } from "./frontier.js";
import { _ } from "./i18n.js";
import { save } from "./share.js";
import { fillSelect } from "./shell.js";
import { createTable } from "./table.js";

const UNPINNED = "unpinned"; // runs that were taken off the table, in the browser's own memory
const BASE = "base";
const FORMULA = /^[=+\-@\t\r]/; // what a spreadsheet would take for one

const share = (rows, test) => (rows.length ? rows.filter(test).length / rows.length : null);

// How many of the sites that draws chose again in nine of ten of them; null where they were not drawn.
function coreShare(sites) {
  const drawn = sites.filter((row) => row.chosen_share !== null && row.chosen_share !== undefined);
  return share(drawn, (row) => row.chosen_share >= 0.9);
}

// Rows of a batch of the command line: off the line, since they differ in more than the budget.
export const batchRows = ({ id, rows }) =>
  data.rows(rows).map((row) => ({
    ...row,
    id: `batch:${id}:${row.scenario}`,
    name: row.scenario,
    rules: row.capex_inr_crore === null ? `${id}: ${row.status}` : id,
    kind: "batch",
  }));

// One row per answered question of this browser to the base, the base itself, and those of the batch chosen.
export function scenarioRows(state, runs, ruleText, batch = null) {
  const mine = runs.filter((run) => run.mine && run.kind === "what-if" && run.state === "finished" && run.figures);
  const same = mine.filter((run) => JSON.stringify(run.base) === JSON.stringify(state.base));
  const { summary, sites } = state.baseline;
  const base = {
    id: BASE,
    name: _("Base: {name}", { name: summary.study }),
    budget_inr_crore: summary.budget_inr_crore,
    rules: "",
    sites: sites.length,
    capex_inr_crore: summary.capex_inr_crore,
    saving_inr_per_year: summary.saving_inr_per_year,
    benefit_cost_ratio: summary.benefit_cost_ratio,
    mean_hours: summary.after.mean_hours,
    saving_low_inr_per_year: summary.draws?.own_saving?.low_inr_per_year ?? null,
    saving_high_inr_per_year: summary.draws?.own_saving?.high_inr_per_year ?? null,
    core_share: coreShare(sites),
    kind: "",
  };
  const rows = same.map((run) => {
    const budget = run.changes.budget_inr_crore ?? summary.budget_inr_crore;
    const rules = ruleText(run);
    const name = [crore(budget), rules].filter(Boolean).join(", ");
    const saving = { saving_inr_per_year: run.saving_inr_per_year };
    return { id: run.id, name, budget_inr_crore: budget, rules, ...run.figures, ...saving, kind: rules ? "rules" : "" };
  });
  const all = [base, ...rows, ...(batch ? batchRows(batch) : [])];
  const next = marginals(all.filter((row) => !row.kind));
  return all.map((row) => ({
    ...row,
    against: row.id === BASE || row.saving_inr_per_year === null ? null : row.saving_inr_per_year - base.saving_inr_per_year,
    marginal_inr_per_crore: next.get(row) ?? null,
  }));
}

const numeric = true;
const DATA = [
  { name: _("Budget"), key: "budget_inr_crore", show: crore, numeric },
  { name: _("Rules"), key: "rules", show: (text) => text || NOTHING },
  { name: _("New sites"), key: "sites", show: (v) => number(v), numeric },
  { name: _("Spent"), key: "capex_inr_crore", show: crore, numeric },
  { name: _("Saving a year"), key: "saving_inr_per_year", show: rupees, numeric },
  { name: _("Least of nine in ten draws"), key: "saving_low_inr_per_year", show: rupees, numeric },
  { name: _("Most of nine in ten draws"), key: "saving_high_inr_per_year", show: rupees, numeric },
  { name: _("Core share"), key: "core_share", show: (v) => percent(v), numeric },
  { name: _("Against the base"), key: "against", show: (v) => signed(v, rupees), numeric },
  { name: _("Last crore saves a year"), key: "marginal_inr_per_crore", show: rupees, numeric },
  { name: _("Benefit–cost ratio"), key: "benefit_cost_ratio", show: (v) => number(v, 2), numeric },
  { name: _("Mean time"), key: "mean_hours", show: hours, numeric },
];

// `on`: open(id or null for the base), batch(id or ""), ruleText(run).
export function createWorkbench(on) {
  let sort = { key: "budget_inr_crore", down: false };
  let rows = [];
  let shown = [];

  const unpinned = () => JSON.parse(localStorage.getItem(UNPINNED) ?? "[]");
  const planOf = (row) => (row.kind === "batch" ? row.plan : `run:${row.id}`);

  // A question is asked again; the plan of a batch is looked at.
  function open(id) {
    const row = shown.find((one) => one.id === id);
    if (row?.kind !== "batch") return on.open(id === BASE ? null : id);
    if (row.plan) location.href = `/#${new URLSearchParams({ plan: row.plan })}`;
    return null;
  }

  function columns(state) {
    const a = state.base.plan ?? `run:${state.firstRun}`;
    const compare = (_value, row) => {
      if (row.id === BASE || !planOf(row)) return NOTHING;
      const hash = new URLSearchParams({ a, b: planOf(row) });
      return h(
        "a",
        { href: `/compare#${hash}`, "aria-label": _("Compare with the base: {name}", { name: row.name }) },
        _("Compare"),
      );
    };
    const unpin = (_value, row) => {
      if (row.id === BASE || row.kind === "batch") return "";
      const onclick = () => {
        localStorage.setItem(UNPINNED, JSON.stringify([...unpinned(), row.id].slice(-500)));
        draw(state);
      };
      return h(
        "button",
        { type: "button", class: "link", "aria-label": _("Take off: {name}", { name: row.name }), onclick },
        "×",
      );
    };
    return [
      { name: _("Scenario"), key: "name", show: (text) => text },
      ...DATA,
      { name: _("Compare"), key: "id", show: compare },
      { name: _("Take off"), key: "id", show: unpin },
    ];
  }

  function draw(state) {
    const gone = new Set(unpinned());
    shown = rows.filter((row) => !gone.has(row.id));
    const current = state.run?.id ?? BASE;
    const letter = (row) => (row.id === BASE ? "A" : row.id === current ? "B" : null);
    const solved = shown.filter((row) => row.capex_inr_crore !== null && row.saving_inr_per_year !== null);
    const points = solved.map((row) => ({ ...row, letter: letter(row) }));
    drawFrontier(byId("frontier"), points, open, innerWidth > 800 ? [720, 260] : [360, 220]);
    const fill = createTable(byId("scenarios"), {
      layer: "scenarios",
      caption: _("Scenarios"),
      columns: columns(state),
      pick: (row) => open(row.id),
      onSort: (column) => {
        sort = { key: column.key, down: sort.key === column.key ? !sort.down : Boolean(column.numeric) };
        fill(shown, sort);
      },
    });
    fill(shown, sort);
    byId("export").disabled = shown.length === 0;
  }

  byId("export").onclick = () => save(new Blob([`\ufeff${csvOf(shown)}\r\n`], { type: "text/csv" }), "scenarios.csv");
  return async (state) => {
    const [{ runs }, { batches }] = await Promise.all([data.get(`${data.API}/runs`), data.get(`${data.API}/batches`)]);
    const whole = batches.filter((batch) => batch.rows);
    const choices = [["", _("none")], ...whole.map(({ id }) => [id, id])];
    const chosen = whole.find(({ id }) => id === state.batch) ?? null;
    byId("batches").hidden = !whole.length;
    fillSelect(byId("batch"), choices, chosen?.id ?? "", on.batch);
    rows = scenarioRows(state, runs, on.ruleText, chosen);
    draw(state);
  };
}

// The table as a spreadsheet takes it: plain numbers under the names of columns with their units.
export function csvOf(rows) {
  const keys = ["name", ...DATA.map((column) => column.key)];
  const cell = (value) => {
    if (value === null || value === undefined) return "";
    if (typeof value === "number") return String(value);
    const text = FORMULA.test(value) ? `'${value}` : value;
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const heads = {
    name: "scenario",
    against: "saving_against_base_inr_per_year",
    marginal_inr_per_crore: "last_crore_saves_inr_per_year",
  };
  return [keys.map((key) => heads[key] ?? key), ...rows.map((row) => keys.map((key) => cell(row[key])))]
    .map((line) => line.join(","))
    .join("\r\n");
}
