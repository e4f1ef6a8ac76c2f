// What if: a base plan, a question put to it, and the answer as the solver finds and proves it.

import * as address from "./address.js";
import { facts, heading, tag } from "./card.js";
import * as data from "./data.js";
import { byId, h } from "./dom.js";
import { NOTHING, crore, number, percent, rupees, signed, tonnes, word } from "./format.js";
import { _, named, ngettext } from "./i18n.js";
import { createMap, webglWorks } from "./map.js";
import { MEASURES, PLAIN, diverge } from "./measures.js";
import * as questions from "./question.js";
import { ended, watch } from "./runs.js";
import { createSearch, districtEntries } from "./search.js";
import * as shell from "./shell.js";

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

let plans = [];
let studies = [];
let base = null; // {plan: ID} or {study: ID}
let baseline = null; // the base's own plan
let shown = null; // the plan on the map
let map = null;
let options = [];
let places = [];
let steps = []; // questions so far; the last one is asked now
let run = null;
let watching = 0;
let dragging = false;
let timer = null;
let answered = null; // the question that the figures and the map answer
let waiting = null; // what was chosen before one knew what can be built there

const card = shell.createCard(byId("card"), () => map.choose(null, null));
const search = createSearch(byId("search"), byId("found"), ({ row }) => pick({ kind: "district", row }, true));
const question = () => steps.at(-1);
const own = () => questions.ofStudy(baseline.summary.resolved_study);

shell.start(async () => {
  [{ plans }, { studies }] = await Promise.all([data.get(`${data.API}/plans`), data.get(`${data.API}/studies`)]);
  byId("no-webgl").hidden = webglWorks();
  byId("signs").replaceChildren(...SIGNS.map(([symbol, text]) => h("li", {}, h("span", { "data-symbol": symbol }), text)));
  shell.drawSymbols();
  if (innerWidth <= 800) byId("layers").open = false;
  byId("budget").oninput = () => setBudget(Number(byId("budget").value));
  byId("budget").onchange = () => {
    dragging = false;
  };
  byId("budget-exact").onchange = () => setExactBudget(byId("budget-exact"));
  byId("undo").onclick = () => {
    steps.pop();
    shell.attempt(() => put());
  };
  byId("reset").onclick = () => change(own());
  byId("cancel").onclick = () => shell.attempt(async () => show(await data.remove(data.runBase(run.id))));
  byId("restart").onclick = () => shell.attempt(async () => follow(await data.post(`${data.runBase(run.id)}/restart`, {})));
  byId("save").onsubmit = (event) => {
    event.preventDefault();
    shell.attempt(save);
  };
  byId("show-options").onchange = showOptions;
  byId("recent").ontoggle = () => byId("recent").open && shell.attempt(listRuns);
  address.onReturn((values) => shell.attempt(() => apply(values)));
  await apply(address.read());
});

async function apply(values) {
  shell.ready(false);
  const choices = bases();
  const wanted = ["plan", "study"].filter((kind) => values[kind]).map((kind) => `${kind}:${values[kind]}`)[0];
  const choice = choices.find(([value]) => value === wanted)?.[0] ?? choices[0]?.[0];
  if (!choice) throw new Error(_("there is no plan or study to start from; run a study first"));
  if (wanted && choice !== wanted)
    shell.tell(
      _("There is no plan or study {name} that can be asked; this is another one.", { name: values.plan ?? values.study }),
    );
  fillBases(choice);
  if (choice !== baseName()) await openBase(asBase(choice));
  const asked = values.run && (await data.get(data.runBase(values.run)).catch(() => null));
  if (asked && baseName(asked.base) === choice) {
    const now = { ...own(), ...asked.changes };
    const kept = JSON.parse(sessionStorage.getItem(`steps:${choice}`) ?? "[]");
    steps = kept.length && questions.same(kept.at(-1), now) ? kept : questions.same(now, own()) ? [own()] : [own(), now];
    showQuestion();
    follow(asked);
  } else {
    run = null;
    watching += 1;
    steps = [own()];
    showQuestion();
    showBase();
  }
  shell.ready(true);
}

function bases() {
  const able = plans.filter((plan) => plan.can_what_if);
  return [
    ...[...shell.planNames(able)].map(([id, name]) => [`plan:${id}`, name]),
    ...studies
      .filter((study) => !study.problems)
      .map((study) => [`study:${study.id}`, _("{name} (study file)", { name: study.name })]),
  ];
}

