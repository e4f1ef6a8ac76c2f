// What if: a base plan, a question put to it, and the answer as the solver finds and proves it.

import * as address from "./address.js";
import * as data from "./data.js";
import { byId, h } from "./dom.js";
import { crore, number } from "./format.js";
import { _, named } from "./i18n.js";
import { createMap, webglWorks } from "./map.js";
import { MEASURES } from "./measures.js";
import * as questions from "./question.js";
import { ended, watch } from "./runs.js";
import { createSearch, districtEntries } from "./search.js";
import * as shell from "./shell.js";
import { nothingCard, placeCard, portCard } from "./whatifcards.js";
import { leverName, own, placesShown, question, render, renderPlan, stageText, tipLines } from "./whatifview.js";
import { createWorkbench } from "./workbench.js";

const SETTLE_MS = 200; // a slider at rest this long is an answer
const RETRY_MS = 1000;
const MOST_CRORE = 1e7; // some 30 times what the country spends on capital in a year
const SIGNS = [
  ["warehouse", _("Site of both plans")],
  ["warehouse:new", _("New against the base")],
  ["warehouse:gone", _("No longer built")],
  ["option", _("Possible site")],
  ["option:forced", _("Forced by you")],
  ["option:forbidden", _("Forbidden by you")],
  ["port:closed", _("Closed port")],
];

// All that the page shows; what changes it calls `draw`.
const state = {
  plans: [],
  studies: [],
  base: null, // {plan: ID} or {study: ID}
  baseline: null, // the base's own plan
  shown: null, // the plan on the map
  marked: [], // its sites and those of the base that it gives up
  answered: null, // the question that the figures and the map answer
  steps: [], // questions so far; the last one is asked now
  run: null, // of the question, as last heard
  asking: false, // the question is on its way
  trouble: null, // why it could not be asked
  options: [], // what can be built
  levers: [], // what else can be done, or may happen
  places: [], // the same by place
  firstRun: null, // that answered a base which is a study file
  tab: "map",
  batch: "", // of the command line, whose scenarios are rows of the workbench too
  waiting: null, // what was chosen before one knew what can be built there
};
let map = null;
const turn = { watching: 0, timer: null, dragging: false };
const card = shell.createCard(byId("card"), () => map.choose(null, null));
const search = createSearch(byId("search"), byId("found"), ({ row }) => pick({ kind: "district", row }, true));
const draw = () => render(state, map, { change });

shell.start(async () => {
  const [{ plans }, { studies }] = await Promise.all([data.get(`${data.API}/plans`), data.get(`${data.API}/studies`)]);
  Object.assign(state, { plans, studies });
  byId("no-webgl").hidden = webglWorks();
  byId("signs").replaceChildren(...SIGNS.map(([symbol, text]) => h("li", {}, h("span", { "data-symbol": symbol }), text)));
  shell.drawSymbols();
  shell.foldLayers();
  listen();
  address.onReturn((values) => shell.attempt(() => apply(values)));
  await apply(address.read());
});

function listen() {
  byId("budget").oninput = () => setBudget(Number(byId("budget").value));
  byId("budget").onchange = () => {
    turn.dragging = false;
  };
  byId("budget-exact").onchange = () => setExactBudget(byId("budget-exact"));
  byId("undo").onclick = () => {
    state.steps.pop();
    shell.attempt(put);
  };
  byId("reset").onclick = () => change(own(state));
  byId("cancel").onclick = () => shell.attempt(async () => hear(await data.remove(data.runBase(state.run.id))));
  byId("restart").onclick = () => shell.attempt(async () => follow(await data.post(`${data.runBase(state.run.id)}/restart`, {})));
  byId("save").onsubmit = (event) => {
    event.preventDefault();
    shell.attempt(save);
  };
  for (const tab of document.querySelectorAll("[data-tab]")) tab.onclick = () => setTab(tab.dataset.tab);
  byId("show-options").onchange = draw;
  byId("recent").ontoggle = () => byId("recent").open && shell.attempt(listRuns);
}

