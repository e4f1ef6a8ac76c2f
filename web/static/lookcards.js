// Cards of Look, with what they ask of the plan.

import { districtCard, outlookSections, placeCard, siteCard } from "./card.js";
import * as data from "./data.js";
import { byId } from "./dom.js";
import { rupees, word } from "./format.js";
import { _, language, named } from "./i18n.js";
import { watch } from "./runs.js";
import { perRupee } from "./sites.js";

const NARROW_INR = 1e5;

// What would be built instead of a site, and what is lost: the best plan without it, all else chosen anew.
async function runnerUp(plan, site, button) {
  const place = byId("runner-up");
  const { forbidden = [], gap } = plan.summary.resolved_study;
  const tell = (...content) => {
    place.hidden = false;
    place.replaceChildren(...content);
  };
  button.disabled = true;
  tell(_("Solving without it"));
  const question = { plan: plan.id, changes: { forbidden: [...new Set([...forbidden, site.site_id])] }, gap };
  const done = await watch(await data.post(`${data.API}/runs`, question), () => {}, () => place.isConnected);
  if (!done) return;
  button.disabled = false;
  if (done.state !== "finished") return tell(_("This failed: {why}", { why: data.runMessage(done) }));
  const [summary, columns] = await Promise.all(["plan", "sites"].map((name) => data.get(`${data.runBase(done.id)}/${name}`)));
  const sites = data.rows(columns);
  const built = new Set(plan.sites.map((row) => row.site_id));
  const kept = new Set(sites.map((row) => row.site_id));
  const names = (rows) => rows.map((row) => `${named(row, "name")} (${word(row.facility_type)})`).join(", ");
  const instead = sites.filter((row) => !built.has(row.site_id));
  const dropped = plan.sites.filter((row) => !kept.has(row.site_id) && row.site_id !== site.site_id);
  tell(
    `${lossText(plan.summary, summary)} `,
    instead.length ? _("In its place: {sites}.", { sites: names(instead) }) : _("Nothing would be built in its place."),
    dropped.length ? ` ${_("No longer: {sites}.", { sites: names(dropped) })}` : "",
  );
}

// What the best plan without a site costs more, as far as both are proven: between two bounds.
export function lossText(now, without) {
  const most = without.objective_inr - now.bound_inr;
  const least = Math.max(0, without.bound_inr - now.objective_inr);
  return most - least < NARROW_INR
    ? _("Without it the best plan costs {amount} a year more.", { amount: rupees(most) })
    : _("Without it the best plan costs {least} to {most} a year more, as far as is proven.", {
        least: rupees(least),
        most: rupees(most),
      });
}

// `page`: plan(), close(), pick(kind, row), attempt(act).
export function createCards(page) {
  function on() {
    const plan = page.plan();
    const ranked = [...plan.sites].sort((a, b) => (perRupee(b) ?? 0) - (perRupee(a) ?? 0));
    const through = (name, column) => plan.districts.filter((row) => row[column] === name).length;
    return {
      close: page.close,
      siteOf: (id) => plan.sites.find((site) => site.site_id === id),
      nameOf: (id) => named(plan.districts.find((d) => d.district_id === id) ?? { district: id }, "district"),
      placeName: plan.placeName,
      districtOf: (name) => plan.districts.find((d) => `${d.district}, ${d.state}` === name),
      districtsThrough: (name) => ({ before: through(name, "gateway_before"), after: through(name, "gateway_after") }),
      pickSite: (site) => page.pick("site", site),
      pickDistrict: (district) => page.pick("district", district),
      rankOf: (site) => ranked.indexOf(site) + 1,
      siteCount: ranked.length,
      runnerUp: (site, button) => page.attempt(() => runnerUp(plan, site, button)),
      ask: plan.summary.can_what_if ? (what) => `/what-if#${new URLSearchParams({ plan: plan.id, ...what })}` : null,
    };
  }

  return {
    district: (row, lanes) => districtCard(row, lanes, on()),
    site: (row, lanes) => siteCard(row, lanes, on()),
    place: (kind, row) => placeCard(kind, row, on()),
    // Comes after the card; `still()` says whether the card is still open.
    async outlook(district, still) {
      const told = await data.get(`${page.plan().base}/outlook?${new URLSearchParams({ district, lang: language })}`);
      if (still()) byId("outlook")?.replaceChildren(...outlookSections(told, on()));
    },
  };
}
