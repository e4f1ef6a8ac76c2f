// What is known of one district or site, with its lanes.

import { h, sideBySide } from "./dom.js";
import { NOTHING, crore, dollars, hours, kilometres, number, percent, perTonne, rupees, tonnes, word } from "./format.js";
import { _, named, ngettext } from "./i18n.js";
import { netSaving, perRupee } from "./sites.js";

const LISTED_DISTRICTS = 30;
const LISTED_MEASURES = 3;
const COMPONENTS = ["freight", "handling", "time", "dwell", "carbon"];

export function districtCard(row, lanes, on) {
  const elsewhere = row.counted_with ? _("Exports counted with {district}", { district: on.nameOf(row.counted_with) }) : null;
  const reachable = row.cost_before_inr_per_t !== null;
  const sites = lanes.sites.map(on.siteOf).filter(Boolean);
  return [
    heading(
      named(row, "district"),
      named(row, "district") === row.district ? row.district_hi : row.district,
      named(row, "state"),
      on,
    ),
    h(
      "p",
      { class: "tags" },
      tag(row.under_utilised ? _("Under-utilised") : _("Leader")),
      elsewhere
        ? tag(elsewhere)
        : reachable
          ? null
          : tag(row.tonnes_per_year > 0 ? _("No road to a port") : _("No containable cargo")),
    ),
    reachable
      ? row.saving_inr_per_year
        ? figure(rupees(row.saving_inr_per_year), _("saved a year"))
        : figure(_("No saving"), _("in this plan"))
      : null,
    ...(reachable ? inWords(row) : []),
    reachable
      ? compare([
          [_("Cost per tonne"), row.cost_before_inr_per_t, row.cost_after_inr_per_t, (v) => `₹${number(v)}`],
          [_("Hours, port dwell included"), row.hours_before, row.hours_after, hours],
          [_("CO2e a year"), row.co2e_before_t_per_year, row.co2e_after_t_per_year, tonnes],
        ])
      : null,
    facts([
      [_("Port"), before(on.placeName(row.gateway_before), on.placeName(row.gateway_after))],
      [_("Hub"), [row.hub_1, row.hub_2].filter(Boolean).map(on.placeName).join(", ") || _("no new site")],
      ...(elsewhere
        ? []
        : [
            [_("Exports a year"), dollars(row.export_usd)],
            [_("Cargo a year"), tonnes(row.tonnes_per_year)],
          ]),
      [_("Hours to the port's gate"), hours(row.hours_to_gateway_after)],
    ]),
    h("div", { id: "outlook" }),
    costParts(row),
    sites.length
      ? section(
          _("Sites it uses"),
          links(sites, (site) => `${named(site, "name")} (${word(site.facility_type)})`, on.pickSite),
        )
      : null,
    laneSection(lanes, on.placeName),
  ];
}

export function siteCard(row, lanes, on) {
  return [
    heading(named(row, "name"), named(row, "name") === row.name ? row.name_hi : row.name, named(row, "state"), on),
    h("p", { class: "tags" }, tag(word(row.facility_type)), tag(word(row.tier)), tag(word(row.status)), sureness(row)),
    figure(rupees(netSaving(row)), _("saved a year through this site, its running paid")),
    facts([
      [_("Capital"), crore(row.capex_inr_crore)],
      [_("Each rupee of it saves a year"), perRupee(row) === null ? NOTHING : `₹${number(perRupee(row), 2)}`],
      [_("Recovers its capital"), yesNo(row.recovers_capital)],
      [_("Place by saving per rupee"), _("{n} of {all}", { n: number(on.rankOf(row)), all: number(on.siteCount) })],
      [_("Capacity a year"), tonnes(row.capacity_t_per_year)],
      [_("Used a year"), `${tonnes(row.throughput_t_per_year)} (${percent(row.utilisation)})`],
      ...whenBuilt(row),
    ]),
    h("meter", { class: "use", min: 0, max: 1, value: row.utilisation ?? 0, "aria-label": _("Utilisation") }),
    on.ask
      ? h(
          "p",
          { class: "row" },
          h("a", { class: "button", href: on.ask({ forbid: row.site_id }) }, _("What if it is not built?")),
          h("button", { type: "button", class: "button", onclick: (event) => on.runnerUp(row, event.target) }, _("Runner-up")),
        )
      : null,
    h("p", { id: "runner-up", role: "status", hidden: true }),
    gains(row, lanes, on),
    key(lanes.movements.features),
  ];
}

// When a site of a study with phases opens, and through which sizes it grows.
export function whenBuilt({ opens_in_phase: opens, stages }) {
  return [
    [_("Opens in phase"), opens],
    [_("Grows in stages"), stages],
  ].filter(([, told]) => told);
}

const yesNo = (value) => (value === undefined || value === null ? NOTHING : value ? _("yes") : _("no"));

