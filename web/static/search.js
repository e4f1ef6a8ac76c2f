// Search for a district: a combobox that lists the best matches as one types.

import { h } from "./dom.js";
import { _, named } from "./i18n.js";
import { find, key } from "./names.js";

const LISTED = 8;

export function createSearch(input, list, pick) {
  let districts = [];
  let names = [];
  let found = [];
  let active = -1;

  function search() {
    found = find(input.value, names, LISTED);
    active = found.length ? 0 : -1;
    show();
    if (input.value.trim() && !found.length) {
      list.hidden = false;
      list.replaceChildren(h("li", { class: "quiet", role: "option", "aria-disabled": "true" }, _("No district of that name")));
    }
  }

  function show() {
    list.hidden = !found.length;
    input.setAttribute("aria-expanded", String(found.length > 0));
    list.replaceChildren(...found.map((row, i) => h("li", { id: `found-${i}`, role: "option", "aria-selected": String(i === active),
      onmousedown: (event) => { event.preventDefault(); choose(i); } },
      named(districts[row], "district"), h("span", { class: "quiet" }, named(districts[row], "state")))));
    if (active >= 0) input.setAttribute("aria-activedescendant", `found-${active}`);
    else input.removeAttribute("aria-activedescendant");
  }

  function choose(i) {
    const row = found[i];
    if (row === undefined) return;
    input.value = "";
    close();
    pick(row);
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
  return (rows) => {
    districts = rows;
    names = rows.map((row) => [row.district, row.district_hi].filter(Boolean).map(key));
  };
}
