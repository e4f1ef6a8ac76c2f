// The map, drawn by MapLibre GL JS from the plan's own shapes: no tiles, no fonts, no other server.

import { attribution, groupBy } from "./data.js";
import { _, language, named } from "./i18n.js";
import { ACCENT, INK, PIXEL_RATIO, SYMBOLS, clusterCanvas, hatchCanvas, imageOf, labelCanvas, symbolCanvas } from "./icons.js";
import { HATCH } from "./measures.js";
import { mostSaved, siteOpacity, siteSize, siteState } from "./sites.js";

const NONE = ["==", ["id"], -1];
const CLUSTERED_BELOW = 6; // zoom from which each site has its own sign
const CLUSTER = ["has", "point_count"];
const EMPTY = { type: "FeatureCollection", features: [] };
const STILL = matchMedia("(prefers-reduced-motion: reduce)").matches;

// Map layers behind each switch of the page.
const LAYERS = {
  sites: ["sites", "clusters"],
  options: ["options"],
  ports: ["ports", "port-labels"],
  depots: ["depots"],
  states: ["states", "state-labels"],
  roads: ["roads"],
  rail: ["rail"],
};

const feature = (geometry, properties = {}, id = undefined) => ({ type: "Feature", id, properties, geometry });
const collection = (features) => ({ type: "FeatureCollection", features });
const points = (rows, properties) =>
  collection(rows.map((row, id) => feature({ type: "Point", coordinates: [row.lon, row.lat] }, properties(row), id)));
const polygons = (shapes) => collection(shapes.map((coordinates, id) => feature({ type: "MultiPolygon", coordinates }, {}, id)));

export async function createMap(container, plan, on) {
  const [west, south, east, north] = plan.bounds;
  const beyond = 0.75 * Math.max(east - west, north - south);
  const map = new maplibregl.Map({
    container,
    style: {
      version: 8,
      sources: {},
      layers: [
        {
          id: "beyond", // sea and other countries, which the pack does not tell apart
          type: "background",
          paint: { "background-color": "#eef1f3" },
        },
      ],
    },
    bounds: plan.bounds,
    fitBoundsOptions: { padding: { top: 16, bottom: 40, left: 16 + (on.left ?? 0), right: 30 } }, // for half a name
    maxBounds: [west - beyond, south - beyond, east + beyond, north + beyond],
    maxZoom: 10,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    attributionControl: { compact: false, customAttribution: attribution(plan) },
    fadeDuration: 0,
    locale: {
      "Map.Title": _("Map; the table holds the same values"),
      "NavigationControl.ZoomIn": _("Zoom in"),
      "NavigationControl.ZoomOut": _("Zoom out"),
    },
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }), "bottom-right");
  map.addControl(new maplibregl.ScaleControl({ unit: "metric" }), "bottom-right");
  await new Promise((resolve) => map.once("load", resolve));
  labelWhenSeen(map);
  addSources(map, plan, on);
  addLayers(map);
  listen(map, on);
  map.on("idle", () => {
    container.dataset.drawn = "yes";
  }); // for who takes a picture of the page
  return mapView(map, plan);
}

function addSources(map, plan, on) {
  const data = {
    land: polygons(plan.land),
    districts: polygons(plan.shapes),
    states: polygons(plan.states.shapes),
    roads: EMPTY,
    rail: EMPTY,
    lanes: EMPTY,
    options: EMPTY,
    ring: EMPTY,
    sites: siteFeatures(map, plan.sites),
    ports: portFeatures(map, plan.gateways),
    depots: points(plan.depots, () => ({ symbol: image(map, "depot") })),
    "district-labels": points(plan.districts, (row) => ({ label: labelName(named(row, "district"), "district") })),
    "state-labels": collection(plan.states.names.flatMap((_name, i) => stateLabels(map, plan, i))),
  };
  const together = { cluster: true, clusterRadius: 14, clusterMaxZoom: CLUSTERED_BELOW - 1 };
  for (const [name, content] of Object.entries(data)) {
    const source = { type: "geojson", data: content, tolerance: 0.2 };
    map.addSource(name, name === "sites" && on.clusters ? { ...source, ...together } : source);
  }
}

