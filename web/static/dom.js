// Elements from data. Text only ever enters the page as text, so a district called "<script>" is just a name.

const SVG = "http://www.w3.org/2000/svg";

export const h = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);

// A table of values side by side: each row is a label, text or nodes, and its values.
export const sideBySide = (heads, rows) =>
  h(
    "table",
    { class: "compare" },
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("td", {}),
        heads.map((name) => h("th", { scope: "col" }, name)),
      ),
    ),
    h(
      "tbody",
      {},
      rows.map(([label, ...values]) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, label),
          values.map((value) => h("td", {}, value)),
        ),
      ),
    ),
  );
export const s = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
export const byId = (id) => document.getElementById(id);

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}
