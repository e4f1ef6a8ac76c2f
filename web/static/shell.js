// What all pages share: how they start and fail, name plans, and fill their panels.

import * as address from "./address.js";
import { groupBy, ownBoundaries } from "./data.js";
import { byId, h } from "./dom.js";
import { crore, number, percent, rupees, word } from "./format.js";
import { _, ngettext, told } from "./i18n.js";
import { symbolCanvas } from "./icons.js";
import { HATCH } from "./measures.js";

export const NOTHING_DRAWN = { type: "FeatureCollection", features: [] };

// Runs the page; until `ready` a test or a screen reader knows that it is not there yet.
export async function start(run) {
  address.follow(document.querySelectorAll("[data-keep]"));
  document.querySelector(".skip").onclick = (event) => {
    // the part after "#" is the view's
    event.preventDefault();
    byId("main").focus();
  };
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-term]");
    if (button) explain(button);
  });
  await attempt(run);
  ready(true);
}

// What a word means, under the button that asks; a second click takes it away.
function explain(button) {
  const open = button.nextElementSibling?.classList.contains("explain") ? button.nextElementSibling : null;
  button.setAttribute("aria-expanded", String(!open));
  if (open) open.remove();
  else button.after(h("span", { class: "explain", role: "status" }, told.glossary[button.dataset.term].text));
}

export function termButton(key) {
  const label = _("What is: {term}", { term: told.glossary[key].term });
  return h("button", { type: "button", class: "help", "data-term": key, "aria-expanded": "false", "aria-label": label }, "?");
}

export const ready = (yes) => {
  document.documentElement.dataset.ready = yes ? "yes" : "no";
};

// Tells what went wrong where one sees it.
export async function attempt(run) {
  try {
    return await run();
  } catch (error) {
    if (error.name === "AbortError") return null;
    const more = (error.problems ?? []).filter((problem) => problem !== error.message);
    tell([_("This did not work: {why}", { why: error.message }), ...more].join("\n"));
    return null;
  }
}

export function tell(text) {
  const notice = byId("notice");
  notice.hidden = false;
  notice.replaceChildren(
    text,
    " ",
    h(
      "button",
      {
        type: "button",
        class: "link",
        onclick: () => {
          notice.hidden = true;
        },
      },
      _("Close"),
    ),
  );
}

export function planNames(plans) {
  return new Map(
    plans.map((plan) => {
      const budget = plan.budget_inr_crore === null ? "" : `, ${crore(plan.budget_inr_crore)}`;
      const twins = plans.filter((other) => other.study === plan.study && other.budget_inr_crore === plan.budget_inr_crore);
      return [plan.id, `${plan.study ?? plan.name ?? plan.id}${budget}${twins.length > 1 ? ` (${plan.id})` : ""}`];
    }),
  );
}

export function fillSelect(select, entries, chosen, onChange) {
  select.replaceChildren(...entries.map(([value, text]) => h("option", { value }, text)));
  select.value = chosen;
  select.onchange = () => attempt(() => onChange(select.value));
}

// A server without a plan: what to do, instead of controls that do nothing.
export function showNoPlan() {
  for (const part of document.querySelectorAll(".body > *, .top .plan, .top .search, .top .tabs")) part.hidden = true;
  document
    .querySelector(".body")
    .append(
      h(
        "main",
        { class: "empty", tabindex: -1 },
        h("h2", {}, _("There is no plan yet")),
        h("p", {}, _("Run a study, or ask a question on the page What if.")),
        h("p", {}, h("code", {}, "siting run studies/national.toml")),
        h("p", {}, h("a", { href: "/what-if" }, _("Open What if"))),
      ),
    );
}

const ROOMY = 760; // pixels of a map with room for the layers beside the country

export function foldLayers() {
  if (byId("map").clientWidth < ROOMY) byId("layers").open = false;
}

