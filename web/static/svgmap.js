// The same map as plain SVG, for browsers without WebGL: it does not zoom, all else works.

import { h } from "./dom.js";
import { ATTRIBUTION } from "./data.js";

const SVG = "http://www.w3.org/2000/svg";
const SQUASH = Math.cos((22 * Math.PI) / 180); // a degree of longitude beside one of latitude, in the middle of India
const SCALE = 30;
const BOX = { west: 67.8, north: 37.3, width: 29.8, height: 31 };

const x = (lon) => ((lon - BOX.west) * SQUASH * SCALE).toFixed(1);
const y = (lat) => ((BOX.north - lat) * SCALE).toFixed(1);
const path = (points) => points.map(([lon, lat], i) => `${i ? "L" : "M"}${x(lon)} ${y(lat)}`).join("");
const shape = (polygons) => polygons.flat().map((ring) => `${path(ring)}Z`).join("");

function draw(tag, attributes, parent) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent.append(element);
  return element;
}

export async function createSvgMap(container, plan, on) {
  const width = BOX.width * SQUASH * SCALE;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${width.toFixed(0)} ${(BOX.height * SCALE).toFixed(0)}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", "Map of India by district; the tables hold the same values");
  svg.classList.add("svgmap");
  const groups = Object.fromEntries(
    ["districts", "roads", "rail", "states", "lanes", "depots", "sites", "ports"].map((name) => [name, draw("g", { class: `svg-${name}` }, svg)]),
  );
  const districts = plan.shapes.map((polygons, row) => {
    const area = draw("path", { d: shape(polygons) }, groups.districts);
    area.addEventListener("click", () => on.pick({ kind: "district", row }));
    area.addEventListener("mousemove", (event) => hover({ kind: "district", row }, event));
    return area;
  });
  for (const polygons of plan.states.shapes) draw("path", { d: shape(polygons) }, groups.states);
  const sites = plan.sites.map((site, row) => {
    const mark = symbol(site.facility_type, x(site.lon), y(site.lat), groups.sites);
    mark.addEventListener("click", () => on.pick({ kind: "site", row }));
    mark.addEventListener("mousemove", (event) => hover({ kind: "site", row }, event));
    return mark;
  });
  const dots = (rows, kind) => rows.forEach((place, row) => {
    const mark = draw("circle", { cx: x(place.lon), cy: y(place.lat), r: kind === "ports" ? 6 : 4 }, groups[kind]);
    mark.addEventListener("mousemove", (event) => hover({ kind, row }, event));
  });
  dots(plan.gateways, "ports");
  dots(plan.depots, "depots");
  groups.depots.style.display = "none";
  svg.addEventListener("mouseleave", () => on.hover(null));
  container.replaceChildren(svg, h("p", { class: "svg-attribution" }, ATTRIBUTION));

  function hover(found, event) {
    const box = container.getBoundingClientRect();
    on.hover(found, { x: event.clientX - box.left, y: event.clientY - box.top });
  }

  return {
    paint: (colours) => colours.forEach((colour, row) => districts[row].setAttribute("fill", colour)),
    choose(selection) {
      districts.forEach((area, row) => area.classList.toggle("chosen", selection?.kind === "district" && row === selection.row));
      sites.forEach((mark, row) => mark.classList.toggle("chosen", selection?.kind === "site" && row === selection.row));
    },
    drawLanes(collection) {
      groups.lanes.replaceChildren();
      for (const { properties, geometry } of collection.features) {
        draw("path", { d: path(geometry.coordinates), class: properties.mode }, groups.lanes);
      }
    },
    fit: () => {},
    home: () => {},
    async show(name, visible, load) {
      if (visible && load && !groups[name].childNodes.length) {
        draw("path", { d: (await load()).map(path).join("") }, groups[name]);
      }
      groups[name].style.display = visible ? "" : "none";
    },
    resize: () => {},
    remove: () => container.replaceChildren(),
  };
}

function symbol(type, cx, cy, parent) {
  if (type === "cold_store") return draw("circle", { cx, cy, r: 4 }, parent);
  const diamond = type === "mmlp" ? { transform: `rotate(45 ${cx} ${cy})` } : {};
  return draw("rect", { x: cx - 3.5, y: cy - 3.5, width: 7, height: 7, ...diamond }, parent);
}
