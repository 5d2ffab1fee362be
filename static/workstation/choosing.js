// @ts-check
/** Tickets chosen in the list for work on many at once: a box at each row, and a bar that leads to the job's page. */
import { announce, element, find, findAll, gettext, interpolate, ngettext } from "./page.js";
import { token } from "./net.js";
import * as rows from "./rows.js";

const list = find("#rows");
const bar = find("#choice");
/** @type {Set<string>} keys of chosen tickets; they stay chosen when the list shows another page or tab */
const chosen = new Set();
let isOn = false;
/** The list that was chosen as a whole, "" = tickets are chosen one by one. */
let whole = "";
/** Where a range begins. */
let anchor = "";

const shown = () => JSON.stringify(rows.shownQuery());
/** @param {any} line */
const isTicket = (line) => line.dataset.key.startsWith("case:");
/** @param {any} line */
const isOpen = (line) => rows.rowOf(line.dataset.key)?.state !== "closed";
const lines = () => [...list.children].filter(isTicket);
/** @param {any} place @returns {any} */
const lineAt = (place) => place?.closest?.(".row");

/** @param {any} line */
function box(line) {
  const found = find(".row-pick input", line);
  if (found) return found;
  const input = element("input", { type: "checkbox", tabIndex: -1 });
  line.append(element("label", { className: "row-pick" }, input));
  return input;
}

function show() {
  if (whole && whole !== shown()) whole = "";
  for (const line of lines()) {
    const input = box(line);
    input.checked = whole ? isOpen(line) : chosen.has(line.dataset.key);
    input.ariaLabel = interpolate(gettext("Choose ticket № %(number)s"), { number: rows.rowOf(line.dataset.key)?.number || "" });
  }
  find("#choice-all").disabled = rows.shownQuery().kind === "session";
  find("#choice-count").textContent = words();
  find("[type=submit]", bar).disabled = !whole && !chosen.size;
}

function words() {
  if (whole) return gettext("All open tickets of this list are chosen");
  return interpolate(ngettext("%(count)s ticket chosen", "%(count)s tickets chosen", chosen.size), { count: chosen.size });
}

/** Adds or takes away; who had the whole list goes on with what is loaded of it. @param {any[]} some @param {boolean} isChosen */
function put(some, isChosen) {
  if (whole) for (const line of lines().filter(isOpen)) chosen.add(line.dataset.key);
  whole = "";
  for (const line of some) isChosen ? chosen.add(line.dataset.key) : chosen.delete(line.dataset.key);
  show();
  announce(words());
}

/** @param {any} line @param {boolean} [isRange] from the last chosen one on */
function toggle(line, isRange = false) {
  if (!line || !isTicket(line)) return;
  const isChosen = whole ? !isOpen(line) : !chosen.has(line.dataset.key);
  const all = lines();
  const [from, to] = [all.findIndex((one) => one.dataset.key === anchor), all.indexOf(line)].sort((one, other) => one - other);
  put(isRange && from >= 0 ? all.slice(from, to + 1) : [line], isRange || isChosen);
  anchor = line.dataset.key;
}

/** Shift with an arrow: the focused ticket and the next one. @param {any} line @param {1|-1} step */
function extend(line, step) {
  const next = rows.neighbour(step, line.dataset.key);
  if (!next) return;
  put([line, next].filter(isTicket), true);
  anchor = next.dataset.key;
  rows.rove(next.firstElementChild);
  next.firstElementChild.focus();
}

const watcher = new MutationObserver(() => show());

function enter() {
  isOn = true;
  bar.hidden = false;
  list.classList.add("is-choosing");
  find("#choose").setAttribute("aria-expanded", "true");
  watcher.observe(list, { childList: true });
  show();
}

function leave() {
  isOn = false;
  bar.hidden = true;
  whole = anchor = "";
  chosen.clear();
  watcher.disconnect();
  list.classList.remove("is-choosing");
  find("#choose").setAttribute("aria-expanded", "false");
  const hadFocus = bar.contains(document.activeElement);
  for (const label of findAll(".row-pick", list)) label.remove();
  if (hadFocus || document.activeElement === document.body) (find(".row-link[tabindex='0']", list) || find("#choose")).focus();
}

/** The button above the list. */
export const toggleMode = () => (isOn ? leave() : enter());

/** X: choose the ticket of the focused row, or begin to choose. */
export function pick() {
  if (!isOn) enter();
  toggle(lineAt(document.activeElement) || lineAt(find(".row-link[aria-current]", list)));
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  const line = lineAt(event.target);
  if (!isOn || !line || event.ctrlKey || event.altKey || event.metaKey) return;
  const isArrow = event.key === "ArrowDown" || event.key === "ArrowUp";
  const isBox = /** @type {any} */ (event.target).type === "checkbox";
  if (event.code === "Space" && !isBox) toggle(line, event.shiftKey);
  else if (event.shiftKey && isArrow) extend(line, event.key === "ArrowDown" ? 1 : -1);
  else if (event.key === "Escape") leave();
  else return;
  event.preventDefault();
}

/** @param {any} event */
function clicked(event) {
  if (event.target.type !== "checkbox" || !lineAt(event.target)) return;
  toggle(lineAt(event.target), event.shiftKey);
}

/** The job's page gets what was chosen: the list by its fields, or the tickets. */
function goOn() {
  const { tab, channel } = rows.shownQuery();
  const given = whole ? { tab, channel } : { cases: [...chosen].map((key) => key.split(":")[1]).join(",") };
  for (const [name, value] of Object.entries({ cases: "", tab: "", channel: "", ...given, csrfmiddlewaretoken: token() })) {
    find(`[name=${name}]`, bar).value = value;
  }
}

list.addEventListener("keydown", pressed);
list.addEventListener("click", clicked);
bar.addEventListener("submit", goOn);
find("#choice-all").addEventListener("click", () => {
  whole = shown();
  show();
  announce(words());
});
find("#choice-leave").addEventListener("click", leave);
