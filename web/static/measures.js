// What districts can be coloured by, and the classes of a measure.

import { NOTHING, dollars, hours, perTonne, rupees, tonnes } from "./format.js";
import { _ } from "./i18n.js";

// Before and after are classed together: a colour then says the same on either map.
const COST = ["cost_before_inr_per_t", "cost_after_inr_per_t"];
const HOURS = ["hours_before", "hours_after"];
const CO2E = ["co2e_before_t_per_year", "co2e_after_t_per_year"];

export const MEASURES = {
  saving: {
    label: _("Saving a year"),
    column: "saving_inr_per_year",
    format: rupees,
    zero: _("no saving"),
    leadersApart: true,
    below: _("dearer than today"),
    note: _("Cost of reaching a port today less cost with the plan, before the sites' running costs."),
  },
  cost_before: {
    label: _("Cost before"),
    column: "cost_before_inr_per_t",
    format: perTonne,
    scale: COST,
    note: _("Freight, handling, time and carbon to a port, with what exists today."),
  },
  cost_after: {
    label: _("Cost after"),
    column: "cost_after_inr_per_t",
    format: perTonne,
    scale: COST,
    note: _("The same cost with the sites of the plan, in the same classes."),
  },
  hours_before: {
    label: _("Hours before"),
    column: "hours_before",
    format: hours,
    scale: HOURS,
    note: _("Hours until the ship with what exists today, waiting at the port included."),
  },
  hours_after: {
    label: _("Hours after"),
    column: "hours_after",
    format: hours,
    scale: HOURS,
    note: _("The same hours with the sites of the plan, in the same classes."),
  },
  hours_to_port: {
    label: _("Hours to port"),
    column: "hours_to_gateway_after",
    format: hours,
    note: _("Hours until the port's gate with the plan, waiting and handling on the way included."),
  },
  exports: {
    label: _("Exports a year"),
    column: "export_usd",
    format: dollars,
    zero: _("no exports"),
    note: _("Merchandise exports April 2024 to March 2025 as declared by the exporters."),
  },
  tonnes: {
    label: _("Tonnes a year"),
    column: "tonnes_per_year",
    format: tonnes,
    zero: _("no tonnes"),
    note: _("Exports by value per tonne of each sector; bulk and air cargo are left out."),
  },
  co2e_before: {
    label: _("CO2e before, a year"),
    column: "co2e_before_t_per_year",
    format: tonnes,
    scale: CO2E,
    zero: _("no cargo"),
    note: _("Emissions on the way to a port with what exists today."),
  },
  co2e_after: {
    label: _("CO2e after, a year"),
    column: "co2e_after_t_per_year",
    format: tonnes,
    scale: CO2E,
    zero: _("no cargo"),
    note: _("The same emissions with the sites of the plan, in the same classes."),
  },
  co2e_saved: {
    label: _("CO2e avoided a year"),
    column: "co2e_saved_t_per_year",
    format: tonnes,
    zero: _("no change"),
    below: _("more than today"),
    note: _("Emissions on the way to a port today less those with the plan."),
  },
};

// From light to dark: the more, the darker. Both made for colour-blind readers, and clear in grey print.
export const PALETTES = {
  cividis: ["#fee838", "#cebc63", "#9e9676", "#737475", "#4a536c", "#00306f"],
  viridis: ["#fde725", "#7ad151", "#22a884", "#2a788e", "#414487", "#440154"],
};
const CLASSES = 6;
const BELOW = "#d9853b";
const ZERO = "#e9e5dc";
const MISSING = "#ffffff";
export const PLAIN = "#f6f5f1"; // a district about which nothing is said
const LEADER = "#d5dade"; // a district that makes most of the exports: it is in no saving
const HIDDEN = "#f1f3f5";
// Purple and green with white between: told apart by the colour-blind. Blue would be sea, red an alarm.
const DIVERGING = { worse: ["#e7d4e8", "#c2a5cf", "#762a83"], better: ["#d9f0d3", "#7fbf7b", "#1b7837"] };

