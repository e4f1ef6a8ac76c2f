// Saving by capital: plans as points one can click or reach by keyboard, the best of each capital joined by a line.

import { h, s } from "./dom.js";
import { NOTHING, crore, number, rupees, short } from "./format.js";
import { _ } from "./i18n.js";

const [LEFT, RIGHT, TOP, BOTTOM] = [46, 14, 22, 38];
const INR_PER_CRORE = 1e7;
const STEPS = 4;

// The next round number of steps that reach a value: [0, 50, 100, 150, 200].
export function ticks(most) {
  if (!(most > 0)) return [0, 1];
  const power = 10 ** Math.floor(Math.log10(most / STEPS));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((size) => size * STEPS >= most * (1 - 1e-9));
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_value, k) => k * step);
}

// What a crore more saves a year, by point: from each point to the next dearer one that saves more; the first from nothing.
export function marginals(points) {
  const byCapital = [...points].sort(
    (a, b) => a.capex_inr_crore - b.capex_inr_crore || a.saving_inr_per_year - b.saving_inr_per_year,
  );
  const found = new Map();
  let last = { capex_inr_crore: 0, saving_inr_per_year: 0 };
  for (const point of byCapital) {
    const more = point.capex_inr_crore - last.capex_inr_crore;
    found.set(point, more > 0.005 ? (point.saving_inr_per_year - last.saving_inr_per_year) / more : null);
    last = point;
  }
  return found;
}

// `points`: {id, name, capex_inr_crore, saving_inr_per_year, letter, kind}; those of a kind are off the line.
export function drawFrontier(place, points, pick, [width, height] = [290, 210]) {
  const [xs, ys] = [
    ticks(Math.max(...points.map((p) => p.capex_inr_crore))),
    ticks(Math.max(...points.map((p) => p.saving_inr_per_year / INR_PER_CRORE))),
  ];
  const x = (capital) => LEFT + ((width - LEFT - RIGHT) * capital) / xs.at(-1);
  const y = (saving) => height - BOTTOM - ((height - BOTTOM - TOP) * Math.max(0, saving / INR_PER_CRORE)) / ys.at(-1);
  const free = points.filter((p) => !p.kind).sort((a, b) => a.capex_inr_crore - b.capex_inr_crore);
  const steps = marginals(free);
  const note = h("p", { class: "quiet note", role: "status" });
  const text = (p) => {
    const next = steps.get(p);
    const said = _("{name}: spends {capital}, saves {saving} a year", {
      name: p.name,
      capital: crore(p.capex_inr_crore),
      saving: rupees(p.saving_inr_per_year),
    });
    return next ? `${said}; ${_("each of its last crores saves {amount} a year", { amount: rupees(next) })}` : said;
  };
  const mark = (p) => {
    const at = { cx: x(p.capex_inr_crore).toFixed(1), cy: y(p.saving_inr_per_year).toFixed(1) };
    const tell = () => {
      note.textContent = text(p);
    };
    const act = {
      onclick: () => pick(p.id),
      onkeydown: (event) => {
        if (!["Enter", " "].includes(event.key)) return;
        event.preventDefault();
        pick(p.id);
      },
      onmouseenter: tell,
      onfocus: tell,
    };
    const name = { role: "button", tabindex: 0, "aria-label": `${text(p)} ${p.letter ?? ""}`.trim(), "data-plan": p.id };
    const kind = `point ${p.letter ? "chosen" : ""} ${p.kind ?? ""}`.trim();
    const dot = s("circle", { class: "dot", ...at, r: p.letter ? 7 : 5 });
    const letter = p.letter ? s("text", { x: at.cx, y: Number(at.cy) - 11, "text-anchor": "middle" }, p.letter) : null;
    return s("g", { class: kind, ...name, ...act }, s("circle", { class: "reach", ...at, r: 13 }), dot, letter);
  };
  const line = [[0, 0], ...free.map((p) => [p.capex_inr_crore, p.saving_inr_per_year])];
  const current = points.find((p) => p.letter && p.letter !== "A") ?? points.at(-1);
  note.textContent = current ? text(current) : NOTHING;
  place.replaceChildren(
    s(
      "svg",
      { viewBox: `0 0 ${width} ${height}`, class: "frontier", role: "group", "aria-label": _("Saving a year by capital spent") },
      ys.map((v) => [
        s("path", { class: "grid", d: `M${LEFT} ${y(v * INR_PER_CRORE)}H${width - RIGHT}` }),
        s("text", { class: "tick", x: LEFT - 6, y: y(v * INR_PER_CRORE) + 4, "text-anchor": "end" }, short0(v)),
      ]),
      xs.map((v) => s("text", { class: "tick", x: x(v), y: height - BOTTOM + 15, "text-anchor": "middle" }, short0(v))),
      s("text", { class: "tick", x: 0, y: 11 }, _("Saving a year, ₹ crore")),
      s("text", { class: "tick", x: width - RIGHT, y: height - 5, "text-anchor": "end" }, _("Capital spent, ₹ crore")),
      s("path", { class: "line", d: line.map(([b, v], i) => `${i ? "L" : "M"}${x(b).toFixed(1)} ${y(v).toFixed(1)}`).join("") }),
      points.map(mark),
    ),
    note,
  );
}

const short0 = (value) => (Number.isInteger(value) ? number(value) : short(value));
