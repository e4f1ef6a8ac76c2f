// The map, drawn by MapLibre GL JS from the plan's own shapes: no tiles, no fonts, no other server.

import { ATTRIBUTION, groupBy } from "./data.js";
import { ACCENT, INK, PIXEL_RATIO, SYMBOLS, TIER_SIZE, imageOf, labelCanvas, symbolCanvas } from "./icons.js";

const INDIA = [[67.8, 6.4], [97.6, 37.3]];
const EMPTY = { type: "FeatureCollection", features: [] };

// Map layers behind each switch of the panel.
const LAYERS = {
  sites: ["sites"],
  ports: ["ports", "port-labels"],
  depots: ["depots"],
  states: ["states", "state-labels"],
  roads: ["roads"],
  rail: ["rail"],
};

export function webglWorks() {
  try {
    return Boolean(document.createElement("canvas").getContext("webgl2"));
  } catch {
    return false;
  }
}

const feature = (geometry, properties = {}, id = undefined) => ({ type: "Feature", id, properties, geometry });
const points = (rows, properties) => ({
  type: "FeatureCollection",
  features: rows.map((row, id) => feature({ type: "Point", coordinates: [row.lon, row.lat] }, properties(row), id)),
});
const polygons = (shapes) => ({
  type: "FeatureCollection",
  features: shapes.map((coordinates, id) => feature({ type: "MultiPolygon", coordinates }, {}, id)),
});

export async function createGlMap(container, plan, on) {
  const map = new maplibregl.Map({
    container,
    style: { version: 8, sources: {}, layers: [{ id: "sea", type: "background", paint: { "background-color": "#d9e6ee" } }] },
    bounds: INDIA,
    fitBoundsOptions: { padding: 16 },
    maxBounds: [[55, -4], [110, 44]],
    maxZoom: 10,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    attributionControl: { compact: false, customAttribution: ATTRIBUTION },
    fadeDuration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 150,
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }), "bottom-right");
  map.addControl(new maplibregl.ScaleControl({ unit: "metric" }), "bottom-right");
  await new Promise((resolve) => map.once("load", resolve));
  for (const name of SYMBOLS) map.addImage(name, imageOf(symbolCanvas(name)), { pixelRatio: PIXEL_RATIO });
  addSources(map, plan);
  addLayers(map);
  listen(map, plan, on);
  return mapView(map, plan);
}

function addSources(map, plan) {
  const data = {
    districts: polygons(plan.shapes),
    states: polygons(plan.states.shapes),
    roads: EMPTY,
    rail: EMPTY,
    lanes: EMPTY,
    sites: points(plan.sites, siteProperties(plan.sites)),
    ports: points(plan.gateways, (row) => ({ label: label(map, row.name, "port") })),
    depots: points(plan.depots, () => ({})),
    "state-labels": {
      type: "FeatureCollection",
      features: plan.states.names.map((name, i) =>
        feature({ type: "Point", coordinates: plan.states.labels[i] },
          { label: label(map, name, "state"), rank: -plan.states.area_deg2[i], area: plan.states.area_deg2[i] })),
    },
  };
  for (const [name, content] of Object.entries(data)) map.addSource(name, { type: "geojson", data: content, tolerance: 0.2 });
}

// A store and a warehouse of one place stand side by side.
function siteProperties(sites) {
  const key = (row) => `${row.lon} ${row.lat}`;
  const here = groupBy(sites, key);
  return (row) => {
    const group = here.get(key(row));
    return {
      symbol: SYMBOLS.includes(row.facility_type) ? row.facility_type : "warehouse",
      size: TIER_SIZE[row.tier] ?? 0.8,
      offset: [20 * (group.indexOf(row) - (group.length - 1) / 2), 0],
    };
  };
}

const LABEL_STYLES = {
  state: { size: 11, weight: 600, colour: "#2b3843", spacing: 0.2 },
  port: { size: 11.5, weight: 500, colour: "#0b5c8a", spacing: 0 },
};

function label(map, text, kind) {
  const name = `${kind}:${text}`;
  if (!map.hasImage(name)) map.addImage(name, imageOf(labelCanvas(text, LABEL_STYLES[kind])), { pixelRatio: PIXEL_RATIO });
  return name;
}

