// @ts-check
/** The screen where a person gives commands other keys; the server keeps them and checks that no key does two things. */
import { announce, config, element, find, findAll, gettext, interpolate, oneAtATime, toast } from "./page.js";
import { show, showError } from "./dialogs.js";
import * as item from "./item.js";
import { command } from "./net.js";

/** How keys are read and named: the module of keys says so. @type {{capOf: (key: string) => string, nameOf: (event: KeyboardEvent) => string}} */
let keys;
/** @type {Record<string, string>} the keys as chosen on the screen */
let wanted = {};
/** @type {any} the button that waits for a key */
let waiting = null;

/** @param {any} button */
function label(button) {
  const key = keys.capOf(wanted[button.dataset.deed]);
  const words = key ? gettext("%(command)s: %(key)s. Change") : gettext("%(command)s: no key. Change");
  button.replaceChildren(key ? element("kbd", {}, key) : gettext("no key"));
  button.setAttribute("aria-label", interpolate(words, { command: button.dataset.name, key }));
  button.classList.remove("is-waiting");
}

/** Two commands with one key are seen at once, before the server says so. @param {any} root */
function markDoubles(root) {
  const all = Object.values(wanted);
  for (const button of findAll("[data-deed]", root)) {
    const key = wanted[button.dataset.deed];
    const isDouble = Boolean(key) && all.filter((other) => other === key).length > 1;
    button.classList.toggle("is-double", isDouble);
    find(".key-double", button.parentElement).hidden = !isDouble;
  }
}

function stop() {
  if (waiting) label(waiting);
  waiting = null;
}

/** @param {any} button */
function listen(button) {
  stop();
  waiting = button;
  button.textContent = gettext("Press a key…");
  button.classList.add("is-waiting");
  announce(gettext("Press a key. Esc: as it was. Backspace: no key."));
}

/** @param {KeyboardEvent} event @param {any} root */
function pressed(event, root) {
  if (!waiting || event.key === "Tab" || /^(Shift|Control|Alt|Meta)/.test(event.code)) return;
  event.preventDefault();
  event.stopPropagation();
  const name = keys.nameOf(event);
  const isErased = event.key === "Backspace" || event.key === "Delete";
  const isModified = event.ctrlKey || event.altKey || event.metaKey;
  if (event.key === "Escape") stop();
  else if (isErased || (!isModified && config.caps[event.code])) {
    wanted[waiting.dataset.deed] = isErased ? "" : name;
    showError(root, "");
    stop();
    markDoubles(root);
  } else showError(root, gettext("This key cannot be chosen: it writes, moves the focus or belongs to the browser."));
}

/** @param {any} root @param {string} chosen JSON, empty = as from the start @param {(value: string) => void} done */
const save = (root, chosen, done) =>
  oneAtATime(find("form", root), async () => {
    showError(root, "");
    try {
      config.keys = (await command("keys/", { keys: chosen })).keys;
      done("saved");
      toast(gettext("The keys are changed."));
      item.refresh();
    } catch (fault) {
      showError(root, /** @type {Error} */ (fault).message);
    }
  });

/** @param {readonly {deed: string, name: string}[]} deeds @param {typeof keys} naming */
export const change = (deeds, naming) =>
  show("own-keys", (root, done) => {
    keys = naming;
    // Only what is shown: a command that the person may not give has no say.
    [wanted, waiting] = [Object.fromEntries(deeds.map(({ deed }) => [deed, config.keys[deed]])), null];
    find("#own-keys", root).replaceChildren(...deeds.map((one) => {
      const button = element("button", { type: "button", className: "key-choice", "data-deed": one.deed, "data-name": one.name });
      label(button);
      button.addEventListener("click", () => (waiting === button ? stop() : listen(button)));
      button.addEventListener("blur", () => waiting === button && stop());
      return element("p", {}, one.name, element("span", {}, element("span", { className: "key-double", hidden: true }, gettext("twice")), " ", button));
    }));
    find("form", root).addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => pressed(event, root));
    find("form", root).addEventListener("submit", () => save(root, JSON.stringify(wanted), done));
    find("[data-defaults]", root).addEventListener("click", () => save(root, "", done));
    markDoubles(root);
    find("[data-deed]", root).focus();
  });
