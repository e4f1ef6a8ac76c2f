// What districts can be coloured by, as the server tells it; which class a value is in.

import { dollars, hours, perTonne, rupees, tonnes } from "./format.js";
import { told } from "./i18n.js";

const FORMATS = { inr: rupees, inr_per_t: perTonne, h: hours, usd: dollars, t: tonnes };
const { difference, plain, hidden } = told.map;
const SAME_INR = 1; // less than a rupee is rounding

export const HIDDEN = hidden; // the colour of one that a filter leaves out
export const PLAIN = plain; // the colour of a district about which nothing is said
export const HATCH = difference.missing.colour; // no colour: drawn as hatching
export const MEASURES = Object.fromEntries(
  Object.entries(told.map.measures).map(([key, measure]) => [key, { ...measure, format: FORMATS[measure.unit] }]),
);

const isMissing = (value) => value === null || value === undefined;
const stepOf = (limits, value) => limits.filter((limit) => value >= limit).length;

// Colours and classes by district, and the legend of those shown; zero, below, leaders and missing stand apart.
// `classes` of the measure as the server cut them: {limits, labels}.
export function classify(districts, measure, { limits, labels }, isShown) {
  const shades = measure.shades[labels.length] ?? [];
  const classes = labels.map((label, k) => ({ key: String(k), colour: shades[k], label }));
  const { zero, below, leader, missing } = measure.apart;
  const of = districts.map((row) => {
    const value = row[measure.column];
    if (measure.leaders_apart && !row.under_utilised) return leader;
    if (isMissing(value)) return missing;
    if (value <= 0) return value < 0 ? below : zero;
    return classes[stepOf(limits, value)];
  });
  return counted([...classes.reverse(), zero, below, leader, missing], of, isShown);
}

// Better and worse of a difference in rupees, in the same steps for every pair of plans.
export function diverge(values) {
  const { better, worse, same, missing, limits } = difference;
  const of = values.map((value) => {
    if (isMissing(value)) return missing;
    if (Math.abs(value) < SAME_INR) return same;
    return (value > 0 ? better : worse)[stepOf(limits, Math.abs(value))];
  });
  return counted([...[...better].reverse(), same, ...worse, missing], of, () => true);
}

function counted(entries, of, isShown) {
  const counts = new Map(entries.map((entry) => [entry.key, 0]));
  of.forEach(({ key }, row) => {
    if (isShown(row)) counts.set(key, counts.get(key) + 1);
  });
  const legend = entries.map((entry) => ({ ...entry, count: counts.get(entry.key) })).filter((entry) => entry.count > 0);
  return { colours: of.map((entry) => entry.colour), keys: of.map((entry) => entry.key), legend };
}
