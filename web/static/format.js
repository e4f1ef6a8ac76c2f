// Numbers as people in India read them: 1,23,45,678; lakh and crore spelled out.

const CRORE = 1e7;
const LAKH = 1e5;
export const NOTHING = "–";

export function number(value, decimals = 0) {
  if (value === null || value === undefined) return NOTHING;
  const rounded = Number(value.toFixed(decimals)) + 0; // + 0: no "-0"
  return rounded.toLocaleString("en-IN", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

// About three digits, so that 0.0123 and 12,345 both say what matters.
export function short(value) {
  if (value === null || value === undefined) return NOTHING;
  const size = Math.abs(value);
  return number(value, size >= 100 || size === 0 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 3);
}

export function rupees(inr) {
  if (inr === null || inr === undefined) return NOTHING;
  const sign = inr < 0 ? "−" : "";
  const size = Math.abs(inr);
  if (size >= CRORE) return `${sign}₹${short(size / CRORE)} crore`;
  if (size >= LAKH) return `${sign}₹${short(size / LAKH)} lakh`;
  return `${sign}₹${number(size)}`;
}

export const crore = (value) => (value === null || value === undefined ? NOTHING : `₹${short(value)} crore`);
export const percent = (share, decimals = 0) =>
  share === null || share === undefined ? NOTHING : `${number(100 * share, decimals)}\u00a0%`;
export const hours = (value) => (value === null || value === undefined ? NOTHING : `${number(value)} h`);
export const tonnes = (value) => (value === null || value === undefined ? NOTHING : `${short(value)} t`);
export const words = (key) => key.replaceAll("_", " ");

const FACILITIES = { warehouse: "Warehouse", cold_store: "Cold store", mmlp: "Logistics park" };
export const facility = (type) => FACILITIES[type] ?? words(type);
export const count = (n, one, many) => `${number(n)} ${n === 1 ? one : many}`;
