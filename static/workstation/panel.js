// @ts-check
/** The right panel: tabs, forms that are commands, contacts that are shown on demand. */
import { busy, element, faultBox, find, findAll, oneAtATime, toast } from "./page.js";
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
  rendered = "";
  prepare();
}

export function close() {
  item = null;
  root.replaceChildren();
}

export const shownTab = () => find("[data-panel][aria-selected=true]", root)?.dataset.panel || "";

/** What the server has last rendered: scripts and the person have changed the panel since, and need not lose that for nothing. */
let rendered = "";

/** @param {string} html */
function fill(html) {
  rendered = html;
  root.innerHTML = html;
  prepare();
}

/** Fresh content of a tab, unless the person has gone to another one meanwhile, or looks something up in it.
 * What was unfolded stays so, but for a form that was sent: it is done with. @param {string} html @param {string} tab */
export function replace(html, tab) {
  if (html === rendered || tab === "knowledge" || isBeingFilled() || shownTab() !== tab) return;
  const focused = /** @type {any} */ (document.activeElement);
  const again = root.contains(focused) && (wayTo(focused) || "#panel-body");
  const isDone = (/** @type {HTMLElement} */ one) => find("form[data-is-sent]", one)?.closest("details") === one;
  const open = findAll("details[open]", root).filter((one) => !isDone(one));
  const unfolded = new Set(open.map((one) => find("summary", one).textContent));
  fill(html);
  for (const one of findAll("details > summary", root)) if (unfolded.has(one.textContent)) one.parentElement.open = true;
  if (again) (find(again, root) || find("#panel-body")).focus();
}

/** How the same control is found in fresh content. @param {HTMLElement} control */
function wayTo({ id, dataset, attributes }) {
  const href = attributes.getNamedItem("href");
  if (id) return `#${CSS.escape(id)}`;
  if (href) return `[href="${CSS.escape(href.value)}"]`;
  return dataset.do ? `[data-do="${dataset.do}"]` : "";
}

/** A form that somebody fills in, or is about to, is never taken away. */
function isBeingFilled() {
  const form = /** @type {any} */ (document.activeElement)?.matches("input, textarea, select") && /** @type {any} */ (document.activeElement).form;
  if (form && root.contains(form) && !form.dataset.isSent) return true;
  return findAll("form", root).some((form) => findAll("input:not([type=hidden]), textarea, select", form).some((/** @type {any} */ field) => field.value && field.value !== field.defaultValue));
}

function prepare() {
  for (const picker of findAll("[data-picker]", root)) makePicker(picker);
  for (const place of findAll("[data-suggestions]", root)) {
    const address = `/suggestions/session/${item.id}/`;
    import("./suggestions.js").then((part) => part.suggestTopics(place, address));
  }
  if (find("[data-same]", root)) import("./same.js").then((part) => part.prepare(root));
  if (find("[data-knowledge]", root)) import("./knowledge.js").then((part) => part.prepare(root));
  if (find("[data-belonging]", root)) import("./belonging.js").then((part) => part.prepare(root));
}

let asked = 0;
/** @param {string} tab @param {string} [focus] a selector inside the panel */
export async function showTab(tab, focus) {
  if (!item) return;
  chosen[item.kind] = tab;
  const [opened, mine] = [item, ++asked];
  if (shownTab() !== tab || find(".pane-fault", root)) {
    const end = busy(root);
    try {
      const answer = await read(`${item.kind}/${item.id}/header/`, { panel: tab });
      if (opened !== item || mine !== asked) return;
      fill(answer.panel);
    } catch (fault) {
      if (opened === item && mine === asked) showFault(tab, /** @type {Error} */ (fault).message, focus);
    } finally {
      end();
    }
  }
  document.body.classList.remove("no-panel");
  document.body.classList.add("panel-over");
  (focus && find(focus, root) ? find(focus, root) : find(`[data-panel=${tab}]`, root))?.focus();
}

/** The tab could not be filled: it says why, and the rest of the desk goes on. @param {string} tab @param {string} text @param {string} [focus] */
function showFault(tab, text, focus) {
  for (const one of tabs()) {
    one.setAttribute("aria-selected", String(one.dataset.panel === tab));
    one.tabIndex = one.dataset.panel === tab ? 0 : -1;
  }
  find("#panel-body").replaceChildren(faultBox(text, () => showTab(tab, focus)));
}

const tabs = () => findAll("[data-panel]", root);

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
    const about = form.dataset.guest ? `guests/${form.dataset.guest}` : `${item.kind}/${item.id}`;
    const answer = await command(`${about}/${form.dataset.command}/`, Object.fromEntries(new FormData(form)));
    form.reset();
    form.dataset.isSent = "1";
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
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const all = tabs();
    if (!tab || !step) return;
    const next = all[(all.indexOf(tab) + step + all.length) % all.length];
    next.focus();
    showTab(next.dataset.panel);
  });
  root.addEventListener("input", (/** @type {any} */ event) => {
    if (event.target.form) delete event.target.form.dataset.isSent;
  });
  root.addEventListener("change", (/** @type {any} */ event) => lookAlike(event.target));
  root.addEventListener("picked", (/** @type {any} */ event) => {
    lookAlike(event.target);
    if (event.target.dataset.picker === "topics") askMore(event.target.closest("form"), String(event.detail.id));
  });
}
