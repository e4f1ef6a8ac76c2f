// Search for a district: a combobox that lists the best ten as one types.

import { h } from "./dom.js";

const LISTED = 10;
const plain = (text) => text.normalize("NFD").replace(/\p{Diacritic}/gu, "").toLowerCase();

export function createSearch(input, list, districts, pick) {
  const names = districts.map((row) => ({ name: plain(row.district), all: `${plain(row.district)} ${plain(row.state)} ${row.district_hi ?? ""}` }));
  let found = [];
  let active = -1;

  function search() {
    const asked = plain(input.value.trim());
    const rank = ({ name, all }) => (name.startsWith(asked) ? 0 : name.includes(asked) ? 1 : all.includes(asked) ? 2 : 3);
    found = asked
      ? names.map((entry, row) => ({ row, rank: rank(entry) })).filter((entry) => entry.rank < 3).sort((a, b) => a.rank - b.rank).slice(0, LISTED).map((entry) => entry.row)
      : [];
    active = found.length ? 0 : -1;
    show();
    if (asked && !found.length) {
      list.hidden = false;
      list.replaceChildren(h("li", { class: "quiet" }, "No district of that name"));
    }
  }

  function show() {
    list.hidden = !found.length;
    input.setAttribute("aria-expanded", String(found.length > 0));
    list.replaceChildren(...found.map((row, i) => h("li", { id: `found-${i}`, role: "option", "aria-selected": String(i === active),
      onmousedown: (event) => { event.preventDefault(); choose(i); } },
      districts[row].district, h("span", { class: "quiet" }, districts[row].state))));
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
}