// `kind` "port" or "warehouse", `state` "closed", "new", ... as one image of the map.
function image(map, kind, state = "") {
  const name = `${SYMBOLS.includes(kind) ? kind : "warehouse"}:${state}`;
  if (!map.hasImage(name)) map.addImage(name, imageOf(symbolCanvas(...name.split(":"))), { pixelRatio: PIXEL_RATIO });
  return name;
}

function hatchImage(map) {
  if (!map.hasImage("hatch")) map.addImage("hatch", imageOf(hatchCanvas()), { pixelRatio: PIXEL_RATIO });
  return "hatch";
}

// A store and a warehouse of one place stand side by side.
function siteFeatures(map, sites) {
  const key = (row) => `${row.lon} ${row.lat}`;
  const here = groupBy(sites, key);
  const most = mostSaved(sites);
  return points(sites, (row) => {
    const group = here.get(key(row));
    return {
      symbol: image(map, row.facility_type, siteState(row)),
      size: siteSize(row, most),
      opacity: siteOpacity(row),
      offset: [20 * (group.indexOf(row) - (group.length - 1) / 2), 0],
    };
  });
}

const portFeatures = (map, gateways) =>
  points(gateways, (row) => ({ label: label(map, named(row, "name"), "port"), symbol: image(map, "port", row.closed ? "closed" : "") }));

const LABEL_STYLES = {
  state: { size: language === "en" ? 11 : 12, weight: 600, colour: "#3a4853" },
  port: { size: 11.5, weight: 500, colour: "#0b5c8a" },
  district: { size: language === "en" ? 10.5 : 11.5, weight: 400, colour: "#56646f" },
};

const labelName = (text, kind) => `${kind}-label:${text}`;

function label(map, text, kind) {
  const name = labelName(text, kind);
  if (!map.hasImage(name)) map.addImage(name, imageOf(labelCanvas(text, LABEL_STYLES[kind])), { pixelRatio: PIXEL_RATIO });
  return name;
}

// The name of a state, and where it moves when a sign stands in its place: of those that fit, the first is drawn,
// since each covers the others.
function stateLabels(map, { states, stateNames }, i) {
  const name = label(map, stateNames.get(states.names[i]) ?? states.names[i], "state");
  const narrow = map.getContainer().clientWidth < 500; // names left of their states would run out of it
  return ["center", "bottom", "top", "left", ...(narrow ? [] : ["right"])].map((anchor, k) =>
    feature(
      { type: "Point", coordinates: states.labels[i] },
      { label: name, anchor, area: states.area_deg2[i], rank: k / 1000 - states.area_deg2[i] },
      i,
    ),
  );
}

// Hundreds of districts: each label is drawn when it comes into sight.
function labelWhenSeen(map) {
  map.on("styleimagemissing", ({ id }) => {
    const [kind, text] = [id.slice(0, id.indexOf("-label:")), id.slice(id.indexOf(":") + 1)];
    if (kind in LABEL_STYLES) label(map, text, kind);
    if (id.startsWith("cluster:")) map.addImage(id, imageOf(clusterCanvas(id.slice(8))), { pixelRatio: PIXEL_RATIO });
  });
}

