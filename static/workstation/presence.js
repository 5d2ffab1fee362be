// @ts-check
/** The person's own state, sounds and notices; of several tabs one leads. */
import { announce, config, find, findAll, gettext, interpolate, serverNow, toast } from "./page.js";
import { elapsed, everySecond } from "./clocks.js";
import { command } from "./net.js";
import * as rows from "./rows.js";

const QUIET_BETWEEN = 1500;
let presence = config.presence;
let leads = false;
/** @type {AudioContext|null} */
let audio = null;
let rangAt = 0;
/** What each kind of news sounds like, in hertz. */
const TONES = { given: 660, offered: 780, wrote: 520, late: 440 };
/** Offers and given dialogues are one choice of the person's. */
const CHOICES = /** @type {Record<string, string>} */ ({ offered: "given" });
const CHOSEN = "otklik.signals";
/** Tabs of one person in one browser: one leads, all know whether any is looked at. */
const tabs = new BroadcastChannel(`otklik-desk-${config.staff}`);
const SEEN = `otklik-seen-${config.staff}`;
/** Promises whose last fifth has been told of. @type {Set<string>} */
const told = new Set();

const WORDS = { ready: gettext("Ready"), break: gettext("Break"), wrap_up: gettext("After-work"), away: gettext("Away"), offline: gettext("Off") };
/** @type {{code: string, name: string, limit: number}[]} */
const BREAKS = config.breaks || [];
/** What stands behind a state: a kind of break, an offer that was missed. @param {string} reason */
const reasonWord = (reason) => (reason === "missed_offer" ? gettext("Away: an offer was missed") : BREAKS.find((one) => one.code === reason)?.name);

/** @param {any} fresh */
export function show(fresh) {
  const button = find("#presence");
  if (!fresh || fresh.staff_id !== config.staff || !button) return;
  presence = fresh;
  button.dataset.state = fresh.state;
  find(".presence-word", button).textContent = reasonWord(fresh.reason) || WORDS[/** @type {keyof typeof WORDS} */ (fresh.state)];
  const load = find("#presence-load");
  load.hidden = !fresh.capacity;
  load.textContent = interpolate(gettext("%(load)s of %(capacity)s"), fresh);
  tick();
}

function tick() {
  const place = find("#presence-time");
  if (!place) return;
  const limit = BREAKS.find((one) => one.code === presence.reason)?.limit || 0;
  const isOver = Boolean(limit) && presence.state === "break" && serverNow() - Date.parse(presence.since) > limit * 60_000;
  place.textContent = presence.state === "offline" ? "" : presence.until ? left(presence.until) : elapsed(presence.since);
  if (isOver && !find("#presence").dataset.over) announce(gettext("The break is longer than allowed."), "assertive");
  find("#presence").dataset.over = isOver ? "1" : "";
}

