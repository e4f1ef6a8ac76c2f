// How a site is drawn: the more it saves the larger, filled where it recovers its capital, fainter the fewer draws choose it.

const SMALLEST = 0.45;
const CORE = 0.9;

export const netSaving = (row) => row.net_saving_inr_per_year ?? row.saving_inr_per_year;
export const mostSaved = (sites) => Math.max(1, ...sites.map(netSaving));
export const siteSize = (row, most) => SMALLEST + (1.2 - SMALLEST) * Math.sqrt(Math.max(0, netSaving(row)) / most);
export const siteState = (row) => row.mark || (row.recovers_capital === false ? "hollow" : "");

export function siteOpacity({ chosen_share: share }) {
  return share === null || share === undefined || share >= CORE ? 1 : 0.4 + (0.6 * share) / CORE;
}

// What a rupee of capital saves a year.
export function perRupee(row) {
  return row.capex_inr_crore ? netSaving(row) / (1e7 * row.capex_inr_crore) : null;
}
