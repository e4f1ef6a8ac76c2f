// The same map as plain SVG, for browsers without WebGL: it does not zoom, all else works.

import { attribution } from "./data.js";
import { h, s } from "./dom.js";
import { _ } from "./i18n.js";
import { HATCH } from "./measures.js";
import { mostSaved, siteOpacity, siteSize, siteState } from "./sites.js";

const SIZE = 930; // of the longer side: symbols and strokes are in these units
const GROUPS = ["land", "districts", "roads", "rail", "states", "lanes", "options", "depots", "sites", "ports", "labels"];
const LABELLED_DEG2 = 4; // smaller states carry no name, as in print

// From degrees to the drawing's units; a degree of longitude is as long as in the middle of the area.
function frameOf([west, south, east, north]) {
  const squash = Math.cos(((south + north) / 2) * (Math.PI / 180));
  const scale = SIZE / Math.max((east - west) * squash, north - south);
  return {
    width: (east - west) * squash * scale,
    height: (north - south) * scale,
    x: (lon) => ((lon - west) * squash * scale).toFixed(1),
    y: (lat) => ((north - lat) * scale).toFixed(1),
  };
}

let drawings = 0; // a page may hold two

export async function createMap(container, plan, on) {
  const groups = Object.fromEntries(GROUPS.map((name) => [name, s("g", { class: `svg-${name}` })]));
  const { width, height, x, y } = frameOf(plan.bounds);
  const hatch = `hatch-${(drawings += 1)}`;
  const path = (points) => points.map(([lon, lat], i) => `${i ? "L" : "M"}${x(lon)} ${y(lat)}`).join("");
  const shape = (polygons) =>
    polygons
      .flat()
      .map((ring) => `${path(ring)}Z`)
      .join("");
  const svg = s(
    "svg",
    {
      viewBox: `-12 -12 ${(width + 24).toFixed(0)} ${(height + 24).toFixed(0)}`,
      class: "svgmap",
      role: "img",
      "aria-label": _("Map; the table holds the same values"),
      onmouseleave: () => on.hover?.(null),
    },
    s("defs", {}, hatching(hatch)),
    Object.values(groups),
  );

  function listening(mark, kind, row) {
    mark.addEventListener("click", () => on.pick({ kind, row }));
    mark.addEventListener("mousemove", (event) => {
      const box = container.getBoundingClientRect();
      on.hover?.({ kind, row }, { x: event.clientX - box.left, y: event.clientY - box.top });
    });
    return mark;
  }

  const marks = (name, kind, rows, draw) => groups[name].replaceChildren(...rows.map((row, i) => listening(draw(row), kind, i)));
  const districts = plan.shapes.map((polygons, row) => listening(s("path", { d: shape(polygons) }), "district", row));
  const view = {
    paint: (colours) =>
      colours.forEach((colour, row) => districts[row].setAttribute("fill", colour === HATCH ? `url(#${hatch})` : colour)),
    light: (rows) => districts.forEach((area, row) => area.classList.toggle("lit", rows.includes(row))),
    setSites: (rows) =>
      marks("sites", "site", rows, (row) => symbol(row, x(row.lon), y(row.lat), siteSize(row, mostSaved(rows)))),
    setPorts: (rows) =>
      marks("ports", "gateway", rows, (row) =>
        s("circle", { cx: x(row.lon), cy: y(row.lat), r: 6, class: row.closed ? "closed" : null }),
      ),
    setOptions: (rows) =>
      marks("options", "place", rows, (row) =>
        s("circle", { cx: x(row.lon), cy: y(row.lat), r: row.mark ? 5 : 2.5, class: row.mark }),
      ),
    showSites(rows) {
      const shown = rows && new Set(rows);
      [...groups.sites.children].forEach((mark, row) => {
        mark.style.display = !shown || shown.has(row) ? "" : "none";
      });
    },
    choose(district, point) {
      districts.forEach((area, row) => area.classList.toggle("chosen", row === district));
      svg.querySelector(".svg-ring")?.remove();
      if (point) svg.append(s("circle", { class: "svg-ring", cx: x(point.lon), cy: y(point.lat), r: 10 }));
    },
    drawLanes({ features }) {
      groups.lanes.replaceChildren(
        ...features.map(({ properties, geometry }) => s("path", { d: path(geometry.coordinates), class: properties.mode })),
      );
    },
    fit: () => {},
    camera: () => null,
    setCamera: () => {},
    async show(name, visible, load) {
      if (visible && load && !groups[name].childNodes.length)
        groups[name].append(s("path", { d: (await load()).map(path).join("") }));
      for (const group of name === "states" ? [groups.states, groups.labels] : [groups[name]])
        group.style.display = visible ? "" : "none";
    },
    resize: () => {},
    remove: () => container.replaceChildren(),
  };
  groups.land.append(...plan.land.map((polygons) => s("path", { d: shape(polygons) })));
  groups.districts.append(...districts);
  groups.states.append(...plan.states.shapes.map((polygons) => s("path", { d: shape(polygons) })));
  groups.labels.append(
    ...plan.states.names.flatMap((name, i) => {
      if (plan.states.area_deg2[i] <= LABELLED_DEG2) return [];
      const [lon, lat] = plan.states.labels[i];
      const label = s("text", { x: x(lon), y: y(lat) }, plan.stateNames.get(name) ?? name);
      return [on.states ? listening(label, "state", i) : label];
    }),
  );
  groups.labels.classList.toggle("links", Boolean(on.states));
  groups.depots.style.display = "none";
  marks("depots", "depot", plan.depots, (row) => s("circle", { cx: x(row.lon), cy: y(row.lat), r: 4 }));
  view.setSites(plan.sites);
  view.setPorts(plan.gateways);
  if (on.left) svg.style.paddingLeft = `${on.left + 8}px`; // beside the box of layers
  container.replaceChildren(svg, h("p", { class: "svg-attribution" }, attribution(plan).join(" ")));
  return view;
}

function hatching(id) {
  const line = s("path", { d: "M0 6L6 0M-1 1L1 -1M5 7L7 5", stroke: "#9aa7b2", "stroke-width": 1 });
  const ground = s("rect", { width: 6, height: 6, fill: "#ffffff" });
  return s("pattern", { id, width: 6, height: 6, patternUnits: "userSpaceOnUse" }, ground, line);
}

function symbol(row, cx, cy, size) {
  const look = { class: siteState(row), opacity: siteOpacity(row) };
  const r = 5.5 * size;
  if (row.facility_type === "cold_store") return s("circle", { cx, cy, r, ...look });
  if (row.facility_type === "cargo_terminal") {
    return s("rect", { x: cx - 1.4 * r, y: cy - 0.6 * r, width: 2.8 * r, height: 1.2 * r, ...look });
  }
  const transform = row.facility_type === "mmlp" ? `rotate(45 ${cx} ${cy})` : null;
  return s("rect", { x: cx - r, y: cy - r, width: 2 * r, height: 2 * r, transform, ...look });
}