/** What is left of after-work that ends by itself. @param {string} until */
function left(until) {
  const seconds = Math.max(0, Math.ceil((Date.parse(until) - serverNow()) / 1000));
  return `−${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** @param {string} state @param {string} [reason] */
export async function change(state, reason = "") {
  // The click that goes on line is the gesture by which a browser allows sound and asks about notices.
  if (state === "ready") unlock();
  try {
    show((await command("presence/", { state, reason })).presence);
    announce(find(".presence-word").textContent);
  } catch (fault) {
    toast(/** @type {Error} */ (fault).message);
  }
}

/** Shift+A */
export const toggle = () => find("#presence") && change(presence.state === "ready" ? "break" : "ready");

function unlock() {
  audio ||= new AudioContext();
  audio.resume();
  if ("Notification" in globalThis && Notification.permission === "default") Notification.requestPermission();
}

/** After a reload, too, a browser allows sound only after a gesture; whoever has not gone on line hears nothing. The tab in use leads. */
function gesture() {
  if (!leads) lead(true);
  if (presence.state === "offline" || audio) return;
  audio = new AudioContext();
  audio.resume();
}

let asking = /** @type {AbortController|null} */ (null);
/** One tab rings for all; when it is closed, the next one does. @param {boolean} [steal] at once, from the one that leads now */
function lead(steal = false) {
  asking?.abort();
  const mine = new AbortController();
  asking = mine;
  const held = () => {
    leads = true;
    return new Promise(() => {}); // until the tab is closed, or the lock is taken over
  };
  navigator.locks?.request(`otklik-desk-${config.staff}`, steal ? { steal } : { signal: mine.signal }, held).catch(() => {
    if (asking !== mine) return;
    leads = false;
    lead();
  });
}

/** The person's own choice of signals: muted kinds, and the volume in percent. @returns {{muted: string[], volume: number}} */
export const signals = () => ({ muted: [], volume: 60, ...JSON.parse(localStorage.getItem(CHOSEN) || "{}") });
/** @param {Partial<ReturnType<typeof signals>>} change */
export const chooseSignals = (change) => localStorage.setItem(CHOSEN, JSON.stringify({ ...signals(), ...change }));

/** A soft tone; one tab, not too often. @param {keyof typeof TONES} kind */
function ring(kind) {
  const { muted, volume } = signals();
  if (!leads || !audio || !volume || muted.includes(CHOICES[kind] || kind) || Date.now() - rangAt < QUIET_BETWEEN) return;
  rangAt = Date.now();
  const [tone, loudness] = [audio.createOscillator(), audio.createGain()];
  tone.frequency.value = TONES[kind];
  loudness.gain.setValueAtTime(volume / 500, audio.currentTime);
  loudness.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.5);
  tone.connect(loudness).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + 0.5);
}

/** Something was given to the person. @param {any} data */
export function given(data) {
  const text = data.by ? interpolate(gettext("%(name)s has handed you a dialogue."), { name: data.by }) : gettext("You have a new dialogue.");
  call(text, "given");
}

/** Something is offered to the person. @param {string} text */
export const offered = (text) => call(text, "offered");

/** @param {string} text @param {keyof typeof TONES} kind */
function call(text, kind) {
  announce(text, "assertive");
  ring(kind);
  notice(text);
}

/** A notice of the system, while no tab of the desk is looked at. No text of the guest in it: screens are shared. @param {string} text */
async function notice(text) {
  if (!leads || signals().muted.includes("notice") || !("Notification" in globalThis) || Notification.permission !== "granted") return;
  if (!(await isLookedAt())) new Notification(text);
}

/** Whether any tab of the desk is in sight. */
async function isLookedAt() {
  const { held } = await navigator.locks.query();
  return Boolean(held?.some((lock) => lock.name === SEEN));
}

/** A guest has written in a dialogue or ticket of the person's. */
const guestWrote = async () => leads && !(await isLookedAt()) && ring("wrote");

/** A fifth of the promised time is left: one other tone, whichever tab shows the clock. @param {any} clock */
function stageChanged({ detail: clock }) {
  const key = clock.closest("[data-key]")?.dataset.key;
  if (clock.dataset.stage !== "urgent" || rows.rowOf(key)?.owner_id !== config.staff) return;
  const promise = `${key} ${clock.dataset.due}`;
  tabs.postMessage(promise);
  late(promise);
}

/** @param {string} promise */
function late(promise) {
  if (told.has(promise)) return;
  told.add(promise);
  ring("late");
}

let look = /** @type {(() => void)|null} */ (null);
/** A tab that is looked at says so for as long as it is. */
function showLooked() {
  if (document.visibilityState === "hidden") {
    look?.();
    look = null;
    return;
  }
  navigator.locks?.request(SEEN, { mode: "shared" }, () => new Promise((/** @type {(value?: unknown) => void} */ done) => {
    look?.();
    look = done;
    if (document.visibilityState === "hidden") done();
  }));
}

export function start() {
  show(presence);
  everySecond(tick);
  lead();
  showLooked();
  document.addEventListener("visibilitychange", showLooked);
  for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, gesture);
  document.addEventListener("otklik:stage", stageChanged);
  document.addEventListener("otklik:wrote", guestWrote);
  tabs.addEventListener("message", (event) => late(event.data));
  for (const button of findAll("[data-presence]")) {
    button.addEventListener("click", () => {
      find("#presence-menu").open = false;
      find("#presence").focus();
      change(button.dataset.presence, button.dataset.reason);
    });
  }
}
