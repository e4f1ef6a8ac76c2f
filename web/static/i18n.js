// The language of the page. English is in the source; the server sends the words of other languages, and what it
// tells pages in each: measures of the map, terms of the glossary.

export const language = document.documentElement.lang;
export const told = await (await fetch(document.documentElement.dataset.messages)).json();
const catalogue = told.texts;

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

// `_("saved in {place}", { place })`
export const _ = (text, values = {}) => fill(catalogue[text] ?? text, values);

// `ngettext("{n} site", "{n} sites", 3)`
export function ngettext(one, many, n, values = {}) {
  const forms = catalogue[one] ?? [one, many];
  return fill(forms[n === 1 ? 0 : 1], { n: n.toLocaleString("en-IN"), ...values });
}

// A name in the language of the page where the data knows it.
export const named = (row, column) => (language !== "en" && row[`${column}_${language}`]) || row[column];
