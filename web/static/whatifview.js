// What if, drawn from its state: the question, how far its answer is, and what the answer says.

import { runMessage } from "./data.js";
import { byId, h } from "./dom.js";
import { crore, number, percent, rupees, signed, word } from "./format.js";
import { _, named, ngettext } from "./i18n.js";
import { PLAIN, diverge } from "./measures.js";
import * as questions from "./question.js";
import { ended } from "./runs.js";
import * as shell from "./shell.js";

const STAGES = {
  queued: _("Waiting for a free solver"),
  load: _("Reading the study"),
  matrices: _("Measuring roads and railways"),
  lanes: _("Listing the ways to a port"),
  solve: _("Solving"),
  tables: _("Writing tables"),
  write: _("Writing"),
  report: _("Drawing the map and the report"),
  done: _("Done"),
};

export const stageText = (stage) => STAGES[stage] ?? word(stage);
export const question = (state) => state.steps.at(-1);
export const own = (state) => questions.ofStudy(state.baseline.summary.resolved_study);
export const isBase = (state) => state.shown === state.baseline;

// The state as a page. `on`: change(question); `map` may be null while it is made.
export function render(state, map, on) {
  if (!state.baseline || !question(state)) return;
  renderWork(state);
  renderSaving(state);
  renderAge(state);
  // The rest follows from the question alone: news of a run must not move what one is writing, nor draw the map anew.
  const asked = [question(state), state.baseline, state.options, state.levers, map, byId("show-options").checked];
  if (asked.every((part, i) => part === drawn[i])) return;
  drawn = asked;
  renderQuestion(state, on);
  if (map) renderMap(state, map);
}

let drawn = [];

// ---- how far the answer is

function renderWork(state) {
  const { run } = state;
  const busy = Boolean(run && !ended(run)) && !state.trouble;
  const progress = byId("progress");
  progress.hidden = !busy;
  if (busy && run.gap) progress.value = Math.min(1, run.gap_asked / run.gap);
  else progress.removeAttribute("value");
  byId("cancel").hidden = !busy;
  byId("restart").hidden = busy || !run || run.state === "finished" || Boolean(state.trouble) || state.asking;
  byId("save").querySelector("button").disabled = run?.state !== "finished";
  if (state.trouble) return showWork("", _("This failed: {why}", { why: state.trouble }));
  if (state.asking) return showWork(" working", _("Asking"));
  if (!run) return shell.showProof(state.baseline.summary.status === "optimal", state.baseline.summary);
  if (run.state === "finished") {
    shell.showProof(run.proven, run);
    return byId("proof").append(` · ${_("{n} s", { n: number(run.elapsed_s, 1) })}`);
  }
  return busy ? showWork(" working", busyText(run)) : showWork("", endText(run));
}

function showWork(kind, text) {
  byId("proof").className = `proof${kind}`;
  byId("proof").textContent = text;
}

function busyText(run) {
  const ahead = run.position ? _("{n} ahead of it", { n: number(run.position) }) : null;
  const gap = run.gap ? _("gap {gap}", { gap: percent(run.gap, 2) }) : null;
  return [stageText(run.stage), ahead, gap].filter(Boolean).join(" · ");
}

const endText = (run) =>
  ({
    failed: _("This failed: {why}", { why: runMessage(run) }),
    cancelled: _("Cancelled"),
    interrupted: _("Interrupted: {why}", { why: runMessage(run) }),
  })[run.state];

// What the search has so far is shown while it runs; where it failed it is no answer.
function renderSaving({ run, shown, baseline, trouble, asking }) {
  const answering = run && !trouble && !asking && (!ended(run) || run.state === "finished");
  const saving = (answering ? run.saving_inr_per_year : null) ?? shown.summary.saving_inr_per_year;
  const more = saving - baseline.summary.saving_inr_per_year;
  byId("saving").replaceChildren(h("strong", {}, rupees(saving)), h("span", {}, ` ${_("saved a year")}`));
  byId("against").textContent =
    Math.abs(more) < 1 ? _("as in the base") : _("{change} a year against the base", { change: signed(more, rupees) });
}

// Grey, and named as the old one, while the figures and the map are not those of the question.
function renderAge(state) {
  const { answered } = state;
  const old = Boolean(answered) && !questions.same(answered, question(state));
  for (const id of ["figures", "legend-section", "map"]) byId(id).classList.toggle("old", old);
  byId("age").hidden = !old;
  if (!old) return;
  const budget = crore(answered.budget_inr_crore);
  byId("age").textContent = _("Figures and map are still those of the earlier question, with {budget}.", { budget });
}

