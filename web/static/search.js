// Search for a place: a combobox that lists the best matches as one types.

import { h } from "./dom.js";
import { _, named } from "./i18n.js";
import { OLD_NAMES, find, key } from "./names.js";
import { word } from "./format.js";

const LISTED = 8;

const entry = (kind, row, name, more, names) => ({
  kind,
  row,
  name,
  more,
  keys: names
    .flatMap((one) => [one, ...(OLD_NAMES[one] ?? [])])
    .filter(Boolean)
    .map(key),
});

export const districtEntries = (plan) =>
  plan.districts.map((row, i) =>
    entry("district", i, named(row, "district"), named(row, "state"), [row.district, row.district_hi]),
  );

// All that a plan's map names: states first, so that Goa is the state before it is a district.
export function allEntries(plan) {
  return [
    ...[...plan.stateNames].map(([state, name]) => entry("state", state, name, _("State"), [state, name])),
    ...districtEntries(plan),
    ...plan.sites.map((row, i) => entry("site", i, named(row, "name"), word(row.facility_type), [row.name, row.name_hi])),
    ...plan.gateways.map((row, i) => entry("gateway", i, named(row, "name"), _("Port"), [row.name, row.name_hi])),
    ...plan.depots.map((row, i) => entry("depot", i, named(row, "name"), _("Inland depot"), [row.name, row.name_hi])),
  ];
}

export function createSearch(input, list, pick) {
  let entries = [];
  let keys = [];
  let found = [];
  let active = -1;

  function search() {
    found = find(input.value, keys, LISTED);
    active = found.length ? 0 : -1;
    show();
    if (input.value.trim() && !found.length) {
      list.hidden = false;
      list.replaceChildren(h("li", { class: "quiet", role: "option", "aria-disabled": "true" }, _("Nothing of that name")));
    }
  }

  function show() {
    list.hidden = !found.length;
    input.setAttribute("aria-expanded", String(found.length > 0));
    list.replaceChildren(
      ...found.map((at, i) =>
        h(
          "li",
          {
            id: `found-${i}`,
            role: "option",
            "aria-selected": String(i === active),
            onmousedown: (event) => {
              event.preventDefault();
              choose(i);
            },
          },
          entries[at].name,
          h("span", { class: "quiet" }, entries[at].more),
        ),
      ),
    );
    if (active >= 0) input.setAttribute("aria-activedescendant", `found-${active}`);
    else input.removeAttribute("aria-activedescendant");
  }

  function choose(i) {
    const chosen = entries[found[i]];
    if (!chosen) return;
    input.value = "";
    close();
    pick(chosen);
  }

  function close() {
    found = [];
    active = -1;
    show();
  }

  input.oninput = search;
  input.onblur = close;
  input.onkeydown = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) {
      active = (active + step + found.length) % found.length;
      show();
      event.preventDefault();
    } else if (event.key === "Enter") {
      choose(active);
    } else if (event.key === "Escape") {
      close();
    }
  };
  return (all) => {
    entries = all;
    keys = all.map((one) => one.keys);
  };
}