function addLayers(map) {
  const grows = (from, to, value = 1) => [
    "interpolate",
    ["linear"],
    ["zoom"],
    2.5,
    ["*", 0.6 * from, value],
    4.5,
    ["*", from, value],
    9,
    ["*", to, value],
  ];
  const width = grows(1.6, 5, ["get", "weight"]);
  const hidden = { visibility: "none" };
  const onTop = { "icon-allow-overlap": true, "icon-ignore-placement": true };
  const layers = [
    { id: "land", type: "fill", paint: { "fill-color": "#e9ecef", "fill-antialias": false } },
    {
      id: "districts",
      type: "fill",
      paint: { "fill-color": ["to-color", ["feature-state", "colour"], "#f6f7f8"], "fill-antialias": false },
    },
    { id: "hatched", source: "districts", type: "fill", filter: NONE, paint: { "fill-pattern": hatchImage(map) } },
    {
      id: "district-lines",
      source: "districts",
      type: "line",
      paint: { "line-color": "#ffffff", "line-width": grows(0.35, 1.2), "line-opacity": 0.8 },
    },
    {
      id: "roads",
      type: "line",
      layout: hidden,
      paint: { "line-color": "#8a4b1f", "line-width": grows(0.5, 1.6), "line-opacity": 0.75 },
    },
    {
      id: "rail",
      type: "line",
      layout: hidden,
      paint: { "line-color": INK, "line-width": grows(0.6, 1.6), "line-opacity": 0.7 },
    },
    { id: "states", type: "line", paint: { "line-color": "#51606c", "line-width": grows(0.7, 2) } },
    { id: "lit", source: "districts", type: "line", filter: NONE, paint: { "line-color": INK, "line-width": 1.8 } },
    { id: "chosen-case", source: "districts", type: "line", filter: NONE, paint: { "line-color": "#ffffff", "line-width": 5 } },
    { id: "chosen", source: "districts", type: "line", filter: NONE, paint: { "line-color": INK, "line-width": 2.5 } },
    {
      id: "lanes-case",
      source: "lanes",
      type: "line",
      layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": "#ffffff", "line-width": grows(4, 8, ["get", "weight"]), "line-opacity": 0.9 },
    },
    {
      id: "lanes-road",
      source: "lanes",
      type: "line",
      filter: ["==", ["get", "mode"], "road"],
      layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": ACCENT, "line-width": width },
    },
    {
      id: "lanes-rail",
      source: "lanes",
      type: "line",
      filter: ["==", ["get", "mode"], "rail"],
      layout: { "line-join": "round" },
      paint: { "line-color": INK, "line-width": width, "line-dasharray": [2.2, 1.4] },
    },
    { id: "options", type: "symbol", layout: { "icon-image": ["get", "symbol"], "icon-size": grows(0.5, 1), ...onTop } },
    {
      id: "depots",
      type: "symbol",
      layout: { ...hidden, "icon-image": ["get", "symbol"], "icon-size": grows(0.5, 0.9), ...onTop },
    },
    {
      id: "state-labels",
      type: "symbol",
      filter: ["step", ["zoom"], [">", ["get", "area"], 1], 6, true],
      layout: {
        "icon-image": ["get", "label"],
        "icon-anchor": ["get", "anchor"],
        "symbol-sort-key": ["get", "rank"],
        "icon-padding": 1,
      },
    },
    {
      id: "port-labels",
      source: "ports",
      type: "symbol",
      minzoom: 4.6,
      layout: { "icon-image": ["get", "label"], "icon-anchor": "right", "icon-offset": [-12, 0] },
    },
    { id: "district-labels", type: "symbol", minzoom: 6, layout: { "icon-image": ["get", "label"], "icon-padding": 4 } },
    {
      id: "sites",
      type: "symbol",
      filter: ["!", CLUSTER],
      layout: {
        "icon-image": ["get", "symbol"],
        "icon-size": grows(0.46, 1.2, ["get", "size"]),
        "icon-offset": ["get", "offset"],
        "symbol-sort-key": ["-", ["get", "size"]], // small ones stay in sight
        ...onTop,
      },
      paint: { "icon-opacity": ["get", "opacity"] },
    },
    {
      id: "clusters",
      source: "sites",
      type: "symbol",
      filter: CLUSTER,
      layout: {
        "icon-image": ["concat", "cluster:", ["get", "point_count"]],
        "icon-size": grows(0.8, 1),
        "icon-allow-overlap": true, // and names leave them room
        "icon-padding": 0,
      },
    },
    {
      id: "ring",
      type: "circle",
      paint: {
        "circle-radius": grows(8, 18),
        "circle-color": "rgba(0,0,0,0)",
        "circle-stroke-color": INK,
        "circle-stroke-width": 2.5,
      },
    },
    {
      id: "ports",
      type: "symbol",
      layout: { "icon-image": ["get", "symbol"], "icon-size": grows(0.75, 1.1), ...onTop },
    },
  ];
  for (const layer of layers) map.addLayer({ source: layer.id, ...layer });
}

const KINDS = { clusters: "cluster", sites: "site", options: "place", ports: "gateway", depots: "depot" };

// Only what is drawn can be found: a click that comes before waits for it.
const whenDrawn = (map, act) => (map.loaded() ? act() : map.once("idle", act));