function sureness({ chosen_share: share, repays_share: repays }) {
  if (share === null || share === undefined)
    return repays === null || repays === undefined ? null : tag(_("repays in {share} of draws", { share: percent(repays) }));
  const text = _("chosen in {share} of draws", { share: percent(share) });
  return tag(share >= 0.9 ? _("core: {text}", { text }) : share < 0.1 ? _("doubtful: {text}", { text }) : text);
}

// Who ships through a site, and what each saves in the plan.
function gains(row, lanes, on) {
  const cargo = new Map();
  for (const lane of lanes.lanes) {
    const name = `${lane.district}, ${lane.state}`;
    cargo.set(name, (cargo.get(name) ?? 0) + lane.tonnes_per_year);
  }
  const served = [...cargo]
    .map(([name, t]) => ({ district: on.districtOf(name), t }))
    .filter(({ district }) => district)
    .sort((a, b) => (b.district.saving_inr_per_year ?? 0) - (a.district.saving_inr_per_year ?? 0))
    .slice(0, LISTED_DISTRICTS);
  const line = ({ district, t }) => {
    const name = `${named(district, "district")}, ${named(district, "state")}`;
    const pick = h("button", { type: "button", class: "link", onclick: () => on.pickDistrict(district) }, name);
    const saves = _("saves {amount}", { amount: rupees(district.saving_inr_per_year) });
    return h("li", {}, pick, h("span", { class: "amount" }, `${tonnes(t)} · ${saves}`));
  };
  const title = ngettext("{n} district gains", "{n} districts gain", row.districts_served);
  return section(title, h("ul", { class: "plain" }, served.map(line)));
}

export function placeCard(kind, row, on) {
  const port = kind === "gateways";
  const through = port ? on.districtsThrough(row.name) : null;
  return [
    heading(named(row, "name"), named(row, "name") === row.name ? row.name_hi : row.name, named(row, "state"), on),
    h(
      "p",
      { class: "tags" },
      tag(port ? _("Port") : _("Inland depot")),
      port
        ? tag(row.container_service ? _("container service") : _("no container service"))
        : tag(row.rail_served ? _("served by rail") : _("road only")),
      row.closed ? tag(_("closed in this plan")) : null,
    ),
    through
      ? facts([
          [_("Main port of districts today"), number(through.before)],
          [_("Main port of districts with the plan"), number(through.after)],
        ])
      : null,
    port && on.ask && row.container_service && !row.closed
      ? h("p", { class: "row" }, h("a", { class: "button", href: on.ask({ close: row.gateway_id }) }, _("What if it is closed?")))
      : null,
  ];
}

// Slower or faster, dearer or cheaper, in words.
function inWords(row) {
  const slower = row.hours_after - row.hours_before;
  const dearer = row.cost_after_inr_per_t - row.cost_before_inr_per_t;
  const time =
    Math.abs(slower) < 0.5
      ? _("As fast as today")
      : slower > 0
        ? _("{time} slower", { time: hours(slower) })
        : _("{time} faster", { time: hours(-slower) });
  const amount = perTonne(Math.abs(dearer));
  const price =
    Math.abs(dearer) < 0.5
      ? _("as dear as today")
      : dearer > 0
        ? _("{amount} dearer", { amount })
        : _("{amount} cheaper", { amount });
  const valued = dearer > 0.5 && row.saving_inr_per_year > 0; // saved in what shippers perceive, not in money
  const why = _("Its saving counts what shippers value beyond money and time, as fitted to customs records.");
  return [
    h("p", { class: slower > 0.5 ? "words slower" : "words" }, `${time}, ${price}`),
    valued ? h("p", { class: "quiet" }, why) : null,
  ];
}

// What is known of a district beyond the plan: it comes after the card.
export function outlookSections(told, on) {
  const { exports: of, measures } = told;
  const usd = (value) => dollars(value);
  const more =
    of && of.unrealised_usd > 0
      ? _("The median district of its kind exports {amount} a year more; the middle half of them {low} to {high} more.", {
          amount: usd(of.unrealised_usd),
          low: usd(of.unrealised_low_usd),
          high: usd(of.unrealised_high_usd),
        })
      : of
        ? _("It exports as much as the median district of its kind, or more.")
        : null;
  const line = (row) => {
    const amount = _("{capital}: {saving} cheaper", { capital: crore(row.inr_crore), saving: perTonne(row.saves_inr_per_t) });
    return h(
      "li",
      {},
      h("span", {}, row.text),
      h("span", { class: "amount" }, row.shared ? _("{text}, for all who share it", { text: amount }) : amount),
    );
  };
  return [
    more ? section(_("Potential"), h("p", {}, more)) : null,
    measures.length
      ? section(_("What would help it next"), h("ul", { class: "plain measures" }, measures.slice(0, LISTED_MEASURES).map(line)))
      : null,
    h(
      "p",
      { class: "row" },
      h("a", { class: "button", href: told.scorecard, target: "_blank", rel: "noopener" }, _("Scorecard")),
      on.ask
        ? h("a", { class: "button", href: on.ask({ district: told.district_id }) }, _("What would building here take?"))
        : null,
    ),
  ].filter(Boolean);
}