async function apply(values) {
  shell.ready(false);
  const choices = bases();
  const wanted = ["plan", "study"].filter((kind) => values[kind]).map((kind) => `${kind}:${values[kind]}`)[0];
  const choice = choices.find(([value]) => value === wanted)?.[0] ?? choices[0]?.[0];
  if (!choice) throw new Error(_("there is no plan or study to start from; run a study first"));
  if (wanted && choice !== wanted) {
    const name = values.plan ?? values.study;
    shell.tell(_("There is no plan or study {name} that can be asked; this is another one.", { name }));
  }
  fillBases(choice);
  if (choice !== baseName()) await openBase(asBase(choice));
  const asked = values.run && (await data.get(data.runBase(values.run)).catch(() => null));
  if (asked && baseName(asked.base) === choice) {
    const now = { ...own(state), ...asked.changes };
    const kept = JSON.parse(sessionStorage.getItem(`steps:${choice}`) ?? "[]");
    const fresh = questions.same(now, own(state)) ? [own(state)] : [own(state), now];
    state.steps = kept.length && questions.same(kept.at(-1), now) ? kept : fresh;
    Object.assign(state, { asking: false, trouble: null });
    follow(asked);
  } else {
    state.steps = [own(state)];
    showBase();
    takeUp(values);
  }
  state.batch = values.batch ?? "";
  setTab(values.tab === "bench" ? "bench" : "map");
  shell.ready(true);
}

// A link from another page brings what is to be changed, or the district that is looked at.
function takeUp({ forbid, close, district }) {
  const now = question(state);
  const row = state.baseline.districts.findIndex((one) => one.district_id === district);
  if (forbid) change({ ...now, forbidden: [...new Set([...now.forbidden, forbid])] });
  else if (close) change({ ...now, closed_gateways: [...new Set([...now.closed_gateways, close])] });
  else if (row >= 0) pick({ kind: "district", row }, true);
}

function bases() {
  const able = state.plans.filter((plan) => plan.can_what_if);
  const whole = state.studies.filter((study) => !study.problems);
  return [
    ...[...shell.planNames(able)].map(([id, name]) => [`plan:${id}`, name]),
    ...whole.map((study) => [`study:${study.id}`, _("{name} (study file)", { name: study.name })]),
  ];
}

function fillBases(choice = baseName()) {
  shell.fillSelect(byId("base"), bases(), choice, (other) => {
    address.write(asBase(other), true);
    return apply(asBase(other));
  });
}

const asBase = (choice) => ({ [choice.slice(0, choice.indexOf(":"))]: choice.slice(choice.indexOf(":") + 1) });
const baseName = (of = state.base) => of && Object.entries(of).map(([kind, id]) => `${kind}:${id}`)[0];

async function openBase(chosen) {
  Object.assign(state, { base: chosen, run: null, asking: false, trouble: null, options: [], levers: [], places: [] });
  turn.watching += 1;
  shell.attempt(warm);
  let from = chosen.plan && data.planBase(chosen.plan);
  if (!from) {
    // a study without a plan is solved as it stands first
    const first = await data.post(`${data.API}/runs`, { ...chosen, changes: {} });
    const done = await watch(
      first,
      (now) => {
        byId("proof").className = "proof working";
        byId("proof").textContent = stageText(now.stage);
      },
      () => true,
    );
    if (done.state !== "finished") throw new Error(data.runMessage(done));
    from = data.runBase(done.id);
    state.firstRun = done.id;
  }
  state.baseline = state.shown = await data.plan(from);
  state.steps = [];
  map?.remove();
  map = await createMap(byId("map"), state.baseline, { hover, left: shell.covered("layers"), pick: (found) => pick(found) });
  search(districtEntries(state.baseline));
  shell.showNotes(state.baseline.summary, state.baseline.placeName);
  const most = Math.max(2 * own(state).budget_inr_crore, 10);
  Object.assign(byId("budget"), { max: most, step: most >= 2000 ? 100 : most / 100 });
  shell.attempt(() => loadOffers(from, chosen));
}

