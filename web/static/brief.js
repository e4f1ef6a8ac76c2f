// The plan in a sentence: where, how much, why, and how sure; of the country, or of one state.

import { h } from "./dom.js";
import { crore, hours, number, percent, rupees } from "./format.js";
import { _, named, ngettext } from "./i18n.js";
import { groupBy } from "./data.js";
import { perRupee } from "./sites.js";
import * as shell from "./shell.js";

const STRONGEST = 3;
const HOURS = 0.5; // more than this is slower
const sum = (rows, value) => rows.reduce((total, row) => total + (value(row) ?? 0), 0);

// What a plan holds of a state, or of the whole country where `state` is "".
export function totals(plan, state) {
  const within = (row) => !state || row.state === state;
  const districts = plan.districts.filter((row) => within(row) && row.under_utilised);
  const sites = plan.sites.filter(within);
  const withCargo = districts.filter((row) => row.hours_before !== null && row.hours_after !== null);
  const t = sum(withCargo, (row) => row.tonnes_per_year);
  const mean = (column) => (t ? sum(withCargo, (row) => row[column] * row.tonnes_per_year) / t : null);
  return {
    districts,
    sites,
    capex_inr_crore: sum(sites, (row) => row.capex_inr_crore),
    saving_inr_per_year: sum(districts, (row) => row.saving_inr_per_year),
    served: districts.filter((row) => row.hub_1).length,
    slower: withCargo.filter((row) => row.hours_after > row.hours_before + HOURS).length,
    hours_before: mean("hours_before"),
    hours_after: mean("hours_after"),
  };
}

function ofCountry(plan) {
  const { summary, sites } = plan;
  const draws = summary.draws?.n ? summary.draws : null;
  const core = sites.filter((row) => row.chosen_share >= 0.9).length;
  if (!sites.length)
    return [
      _("Nothing is worth building within {budget}: no site saves more than it costs.", {
        budget: crore(summary.budget_inr_crore),
      }),
    ];
  const range = draws?.own_saving
    ? ` ${_("({low} to {high} in nine of ten draws of the inputs)", {
        low: rupees(draws.own_saving.low_inr_per_year),
        high: rupees(draws.own_saving.high_inr_per_year),
      })}`
    : "";
  const losing = summary.not_recovering_capital?.sites ?? 0;
  return [
    _("Build {sites} for {capital}: saves {saving} a year{range}.", {
      sites: shell.siteCounts(sites),
      capital: crore(summary.capex_inr_crore),
      saving: rupees(summary.saving_inr_per_year),
      range,
    }),
    draws?.saving
      ? ` ${ngettext("{n} site is core: chosen in nine of ten draws.", "{n} sites are core: chosen in nine of ten draws.", core)}`
      : "",
    losing
      ? ` ${ngettext("{n} site does not recover its own capital.", "{n} sites do not recover their own capital.", losing)}`
      : "",
  ];
}

function ofState(plan, state) {
  const of = totals(plan, state);
  const name = plan.stateNames.get(state);
  if (!of.sites.length && Math.abs(of.saving_inr_per_year) < 1)
    return [
      _("{state}: no new site, and none elsewhere serves it. Its mean time to the ship is {hours}.", {
        state: name,
        hours: hours(of.hours_before),
      }),
    ];
  return [
    of.sites.length
      ? _("{state}: build {sites} for {capital}; its districts save {saving} a year.", {
          state: name,
          sites: shell.siteCounts(of.sites),
          capital: crore(of.capex_inr_crore),
          saving: rupees(of.saving_inr_per_year),
        })
      : _("{state}: no new site; its districts save {saving} a year through sites elsewhere.", {
          state: name,
          saving: rupees(of.saving_inr_per_year),
        }),
    ` ${_("{n} of {all} under-utilised districts use a new site.", { n: number(of.served), all: number(of.districts.length) })}`,
    of.hours_before === null
      ? ""
      : ` ${_("Mean time to the ship: {before} today, {after} with the plan.", {
          before: hours(of.hours_before),
          after: hours(of.hours_after),
        })}`,
  ];
}

// What the report admits, the map shows too.
function cautions(plan, state) {
  const { summary } = plan;
  const { slower } = totals(plan, state);
  const rises = !state && summary.after.mean_hours > summary.before.mean_hours + HOURS;
  return [
    slower ? ngettext("{n} district gets slower.", "{n} districts get slower.", slower) : null,
    rises
      ? _("The mean time rises from {before} to {after}.", {
          before: hours(summary.before.mean_hours),
          after: hours(summary.after.mean_hours),
        })
      : null,
  ].filter(Boolean);
}

function sureness({ summary }) {
  const draws = summary.draws?.n ? summary.draws : null;
  const consists = shell.composition(summary);
  return [
    consists && [_("The saving"), consists, "saving"],
    [_("Solver"), shell.proofText(summary.status === "optimal", summary), "proof"],
    [
      _("Inputs"),
      draws
        ? _("in {n} draws of all uncertain inputs these sites repay in {share}", {
            n: number(draws.n),
            share: percent(draws.repaying_share),
          })
        : _("not drawn in this run: `siting run --draws 20` tells the range"),
      "draws",
    ],
  ].filter(Boolean);
}

// `on`: state(name), site(row), all(), light(row) of a site or of the districts of a state, null for none.
export function showBrief(place, plan, state, on) {
  const link = (text, onclick, lit) => {
    const light = lit && { onmouseenter: () => on.light(lit), onmouseleave: () => on.light(null) };
    const focus = lit && { onfocus: () => on.light(lit), onblur: () => on.light(null) };
    return h("button", { type: "button", class: "link", onclick, ...light, ...focus }, text);
  };
  const perState = [
    ...groupBy(
      plan.districts.filter((row) => row.under_utilised),
      (row) => row.state,
    ),
  ]
    .map(([name, rows]) => [name, sum(rows, (row) => row.saving_inr_per_year)])
    .filter(([, saving]) => saving > 0)
    .sort((a, b) => b[1] - a[1])
    .slice(0, STRONGEST);
  const best = plan.sites
    .filter((row) => !state || row.state === state)
    .sort((a, b) => (perRupee(b) ?? 0) - (perRupee(a) ?? 0))
    .slice(0, STRONGEST);
  const listed = (title, links) =>
    links.length
      ? h(
          "span",
          { class: "links" },
          `${title} `,
          links.flatMap((one, i) => (i ? [", ", one] : [one])),
        )
      : null;
  const sure = h(
    "details",
    { class: "sure" },
    h("summary", {}, _("How sure")),
    h(
      "dl",
      {},
      sureness(plan).map(([name, text, term]) => [h("dt", {}, name, " ", shell.termButton(term)), h("dd", {}, text)]),
    ),
  );
  place.replaceChildren(
    h(
      "p",
      { class: "sentence" },
      (state ? ofState : ofCountry)(plan, state),
      cautions(plan, state).map((text) => ` ${text}`),
    ),
    h(
      "p",
      { class: "leads" },
      ...[
        state
          ? link(_("Back to all of India"), on.all)
          : listed(
              _("Most saved in"),
              perState.map(([state, saving]) =>
                link(`${plan.stateNames.get(state)} (${rupees(saving)})`, () => on.state(state), { state }),
              ),
            ),
        listed(
          _("Best sites by saving per rupee:"),
          best.map((row) => link(named(row, "name"), () => on.site(row), row)),
        ),
      ].filter(Boolean),
    ),
    sure,
  );
}
