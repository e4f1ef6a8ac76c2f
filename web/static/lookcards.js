// Cards of Look, with what they ask of the plan.

import { districtCard, outlookSections, placeCard, siteCard } from "./card.js";
import * as data from "./data.js";
import { byId } from "./dom.js";
import { language, named } from "./i18n.js";
import { perRupee } from "./sites.js";

// `page`: plan(), close(), pick(kind, row).
export function createCards(page) {
  function on() {
    const plan = page.plan();
    const ranked = [...plan.sites].sort((a, b) => (perRupee(b) ?? 0) - (perRupee(a) ?? 0));
    const through = (name, column) => plan.districts.filter((row) => row[column] === name).length;
    return {
      close: page.close,
      siteOf: (id) => plan.sites.find((site) => site.site_id === id),
      nameOf: (id) => named(plan.districts.find((d) => d.district_id === id) ?? { district: id }, "district"),
      districtOf: (name) => plan.districts.find((d) => `${d.district}, ${d.state}` === name),
      districtsThrough: (name) => ({ before: through(name, "gateway_before"), after: through(name, "gateway_after") }),
      pickSite: (site) => page.pick("site", site),
      pickDistrict: (district) => page.pick("district", district),
      rankOf: (site) => ranked.indexOf(site) + 1,
      siteCount: ranked.length,
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