function listen(map, on) {
  const pick = (point) => {
    const box = [
      [point.x - 5, point.y - 5],
      [point.x + 5, point.y + 5],
    ];
    const [mark] = map.queryRenderedFeatures(box, { layers: Object.keys(KINDS) });
    if (mark) return { kind: KINDS[mark.layer.id], row: mark.id, count: mark.properties.point_count };
    const [state] = on.states ? map.queryRenderedFeatures(point, { layers: ["state-labels"] }) : [];
    if (state) return { kind: "state", row: state.id };
    const [district] = map.queryRenderedFeatures(point, { layers: ["districts"] });
    return district ? { kind: "district", row: district.id } : null;
  };
  map.on("mousemove", (event) => {
    const found = pick(event.point);
    map.getCanvas().style.cursor = found ? "pointer" : "";
    on.hover?.(found, event.point);
  });
  map.on("mouseout", () => on.hover?.(null));
  map.on("click", ({ lngLat }) =>
    whenDrawn(map, () => {
      const found = pick(map.project(lngLat));
      if (found?.kind === "cluster") map.easeTo({ center: lngLat, zoom: map.getZoom() + 2, duration: STILL ? 0 : 500 });
      else on.pick(found);
    }),
  );
  map.on("move", (event) => on.move?.(Boolean(event.originalEvent)));
  map.on("moveend", () => on.moved?.());
}

function mapView(map, plan) {
  const loaded = new Set();
  let sites = siteFeatures(map, plan.sites);
  const only = (rows) => ["in", ["id"], ["literal", rows]];
  return {
    paint(colours) {
      colours.forEach((colour, id) => {
        map.setFeatureState({ source: "districts", id }, { colour: colour === HATCH ? "#ffffff" : colour });
      });
      map.setFilter("hatched", only(colours.flatMap((colour, id) => (colour === HATCH ? [id] : []))));
    },
    // Districts that stand out while one looks for a class.
    light: (rows) => map.setFilter("lit", only(rows)),
    setSites(rows) {
      sites = siteFeatures(map, rows);
      map.getSource("sites").setData(sites);
    },
    setPorts: (gateways) => map.getSource("ports").setData(portFeatures(map, gateways)),
    setOptions: (places) =>
      map.getSource("options").setData(points(places, (row) => ({ symbol: image(map, "option", row.mark) }))),
    // Rows of the sites that are shown; the others are not drawn, nor counted where some stand as one.
    showSites(rows) {
      const shown = rows && new Set(rows);
      map.getSource("sites").setData(collection(sites.features.filter(({ id }) => !shown || shown.has(id))));
    },
    choose(district, point) {
      for (const id of ["chosen-case", "chosen"]) map.setFilter(id, ["==", ["id"], district ?? -1]);
      map.getSource("ring").setData(point ? points([point], () => ({})) : EMPTY);
    },
    drawLanes({ features }) {
      const most = Math.max(1, ...features.map((f) => f.properties.tonnes_per_year));
      map
        .getSource("lanes")
        .setData(
          collection(
            features.map((f) => ({
              ...f,
              properties: { ...f.properties, weight: 0.55 + 0.75 * Math.sqrt(f.properties.tonnes_per_year / most) },
            })),
          ),
        );
    },
    fit(bounds, { left = 0, right = 0 } = {}) {
      const { clientWidth, clientHeight } = map.getContainer();
      if (clientWidth < 160 + left + right || clientHeight < 160) return; // hidden behind the table, or too small to move
      map.fitBounds(bounds, {
        padding: { top: 50, bottom: 50, left: 40 + left, right: 40 + right },
        maxZoom: 7.5,
        duration: STILL ? 0 : 500,
      });
    },
    camera: () => [...map.getCenter().toArray(), map.getZoom()],
    setCamera: ([lon, lat, zoom]) => map.jumpTo({ center: [lon, lat], zoom }),
    async show(name, visible, load) {
      if (visible && load && !loaded.has(name)) {
        loaded.add(name);
        map.getSource(name).setData(feature({ type: "MultiLineString", coordinates: await load() }));
      }
      for (const id of LAYERS[name]) map.setLayoutProperty(id, "visibility", visible ? "visible" : "none");
    },
    resize: () => map.resize(),
    remove: () => map.remove(),
  };
}