function fillBases(choice = baseName()) {
  shell.fillSelect(byId("base"), bases(), choice, (other) => {
    address.write(asBase(other), true);
    return apply(asBase(other));
  });
}

const asBase = (choice) => ({ [choice.slice(0, choice.indexOf(":"))]: choice.slice(choice.indexOf(":") + 1) });
const baseName = (of = base) => of && Object.entries(of).map(([kind, id]) => `${kind}:${id}`)[0];

async function openBase(chosen) {
  base = chosen;
  run = null;
  watching += 1;
  shell.attempt(warm);
  let from = base.plan && data.planBase(base.plan);
  if (!from) {
    // a study without a plan is solved as it stands first
    const first = await data.post(`${data.API}/runs`, { ...base, changes: {} });
    const done = await watch(first, show, () => true);
    if (done.state !== "finished") throw new Error(done.message);
    from = data.runBase(done.id);
  }
  baseline = await data.plan(from);
  shown = baseline;
  map?.remove();
  map = await createMap(byId("map"), baseline, { hover, left: shell.covered("layers"), pick: (found) => pick(found) });
  search(districtEntries(baseline));
  shell.showNotes(baseline.summary);
  const most = Math.max(2 * own().budget_inr_crore, 10);
  Object.assign(byId("budget"), { max: most, step: most >= 2000 ? 100 : most / 100 });
  options = [];
  shell.attempt(() => loadOptions(`${from}/options`, base));
}

// Workers build the model while one looks; asked again until it is there.
async function warm() {
  const mine = base;
  while (mine === base && (await data.post(`${data.API}/sessions`, mine)).state === "warming") await sleep(RETRY_MS);
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function loadOptions(from, mine) {
  let answer = await data.get(from);
  while (answer.state === "warming" && mine === base) {
    await sleep(RETRY_MS);
    answer = await data.get(from);
  }
  if (mine !== base) return;
  options = data.rows(answer);
  places = [...data.groupBy(options, (option) => option.place_id)].map(([place_id, list]) => ({ ...list[0], place_id, list }));
  showQuestion();
  if (waiting && !byId("card").hidden) pick(waiting);
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
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (dragging) steps.pop(); // one drag is one step
    dragging = byId("budget").matches(":active");
    change({ ...question(), budget_inr_crore: budget });
  }, SETTLE_MS);
}

function change(next) {
  if (questions.same(next, question())) return;
  steps.push(next);
  shell.attempt(() => put());
}

async function put() {
  showQuestion();
  sessionStorage.setItem(`steps:${baseName()}`, JSON.stringify(steps));
  const replaces = run && !ended(run) ? { replaces: run.id } : {};
  if (questions.same(question(), own())) {
    // solved already
    if (replaces.replaces) await data.remove(data.runBase(run.id)).catch(() => null);
    watching += 1;
    run = null;
    address.write(base, true);
    showBase();
    return;
  }
  byId("proof").className = "proof working";
  byId("proof").textContent = _("Asking");
  showAge();
  const mine = (watching += 1);
  const begun = await data.post(`${data.API}/runs`, { ...base, changes: question(), ...replaces }).catch((error) => {
    if (mine === watching) {
      byId("proof").className = "proof";
      byId("proof").textContent = _("This failed: {why}", { why: error.message });
    }
    throw error;
  });
  if (mine !== watching) return;
  address.write({ ...base, run: begun.id }, true);
  await follow(begun);
}

function showQuestion() {
  const now = question();
  if (!now) return;
  showAge();
  byId("budget-exact").setCustomValidity("");
  byId("budget").value = now.budget_inr_crore;
  byId("budget-exact").value = now.budget_inr_crore;
  byId("budget-shown").textContent = crore(now.budget_inr_crore);
  byId("undo").disabled = steps.length < 2;
  byId("reset").disabled = questions.same(now, own());
  const told = questions.changes(now, own());
  byId("changes").replaceChildren(
    ...told.map((one) =>
      h(
        "li",
        {},
        h("span", {}, changeText(one)),
        h(
          "button",
          {
            type: "button",
            class: "link",
            "aria-label": _("Take back: {change}", { change: changeText(one) }),
            onclick: () => change(questions.undoChange(question(), one)),
          },
          _("Take back"),
        ),
      ),
    ),
  );
  byId("ports").replaceChildren(
    ...baseline.gateways.map((port) =>
      h(
        "li",
        {},
        h(
          "label",
          {},
          h("input", {
            type: "checkbox",
            checked: questions.has(now, "closed_gateways", port.gateway_id),
            onchange: () => change(questions.toggleGateway(question(), port.gateway_id)),
          }),
          port.name,
        ),
      ),
    ),
  );
  map.setPorts(baseline.gateways.map((port) => ({ ...port, closed: questions.has(now, "closed_gateways", port.gateway_id) })));
  showOptions();
}

