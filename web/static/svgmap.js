// The same map as plain SVG, for browsers without WebGL: it does not zoom, all else works.

import { attribution } from "./data.js";
import { h, s } from "./dom.js";
import { _ } from "./i18n.js";

const SQUASH = Math.cos((22 * Math.PI) / 180); // a degree of longitude beside one of latitude, in the middle of India
const SCALE = 30;
const BOX = { west: 67.8, north: 37.3, width: 29.8, height: 31 };
const GROUPS = ["districts", "roads", "rail", "states", "lanes", "options", "depots", "sites", "ports"];

const x = (lon) => ((lon - BOX.west) * SQUASH * SCALE).toFixed(1);
const y = (lat) => ((BOX.north - lat) * SCALE).toFixed(1);
const path = (points) => points.map(([lon, lat], i) => `${i ? "L" : "M"}${x(lon)} ${y(lat)}`).join("");
const shape = (polygons) => polygons.flat().map((ring) => `${path(ring)}Z`).join("");

export async function createSvgMap(container, plan, on) {
  const groups = Object.fromEntries(GROUPS.map((name) => [name, s("g", { class: `svg-${name}` })]));
  const width = BOX.width * SQUASH * SCALE;
  const svg = s("svg", { viewBox: `0 0 ${width.toFixed(0)} ${BOX.height * SCALE}`, class: "svgmap", role: "img",
    "aria-label": _("Map; the table holds the same values"), onmouseleave: () => on.hover?.(null) }, Object.values(groups));

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
    paint: (colours) => colours.forEach((colour, row) => districts[row].setAttribute("fill", colour)),
    setSites: (rows) => marks("sites", "site", rows, (row) => symbol(row.facility_type, row)),
    setPorts: (rows) => marks("ports", "gateway", rows, (row) => s("circle", { cx: x(row.lon), cy: y(row.lat), r: 6, class: row.closed ? "closed" : null })),
    setOptions: (rows) => marks("options", "place", rows, (row) => s("circle", { cx: x(row.lon), cy: y(row.lat), r: row.mark ? 5 : 2.5, class: row.mark })),
    filter(name, rows) {
      const shown = rows && new Set(rows);
      [...groups[name].children].forEach((mark, row) => { mark.style.display = !shown || shown.has(row) ? "" : "none"; });
    },
    choose(district, point) {
      districts.forEach((area, row) => area.classList.toggle("chosen", row === district));
      svg.querySelector(".svg-ring")?.remove();
      if (point) svg.append(s("circle", { class: "svg-ring", cx: x(point.lon), cy: y(point.lat), r: 10 }));
    },
    drawLanes({ features }) {
      groups.lanes.replaceChildren(...features.map(({ properties, geometry }) => s("path", { d: path(geometry.coordinates), class: properties.mode })));
    },
    fit: () => {},
    home: () => {},
    camera: () => null,
    setCamera: () => {},
    async show(name, visible, load) {
      if (visible && load && !groups[name].childNodes.length) groups[name].append(s("path", { d: (await load()).map(path).join("") }));
      groups[name].style.display = visible ? "" : "none";
    },
    drawn: async () => {},
    resize: () => {},
    remove: () => container.replaceChildren(),
  };
  groups.districts.append(...districts);
  groups.states.append(...plan.states.shapes.map((polygons) => s("path", { d: shape(polygons) })));
  groups.depots.style.display = "none";
  marks("depots", "depot", plan.depots, (row) => s("circle", { cx: x(row.lon), cy: y(row.lat), r: 4 }));
  view.setSites(plan.sites);
  view.setPorts(plan.gateways);
  container.replaceChildren(svg, h("p", { class: "svg-attribution" }, `${attribution()} © OpenStreetMap contributors`));
  return view;
}

function symbol(type, { lon, lat, mark }) {
  const [cx, cy] = [x(lon), y(lat)];
  if (type === "cold_store") return s("circle", { cx, cy, r: 4, class: mark });
  const turn = type === "mmlp" ? `rotate(45 ${cx} ${cy})` : null;
  return s("rect", { x: cx - 3.5, y: cy - 3.5, width: 7, height: 7, transform: turn, class: mark });
}
