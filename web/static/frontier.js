// Saving by budget of a sweep: a line whose points one can click or reach by keyboard.

import { h, s } from "./dom.js";
import { crore, rupees } from "./format.js";
import { _ } from "./i18n.js";

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [290, 170, 10, 22, 14];

export function drawFrontier(place, points, chosen, pick) {
  const most = {
    budget: Math.max(...points.map((p) => p.budget_inr_crore), 1),
    saving: Math.max(...points.map((p) => p.saving_inr_per_year), 1),
  };
  const x = (budget) => LEFT + ((WIDTH - 2 * LEFT) * budget) / most.budget;
  const y = (saving) => HEIGHT - BOTTOM - ((HEIGHT - BOTTOM - TOP) * Math.max(0, saving)) / most.saving;
  const line = [[0, 0], ...points.map((p) => [p.budget_inr_crore, p.saving_inr_per_year])]
    .map(([b, v], i) => `${i ? "L" : "M"}${x(b).toFixed(1)} ${y(v).toFixed(1)}`)
    .join("");
  const text = (p) =>
    _("Budget {budget}: saves {saving} a year", { budget: crore(p.budget_inr_crore), saving: rupees(p.saving_inr_per_year) });
  const note = h("p", { class: "quiet", role: "status" });
  const letter = (p) => (p.plan === chosen.a ? "A" : p.plan === chosen.b ? "B" : "");
  const marks = points.map((p) => {
    const mark = s(
      "g",
      {
        class: letter(p) ? "point chosen" : "point",
        role: "button",
        tabindex: 0,
        "aria-label": `${text(p)} ${letter(p)}`.trim(),
        "data-plan": p.plan,
        onclick: () => pick(p.plan),
        onkeydown: (event) => {
          if (["Enter", " "].includes(event.key)) {
            event.preventDefault();
            pick(p.plan);
          }
        },
        onmouseenter: () => {
          note.textContent = text(p);
        },
        onfocus: () => {
          note.textContent = text(p);
        },
      },
      s("circle", { class: "reach", cx: x(p.budget_inr_crore), cy: y(p.saving_inr_per_year), r: 13 }),
      s("circle", { class: "dot", cx: x(p.budget_inr_crore), cy: y(p.saving_inr_per_year), r: letter(p) ? 7 : 5 }),
    );
    if (letter(p))
      mark.append(s("text", { x: x(p.budget_inr_crore), y: y(p.saving_inr_per_year) + 22, "text-anchor": "middle" }, letter(p)));
    return mark;
  });
  const current = points.find((p) => p.plan === chosen.b) ?? points.at(-1);
  note.textContent = current ? text(current) : "";
  place.replaceChildren(
    s(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "frontier", role: "group", "aria-label": _("Saving a year by budget") },
      s("path", { class: "axis", d: `M${LEFT} ${HEIGHT - BOTTOM}H${WIDTH - LEFT}` }),
      s("path", { class: "line", d: line }),
      s("text", { x: LEFT, y: HEIGHT - 6 }, "0"),
      s("text", { x: WIDTH - LEFT, y: HEIGHT - 6, "text-anchor": "end" }, crore(most.budget)),
      marks,
    ),
    note,
  );
}
