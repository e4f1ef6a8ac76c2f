// Four steps through the page for who sees it first: it covers nothing, and once closed it stays so.

import { byId, h } from "./dom.js";
import { number } from "./format.js";
import { _ } from "./i18n.js";

const STEPS = [
  ["brief", _("The sentence says what to build, for how much, what it saves and what it does not. How sure tells the range.")],
  ["legend", _("Colours are classes of districts. Point at one to see where it is; click it to see nothing else.")],
  ["map", _("Click a district, a site or the name of a state, or search for it: its card says why.")],
  ["print", _("Print, take the table, or ask What if: every view has an address of its own.")],
];

// `moved()` is told when the place of the page below changes.
export function showTour(place, moved) {
  const opener = document.activeElement;
  let step = 0;

  const mark = (id) => {
    document.querySelector(".toured")?.classList.remove("toured");
    if (id) byId(id).classList.add("toured");
  };

  function close() {
    place.hidden = true;
    mark(null);
    document.removeEventListener("keydown", escape);
    localStorage.setItem("tour", "seen");
    if (place.contains(document.activeElement) || document.activeElement === document.body) opener?.focus({ preventScroll: true });
    moved();
  }

  function escape(event) {
    if (event.key === "Escape") close();
  }

  function show(next, focus = true) {
    if (next >= STEPS.length) return close();
    step = next;
    const [id, text] = STEPS[step];
    const last = step === STEPS.length - 1;
    const button = (name, onclick) => h("button", { type: "button", class: "button", onclick }, name);
    const forward = button(last ? _("Done") : _("Next"), () => show(step + 1));
    place.replaceChildren(
      h("p", { role: "status" }, h("strong", {}, `${number(step + 1)}/${number(STEPS.length)} `), text),
      step ? button(_("Back"), () => show(step - 1)) : "",
      forward,
      last ? "" : button(_("Close the tour"), close),
    );
    place.hidden = false;
    mark(id);
    if (focus) forward.focus({ preventScroll: true });
    return moved();
  }

  document.addEventListener("keydown", escape);
  show(0, opener !== document.body);
}
