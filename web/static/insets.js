// Islands that a map of the whole country shows too small, beside it at a scale of their own.

import { h, s } from "./dom.js";
import { HATCH } from "./measures.js";

const ISLANDS = ["Andaman and Nicobar Islands", "Lakshadweep"];
const [WIDTH, HEIGHT] = [56, 92];

// A small drawing of the districts of some rows, and its areas.
function drawing(plan, rows) {
  const side = (k, best) => best(...rows.map((row) => plan.districts[row].bounds[k]));
  const [west, south, east, north] = [side(0, Math.min), side(1, Math.min), side(2, Math.max), side(3, Math.max)];
  const squash = Math.cos(((south + north) / 2) * (Math.PI / 180));
  const scale = Math.min((WIDTH - 6) / ((east - west) * squash), (HEIGHT - 6) / (north - south));
  const left = (WIDTH - (east - west) * squash * scale) / 2;
  const top = (HEIGHT - (north - south) * scale) / 2;
  const point = ([lon, lat]) => `${(left + (lon - west) * squash * scale).toFixed(1)} ${(top + (north - lat) * scale).toFixed(1)}`;
  const ring = (points) => `M${points.map(point).join("L")}Z`;
  const areas = rows.map((row) => s("path", { d: plan.shapes[row].flat().map(ring).join("") }));
  return { areas, svg: s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, "aria-hidden": "true" }, areas) };
}

// `pick(state)` opens one of them.
export function createInsets(place, plan, pick) {
  const drawn = ISLANDS.filter((name) => plan.stateNames.has(name)).map((name) => {
    const rows = plan.districts.flatMap((row, i) => (row.state === name ? [i] : []));
    return { name, rows, ...drawing(plan, rows) };
  });
  place.replaceChildren(
    ...drawn.map(({ name, svg }) =>
      h("button", { type: "button", onclick: () => pick(name) }, svg, h("span", {}, plan.stateNames.get(name))),
    ),
  );
  return {
    // Islands of a few pixels are seen by their outline, which has their colour.
    paint(colours) {
      for (const { rows, areas } of drawn)
        areas.forEach((area, i) => {
          const colour = colours[rows[i]];
          area.setAttribute("fill", colour === HATCH ? "#ffffff" : colour);
          area.setAttribute("stroke", colour === HATCH ? "#9aa7b2" : colour);
        });
    },
  };
}
