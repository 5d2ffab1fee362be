// @ts-check
/** What every module of the desk shares: settings of the page, texts, the server's time, announcements. */

/** @param {string} id */
const readJson = (id) => JSON.parse(document.getElementById(id)?.textContent || "null");

export const config = readJson("desk-config");
export const firstList = readJson("desk-list");

const texts = /** @type {any} */ (globalThis).django || {};
/** @type {(text: string) => string} */
export const gettext = texts.gettext || ((text) => text);
/** @type {(one: string, many: string, count: number) => string} */
export const ngettext = texts.ngettext || ((one, many, count) => (count === 1 ? one : many));
/** Fills named fields: interpolate("%(count)s new", { count: 3 }). @param {string} text @param {Record<string, unknown>} fields */
export const interpolate = (text, fields) => text.replace(/%\((\w+)\)s/g, (_all, name) => String(fields[name]));

/** @param {string} selector @param {ParentNode} [root] @returns {any} */
export const find = (selector, root = document) => root.querySelector(selector);
/** @param {string} selector @param {ParentNode} [root] @returns {any[]} */
export const findAll = (selector, root = document) => [...root.querySelectorAll(selector)];

// Clocks are computed from the server's time and an offset, never counted down: a sleeping tab is right when it wakes.
let offset = config.now - Date.now();
/** @param {number} serverTime milliseconds */
export const setServerTime = (serverTime) => {
  offset = serverTime - Date.now();
};
export const serverNow = () => Date.now() + offset;

/** Fresh children of HTML that the server has rendered. @param {string} html @returns {HTMLElement[]} */
export function parse(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  return /** @type {HTMLElement[]} */ ([...holder.content.children]);
}

/** @param {string} name a symbol of the sprite */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${config.sprite}#${name}`);
  svg.append(use);
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  return svg;
}

/** @param {string} tag @param {Record<string, any>} [properties] @param {...(Node|string)} children @returns {any} */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made && name !== "list") /** @type {any} */ (made)[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

const waiting = { polite: "", assertive: "" };
/** One polite and one assertive announcer for the page; several words of one moment become one announcement.
 * @param {string} text @param {"polite"|"assertive"} [how] */
export function announce(text, how = "polite") {
  if (!waiting[how]) {
    setTimeout(() => {
      find(`#${how}`).textContent = waiting[how];
      waiting[how] = "";
    }, 80);
  }
  waiting[how] = waiting[how] ? `${waiting[how]} ${text}` : text;
}

/** A short word at the bottom, with an optional deed. @param {string} text @param {{word: string, run: () => void}|null} [deed] */
export function toast(text, deed = null, seconds = 5) {
  const box = element("div", { className: "toast" }, element("span", {}, text));
  const timer = setTimeout(() => box.remove(), seconds * 1000);
  if (deed) {
    const button = element("button", { type: "button" }, deed.word);
    button.addEventListener("click", () => {
      clearTimeout(timer);
      box.remove();
      deed.run();
    });
    box.append(button);
  }
  find("#toasts").replaceChildren(box);
  announce(text);
}

/** Runs once after `wait` milliseconds of quiet. @template {any[]} T @param {(...given: T) => void} run @param {number} wait */
export function debounced(run, wait) {
  let timer = 0;
  /** @param {T} given */
  const later = (...given) => {
    clearTimeout(timer);
    timer = window.setTimeout(() => run(...given), wait);
  };
  later.cancel = () => clearTimeout(timer);
  return later;
}

/** Whether keys belong to a text being written. @param {EventTarget|null} target */
export const isTextField = (target) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName) || (target instanceof HTMLInputElement && !/^(radio|checkbox|button)$/.test(target.type)));

const WORTH_A_SIGN = 300;
const LONG_ENOUGH_TO_SEE = 500;
/** A place waits for the server: shown when it takes long, and then long enough to be seen. @param {any} place @returns {() => void} to be called at the end */
export function busy(place) {
  let since = 0;
  const timer = setTimeout(() => {
    since = Date.now();
    place.dataset.busy = String(Number(place.dataset.busy || 0) + 1);
    place.classList.add("is-busy");
    place.ariaBusy = "true";
  }, WORTH_A_SIGN);
  const end = () => {
    place.dataset.busy = String(Number(place.dataset.busy) - 1);
    if (Number(place.dataset.busy) > 0) return;
    place.classList.remove("is-busy");
    place.ariaBusy = null;
  };
  return () => {
    clearTimeout(timer);
    if (since) setTimeout(end, Math.max(0, LONG_ENOUGH_TO_SEE - (Date.now() - since)));
  };
}

/** Why a place is empty, with a way to try again. @param {string} text @param {() => void} again */
export function faultBox(text, again) {
  const button = element("button", { type: "button", className: "small" }, gettext("Try again"));
  button.addEventListener("click", again);
  return element("p", { className: "pane-fault", role: "alert" }, element("span", {}, text), " ", button);
}

/** Runs a deed of a button or form, one at a time. The button keeps the focus: a disabled one would lose it.
 * @param {HTMLElement} place @param {() => Promise<unknown>} run */
export async function oneAtATime(place, run) {
  if (place.ariaBusy === "true") return;
  place.ariaBusy = "true";
  try {
    await run();
  } finally {
    place.ariaBusy = null;
  }
}