// ---- the question

function renderQuestion(state, on) {
  const now = question(state);
  byId("budget-exact").setCustomValidity("");
  byId("budget").value = now.budget_inr_crore;
  byId("budget-exact").value = now.budget_inr_crore;
  byId("budget-shown").textContent = crore(now.budget_inr_crore);
  byId("undo").disabled = state.steps.length < 2;
  byId("reset").disabled = questions.same(now, own(state));
  const told = questions.changes(now, own(state));
  renderRules(state, on);
  renderLevers(state, on);
  byId("changes").replaceChildren(...told.map((one) => changeRow(one, state, on)));
  const { gateways } = state.baseline;
  const closed = (port) => questions.has(now, "closed_gateways", port.gateway_id);
  const toggle = (port) => on.change(questions.toggleGateway(question(state), port.gateway_id));
  byId("ports").replaceChildren(
    ...gateways.map((port) => {
      const box = h("input", { type: "checkbox", checked: closed(port), onchange: () => toggle(port) });
      return h("li", {}, h("label", {}, box, named(port, "name")));
    }),
  );
}

// Rules of the study as switches, each with what keeping it costs the plan.
function renderRules(state, on) {
  const rules = state.baseline.summary.rules ?? [];
  byId("rule-section").hidden = !rules.length;
  byId("rules").replaceChildren(
    ...rules.map(({ name, price_inr_per_year: price }) => {
      const onchange = () => on.change(questions.toggleRule(question(state), name));
      const box = h("input", { type: "checkbox", checked: !questions.has(question(state), "rules_off", name), onchange });
      const cost = (price ?? null) === null ? null : h("span", { class: "amount" }, _("costs {price} a year", { price: rupees(price) }));
      return h("li", {}, h("label", {}, box, name, cost));
    }),
  );
}

// Levers by key in the language of the page; the server tells them in English.
const LEVERS = {
  only_warehouses: _("Warehouses alone"),
  only_cold_stores: _("Cold stores alone"),
  only_cargo_terminals: _("Cargo terminals alone"),
  only_mmlps: _("Logistics parks alone"),
  planned_parks: _("All planned parks"),
  digital_customs: _("Customs digitised: a day less at every port"),
  export_credit: _("Cheaper export credit for small firms"),
  freight_refund: _("Freight refunded to small firms (LIFT)"),
  carbon_price: _("Carbon priced"),
  carbon_cap: _("CO2e capped"),
  congestion_12: _("Ports more congested: 12 % longer"),
  congestion_18: _("Ports more congested: 18 % longer"),
  weak_access: _("Weak road and rail far from rail"),
  warehouse_shortage: _("Warehouses short: stuffing dearer"),
  road_only: _("Few multimodal options"),
  port_closed: _("The busiest port closed"),
  growth_digital: _("Digital trade: all exports up"),
  growth_state: _("The state that exports most exports more"),
  zones: _("Special economic zones"),
};

export function leverName(key, { levers }) {
  const lever = levers.find((one) => one.key === key);
  return LEVERS[key] ?? (lever ? lever.name : key);
}

// Levers as switches, each with what it does to the plan and is worth to all, where the result says so.
function renderLevers(state, on) {
  byId("lever-section").hidden = !state.levers.length;
  byId("levers").replaceChildren(
    ...state.levers.map((lever) => {
      const { key, plan_change_inr_per_year: change, worth_inr_per_year: worth } = lever;
      const onchange = () => on.change(questions.toggleLever(question(state), key));
      const box = h("input", { type: "checkbox", checked: questions.has(question(state), "levers", key), onchange });
      const effect = [
        change === null ? null : _("plan {change} a year", { change: signed(change, rupees) }),
        worth === null ? null : _("worth {worth} a year", { worth: signed(worth, rupees) }),
      ].filter(Boolean);
      const amount = effect.length ? h("span", { class: "amount" }, effect.join(" · ")) : null;
      const setting = h("span", { class: "quiet", lang: "en" }, lever.setting);
      return h("li", {}, h("label", { title: lever.note || null }, box, leverName(key, state), amount), setting);
    }),
  );
}

function changeRow(one, state, on) {
  const text = changeText(one, state);
  const label = _("Take back: {change}", { change: text });
  const onclick = () => on.change(questions.undoChange(question(state), one));
  const button = h("button", { type: "button", class: "link", "aria-label": label, onclick }, _("Take back"));
  return h("li", {}, h("span", {}, text), button);
}