function showOptions() {
  if (!map || !question()) return;
  const now = question();
  const mark = ({ place_id, list }) => {
    if (list.some((option) => questions.has(now, "forced", option.option_id))) return "forced";
    return [place_id, ...list.map(questions.siteOf)].some((id) => questions.has(now, "forbidden", id)) ? "forbidden" : "";
  };
  places = places.map((place) => ({ ...place, mark: mark(place) }));
  map.setOptions(byId("show-options").checked ? places : places.filter((place) => place.mark));
}

function idText(id) {
  const option = options.find((o) => o.option_id === id);
  if (option) return `${option.name}, ${word(option.facility_type)} (${word(option.tier)})`;
  const place = id.slice(id.indexOf("@") + 1);
  const there = options.find((o) => o.place_id === place);
  const name = there?.name ?? place;
  return id.includes("@") ? `${name}, ${word(id.slice(0, id.indexOf("@")))}` : name;
}

function changeText({ list, id, added }) {
  if (list === "closed_gateways") {
    const port = baseline.gateways.find((row) => row.gateway_id === id)?.name ?? id;
    return added ? _("Closed: {place}", { place: port }) : _("Open again: {place}", { place: port });
  }
  if (list === "forced")
    return added ? _("Forced: {place}", { place: idText(id) }) : _("No longer forced: {place}", { place: idText(id) });
  return added ? _("Forbidden: {place}", { place: idText(id) }) : _("No longer forbidden: {place}", { place: idText(id) });
}

// ---- the answer

async function follow(begun) {
  const mine = (watching += 1);
  const done = await watch(begun, show, () => mine === watching);
  if (done?.state !== "finished") return;
  const answer = await data.plan(data.runBase(done.id));
  if (mine !== watching) return;
  showPlan(answer);
}

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

function show(now) {
  run = now;
  const busy = !ended(run);
  const progress = byId("progress");
  progress.hidden = !busy;
  if (busy && run.gap) progress.value = Math.min(1, run.gap_asked / run.gap);
  else progress.removeAttribute("value");
  byId("cancel").hidden = !busy;
  byId("restart").hidden = busy || run.state === "finished";
  byId("save").querySelector("button").disabled = run.state !== "finished";
  const answering = busy || run.state === "finished";
  if (answering && run.saving_inr_per_year !== null && run.saving_inr_per_year !== undefined) showSaving(run.saving_inr_per_year);
  else if (!answering) showSaving(shown.summary.saving_inr_per_year); // what the search had so far is no answer
  if (run.state === "finished") {
    shell.showProof(run.proven, run.gap);
    byId("proof").append(` · ${_("{n} s", { n: number(run.elapsed_s, 1) })}`);
  } else {
    byId("proof").className = busy ? "proof working" : "proof";
    byId("proof").textContent = busy
      ? [
          STAGES[run.stage] ?? word(run.stage),
          run.position ? _("{n} ahead of it", { n: number(run.position) }) : null,
          run.gap ? _("gap {gap}", { gap: percent(run.gap, 2) }) : null,
        ]
          .filter(Boolean)
          .join(" · ")
      : {
          failed: _("This failed: {why}", { why: run.message }),
          cancelled: _("Cancelled"),
          interrupted: _("Interrupted: {why}", { why: run.message }),
        }[run.state];
  }
}

function showSaving(saving) {
  byId("saving").replaceChildren(h("strong", {}, rupees(saving)), h("span", {}, ` ${_("saved a year")}`));
  if (!baseline) return;
  const more = saving - baseline.summary.saving_inr_per_year;
  byId("against").textContent =
    Math.abs(more) < 1 ? _("as in the base") : _("{change} a year against the base", { change: signed(more, rupees) });
}

function showBase() {
  byId("progress").hidden = byId("cancel").hidden = byId("restart").hidden = true;
  byId("save").querySelector("button").disabled = true;
  showSaving(baseline.summary.saving_inr_per_year);
  shell.showProof(baseline.summary.status === "optimal", baseline.summary.gap);
  showPlan(baseline);
}

