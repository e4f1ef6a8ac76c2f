// The JSON API, and its compact geometry as GeoJSON coordinates.

import { _, language, named } from "./i18n.js";

export const API = "/api/v1";
export const planBase = (id) => `${API}/plans/${encodeURIComponent(id)}`;
export const runBase = (id) => `${API}/runs/${encodeURIComponent(id)}`;

// What a study's own districts are from, in words; null where they are those of the server's pack.
export function ownBoundaries(summary) {
  const { districts, pack } = summary.resolved_study?.data ?? {};
  return districts || pack ? _("District boundaries are those of {file}.", { file: districts || pack }) : null;
}

// What a map of a plan must say of its boundaries and sources.
export function attribution({ summary }) {
  const { boundaries, credit } = document.body.dataset; // of the server's pack
  return [ownBoundaries(summary) ?? boundaries, credit].filter(Boolean);
}

// The server tells what went wrong in English; a page in another language says first what that means.
const ERRORS = {
  400: _("The question does not fit this study."),
  403: _("The server does not take this from here."),
  404: _("There is nothing of that name."),
  409: _("This cannot be done now."),
  410: _("What was asked for is gone."),
  413: _("The question is too long."),
  414: _("The question is too long."),
  421: _("The server does not answer for this name."),
  429: _("Too many questions wait. Try again in a few seconds."),
  500: _("The server failed on an error of its own."),
  503: _("The server is busy. Try again in a few seconds."),
};
const RUN_ERRORS = {
  refused: _("No plan keeps to this question."),
  timeout: _("Time ran out before a plan was found."),
  disk: _("The server cannot use its files."),
  error: _("The solver stopped on an error of its own."),
  lost: _("The solver stopped unexpectedly. Start it again."),
  interrupted: _("The server stopped during this run. Start it again."),
  gone: _("The answer has made room for newer ones. Start it again."),
};

function inWords(text, detail) {
  if (language === "en" || !text) return detail;
  return `${text} (${detail})`;
}

export const runMessage = ({ code, message }) => inWords(RUN_ERRORS[code], message ?? "");

export class ApiError extends Error {
  constructor(status, problem) {
    super(inWords(ERRORS[status], problem?.detail ?? problem?.title ?? `HTTP ${status}`));
    this.status = status;
    this.problems = problem?.problems ?? [];
  }
}

async function ask(path, options) {
  const response = await fetch(path, options);
  const content = await response.json().catch(() => null);
  if (!response.ok) throw new ApiError(response.status, content);
  return content;
}

export const get = (path, signal) => ask(path, { signal });
export const post = (path, content) =>
  ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(content) });
export const remove = (path) => ask(path, { method: "DELETE" });

// Columns {a: [1, 2], b: [3, 4]} as rows [{a: 1, b: 3}, {a: 2, b: 4}].
export function rows(columns) {
  const names = Object.keys(columns);
  const length = names.length ? columns[names[0]].length : 0;
  return Array.from({ length }, (_value, i) => Object.fromEntries(names.map((name) => [name, columns[name][i]])));
}

function decode(steps, grid) {
  const points = [];
  let x = 0;
  let y = 0;
  for (let i = 0; i < steps.length; i += 2) {
    x += steps[i];
    y += steps[i + 1];
    points.push([x / grid, y / grid]);
  }
  return points;
}

// Polygons of rings of arcs: -1 - k is arc k from its end to its beginning.
export function polygonsOf(shapes, arcs) {
  const points = (ref) => (ref < 0 ? [...arcs[-1 - ref]].reverse() : arcs[ref]);
  const ring = ([first, ...rest]) => [...points(first), ...rest.flatMap((ref) => points(ref).slice(1))];
  return shapes.map((shape) => shape.map((part) => part.map(ring)));
}

const shapesByAddress = new Map(); // plans on the same districts share their shapes

function shapesOf(address) {
  if (!shapesByAddress.has(address)) {
    shapesByAddress.set(
      address,
      get(address).then(({ grid, arcs, districts, land, states }) => {
        const borders = arcs.map((arc) => decode(arc, grid));
        return {
          districts: polygonsOf(districts, borders),
          land: polygonsOf(land, borders),
          states: { ...states, shapes: polygonsOf(states.shapes, borders) },
        };
      }),
    );
  }
  return shapesByAddress.get(address);
}

// West, south, east, north of all districts.
export function boundsOf(districts) {
  const side = (k, best) => best(...districts.map((row) => row.bounds[k]));
  return [side(0, Math.min), side(1, Math.min), side(2, Math.max), side(3, Math.max)];
}

// All of a plan that a map shows; `summary` where it is known already.
export async function plan(base) {
  const summaryAt = base.startsWith(`${API}/runs/`) ? `${base}/plan` : base;
  const told = get(summaryAt);
  const [summary, districts, sites, places, shapes] = await Promise.all([
    told,
    get(`${base}/districts`),
    get(`${base}/sites`),
    get(`${base}/places`),
    told.then((summary) => shapesOf(summary.links.shapes)),
  ]);
  const districtRows = rows(districts);
  const states = new Map(districtRows.map((row) => [row.state, named(row, "state")]));
  const districtNames = new Map(districtRows.map((row) => [row.district_id, named(row, "district")]));
  const siteRows = rows(sites);
  const [gateways, depots] = [rows(places.gateways), rows(places.depots)];
  const placeNames = new Map([
    ...districtRows.map((row) => [row.district, named(row, "district")]),
    ...[...siteRows, ...depots, ...gateways].map((row) => [row.name, named(row, "name")]),
  ]);
  // A row with the names of its state and district in the language of the page.
  const inWords = (row) => ({
    ...row,
    [`state_${language}`]: states.get(row.state),
    [`district_${language}`]: districtNames.get(row.district_id),
  });
  return {
    base,
    summary,
    districts: districtRows,
    stateNames: states,
    inWords,
    bounds: boundsOf(districtRows),
    placeName: (name) => placeNames.get(name) ?? name,
    sites: siteRows,
    gateways: gateways.map(inWords),
    depots: depots.map(inWords),
    shapes: shapes.districts,
    land: shapes.land,
    states: shapes.states,
  };
}

// The classes of every measure over the districts of some plans ("run:ID" for an answer).
export const classes = (...plans) =>
  get(`${API}/classes?${new URLSearchParams([...plans.map((id) => ["plan", id]), ["lang", language]])}`);

export const lanes = (base, kind, id) => get(`${base}/lanes?${new URLSearchParams({ [kind]: id })}`);

const networks = new Map();

export function network(name) {
  if (!networks.has(name)) {
    networks.set(
      name,
      get(`${API}/map/${name}`).then(({ grid, lines }) => lines.map((line) => decode(line, grid))),
    );
  }
  return networks.get(name);
}

export function groupBy(list, key) {
  const groups = new Map();
  for (const item of list) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}
