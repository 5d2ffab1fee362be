// @ts-check
/** The person's own state, sounds and notices; of several tabs one leads. */
import { announce, config, find, findAll, gettext, interpolate, serverNow, toast } from "./page.js";
import { elapsed, everySecond } from "./clocks.js";
import { command } from "./net.js";

const QUIET_BETWEEN = 1500;
let presence = config.presence;
let leads = false;
/** @type {AudioContext|null} */
let audio = null;
let rangAt = 0;

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

/** A soft tone; one tab, not too often. @param {number} pitch in hertz */
function ring(pitch) {
  if (!leads || !audio || !find("#sounds").checked || Date.now() - rangAt < QUIET_BETWEEN) return;
  rangAt = Date.now();
  const [tone, volume] = [audio.createOscillator(), audio.createGain()];
  tone.frequency.value = pitch;
  volume.gain.setValueAtTime(0.12, audio.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.5);
  tone.connect(volume).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + 0.5);
}

/** Something was given to the person. @param {any} data */
export function given(data) {
  const text = data.by ? interpolate(gettext("%(name)s has handed you a dialogue."), { name: data.by }) : gettext("You have a new dialogue.");
  call(text, 660);
}

/** Something is offered to the person. @param {string} text */
export const offered = (text) => call(text, 780);

/** @param {string} text @param {number} pitch */
function call(text, pitch) {
  announce(text, "assertive");
  ring(pitch);
  // No text of the guest in a notice: screens are shared.
  if (leads && document.visibilityState === "hidden" && "Notification" in globalThis && Notification.permission === "granted") new Notification(text);
}

/** A guest has written in a dialogue of the person's. */
export const guestWrote = () => document.visibilityState === "hidden" && ring(520);

export function start() {
  show(presence);
  everySecond(tick);
  navigator.locks?.request(`otklik-desk-${config.staff}`, () => {
    leads = true;
    return new Promise(() => {}); // held until the tab is closed; then the next one leads
  });
  for (const button of findAll("[data-presence]")) {
    button.addEventListener("click", () => {
      find("#presence-menu").open = false;
      find("#presence").focus();
      change(button.dataset.presence, button.dataset.reason);
    });
  }
}