export function idText(id, options) {
  const option = options.find((o) => o.option_id === id);
  if (option) return `${option.name}, ${word(option.facility_type)} (${word(option.tier)})`;
  const place = id.slice(id.indexOf("@") + 1);
  const name = options.find((o) => o.place_id === place)?.name ?? place;
  return id.includes("@") ? `${name}, ${word(id.slice(0, id.indexOf("@")))}` : name;
}

export function changeText({ list, id, added }, { options, levers, baseline }) {
  if (list === "rules_off") return added ? _("Rule left out: {name}", { name: id }) : _("Rule kept again: {name}", { name: id });
  if (list === "levers") return _("Lever pulled: {name}", { name: leverName(id, { levers }) });
  if (list === "closed_gateways") {
    const place = named(baseline.gateways.find((row) => row.gateway_id === id) ?? { name: id }, "name");
    return added ? _("Closed: {place}", { place }) : _("Open again: {place}", { place });
  }
  const place = idText(id, options);
  if (list === "forced") return added ? _("Forced: {place}", { place }) : _("No longer forced: {place}", { place });
  return added ? _("Forbidden: {place}", { place }) : _("No longer forbidden: {place}", { place });
}

// ---- the map

// Possible places with what the question says of them; where one does not ask for all, only those it names.
export function placesShown(state) {
  const now = question(state);
  const mark = ({ place_id, list }) => {
    if (list.some((option) => questions.has(now, "forced", option.option_id))) return "forced";
    return [place_id, ...list.map(questions.siteOf)].some((id) => questions.has(now, "forbidden", id)) ? "forbidden" : "";
  };
  const marked = state.places.map((place) => ({ ...place, mark: mark(place) }));
  return byId("show-options").checked ? marked : marked.filter((place) => place.mark);
}

function renderMap(state, map) {
  const closed = (port) => questions.has(question(state), "closed_gateways", port.gateway_id);
  map.setPorts(state.baseline.gateways.map((port) => ({ ...port, closed: closed(port) })));
  map.setOptions(placesShown(state));
}

// The answer itself, drawn once when it comes: figures, sites, and what differs from the base.
export function renderPlan(state, map) {
  const { shown, baseline } = state;
  shell.showFigures(byId("figures"), shown.summary, shown.sites);
  const before = new Set(baseline.sites.map((site) => site.site_id));
  const now = new Set(shown.sites.map((site) => site.site_id));
  state.marked = [
    ...baseline.sites.filter((site) => !now.has(site.site_id)).map((site) => ({ ...site, mark: "gone" })),
    ...shown.sites.map((site) => ({ ...site, mark: before.has(site.site_id) ? "" : "new" })),
  ];
  map.setSites(state.marked);
  paintChange(state, map);
}

// Calm where nothing differs from the base, so that what differs stands out.
function paintChange(state, map) {
  const before = new Map(state.baseline.districts.map((row) => [row.district_id, row.saving_inr_per_year]));
  const change = (row) => {
    const old = before.get(row.district_id);
    return row.saving_inr_per_year === null || (old ?? null) === null ? null : row.saving_inr_per_year - old;
  };
  const { colours, keys, legend } = diverge(state.shown.districts.map(change));
  map.paint(isBase(state) ? colours.map(() => PLAIN) : colours);
  byId("legend-section").hidden = isBase(state);
  const rows = (key) => keys.flatMap((other, row) => (other === key ? [row] : []));
  shell.showLegend(byId("legend"), legend, { light: (key) => map.light(rows(key)) });
}

export function tipLines(state, { kind, row }, label) {
  const { shown, baseline } = state;
  if (kind === "site") {
    const site = state.marked[row];
    return [named(site, "name"), `${word(site.facility_type)}, ${word(site.tier)}`];
  }
  if (kind === "gateway") return [named(baseline.gateways[row], "name"), _("Click to close or open")];
  if (kind === "depot") return [named(baseline.depots[row], "name")];
  if (kind === "place") {
    const place = placesShown(state)[row];
    return [place?.name, ngettext("{n} possibility", "{n} possibilities", place?.list.length ?? 0)];
  }
  const district = shown.districts[row];
  return [`${named(district, "district")}, ${named(district, "state")}`, `${label}: ${rupees(district.saving_inr_per_year)}`];
}