// Grey, and named as the old one, while the figures and the map are not those of the question.
function showAge() {
  const old = answered && !questions.same(answered, question());
  for (const id of ["figures", "legend-section", "map"]) byId(id).classList.toggle("old", Boolean(old));
  byId("age").hidden = !old;
  if (old)
    byId("age").textContent = _("Figures and map are still those of the earlier question, with {budget}.", {
      budget: crore(answered.budget_inr_crore),
    });
}

function showPlan(answer) {
  shown = answer;
  answered = question();
  showAge();
  shell.showFigures(byId("figures"), shown.summary, shown.sites);
  const before = new Set(baseline.sites.map((site) => site.site_id));
  const now = new Set(shown.sites.map((site) => site.site_id));
  shown.marked = [
    ...baseline.sites.filter((site) => !now.has(site.site_id)).map((site) => ({ ...site, mark: "gone" })),
    ...shown.sites.map((site) => ({ ...site, mark: before.has(site.site_id) ? "" : "new" })),
  ];
  map.setSites(shown.marked);
  paintChange();
  showSaving(shown.summary.saving_inr_per_year);
}

// Calm where nothing differs from the base, so that what differs stands out.
function paintChange() {
  const before = new Map(baseline.districts.map((row) => [row.district_id, row.saving_inr_per_year]));
  const { colours, legend } = diverge(
    shown.districts.map((row) => {
      const old = before.get(row.district_id);
      return row.saving_inr_per_year === null || (old ?? null) === null ? null : row.saving_inr_per_year - old;
    }),
    rupees,
  );
  map.paint(shown === baseline ? colours.map(() => PLAIN) : colours);
  byId("legend-section").hidden = shown === baseline;
  shell.showLegend(byId("legend"), legend);
}

// ---- clicks

function hover(found, point) {
  shell.showTip(byId("tip"), byId("map"), found && tipLines(found), point);
}

function tipLines({ kind, row }) {
  if (kind === "site")
    return [named(shown.marked[row], "name"), `${word(shown.marked[row].facility_type)}, ${word(shown.marked[row].tier)}`];
  if (kind === "gateway") return [baseline.gateways[row].name, _("Click to close or open")];
  if (kind === "depot") return [baseline.depots[row].name];
  if (kind === "place")
    return [places[row]?.name, ngettext("{n} possibility", "{n} possibilities", places[row]?.list.length ?? 0)];
  const district = shown.districts[row];
  return [
    `${named(district, "district")}, ${named(district, "state")}`,
    `${MEASURES.saving.label}: ${rupees(district.saving_inr_per_year)}`,
  ];
}

function pick(found, move = false) {
  shell.showTip(byId("tip"), byId("map"), null);
  if (!found || found.kind === "depot") return card.close();
  if (found.kind === "gateway") return showPort(baseline.gateways[found.row]);
  const district = found.kind === "district" ? shown.districts[found.row] : null;
  const visible = byId("show-options").checked ? places : places.filter((place) => place.mark);
  const id =
    district?.district_id ??
    (found.kind === "site" ? shown.marked[found.row].site_id.split("@")[1] : visible[found.row].place_id);
  const place = places.find((p) => p.place_id === id);
  waiting = options.length ? null : found;
  map.choose(district ? found.row : null, district ? null : place);
  if (move && district) map.fit(district.bounds);
  return showPlace(place, district);
}

function showPort(port) {
  const draw = () => {
    const closed = questions.has(question(), "closed_gateways", port.gateway_id);
    card.open([
      heading(port.name, null, port.state, { close: card.close }),
      h("p", { class: "tags" }, tag(_("Port")), closed ? tag(_("closed")) : null),
      h(
        "p",
        { class: "row" },
        toggle(closed ? _("Open this port again") : _("Close this port"), closed, () => {
          change(questions.toggleGateway(question(), port.gateway_id));
          draw();
        }),
      ),
    ]);
  };
  map.choose(null, port);
  draw();
}

const toggle = (text, pressed, onclick, label = null) =>
  h("button", { type: "button", class: "button", "aria-pressed": String(pressed), "aria-label": label, onclick }, text);

