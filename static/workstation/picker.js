// @ts-check
/** A field that chooses one of many while typing (ARIA combobox with a list). */
import { announce, debounced, element, gettext, interpolate, ngettext } from "./page.js";
import { read } from "./net.js";

/** @type {Map<string, any[]>} short lists are read once */
const kept = new Map();
// These are whole lists, narrowed here; the others are searched by the server.
const WHOLE = new Set(["topics", "groups", "places"]);
const SHOWN = 30;

/** @param {string} source @param {string} words */
async function findIn(source, words) {
  if (!WHOLE.has(source)) return (await read(`${source}/`, { q: words })).found;
  if (!kept.has(source)) kept.set(source, (await read(`${source}/`)).found);
  const parts = words.toLowerCase().replaceAll("ё", "е").split(/\s+/);
  const all = kept.get(source) || [];
  return all.filter((one) => parts.every((part) => one.name.toLowerCase().replaceAll("ё", "е").includes(part))).slice(0, SHOWN);
}

let number = 0;

/** @param {HTMLElement} box an element with data-picker (the source) and data-name (the form's field) */
export function makePicker(box) {
  const input = /** @type {HTMLInputElement} */ (box.querySelector("input"));
  const id = `picker-${++number}`;
  const list = element("ul", { className: "picker-list", id, role: "listbox", hidden: true, "aria-label": input.placeholder });
  const value = element("input", { type: "hidden", name: box.dataset.name });
  box.append(list, value);
  for (const [name, text] of Object.entries({ role: "combobox", "aria-controls": id, "aria-autocomplete": "list", "aria-expanded": "false" })) input.setAttribute(name, text);
  let found = /** @type {any[]} */ ([]);
  let active = -1;

  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const mark = (/** @type {number} */ place) => {
    active = place;
    [...list.children].forEach((line, index) => line.setAttribute("aria-selected", String(index === place)));
    const line = list.children[place];
    line?.scrollIntoView({ block: "nearest" });
    if (line) input.setAttribute("aria-activedescendant", line.id);
  };
  const choose = (/** @type {number} */ place) => {
    const one = found[place];
    if (!one) return;
    // A search that is still on its way would look for what was chosen, and open the list again.
    lookSoon.cancel();
    asked += 1;
    input.value = one.name;
    value.value = one.id;
    close();
    box.dispatchEvent(new CustomEvent("picked", { detail: one, bubbles: true }));
  };
  const show = () => {
    list.replaceChildren(...found.map((one, index) => {
      const line = element("li", { id: `${id}-${index}`, role: "option", "aria-selected": "false" }, one.name);
      const hint = one.hint || (one.state ? stateWord(one) : "");
      if (hint) line.append(element("span", { className: "hint" }, hint));
      line.addEventListener("pointerdown", (/** @type {Event} */ event) => {
        event.preventDefault();
        choose(index);
      });
      return line;
    }));
    if (!found.length) list.append(element("li", { className: "hint", role: "option", "aria-disabled": "true" }, gettext("Nothing found")));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    announce(interpolate(ngettext("%(count)s found", "%(count)s found", found.length), { count: found.length }));
    if (found.length) mark(0);
  };
  let asked = 0;
  const look = async () => {
    const mine = ++asked;
    const answer = await findIn(box.dataset.picker || "", input.value.trim()).catch(() => []);
    if (mine !== asked || document.activeElement !== input) return;
    found = answer;
    show();
  };
  const lookSoon = debounced(look, 120);
  input.addEventListener("input", () => {
    value.value = "";
    if (WHOLE.has(box.dataset.picker || "")) look();
    else lookSoon();
  });
  input.addEventListener("focus", () => !value.value && look());
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (list.hidden) {
      if (event.key === "ArrowDown") look();
      return;
    }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const last = found.length - 1;
      mark(event.key === "ArrowDown" ? (active >= last ? 0 : active + 1) : active <= 0 ? last : active - 1);
    } else if (event.key === "Enter") {
      event.preventDefault();
      choose(active);
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      close();
    }
  });
}

/** @param {{state: string, load: string}} one */
function stateWord({ state, load }) {
  const words = { ready: gettext("Ready"), break: gettext("Break"), wrap_up: gettext("After-work"), away: gettext("Away"), offline: gettext("Off") };
  return [words[/** @type {keyof typeof words} */ (state)] || state, load].filter(Boolean).join(" · ");
}
