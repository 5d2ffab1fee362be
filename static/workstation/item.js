// @ts-check
/** The open item: opened from the list without a new page, kept fresh, worked on. */
import { busy, config, debounced, faultBox, find, gettext, interpolate, parse, toast } from "./page.js";
import { everySecond } from "./clocks.js";
import * as composer from "./composer.js";
import * as dialogs from "./dialogs.js";
import * as feed from "./feed.js";
import { live } from "./live.js";
import { Unreachable, command, read } from "./net.js";
import * as outbox from "./outbox.js";
import * as panel from "./panel.js";
import * as rows from "./rows.js";

const GONE_AFTER = 10_000;
const SHOWN_EVERY = 5_000;

/** @type {any} */
let item = null;
export const current = () => item;
let opening = new AbortController();
/** @type {Map<string, {name: string, kind: string, until: number}>} what colleagues do with this guest */
const colleagues = new Map();
let guestTypesUntil = 0;
/** What this may be a duplicate of, in words; "" = nothing is known. */
let duplicate = "";

/** @param {any} opened */
function attach(opened) {
  item = opened;
  document.body.classList.add("has-item");
  feed.open(item);
  composer.open(item);
  panel.open(item);
  rows.setCurrent(item.key);
  live.watch(topicsOf(item));
  showMyself();
  showBanner();
}

/** @param {any} one */
const topicsOf = (one) => [`guest:${one.guest}`, `item:${one.key}`];

function detach() {
  if (!item) return;
  composer.close();
  feed.close();
  live.unwatch(topicsOf(item));
  colleagues.clear();
  guestTypesUntil = 0;
  duplicate = "";
  item = null;
}

/** @param {string} key `session:12` @param {{push?: boolean, focus?: boolean}} [how] */
export async function open(key, { push = true, focus = true } = {}) {
  const [kind, id] = key.split(":");
  opening.abort();
  opening = new AbortController();
  const end = busy(find("#middle"));
  find("#open-fault")?.remove();
  try {
    const answer = await read(`${kind}/${id}/open/`, { panel: panel.wantedTab(kind) }, opening.signal);
    detach();
    find("#middle").replaceChildren(...parse(answer.dialogue));
    find("#panel").innerHTML = answer.panel;
    rows.apply([answer.row]);
    if (push) history.pushState({ key }, "", rows.address(`${config.base}${kind}/${id}/`));
    document.body.classList.remove("panel-over");
    attach(answer.opened);
    if (focus) find("#feed").focus({ preventScroll: true });
  } catch (fault) {
    if (/** @type {any} */ (fault).name === "AbortError") return;
    const text = fault instanceof Unreachable ? gettext("It could not be opened: no connection.") : /** @type {Error} */ (fault).message;
    const box = faultBox(text, () => open(key, { push, focus }));
    box.id = "open-fault";
    find("#middle").prepend(box);
  } finally {
    end();
  }
}

/** Back to the list. */
export function close(push = true) {
  const key = item?.key;
  detach();
  document.body.classList.remove("has-item", "panel-over");
  find("#middle").replaceChildren(find("#nothing").content.cloneNode(true));
  panel.close();
  rows.setCurrent("");
  if (push) history.pushState({ key: "" }, "", rows.address(config.base));
  const link = key && find(`[data-key="${key}"] .row-link`);
  (link || find(".row-link"))?.focus();
}

/** The item's state has changed: header, permission to answer, panel. */
export const refresh = debounced(async () => {
  if (!item) return;
  const opened = item;
  const tab = panel.shownTab();
  try {
    const answer = await read(`${item.kind}/${item.id}/header/`, { panel: tab });
    if (opened !== item) return;
    const head = find("#dialogue-head");
    const focused = head.contains(document.activeElement) && /** @type {any} */ (document.activeElement).dataset.do;
    head.innerHTML = answer.header;
    if (focused) (find(`[data-do="${focused}"]`, head) || find("#feed")).focus();
    panel.replace(answer.panel, tab);
    composer.setSilent(answer.why_silent);
    rows.apply([answer.row]);
    showBanner();
  } catch (fault) {
    if (!(fault instanceof Unreachable) && opened === item) toast(/** @type {Error} */ (fault).message);
  }
}, 150);