// What one can build at a place, with what to force and forbid.
function showPlace(place, district) {
  if (!place) {
    return card.open([
      heading(district ? named(district, "district") : NOTHING, null, district && named(district, "state"), {
        close: card.close,
      }),
      h(
        "p",
        {},
        options.length ? _("Nothing can be built here in this study.") : _("The list of possible sites is still being made."),
      ),
    ]);
  }
  const draw = () => {
    const now = question();
    const act = (next) => {
      change(next);
      draw();
    };
    const barred = questions.has(now, "forbidden", place.place_id);
    const types = [...data.groupBy(place.list, questions.siteOf)];
    card.open([
      heading(place.name, null, place.state, { close: card.close }),
      h(
        "p",
        { class: "row" },
        toggle(_("Forbid all here"), barred, () => act(questions.toggleForbidden(question(), place.place_id, options))),
      ),
      ...types.map(([id, list]) =>
        h(
          "section",
          {},
          h(
            "h3",
            { class: "row" },
            word(list[0].facility_type),
            toggle(
              _("Forbid"),
              questions.has(now, "forbidden", id),
              () => act(questions.toggleForbidden(question(), id, options)),
              _("Forbid: {place}", { place: idText(id) }),
            ),
          ),
          h(
            "ul",
            { class: "choices" },
            list.map((option) =>
              h(
                "li",
                {},
                h(
                  "span",
                  {},
                  word(option.tier),
                  h(
                    "span",
                    { class: "quiet" },
                    ` ${crore(option.capex_inr_crore)} · ${_("{amount} a year", { amount: tonnes(option.capacity_t_per_year) })}`,
                  ),
                ),
                toggle(
                  _("Force"),
                  questions.has(now, "forced", option.option_id),
                  () => act(questions.toggleForced(question(), option, options)),
                  _("Force: {place}", { place: idText(option.option_id) }),
                ),
              ),
            ),
          ),
        ),
      ),
      builtHere(place),
    ]);
  };
  return draw();
}

function builtHere(place) {
  const built = shown.sites.filter((site) => site.site_id.endsWith(`@${place.place_id}`));
  if (!built.length) return null;
  return h(
    "section",
    {},
    h("h3", {}, _("In this plan")),
    facts(
      built.map((site) => [
        `${word(site.facility_type)}, ${word(site.tier)}`,
        _("{saving} a year", { saving: rupees(site.saving_inr_per_year) }),
      ]),
    ),
  );
}

// ---- saving and earlier questions

async function save() {
  const place = byId("saved");
  const begun = await data.post(`${data.runBase(run.id)}/save`, { name: byId("save-name").value.trim() });
  const done = await watch(
    begun,
    (now) =>
      place.replaceChildren(
        h("p", { class: "quiet" }, `${STAGES[now.stage] ?? word(now.stage)} · ${_("{n} s", { n: number(now.elapsed_s) })}`),
      ),
    () => true,
  );
  if (done.state !== "finished") {
    place.replaceChildren(h("p", { class: "quiet" }, _("This failed: {why}", { why: done.message })));
    return;
  }
  place.replaceChildren(
    h("p", {}, _("Saved as a study file. Anyone can run it:")),
    h("code", {}, `siting run ${done.study_file}`),
    h("p", {}, h("a", { href: `/#${new URLSearchParams({ plan: done.plan })}` }, _("Look at the saved plan"))),
  );
  byId("save-name").value = "";
  ({ plans } = await data.get(`${data.API}/plans`));
  fillBases();
}

// A question by what it asks: budget, then what is forced, forbidden and closed.
function runName({ name, changes }) {
  const count = (list) => changes[list]?.length ?? 0;
  return [
    name,
    changes.budget_inr_crore === undefined ? null : crore(changes.budget_inr_crore),
    count("forced") ? _("{n} forced", { n: number(count("forced")) }) : null,
    count("forbidden") ? _("{n} forbidden", { n: number(count("forbidden")) }) : null,
    ...(changes.closed_gateways ?? []).map((id) =>
      _("Closed: {place}", { place: baseline.gateways.find((row) => row.gateway_id === id)?.name ?? id }),
    ),
  ]
    .filter(Boolean)
    .join(", ");
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
  byId("runs").replaceChildren(
    ...runs.map((one) =>
      h(
        "li",
        {},
        h("a", { href: `#${new URLSearchParams({ ...one.base, run: one.id })}` }, runName(one)),
        h("span", { class: "amount" }, STATES[one.state]),
      ),
    ),
  );
}