// Screen pixels of the map's width under a box at its left or right; a narrow screen has none to spare.
export function covered(id) {
  const [width, box] = [byId("map").clientWidth, byId(id)];
  if (width < ROOMY || box.open === false || box.hidden) return 0;
  return box.offsetLeft < width / 2 ? box.offsetLeft + box.offsetWidth : width - box.offsetLeft;
}

export const options = (measures) => Object.entries(measures).map(([key, measure]) => [key, measure.label]);

export function siteCounts(sites) {
  const names = {
    warehouse: (n) => ngettext("{n} warehouse", "{n} warehouses", n),
    cold_store: (n) => ngettext("{n} cold store", "{n} cold stores", n),
    cargo_terminal: (n) => ngettext("{n} cargo terminal", "{n} cargo terminals", n),
    mmlp: (n) => ngettext("{n} logistics park", "{n} logistics parks", n),
  };
  return [...groupBy(sites, (row) => row.facility_type)]
    .sort((a, b) => b[1].length - a[1].length)
    .map(([type, list]) => names[type]?.(list.length) ?? `${number(list.length)} ${word(type)}`)
    .join(", ");
}

export const servedText = (row) => ngettext("{n} district served", "{n} districts served", row.districts_served);

export function showFigures(place, summary, sites) {
  const ratio = summary.payback_years
    ? _("paid back in {n} years", { n: number(summary.payback_years, 1) })
    : _("never paid back");
  const entries = [
    [_("Benefit–cost ratio"), number(summary.benefit_cost_ratio, 2), ratio, "benefit_cost_ratio"],
    [_("Spent"), crore(summary.capex_inr_crore), _("of {budget}", { budget: crore(summary.budget_inr_crore) }), "capital"],
    [_("New sites"), number(sites.length), siteCounts(sites), "site"],
    [
      _("Districts served"),
      number(summary.counts.served_by_hub),
      _("of {n} under-utilised", { n: number(summary.counts.under_utilised) }),
      "under_utilised",
    ],
  ];
  fillFigures(place, entries);
}

// Each: name, value, what more there is to say, key of the glossary.
export function fillFigures(place, entries) {
  place.replaceChildren(
    ...entries.map(([name, value, more, term]) =>
      h(
        "div",
        {},
        h("dt", {}, name, term ? [" ", termButton(term)] : null),
        h("dd", {}, h("strong", {}, value), h("span", { class: "quiet" }, more)),
      ),
    ),
  );
}

const boundariesOfPack = byId("boundaries").textContent;

export function showNotes(summary, nameOf) {
  byId("boundaries").textContent = ownBoundaries(summary) ?? boundariesOfPack;
  const cut = summary.unreachable ?? [];
  const names = cut.map((d) => nameOf(d.district)).join(", ");
  byId("unreachable").textContent = cut.length
    ? `${ngettext("{n} district has no road to a port:", "{n} districts have no road to a port:", cut.length)} ${names}`
    : "";
}

// `answer`: objective_inr, bound_inr and gap of a plan or of a run; bound_inr is null where none is known.
export function proofText(proven, { objective_inr: objective, bound_inr: bound, gap }) {
  if (typeof bound !== "number") return _("Not proven: the best possible plan may cost up to {gap} less", { gap: percent(gap, 2) });
  const amount = rupees(Math.max(objective - bound, 0));
  return proven
    ? _("Proven: no other plan is better by over {amount} a year", { amount })
    : _("Not proven: another plan may be better by up to {amount} a year", { amount });
}

export function showProof(proven, answer) {
  byId("proof").title = answer.proof ?? "";
  byId("proof").className = proven ? "proof proven" : "proof";
  byId("proof").textContent = proofText(proven, answer);
}

// The classes with how many districts are in each, as bars too. `on`: light(key or null) shows where a class is on
// the map, pick(key) leaves nothing else; `chosen` is the one that is left. Bars are of `share` where entries have one.
export function showLegend(list, legend, on = {}) {
  const length = (entry) => entry.share ?? entry.count;
  const most = Math.max(...legend.map(length)) || 1;
  list.replaceChildren(...legend.map((entry) => legendRow(entry, length(entry) / most, on)));
}

