// What districts can be coloured by, and the classes of a measure.

import { count, hours, number, rupees, short, tonnes } from "./format.js";

const perTonne = (value) => (value === null ? "–" : `₹${number(value)} per tonne`);

export const MEASURES = {
  saving: {
    label: "Saving a year", column: "saving_inr_per_year", format: rupees, zero: "no saving", below: "dearer than today",
    note: "Cost of reaching a port today less cost with the plan, before the sites' running costs.",
  },
  cost_before: {
    label: "Cost before", column: "cost_before_inr_per_t", format: perTonne,
    note: "Freight, handling, time and carbon to a port, with what exists today.",
  },
  cost_after: {
    label: "Cost after", column: "cost_after_inr_per_t", format: perTonne,
    note: "The same cost with the sites of the plan.",
  },
  hours: {
    label: "Hours to gateway", column: "hours_to_gateway_after", format: hours,
    note: "Hours until the port's gate with the plan, waiting and handling on the way included.",
  },
  exports: {
    label: "Exports a year", column: "export_usd", zero: "no exports",
    format: (value) => (value === null ? "–" : `US$ ${short(value / 1e6)} million`),
    note: "Merchandise exports April 2024 to March 2025 as declared by the exporters.",
  },
  tonnes: {
    label: "Tonnes a year", column: "tonnes_per_year", format: tonnes, zero: "no tonnes",
    note: "Exports by value per tonne of each sector; bulk and air cargo are left out.",
  },
  co2e: {
    label: "CO2e avoided a year", column: "co2e_cut_t_per_year", format: tonnes, zero: "no change", below: "more than today",
    note: "Emissions on the way to a port today less those with the plan.",
  },
};

// Viridis from light to dark: the more, the darker. Read well by the colour-blind and in grey print.
const VIRIDIS = ["#fde725", "#7ad151", "#22a884", "#2a788e", "#414487", "#440154"];
const BELOW = "#d9853b";
const ZERO = "#e9e5dc";
const MISSING = "#ffffff";

// Classes of equal numbers of districts above zero; zero, below zero and missing stand apart.
export function classify(districts, measure) {
  const values = districts.map((row) => row[measure.column]);
  const above = values.filter((value) => value > 0).sort((a, b) => a - b);
  const breaks = [];
  for (let k = 1; k < VIRIDIS.length; k += 1) {
    const value = above[Math.floor((k * above.length) / VIRIDIS.length)];
    if (value > (breaks.at(-1) ?? above[0])) breaks.push(value);
  }
  const colours = spread(breaks.length + 1);
  const classes = colours.map((colour, k) => ({
    colour,
    label: rangeLabel(measure.format, breaks[k - 1] ?? above[0], breaks[k] ?? above.at(-1)),
    count: 0,
  }));
  const below = { colour: BELOW, label: measure.below ?? "below zero", count: 0 };
  const zero = { colour: ZERO, label: measure.zero ?? "zero", count: 0 };
  const missing = { colour: MISSING, label: "no cargo or no road", count: 0 };
  const classOf = (value) => {
    if (value === null || value === undefined) return missing;
    if (value <= 0) return value < 0 ? below : zero;
    return classes[breaks.filter((limit) => value >= limit).length];
  };
  const of = values.map(classOf);
  for (const found of of) found.count += 1;
  const legend = [...classes.reverse(), zero, below, missing].filter((entry) => entry.count > 0);
  return { colours: of.map((entry) => entry.colour), legend };
}

function spread(n) {
  if (n === 1) return [VIRIDIS[3]];
  return Array.from({ length: n }, (_, k) => VIRIDIS[Math.round((k * (VIRIDIS.length - 1)) / (n - 1))]);
}

function rangeLabel(format, from, to) {
  const [low, high] = [format(from), format(to)];
  if (low === high) return low;
  // "₹1.2 to 3.4 crore" where both ends share their unit.
  const unit = (text) => text.match(/^([^\d]*)([\d.,]+)(.*)$/);
  const [a, b] = [unit(low), unit(high)];
  return a && b && a[1] === b[1] && a[3] === b[3] ? `${a[1]}${a[2]} to ${b[2]}${b[3]}` : `${low} to ${high}`;
}

export const districtCount = (n) => count(n, "district", "districts");
