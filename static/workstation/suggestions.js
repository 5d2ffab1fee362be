// @ts-check
/** Topics that the words of the guest suggest, beside the picker of the new ticket: 1 to 3 choose one. */
import { announce, element, find, findAll, gettext, interpolate, ngettext } from "./page.js";
import { command } from "./net.js";

const KEYS = ["Digit1", "Digit2", "Digit3"];

/** @param {HTMLElement} place where they are shown @param {string} address of the dialogue's suggestions */
export async function suggestTopics(place, address) {
  // Without suggestions the form is as good as before: a fault here is no news to anybody.
  const answer = await command(address).catch(() => null);
  if (!answer?.found.length || !place.isConnected) return;
  const picker = /** @type {HTMLElement} */ (find("[data-picker=topics]", /** @type {HTMLElement} */ (place.closest("form"))));
  const buttons = answer.found.map((/** @type {any} */ one, /** @type {number} */ index) => button(one, index, picker));
  place.replaceChildren(element("p", { className: "hint", id: "suggestions-name" }, gettext("Suggested by the guest's words")), ...buttons);
  place.hidden = false;
  announce(interpolate(ngettext("%(count)s topic suggested", "%(count)s topics suggested", buttons.length), { count: buttons.length }));
  const form = /** @type {HTMLElement} */ (place.closest("form"));
  form.addEventListener("keydown", (event) => pressed(event, place, picker));
}

/** @param {any} one @param {number} index @param {HTMLElement} picker */
function button(one, index, picker) {
  const sure = interpolate(gettext("%(words)s, %(percent)s%"), one);
  const made = element("button", { type: "button", className: "suggestion", title: one.path, "aria-describedby": "suggestions-name" },
    element("kbd", { "aria-hidden": "true" }, String(index + 1)), element("span", { className: "suggestion-name" }, one.name), element("span", { className: "hint" }, sure));
  made.addEventListener("click", () => choose(picker, one));
  return made;
}

/** As if it had been chosen in the picker; the next field is at hand. @param {HTMLElement} picker @param {any} one */
function choose(picker, one) {
  find("input[role=combobox]", picker).value = one.path;
  find("input[type=hidden]", picker).value = one.id;
  picker.dispatchEvent(new CustomEvent("picked", { detail: one, bubbles: true }));
  /** @type {any} */ (picker.closest("form")).querySelector("#store")?.focus();
}

/** A figure chooses while nothing is written in the topic's field, or on the suggestions themselves.
 * @param {KeyboardEvent} event @param {HTMLElement} place @param {HTMLElement} picker */
function pressed(event, place, picker) {
  const index = KEYS.indexOf(event.code);
  const target = /** @type {any} */ (event.target);
  const isHere = place.contains(target) || (picker.contains(target) && !target.value);
  if (index < 0 || !isHere || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
  const chosen = findAll("button", place)[index];
  if (!chosen) return;
  event.preventDefault();
  event.stopPropagation();
  chosen.click();
}