function legendRow(entry, share, { chosen, light, pick }) {
  const amounts = entry.counts ?? [[null, entry.count]];
  const bar = h("i", { class: "bar", "aria-hidden": "true" });
  bar.style.width = `${(100 * share).toFixed(1)}%`;
  const content = [
    bar,
    swatch(entry.colour),
    h("span", { class: "label" }, entry.label),
    h(
      "span",
      { class: "amounts" },
      entry.share === undefined
        ? amounts.map(([side, count]) => amount(count, side))
        : h("span", { class: "amount" }, percent(entry.share, 1)),
    ),
  ];
  const lit = light && { onmouseenter: () => light(entry.key), onmouseleave: () => light(null) };
  if (!pick) return h("li", { ...lit }, content);
  const pressed = String(chosen === entry.key);
  const focus = { onfocus: () => light?.(entry.key), onblur: () => light?.(null), onclick: () => pick(entry.key) };
  return h("li", { ...lit }, h("button", { type: "button", "aria-pressed": pressed, ...focus }, content));
}

function amount(count, side) {
  const name = side && h("span", { class: "side" }, `${side} `);
  return h("span", { class: "amount" }, name, number(count), h("span", { class: "unseen" }, ` ${_("districts")}`));
}

function swatch(colour) {
  const mark = h("i", { class: colour === HATCH ? "swatch hatch" : "swatch" });
  if (colour !== HATCH) mark.style.backgroundColor = colour;
  return mark;
}

export function drawSymbols(root = document) {
  for (const place of root.querySelectorAll("[data-symbol]")) {
    const canvas = symbolCanvas(...place.dataset.symbol.split(":"));
    canvas.className = "symbol";
    canvas.setAttribute("aria-hidden", "true");
    place.replaceChildren(canvas);
  }
}

export function showTip(tip, stage, lines, point) {
  tip.hidden = !lines;
  if (!lines) return;
  tip.replaceChildren(...lines.filter(Boolean).map((line, i) => h(i ? "span" : "strong", {}, line)));
  const box = stage.getBoundingClientRect();
  tip.style.left = `${Math.min(point.x + 14, box.width - tip.offsetWidth - 8)}px`;
  tip.style.top = `${Math.min(point.y + 14, box.height - tip.offsetHeight - 8)}px`;
}

// A card that takes the focus when it opens and gives it back when it closes.
export function createCard(card, onClose) {
  let opener = null;
  const close = () => {
    if (card.hidden) return;
    card.hidden = true;
    opener?.focus({ preventScroll: true });
    onClose();
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  return {
    close,
    open(content) {
      if (!card.contains(document.activeElement)) opener = document.activeElement;
      card.replaceChildren(...content.filter(Boolean));
      card.hidden = false;
      card.scrollTop = 0;
      card.querySelector("h2").focus({ preventScroll: true });
    },
  };
}

// What the saving consists of; null where shippers have no tastes.
export function composition({ before, after, fixed_cost_inr_per_year: running }) {
  if (!before.taste_inr_per_year) return null;
  const [money, taste] = ["cost_inr_per_year", "taste_inr_per_year"].map((part) => before[part] - after[part]);
  return _(
    "{money} freight, handling, time and carbon, {taste} ports and trains that suit shippers better, less {running} to run the sites",
    { money: rupees(money), taste: rupees(taste), running: rupees(running) },
  );
}

export const savingLine = (summary) => {
  const cost = summary.before.cost_inr_per_year;
  return [
    h("strong", {}, rupees(summary.saving_inr_per_year)),
    h(
      "span",
      {},
      ` ${_("saved a year: {share} of today's cost of under-utilised districts, the sites' running costs paid", {
        share: percent(cost ? summary.saving_inr_per_year / cost : null, 1),
      })}`,
    ),
  ];
};