/** After a gap in the log: everything of this item anew, what is written stays. */
export async function reload() {
  if (!item) return;
  refresh();
  await feed.reload().catch(() => {});
}

/** Guests were joined or parted: the open item may belong to the other one now, and its feed has grown or shrunk. @param {any} data */
export async function guestChanged(data) {
  if (!item || (item.guest !== data.was && item.guest !== data.guest_id)) return;
  const opened = item;
  const answer = await read(`${item.kind}/${item.id}/header/`, { panel: panel.shownTab() }).catch(() => null);
  if (opened !== item || !answer) return;
  if (item.guest !== answer.guest) {
    live.unwatch([`guest:${item.guest}`]);
    item.guest = answer.guest;
    live.watch(topicsOf(item));
    showMyself();
  }
  await reload();
}

/** @param {string} deed @param {Record<string, any>} [fields] */
async function run(deed, fields = {}) {
  try {
    const answer = await command(`${item.kind}/${item.id}/${deed}/`, fields);
    document.dispatchEvent(new CustomEvent("otklik:accepted", { detail: answer }));
    return answer;
  } catch (fault) {
    toast(/** @type {Error} */ (fault).message);
    return null;
  }
}

export async function take() {
  if (item && find("[data-do=take]") && (await run("take"))) {
    toast(gettext("It is yours now."));
    refresh();
  }
}

/** A: take what nobody has, else hand it on. */
export async function assign() {
  if (!item) return;
  if (find("[data-do=take]")) {
    take();
    return;
  }
  if (!find("[data-do=hand]")) return;
  const done = await dialogs.hand(`${item.kind}/${item.id}/`);
  if (done === "handed") toast(gettext("Handed over."));
  if (done === "returned") toast(gettext("It is back in the queue."));
  if (done) refresh();
}

export async function snooze() {
  if (!item || !find("[data-do=snooze]")) return;
  if (await dialogs.snooze(`${item.kind}/${item.id}/`)) {
    toast(gettext("Put off."), { word: gettext("Undo"), run: wake });
    refresh();
  }
}

export async function wake() {
  if (item && (await run("wake"))) refresh();
}

export async function finish(andNext = false) {
  if (!item || !find("[data-do=finish]")) return;
  const [next, key] = [rows.neighbour(1) || rows.neighbour(-1), item.key];
  const answer = await run("finish");
  if (!answer) return;
  leaving(key, answer);
  if (andNext && next) open(next.dataset.key);
  else if (andNext) close();
}

/** @param {string} key @param {any} answer */
const leaving = (key, answer) => import("./undo.js").then((part) => part.leaving(key, answer));

/** Z: the last deed that can be taken back. */
export const undo = () => import("./undo.js").then((part) => part.undo());

/** Deeds that are not needed for the first moment. @param {"message"|"noteConsent"|"split"|"sendApproved"|"compare"|"priority"|"compensate"} name @param {any} [button] */
export const later = (name, button) => import("./deeds.js").then((part) => part[name]({ current, open, refresh }, button));

// Colleagues

/** @param {any} said */
export function colleagueDid(said) {
  if (said.guest_id !== item?.guest) return;
  if (said.kind === "guest_typing") {
    guestTypesUntil = Date.now() + 6_000;
  } else if (said.state === "off") {
    colleagues.delete(`${said.kind}:${said.staff_id}`);
  } else {
    colleagues.set(`${said.kind}:${said.staff_id}`, { name: said.name, kind: said.kind, until: Date.now() + GONE_AFTER });
  }
  showBanner();
}

/** One banner at a time, the most important first. */
function showBanner() {
  if (!item) return;
  const here = [...colleagues.values()];
  const typing = here.filter((one) => one.kind === "typing").map((one) => one.name);
  const viewing = here.filter((one) => one.kind === "viewing").map((one) => one.name);
  const silent = find("#composer").dataset.silent;
  const names = (/** @type {string[]} */ list) => new Intl.ListFormat(config.language).format(list);
  let text = "";
  if (typing.length) text = interpolate(gettext("%(names)s: writing an answer here"), { names: names(typing) });
  else if (duplicate) text = duplicate;
  else if (silent) text = silent;
  else if (viewing.length) text = interpolate(gettext("%(names)s: looking at this too"), { names: names(viewing) });
  const banner = find("#banner");
  const place = find(".banner-text", banner);
  if (place.textContent !== text) place.textContent = text;
  banner.hidden = !text;
  find("[data-do=duplicates]", banner).hidden = text !== duplicate;
  const line = find("#guest-typing");
  line.hidden = guestTypesUntil < Date.now();
}