function addLayers(map) {
  const grows = (from, to, value = 1) => ["interpolate", ["linear"], ["zoom"], 4, ["*", from, value], 9, ["*", to, value]];
  const width = grows(1.6, 5, ["get", "weight"]);
  const layers = [
    { id: "districts", type: "fill", paint: { "fill-color": ["to-color", ["feature-state", "colour"], "#ffffff"], "fill-antialias": false } },
    { id: "district-lines", source: "districts", type: "line", paint: { "line-color": "#ffffff", "line-width": grows(0.35, 1.2), "line-opacity": 0.75 } },
    { id: "roads", type: "line", layout: { visibility: "none" }, paint: { "line-color": "#8a4b1f", "line-width": grows(0.5, 1.6), "line-opacity": 0.75 } },
    { id: "rail", type: "line", layout: { visibility: "none" }, paint: { "line-color": INK, "line-width": grows(0.6, 1.6), "line-opacity": 0.7 } },
    { id: "states", type: "line", paint: { "line-color": "#40505e", "line-width": grows(0.8, 2) } },
    { id: "chosen-case", source: "districts", type: "line", filter: ["==", ["id"], -1], paint: { "line-color": "#ffffff", "line-width": 5 } },
    { id: "chosen", source: "districts", type: "line", filter: ["==", ["id"], -1], paint: { "line-color": INK, "line-width": 2.5 } },
    { id: "lanes-case", source: "lanes", type: "line", layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": "#ffffff", "line-width": grows(4, 8, ["get", "weight"]), "line-opacity": 0.9 } },
    { id: "lanes-road", source: "lanes", type: "line", filter: ["==", ["get", "mode"], "road"], layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": ACCENT, "line-width": width } },
    { id: "lanes-rail", source: "lanes", type: "line", filter: ["==", ["get", "mode"], "rail"], layout: { "line-join": "round" }, paint: { "line-color": INK, "line-width": width, "line-dasharray": [2.2, 1.4] } },
    { id: "depots", type: "symbol", layout: { visibility: "none", "icon-image": "depot", "icon-size": grows(0.5, 0.9), "icon-allow-overlap": true } },
    { id: "sites", type: "symbol", layout: { "icon-image": ["get", "symbol"], "icon-size": grows(0.5, 1.2, ["get", "size"]), "icon-offset": ["get", "offset"], "icon-allow-overlap": true, "icon-ignore-placement": true } },
    { id: "site-ring", source: "sites", type: "circle", filter: ["==", ["id"], -1], paint: { "circle-radius": grows(8, 18), "circle-color": "rgba(0,0,0,0)", "circle-stroke-color": INK, "circle-stroke-width": 2.5 } },
    { id: "ports", type: "symbol", layout: { "icon-image": "port", "icon-size": grows(0.75, 1.1), "icon-allow-overlap": true } },
    { id: "state-labels", type: "symbol", filter: ["step", ["zoom"], [">", ["get", "area"], 1], 6, true], layout: { "icon-image": ["get", "label"], "symbol-sort-key": ["get", "rank"], "icon-padding": 0 } },
    { id: "port-labels", source: "ports", type: "symbol", minzoom: 5, layout: { "icon-image": ["get", "label"], "icon-anchor": "right", "icon-offset": [-12, 0] } },
  ];
  for (const layer of layers) map.addLayer({ source: layer.id, ...layer });
}

function listen(map, plan, on) {
  const pick = (point) => {
    const box = [[point.x - 4, point.y - 4], [point.x + 4, point.y + 4]];
    const [site] = map.queryRenderedFeatures(box, { layers: ["sites"] });
    if (site) return { kind: "site", row: site.id };
    const [port] = map.queryRenderedFeatures(box, { layers: ["ports", "depots"] });
    const [district] = map.queryRenderedFeatures(point, { layers: ["districts"] });
    if (port) return { kind: port.layer.id, row: port.id, under: district?.id };
    return district ? { kind: "district", row: district.id } : null;
  };
  map.on("mousemove", (event) => {
    const found = pick(event.point);
    map.getCanvas().style.cursor = found ? "pointer" : "";
    on.hover(found, event.point);
  });
  map.on("mouseout", () => on.hover(null));
  map.on("click", (event) => on.pick(pick(event.point)));
}

function mapView(map, plan) {
  const loaded = new Set();
  return {
    paint(colours) {
      colours.forEach((colour, id) => map.setFeatureState({ source: "districts", id }, { colour }));
    },
    choose(selection) {
      for (const id of ["chosen-case", "chosen"]) {
        map.setFilter(id, ["==", ["id"], selection?.kind === "district" ? selection.row : -1]);
      }
      map.setFilter("site-ring", ["==", ["id"], selection?.kind === "site" ? selection.row : -1]);
    },
    drawLanes(collection) {
      const most = Math.max(1, ...collection.features.map((f) => f.properties.tonnes_per_year));
      const features = collection.features.map((f) => ({
        ...f,
        properties: { ...f.properties, weight: 0.55 + 0.75 * Math.sqrt(f.properties.tonnes_per_year / most) },
      }));
      map.getSource("lanes").setData({ type: "FeatureCollection", features });
    },
    fit(bounds, { left, right }) {
      map.fitBounds(bounds, { padding: { top: 50, bottom: 50, left: 40 + left, right: 40 + right }, maxZoom: 7.5, duration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 600 });
    },
    home: () => map.fitBounds(INDIA, { padding: 16 }),
    async show(name, visible, load) {
      if (visible && load && !loaded.has(name)) {
        loaded.add(name);
        const lines = await load();
        map.getSource(name).setData(feature({ type: "MultiLineString", coordinates: lines }));
      }
      for (const id of LAYERS[name]) map.setLayoutProperty(id, "visibility", visible ? "visible" : "none");
    },
    resize: () => map.resize(),
    remove: () => map.remove(),
  };
}

export const LAYER_NAMES = Object.keys(LAYERS);