// Limits between the classes of the values above zero: equal numbers of districts, or equal steps.
function limits(above, method) {
  const [low, high] = [above[0], above.at(-1)];
  const breaks = [];
  for (let k = 1; k < CLASSES; k += 1) {
    const value = method === "equal" ? low + (k * (high - low)) / CLASSES : above[Math.floor((k * above.length) / CLASSES)];
    if (value > (breaks.at(-1) ?? low)) breaks.push(value);
  }
  return breaks;
}

// Colours by district and the legend of those shown; zero, below zero and missing stand apart.
export function classify(districts, measure, { classes: method, palette }, isShown) {
  const values = districts.map((row) => row[measure.column]);
  const above = (measure.scale ?? [measure.column])
    .flatMap((column) => districts.map((row) => row[column]))
    .filter((value) => value > 0)
    .sort((a, b) => a - b);
  const breaks = limits(above, method);
  const classes = spread(PALETTES[palette], breaks.length + 1).map((colour, k) => ({
    colour,
    label: rangeLabel(measure.format, breaks[k - 1] ?? above[0], breaks[k] ?? above.at(-1)),
  }));
  const below = { colour: BELOW, label: measure.below ?? _("below zero") };
  const zero = { colour: ZERO, label: measure.zero ?? _("zero") };
  const missing = { colour: MISSING, label: _("no cargo or no road") };
  const leader = { colour: LEADER, label: _("leaders, not counted") };
  const of = values.map((value, i) => {
    if (measure.leadersApart && !districts[i].under_utilised) return leader;
    if (value === null || value === undefined) return missing;
    if (value <= 0) return value < 0 ? below : zero;
    return classes[breaks.filter((limit) => value >= limit).length];
  });
  return told([...classes.reverse(), zero, below, leader, missing], of, isShown);
}

// Better and worse of a difference, in steps of equal numbers of districts on either side.
export function diverge(values, format) {
  const differs = (value) => Math.abs(value) >= 1; // less than a rupee is rounding
  const sizes = values
    .filter((value) => value !== null && differs(value))
    .map(Math.abs)
    .sort((a, b) => a - b);
  const breaks = [1, 2].map((k) => sizes[Math.floor((k * sizes.length) / 3)]);
  const side = (colours, sign) =>
    colours.map((colour, k) => ({
      colour,
      label: rangeLabel((v) => sign + format(v), breaks[k - 1] ?? sizes[0], breaks[k] ?? sizes.at(-1)),
    }));
  const better = side(DIVERGING.better, "+");
  const worse = side(DIVERGING.worse, "−");
  const same = { colour: PLAIN, label: _("no change") };
  const missing = { colour: ZERO, label: _("no cargo or no road") };
  const of = values.map((value) => {
    if (value === null || value === undefined) return missing;
    if (!differs(value)) return same;
    return (value > 0 ? better : worse)[breaks.filter((limit) => Math.abs(value) >= limit).length];
  });
  return told([...[...better].reverse(), same, ...worse, missing], of, () => true);
}

function told(entries, of, isShown) {
  const counts = new Map(entries.map((entry) => [entry, 0]));
  of.forEach((entry, row) => {
    if (isShown(row)) counts.set(entry, counts.get(entry) + 1);
  });
  const legend = entries.map((entry) => ({ ...entry, count: counts.get(entry) })).filter((entry) => entry.count > 0);
  return { colours: of.map((entry, row) => (isShown(row) ? entry.colour : HIDDEN)), legend };
}

function spread(colours, n) {
  if (n === 1) return [colours[3]];
  return Array.from({ length: n }, (_value, k) => colours[Math.round((k * (colours.length - 1)) / (n - 1))]);
}

function rangeLabel(format, from, to) {
  if (from === undefined) return NOTHING;
  const [low, high] = [format(from), format(to)];
  if (low === high) return low;
  // "₹1.2 – 3.4 crore" where both ends share their unit.
  const unit = (text) => text.match(/^([^\d]*)([\d.,]+)(.*)$/);
  const [a, b] = [unit(low), unit(high)];
  return a && b && a[1] === b[1] && a[3] === b[3] ? `${a[1]}${a[2]} – ${b[2]}${b[3]}` : _("{low} to {high}", { low, high });
}