export function heading(name, other, state, on) {
  return h(
    "header",
    {},
    h("h2", { tabindex: "-1" }, name),
    h(
      "p",
      { class: "quiet" },
      other ? [h("span", { lang: /[\u0900-\u097f]/.test(other) ? "hi" : "en" }, other), " · "] : null,
      state,
    ),
    h("button", { type: "button", class: "close", "aria-label": _("Close"), onclick: on.close }, "×"),
  );
}

export const tag = (text) => h("span", { class: "tag" }, text);
export const figure = (value, label) => h("p", { class: "figure" }, h("strong", {}, value), " ", label);
const section = (title, ...content) => h("section", {}, h("h3", {}, title), content);
const before = (old, now) => (old === now || !old ? (now ?? "–") : _("{now} (before: {old})", { now, old }));

export function facts(rows) {
  return h(
    "dl",
    { class: "facts" },
    rows.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
  );
}

function changeText(old, now) {
  const change = old ? (now - old) / old : null;
  return change === null ? "–" : `${change > 0 ? "+" : change < 0 ? "−" : ""}${number(Math.abs(100 * change), 1)} %`;
}

const beforeAndAfter = (rows) => sideBySide([_("Before"), _("After"), _("Change")], rows);

const compare = (rows) =>
  beforeAndAfter(rows.map(([name, old, now, format]) => [name, format(old), format(now), changeText(old, now)]));

// What a tonne's cost is made of, before and after; older results do not say.
function costParts(row) {
  const parts = COMPONENTS.map((name) => ({
    name,
    old: row[`${name}_before_inr_per_t`],
    now: row[`${name}_after_inr_per_t`],
  })).filter(({ old, now }) => old || now);
  if (!parts.length) return null;
  const most = Math.max(row.cost_before_inr_per_t, row.cost_after_inr_per_t);
  const bar = (which) =>
    h(
      "div",
      { class: "stack" },
      parts.map((part) => {
        const piece = h("span", { class: `piece ${part.name}` });
        piece.style.width = `${(100 * Math.max(0, part[which] ?? 0)) / most}%`;
        return piece;
      }),
    );
  return section(
    _("What a tonne costs"),
    h(
      "div",
      { class: "stacks", "aria-hidden": "true" },
      h("span", {}, _("Before")),
      bar("old"),
      h("span", {}, _("After")),
      bar("now"),
    ),
    beforeAndAfter(
      parts.map(({ name, old, now }) => [
        [h("i", { class: `piece ${name}` }), word(name)],
        `₹${number(old ?? 0)}`,
        `₹${number(now ?? 0)}`,
        changeText(old, now),
      ]),
    ),
  );
}

function links(rows, name, pick) {
  return h(
    "ul",
    { class: "plain" },
    rows.map((row) => h("li", {}, h("button", { type: "button", class: "link", onclick: () => pick(row) }, name(row)))),
  );
}

function key(features) {
  const modes = new Set(features.map((feature) => feature.properties.mode));
  const line = (mode) => h("span", {}, h("i", { class: `stroke ${mode}` }), word(mode));
  return modes.size ? h("p", { class: "key" }, ["road", "rail"].filter((mode) => modes.has(mode)).map(line)) : null;
}

function laneSection(lanes, placeName) {
  if (!lanes.lanes.length) return null;
  return section(
    _("Lanes"),
    key(lanes.movements.features),
    lanes.lanes.map((lane) =>
      h(
        "details",
        { class: "lane", open: lane === lanes.lanes[0] },
        h(
          "summary",
          {},
          `${word(lane.cargo_class)}, ${word(lane.load)}`,
          h("span", { class: "amount" }, tonnes(lane.tonnes_per_year)),
        ),
        h("ol", { class: "parts" }, lane.parts.map((p) => part(p, placeName))),
        h("p", { class: "quiet" }, `${perTonne(lane.cost_inr_per_t)}, ${hours(lane.hours)}`),
      ),
    ),
  );
}

function part(p, placeName) {
  const inside = p.from === p.to;
  const place = placeName(p.to);
  const where =
    {
      road: inside ? _("Road in {place}", { place }) : _("Road to {place}", { place }),
      rail: inside ? _("Rail in {place}", { place }) : _("Rail to {place}", { place }),
      handling: _("Handling at {place}", { place }),
      dwell: _("Waiting at {place}", { place }),
    }[p.mode] ?? `${word(p.mode)}, ${place}`;
  const moves = p.mode === "road" || p.mode === "rail";
  const size = moves ? kilometres(p.km) : p.hours ? hours(p.hours) : "";
  return h(
    "li",
    { class: p.mode },
    h("span", {}, where, size ? h("span", { class: "quiet" }, ` · ${size}`) : null),
    h("span", { class: "amount" }, `₹${number(p.cost_inr_per_t)}`),
  );
}
