// The JSON API, and its compact geometry as GeoJSON coordinates.

const API = "/api/v1";
const GRID = 1000; // steps per degree, as web/shapes.py writes them

export const ATTRIBUTION = "District boundaries are approximate; external boundary as the Survey of India depicts it. © OpenStreetMap contributors";

async function get(path) {
  const response = await fetch(API + path);
  const content = await response.json();
  if (!response.ok) throw new Error(content.error ?? `${response.status} ${response.statusText}`);
  return content;
}

// Columns {a: [1, 2], b: [3, 4]} as rows [{a: 1, b: 3}, {a: 2, b: 4}].
function rows(columns) {
  const names = Object.keys(columns);
  const length = names.length ? columns[names[0]].length : 0;
  return Array.from({ length }, (_, i) => Object.fromEntries(names.map((name) => [name, columns[name][i]])));
}

function decode(steps) {
  const points = [];
  let x = 0;
  let y = 0;
  for (let i = 0; i < steps.length; i += 2) {
    x += steps[i];
    y += steps[i + 1];
    points.push([x / GRID, y / GRID]);
  }
  return points;
}

const decodePolygons = (shapes) => shapes.map((shape) => shape.map((part) => part.map(decode)));

export const plans = async () => (await get("/plans")).plans;

export async function plan(key) {
  const path = `/plans/${encodeURIComponent(key)}`;
  const [summary, districts, sites, places, shapes] = await Promise.all([
    get(path), get(`${path}/districts`), get(`${path}/sites`), get(`${path}/places`), get(`${path}/shapes`),
  ]);
  return {
    key,
    summary,
    districts: rows(districts).map((row) => ({
      ...row,
      co2e_cut_t_per_year: row.co2e_before_t_per_year === null ? null
        : row.co2e_before_t_per_year - row.co2e_after_t_per_year,
      saving_inr_per_year: row.cost_before_inr_per_t === null ? null : row.saving_inr_per_year,
    })),
    sites: rows(sites),
    gateways: rows(places.gateways),
    depots: rows(places.depots),
    shapes: decodePolygons(shapes.districts),
    states: { ...shapes.states, shapes: decodePolygons(shapes.states.shapes) },
  };
}

export const lanes = (key, kind, id) =>
  get(`/plans/${encodeURIComponent(key)}/lanes?${new URLSearchParams({ [kind]: id })}`);

export const network = async (name) => (await get(`/networks/${name}`)).lines.map(decode);

export function groupBy(list, key) {
  const groups = new Map();
  for (const item of list) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}
