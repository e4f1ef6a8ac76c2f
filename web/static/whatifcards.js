// Cards of What if: a port to close, a place with what one can force and forbid there.

import { facts, heading, tag } from "./card.js";
import { groupBy } from "./data.js";
import { h } from "./dom.js";
import { NOTHING, crore, rupees, tonnes, word } from "./format.js";
import { _, named } from "./i18n.js";
import * as questions from "./question.js";
import { idText, question } from "./whatifview.js";

function toggle(text, pressed, onclick, label = null) {
  return h("button", { type: "button", class: "button", "aria-pressed": String(pressed), "aria-label": label, onclick }, text);
}

// `on`: change(question), close(). Each returns the content of a card.
export function portCard(state, port, on) {
  const closed = questions.has(question(state), "closed_gateways", port.gateway_id);
  const change = () => on.change(questions.toggleGateway(question(state), port.gateway_id));
  return [
    heading(named(port, "name"), null, named(port, "state"), on),
    h("p", { class: "tags" }, tag(_("Port")), closed ? tag(_("closed")) : null),
    h("p", { class: "row" }, toggle(closed ? _("Open this port again") : _("Close this port"), closed, change)),
  ];
}

export function nothingCard(state, district, on) {
  const known = state.options.length > 0;
  return [
    heading(district ? named(district, "district") : NOTHING, null, district && named(district, "state"), on),
    h("p", {}, known ? _("Nothing can be built here in this study.") : _("The list of possible sites is still being made.")),
  ];
}

export function placeCard(state, place, on) {
  const now = question(state);
  const forbid = (id) => on.change(questions.toggleForbidden(question(state), id, state.options));
  const barred = questions.has(now, "forbidden", place.place_id);
  const sites = [...groupBy(place.list, questions.siteOf)];
  return [
    heading(place.name, null, place.state, on),
    h(
      "p",
      { class: "row" },
      toggle(_("Forbid all here"), barred, () => forbid(place.place_id)),
    ),
    ...sites.map(([id, list]) => siteSection(state, id, list, on, forbid)),
    builtHere(state, place),
  ];
}

function siteSection(state, id, list, on, forbid) {
  const now = question(state);
  const label = _("Forbid: {place}", { place: idText(id, state.options) });
  const button = toggle(_("Forbid"), questions.has(now, "forbidden", id), () => forbid(id), label);
  const size = (option) => {
    const amount = _("{amount} a year", { amount: tonnes(option.capacity_t_per_year) });
    const force = () => on.change(questions.toggleForced(question(state), option, state.options));
    const forced = questions.has(now, "forced", option.option_id);
    return h(
      "li",
      {},
      h("span", {}, word(option.tier), h("span", { class: "quiet" }, ` ${crore(option.capex_inr_crore)} · ${amount}`)),
      toggle(_("Force"), forced, force, _("Force: {place}", { place: idText(option.option_id, state.options) })),
    );
  };
  const title = h("h3", { class: "row" }, word(list[0].facility_type), button);
  return h("section", {}, title, h("ul", { class: "choices" }, list.map(size)));
}

function builtHere({ shown }, place) {
  const built = shown.sites.filter((site) => site.site_id.endsWith(`@${place.place_id}`));
  if (!built.length) return null;
  const row = (site) => {
    const saving = _("{saving} a year", { saving: rupees(site.saving_inr_per_year) });
    return [`${word(site.facility_type)}, ${word(site.tier)}`, saving];
  };
  return h("section", {}, h("h3", {}, _("In this plan")), facts(built.map(row)));
}
