// @ts-check
/** SLA clocks: every second, from the server's time; the same rule as the server's (workstation/rules.py). */
import { announce, config, find, findAll, gettext, serverNow } from "./page.js";

const WARN_BELOW = 0.5;
const URGENT_BELOW = 0.2;

/** @param {number} seconds */
export function digits(seconds) {
  const sign = seconds < 0 ? "−" : "";
  const left = Math.abs(seconds);
  const pair = (/** @type {number} */ number) => String(number).padStart(2, "0");
  const tail = `${pair(Math.floor((left % 3600) / 60))}:${pair(left % 60)}`;
  return left >= 3600 ? `${sign}${Math.floor(left / 3600)}:${tail}` : sign + tail;
}

/** @param {number} due milliseconds @param {number} target seconds @param {number} now milliseconds */
export function face(due, target, now) {
  const left = (due - now) / 1000;
  const share = target ? left / target : 1;
  const stage = left < 0 ? "over" : share <= URGENT_BELOW ? "urgent" : share <= WARN_BELOW ? "warn" : "calm";
  return { stage, digits: digits(Math.floor(left)) };
}

/** @param {any} clock an element with data-due and data-target @param {number} now */
export function paint(clock, now) {
  if (!clock.dataset.due) return;
  const shown = face(Date.parse(clock.dataset.due), Number(clock.dataset.target), now);
  const place = clock.querySelector(".clock-digits");
  if (place.textContent !== shown.digits) place.textContent = shown.digits;
  if (clock.dataset.stage !== shown.stage) {
    clock.dataset.stage = shown.stage;
    if (clock.closest("#dialogue-head")) sayThreshold(shown.stage);
    document.dispatchEvent(new CustomEvent("otklik:stage", { detail: clock }));
  }
}

/** A clock is never a live region; only its thresholds are said. @param {string} stage */
function sayThreshold(stage) {
  if (stage === "urgent") announce(gettext("Little time is left to answer this guest."), "assertive");
  if (stage === "over") announce(gettext("The time to answer this guest is over."), "assertive");
}

/** How long since a moment: 0:42, 1:02:03. @param {string} since */
export const elapsed = (since) => digits(Math.max(0, Math.floor((serverNow() - Date.parse(since)) / 1000)));

/** Local hour and minute in the person's own zone. @param {number} at milliseconds */
export const hourOf = (at) =>
  new Intl.DateTimeFormat(config.language, { hour: "2-digit", minute: "2-digit", timeZone: config.zone }).format(at);

const listeners = /** @type {Set<(now: number) => void>} */ (new Set());
/** @param {(now: number) => void} run called each second with the server's time */
export const everySecond = (run) => listeners.add(run);

function tick() {
  const now = serverNow();
  // In a hidden tab too: a threshold is told there by a tone.
  for (const clock of findAll(".clock[data-due]")) paint(clock, now);
  for (const run of listeners) run(now);
  // On the second, so that neighbouring clocks change together.
  setTimeout(tick, 1000 - (serverNow() % 1000) + 5);
}

export function start() {
  document.addEventListener("visibilitychange", () => findAll(".clock[data-due]").forEach((clock) => paint(clock, serverNow())));
  tick();
}

/** What is new and what is due, as the browser's tab tells it: "(3) · 0:42 · Desk". @param {number} count @param {{due_at: string, target_seconds: number}|undefined} nearest */
export function showTitle(count, nearest) {
  const shown = nearest && face(Date.parse(nearest.due_at), nearest.target_seconds, serverNow());
  const clock = shown && (shown.stage === "urgent" || shown.stage === "over") ? shown.digits : "";
  const title = [count ? `(${count})` : "", clock, gettext("Desk"), gettext("Otklik")].filter(Boolean).join(" · ");
  if (document.title !== title) document.title = title;
}
export const openClock = () => find("#dialogue-head .clock");
