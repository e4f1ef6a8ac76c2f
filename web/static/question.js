// What is asked of the solver: a budget, sites to force or forbid, ports to close, rules to leave out, levers to pull.
// Questions are never changed, only replaced.

const LISTS = ["forced", "forbidden", "closed_gateways", "rules_off", "levers"];

export const siteOf = (option) => `${option.facility_type}@${option.place_id}`;
const listOf = (question, name) => question[name] ?? [];

export const ofStudy = (study) => ({
  budget_inr_crore: study.budget_inr_crore,
  ...Object.fromEntries(LISTS.map((name) => [name, listOf(study, name)])),
});

export const same = (a, b) =>
  a.budget_inr_crore === b.budget_inr_crore &&
  LISTS.every((name) => [...listOf(a, name)].sort().join() === [...listOf(b, name)].sort().join());

export const has = (question, list, id) => listOf(question, list).includes(id);
const without = (ids, unwanted) => ids.filter((id) => !unwanted.includes(id));
const toggled = (ids, id) => (ids.includes(id) ? without(ids, [id]) : [...ids, id]);

export const toggleGateway = (question, id) => ({ ...question, closed_gateways: toggled(question.closed_gateways, id) });

export const toggleLever = (question, key) => ({ ...question, levers: toggled(listOf(question, "levers"), key) });

export const toggleRule = (question, name) => ({ ...question, rules_off: toggled(question.rules_off, name) });

// One size of a site: what forbids it, and other sizes of it, give way.
export function toggleForced(question, option, options) {
  const twins = options.filter((other) => siteOf(other) === siteOf(option)).map((other) => other.option_id);
  const forced = question.forced.includes(option.option_id);
  return {
    ...question,
    forced: forced ? without(question.forced, [option.option_id]) : [...without(question.forced, twins), option.option_id],
    forbidden: forced ? question.forbidden : without(question.forbidden, [option.place_id, siteOf(option), option.option_id]),
  };
}

// A site of one type, or a whole place: what is forced there gives way.
export function toggleForbidden(question, id, options) {
  const covered = options.filter((option) => [option.place_id, siteOf(option)].includes(id)).map((option) => option.option_id);
  return { ...question, forbidden: toggled(question.forbidden, id), forced: without(question.forced, covered) };
}

// Differences of a question from that of the base: [{list, id, added}].
export function changes(question, base) {
  return LISTS.flatMap((list) => [
    ...without(listOf(question, list), base[list]).map((id) => ({ list, id, added: true })),
    ...without(base[list], listOf(question, list)).map((id) => ({ list, id, added: false })),
  ]);
}

export function undoChange(question, { list, id, added }) {
  return { ...question, [list]: added ? without(question[list], [id]) : [...question[list], id] };
}