// Workers build the model while one looks; asked again until it is there.
async function warm() {
  const mine = state.base;
  while (mine === state.base && (await data.post(`${data.API}/sessions`, mine)).state === "warming") await sleep(RETRY_MS);
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function loadOffers(from, mine) {
  const onceKnown = async (name) => {
    let answer = await data.get(`${from}/${name}`);
    while (answer.state === "warming" && mine === state.base) {
      await sleep(RETRY_MS);
      answer = await data.get(`${from}/${name}`);
    }
    return answer;
  };
  const options = await onceKnown("options");
  const { levers } = await onceKnown("levers");
  if (mine !== state.base) return;
  Object.assign(state, { options: data.rows(options), levers });
  const groups = data.groupBy(state.options, (option) => option.place_id);
  state.places = [...groups].map(([place_id, list]) => ({ ...list[0], place_id, list }));
  draw();
  if (state.waiting && !byId("card").hidden) pick(state.waiting);
}

// ---- the question

function setExactBudget(input) {
  const budget = input.value === "" ? NaN : Number(input.value);
  const wrong = !(budget >= 0 && budget <= MOST_CRORE);
  input.setCustomValidity(wrong ? _("Give an amount from 0 to {most} crore", { most: number(MOST_CRORE) }) : "");
  if (wrong) input.reportValidity();
  else setBudget(budget);
}

function setBudget(budget) {
  byId("budget-shown").textContent = crore(budget);
  clearTimeout(turn.timer);
  turn.timer = setTimeout(() => {
    if (turn.dragging) state.steps.pop(); // one drag is one step
    turn.dragging = byId("budget").matches(":active");
    change({ ...question(state), budget_inr_crore: budget });
  }, SETTLE_MS);
}

function change(next) {
  if (questions.same(next, question(state))) return;
  state.steps.push(next);
  shell.attempt(put);
}

// Asks the solver what the last step says.
async function put() {
  const { base, run } = state;
  sessionStorage.setItem(`steps:${baseName()}`, JSON.stringify(state.steps));
  const replaces = run && !ended(run) ? { replaces: run.id } : {};
  const mine = (turn.watching += 1);
  if (questions.same(question(state), own(state))) {
    // solved already
    go({});
    showBase();
    if (replaces.replaces) await data.remove(data.runBase(run.id)).catch(() => null);
    return;
  }
  Object.assign(state, { asking: true, trouble: null });
  draw();
  const begun = await data.post(`${data.API}/runs`, { ...base, changes: question(state), ...replaces }).catch((error) => {
    if (mine === turn.watching) {
      Object.assign(state, { asking: false, trouble: error.message });
      draw();
    }
    throw error;
  });
  if (mine !== turn.watching) return;
  go({ run: begun.id });
  state.asking = false;
  await follow(begun);
}

// ---- the answer

async function follow(begun) {
  const mine = (turn.watching += 1);
  const done = await watch(begun, hear, () => mine === turn.watching);
  if (done?.state !== "finished") return;
  const answer = await data.plan(data.runBase(done.id));
  if (mine !== turn.watching) return;
  showPlan(answer);
  if (state.tab === "bench") await fillBench(state);
}

function hear(run) {
  state.run = run;
  draw();
}

function showBase() {
  turn.watching += 1;
  Object.assign(state, { run: null, asking: false, trouble: null });
  showPlan(state.baseline);
}

function showPlan(answer) {
  Object.assign(state, { shown: answer, answered: question(state) });
  renderPlan(state, map);
  draw();
}

// ---- the workbench

const fillBench = createWorkbench({
  open: (run) => {
    go(run ? { run } : {});
    return shell.attempt(() => apply(address.read()));
  },
  batch: (id) => {
    state.batch = id;
    go(state.run ? { run: state.run.id } : {}, false);
    return shell.attempt(() => fillBench(state));
  },
  ruleText: (run) => ruleNames(run.changes).join(", "),
});

function setTab(tab) {
  state.tab = tab;
  for (const button of document.querySelectorAll("[data-tab]")) {
    button.setAttribute("aria-pressed", String(button.dataset.tab === tab));
    byId(`tab-${button.dataset.tab}`).hidden = button.dataset.tab !== tab;
  }
  go(state.run ? { run: state.run.id } : {}, false);
  if (tab === "map") map?.resize();
  else shell.attempt(() => fillBench(state));
}

// The address of a question to the base; the workbench stays open over questions.
function go(values, push = true) {
  address.write({ ...state.base, ...values, tab: state.tab === "map" ? null : state.tab, batch: state.batch }, push);
}

// ---- clicks

function hover(found, point) {
  shell.showTip(byId("tip"), byId("map"), found && tipLines(state, found, MEASURES.saving.label), point);
}

function pick(found, move = false) {
  shell.showTip(byId("tip"), byId("map"), null);
  if (!found || found.kind === "depot") return card.close();
  if (found.kind === "gateway") {
    const port = state.baseline.gateways[found.row];
    map.choose(null, port);
    return openCard(() => portCard(state, port, cardOn));
  }
  const district = found.kind === "district" ? state.shown.districts[found.row] : null;
  const site = found.kind === "site" ? state.marked[found.row].site_id.split("@")[1] : null;
  const id = district?.district_id ?? site ?? placesShown(state)[found.row].place_id;
  const place = state.places.find((p) => p.place_id === id);
  state.waiting = state.options.length ? null : found;
  map.choose(district ? found.row : null, district ? null : place);
  if (move && district) map.fit(district.bounds);
  return openCard(() => (place ? placeCard(state, place, cardOn) : nothingCard(state, district, cardOn)));
}

// A card is drawn anew when what it offers was taken.
let redraw = null;
const cardOn = {
  close: card.close,
  change: (next) => {
    change(next);
    redraw();
  },
};

function openCard(content) {
  redraw = () => card.open(content());
  redraw();
}

// ---- saving and earlier questions

async function save() {
  const place = byId("saved");
  const name = byId("save-name").value.trim();
  const begun = await data.post(`${data.runBase(state.run.id)}/save`, { name });
  const show = (now) => {
    const text = `${stageText(now.stage)} · ${_("{n} s", { n: number(now.elapsed_s) })}`;
    place.replaceChildren(h("p", { class: "quiet" }, text));
  };
  const done = await watch(begun, show, () => true);
  if (done.state !== "finished") {
    place.replaceChildren(h("p", { class: "quiet" }, _("This failed: {why}", { why: data.runMessage(done) })));
    return;
  }
  place.replaceChildren(
    h("p", {}, _("Saved as a study file. Anyone can run it:")),
    h("code", {}, `siting run ${done.study_file}`),
    h("p", {}, h("a", { href: `/#${new URLSearchParams({ plan: done.plan })}` }, _("Look at the saved plan"))),
  );
  byId("save-name").value = "";
  state.plans = (await data.get(`${data.API}/plans`)).plans;
  fillBases();
}

// A question by what it asks: budget, then what is forced, forbidden and closed.
const runName = ({ name, changes }) =>
  [name, changes.budget_inr_crore === undefined ? null : crore(changes.budget_inr_crore), ...ruleNames(changes)]
    .filter(Boolean)
    .join(", ");

function ruleNames(changes) {
  const count = (list) => changes[list]?.length ?? 0;
  const usual = own(state);
  const port = (id) => named(state.baseline.gateways.find((row) => row.gateway_id === id) ?? { name: id }, "name");
  const closed = (changes.closed_gateways ?? []).filter((id) => !usual.closed_gateways.includes(id));
  return [
    count("forced") > usual.forced.length ? _("{n} forced", { n: number(count("forced")) }) : null,
    count("forbidden") > usual.forbidden.length ? _("{n} forbidden", { n: number(count("forbidden")) }) : null,
    count("rules_off") ? _("{n} rules left out", { n: number(count("rules_off")) }) : null,
    ...(changes.levers ?? []).map((key) => leverName(key, state)),
    ...closed.map((id) => _("Closed: {place}", { place: port(id) })),
  ].filter(Boolean);
}

const STATES = {
  queued: _("waiting"),
  running: _("running"),
  finished: _("finished"),
  failed: _("failed"),
  cancelled: _("cancelled"),
  interrupted: _("interrupted"),
};

async function listRuns() {
  const { runs } = await data.get(`${data.API}/runs`);
  const row = (one) => {
    const link = h("a", { href: `#${new URLSearchParams({ ...one.base, run: one.id })}` }, runName(one));
    return h("li", {}, link, h("span", { class: "amount" }, STATES[one.state]));
  };
  byId("runs").replaceChildren(...runs.map(row));
}
