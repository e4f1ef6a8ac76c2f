// Which districts and sites are shown: one filter for the map, the tables and the downloads.

const EMPTY = { q: "", state: "", group: "", type: "", class: "" };
export const WRITTEN = ["q", "state", "group", "type"]; // in fields of the page; a class is chosen in the legend
const plain = (text) =>
  (text ?? "")
    .normalize("NFD")
    .replace(/\p{Diacritic}/gu, "")
    .toLowerCase();

const GROUPS = { under: (row) => row.under_utilised, leader: (row) => !row.under_utilised, served: (row) => Boolean(row.hub_1) };
const GROUP_QUERY = { under: ["under_utilised", "true"], leader: ["under_utilised", "false"], served: ["served", "true"] };

export const fromAddress = (values) => Object.fromEntries(Object.keys(EMPTY).map((name) => [name, values[name] ?? ""]));
export const isEmpty = (filter) => Object.values(filter).every((value) => !value);

const named = (filter, ...names) => !filter.q || names.some((name) => plain(name).includes(plain(filter.q)));
const within = (filter, row) => !filter.state || row.state === filter.state;

export const shows = {
  districts: (filter) => (row) =>
    named(filter, row.district, row.district_hi) && within(filter, row) && (!filter.group || GROUPS[filter.group](row)),
  sites: (filter) => (row) =>
    named(filter, row.name, row.name_hi) && within(filter, row) && (!filter.type || row.facility_type === filter.type),
  gateways: (filter) => (row) => within(filter, row),
  depots: (filter) => (row) => within(filter, row),
  states: (filter) => (row) => within(filter, row),
};

// The same for the server's tables.
export function query(filter, layer, { measure, classes }) {
  const pairs = [];
  if (filter.state) pairs.push(["state", filter.state]);
  if (filter.q && ["districts", "sites", "lanes"].includes(layer)) pairs.push(["q", filter.q]);
  if (filter.group && layer === "districts") pairs.push(GROUP_QUERY[filter.group]);
  if (filter.class && layer === "districts") pairs.push(["measure", measure], ["classes", classes], ["class", filter.class]);
  if (filter.type && layer === "sites") pairs.push(["type", filter.type]);
  return pairs;
}
