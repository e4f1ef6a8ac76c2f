// Numbers as people in India read them: 1,23,45,678; lakh and crore spelled out.

import { _ } from "./i18n.js";

const CRORE = 1e7;
const LAKH = 1e5;
export const NOTHING = "–";
const missing = (value) => value === null || value === undefined;

export function number(value, decimals = 0) {
  if (missing(value)) return NOTHING;
  const rounded = Number(value.toFixed(decimals)) + 0; // + 0: no "-0"
  return rounded.toLocaleString("en-IN", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

// About three digits, so that 0.0123 and 12,345 both say what matters.
export function short(value) {
  if (missing(value)) return NOTHING;
  const size = Math.abs(value);
  return number(value, size >= 100 || size === 0 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 3);
}

export function rupees(inr) {
  if (missing(inr)) return NOTHING;
  const sign = inr < 0 ? "−" : "";
  const size = Math.abs(inr);
  if (size >= CRORE) return sign + _("₹{n} crore", { n: short(size / CRORE) });
  if (size >= LAKH) return sign + _("₹{n} lakh", { n: short(size / LAKH) });
  return `${sign}₹${number(size)}`;
}

// With its sign, for what changed; "no change" where nothing did.
export const signed = (value, format) =>
  missing(value) ? NOTHING : value > 0 ? `+${format(value)}` : value < 0 ? `−${format(-value)}` : format(0);
export const crore = (value) => (missing(value) ? NOTHING : _("₹{n} crore", { n: short(value) }));
export const perTonne = (value) => (missing(value) ? NOTHING : _("₹{n} per tonne", { n: number(value) }));
export const percent = (share, decimals = 0) => (missing(share) ? NOTHING : `${number(100 * share, decimals)}\u00a0%`);
export const hours = (value) => (missing(value) ? NOTHING : _("{n} h", { n: number(value) }));
export const tonnes = (value) => (missing(value) ? NOTHING : _("{n} t", { n: short(value) }));
export const kilometres = (value) => (missing(value) ? NOTHING : _("{n} km", { n: number(value) }));
export const dollars = (usd) => (missing(usd) ? NOTHING : _("US$ {n} million", { n: short(usd / 1e6) }));

const WORDS = {
  warehouse: _("Warehouse"),
  cold_store: _("Cold store"),
  cargo_terminal: _("Cargo terminal"),
  mmlp: _("Logistics park"),
  small: _("small"),
  medium: _("medium"),
  standard: _("standard"),
  large: _("large"),
  announced: _("as announced"),
  first_stage: _("first stage"),
  candidate: _("candidate"),
  planned: _("planned"),
  general: _("General cargo"),
  perishable: _("Perishable cargo"),
  full: _("full loads"),
  part: _("part loads"),
  road: _("road"),
  rail: _("rail"),
  plain: _("plain"),
  hill: _("hill"),
  main: _("main line"),
  dfc: _("freight corridor"),
  handling: _("handling"),
  dwell: _("waiting"),
  freight: _("freight"),
  time: _("time"),
  carbon: _("carbon"),
};

// A key of the data as a word of the page.
export const word = (key) => (missing(key) ? NOTHING : (WORDS[key] ?? key.replaceAll("_", " ")));