/** The panel, or the guest's newest word, tells what this may be a duplicate of. @param {any} event */
async function likelyCame({ detail: { key, guest, likely } }) {
  const opened = item;
  if (!opened || (key ? key !== opened.key : guest !== opened.guest || opened.kind === "case")) return;
  const words = likely ? (await import("./deeds.js")).likelyWords(opened, likely) : "";
  if (opened !== item) return;
  duplicate = words;
  showBanner();
}

function forgetGone() {
  if (!item) return;
  for (const [key, one] of colleagues) if (one.until < Date.now()) colleagues.delete(key);
  showBanner();
}

let shownAt = 0;
/** Colleagues see who is here; a tab that dies falls silent and is forgotten. */
function showMyself() {
  if (!item || document.visibilityState !== "visible") return;
  shownAt = Date.now();
  live.send({ type: "viewing", guest_id: item.guest });
}

const deeds = /** @type {Record<string, (button: any) => void>} */ ({
  take, wake, snooze, hand: assign, finish: () => finish(), back: () => close(), older: () => feed.older(), beginning: () => feed.beginning(),
  templates: () => composer.insertTemplate(), attach: () => composer.attach(), "toggle-panel": () => panel.toggle(),
  resend: (button) => later("message", button), "take-back": (button) => later("message", button), approved: () => later("sendApproved"),
  story: (button) => import("./outgoing.js").then((part) => part.story(button.dataset.message, feed.want)), split: (button) => later("split", button),
  consent: (button) => later("noteConsent", button), "reload-list": () => rows.reload(), duplicates: () => later("compare"), priority: () => later("priority"),
});

/** @param {MouseEvent} event */
function clicked(event) {
  const target = /** @type {any} */ (event.target);
  const button = target.closest("[data-do]");
  if (button && deeds[button.dataset.do]) {
    deeds[button.dataset.do](button);
    return;
  }
  const link = target.closest(".row-link, a[data-open]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
    event.preventDefault();
    const [kind, id] = new URL(link.href).pathname.split("/").slice(-3);
    open(`${kind}:${id}`);
    return;
  }
  // Links in messages come from strangers: never in this tab, never with our address.
  const outer = target.closest(".text a[href]");
  if (outer) {
    event.preventDefault();
    window.open(outer.href, "_blank", "noopener,noreferrer");
  }
}

/** A command of the panel was accepted. @param {any} event */
function panelDone(event) {
  if (event.detail.command === "ticket") {
    const words = interpolate(gettext("Ticket № %(number)s is made."), { number: event.detail.number });
    // A ticket of another group is not for the eyes of whoever made it.
    toast(words, event.detail.may_open ? { word: gettext("Open"), run: () => open(`case:${event.detail.case_id}`) } : undefined);
  }
  if (event.detail.held_until) leaving(item.key, event.detail);
  refresh();
}

export function start() {
  if (config.opened) {
    history.replaceState({ key: config.opened.key }, "");
    attach(config.opened);
  }
  // What was being closed when the page went away: the rest of its seconds is offered here.
  for (const one of config.held) leaving(one.key, one);
  document.addEventListener("click", clicked);
  find("#panel").addEventListener("done", panelDone);
  document.addEventListener("otklik:likely", likelyCame);
  addEventListener("popstate", (event) => {
    const key = event.state?.key;
    if (key && key !== item?.key) open(key, { push: false });
    else if (!key && item) close(false);
  });
  outbox.onFinish(() => finish());
  live.addEventListener("welcome", showMyself);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") showMyself();
    else live.send({ type: "viewing", guest_id: null });
  });
  everySecond(() => {
    forgetGone();
    if (Date.now() - shownAt > SHOWN_EVERY) showMyself();
  });
}
