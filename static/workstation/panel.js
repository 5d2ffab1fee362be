// @ts-check
/** The right panel: tabs, forms that are commands, contacts that are shown on demand. */
import { element, find, findAll, gettext, oneAtATime, toast } from "./page.js";
import { showError } from "./dialogs.js";
import { command, read } from "./net.js";
import { makePicker } from "./picker.js";

// Deeds about guests who are one person: same.js.
const SAME_GUEST = /^(compare|two-people|part)$/;

/** @type {any} */
let item = null;
/** The tab that the person has chosen, kept while walking from item to item of the same kind. */
const chosen = /** @type {Record<string, string>} */ ({});
const root = find("#panel");

/** What a fresh panel should show for an item of this kind. @param {string} kind */
export const wantedTab = (kind) => chosen[kind] || "";

/** @param {any} opened */
export function open(opened) {
  item = opened;
  prepare();
}

export function close() {
  item = null;
  root.replaceChildren();
}

export const shownTab = () => find("[data-panel][aria-selected=true]", root)?.dataset.panel || "";

/** Fresh content of a tab, unless the person has gone to another one meanwhile. @param {string} html @param {string} tab */
export function replace(html, tab) {
  if (isBeingFilled() || shownTab() !== tab) return;
  const focused = /** @type {any} */ (document.activeElement);
  const [hadFocus, id] = [root.contains(focused), focused?.id];
  root.innerHTML = html;
  prepare();
  if (hadFocus) (id && find(`#${id}`, root) ? find(`#${id}`, root) : find("#panel-body")).focus();
}

/** A form that somebody fills in is never taken away. */
function isBeingFilled() {
  return findAll("form", root).some((form) => findAll("input:not([type=hidden]), textarea, select", form).some((/** @type {any} */ field) => field.value && field.value !== field.defaultValue));
}

function prepare() {
  for (const picker of findAll("[data-picker]", root)) makePicker(picker);
  for (const place of findAll("[data-suggestions]", root)) {
    const address = `/suggestions/session/${item.id}/`;
    import("./suggestions.js").then((part) => part.suggestTopics(place, address));
  }
  if (find("[data-same]", root)) import("./same.js").then((part) => part.prepare(root));
  if (find("[data-belonging]", root)) import("./belonging.js").then((part) => part.prepare(root));
}

/** @param {string} tab @param {string} [focus] a selector inside the panel */
export async function showTab(tab, focus) {
  if (!item) return;
  chosen[item.kind] = tab;
  const opened = item;
  if (find(`[data-panel=${tab}]`, root)?.getAttribute("aria-selected") !== "true") {
    const slow = setTimeout(() => root.classList.add("is-busy"), 300);
    try {
      const answer = await read(`${item.kind}/${item.id}/header/`, { panel: tab });
      if (opened !== item) return;
      root.innerHTML = answer.panel;
      prepare();
    } catch (fault) {
      toast(/** @type {Error} */ (fault).message, { word: gettext("Try again"), run: () => showTab(tab, focus) });
    } finally {
      clearTimeout(slow);
      root.classList.remove("is-busy");
    }
  }
  document.body.classList.remove("no-panel");
  document.body.classList.add("panel-over");
  (focus && find(focus, root) ? find(focus, root) : find(`[data-panel=${tab}]`, root))?.focus();
}

export function toggle() {
  const isWide = matchMedia("(min-width: 1280px)").matches;
  document.body.classList.toggle(isWide ? "no-panel" : "panel-over");
}

/** @param {SubmitEvent} event */
function submit(event) {
  const form = /** @type {any} */ (event.target);
  if (!form.dataset.command) return;
  event.preventDefault();
  oneAtATime(form, () => send(form));
}

/** @param {any} form */
async function send(form) {
  showError(form, "");
  try {
    const answer = await command(`${item.kind}/${item.id}/${form.dataset.command}/`, Object.fromEntries(new FormData(form)));
    form.reset();
    for (const hidden of findAll("input[type=hidden]", form)) hidden.value = "";
    root.dispatchEvent(new CustomEvent("done", { detail: { ...answer, command: form.dataset.command }, bubbles: true }));
  } catch (fault) {
    showError(form, /** @type {Error} */ (fault).message);
  }
}

/** @param {any} button */
async function reveal(button) {
  try {
    const contacts = await command(`guests/${button.dataset.guest}/reveal/`);
    for (const [name, value] of Object.entries(contacts)) {
      const place = find(`[data-contact=${name}]`, root);
      if (place) place.replaceChildren(link(name, /** @type {string} */ (value)));
    }
    find("#contacts a")?.focus();
    button.hidden = true;
  } catch (fault) {
    toast(/** @type {Error} */ (fault).message);
  }
}

/** @param {string} name @param {string} value */
const link = (name, value) => element("a", { href: `${name === "phone" ? "tel" : "mailto"}:${value}` }, value);

/** @param {any} changed */
function lookAlike(changed) {
  const form = changed.closest("#ticket-form");
  if (!form || !item) return;
  const { id } = item;
  import("./belonging.js").then((part) => part.lookAlike(form, id));
}

/** A topic is chosen, for a new ticket or for this one. @param {any} form @param {string} topic */
function askMore(form, topic) {
  const { kind, id } = item;
  import("./life.js").then((part) => part.ask(form, topic, kind === "case" ? String(id) : ""));
}

export function start() {
  root.addEventListener("submit", submit);
  root.addEventListener("click", (/** @type {any} */ event) => {
    const tab = event.target.closest("[data-panel]");
    if (tab) showTab(tab.dataset.panel);
    const button = event.target.closest("[data-do=reveal]");
    if (button) oneAtATime(button, () => reveal(button));
    const deed = event.target.closest("[data-do]");
    if (SAME_GUEST.test(deed?.dataset.do)) import("./same.js").then((part) => part.clicked(deed, root));
    else if (deed?.closest("[data-belonging], [data-alike]")) import("./belonging.js").then((part) => part.clicked(deed, root));
    if (deed?.dataset.do === "route-map" && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      import("./life.js").then((part) => part.routeMap(deed.dataset.case));
    }
  });
  root.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const tab = /** @type {any} */ (event.target).closest("[data-panel]");
    if (tab && (event.key === "ArrowLeft" || event.key === "ArrowRight")) showTab(tab.dataset.panel === "guest" ? "ticket" : "guest");
  });
  root.addEventListener("change", (/** @type {any} */ event) => lookAlike(event.target));
  root.addEventListener("picked", (/** @type {any} */ event) => {
    lookAlike(event.target);
    if (event.target.dataset.picker === "topics") askMore(event.target.closest("form"), String(event.detail.id));
  });
}
