// @ts-check
/** Offers of dialogues: one at a time with its countdown, answered by keys that work while a text is being written. */
import { announce, config, element, find, gettext, interpolate, oneAtATime, serverNow, toast } from "./page.js";
import { elapsed, everySecond } from "./clocks.js";
import * as item from "./item.js";
import { command, read } from "./net.js";
import * as presence from "./presence.js";

// The server ends an offer within seconds of its time; until its word comes the box only says that the time is over.
const GONE_AFTER = 10;

/** @type {any[]} the one that ends first at the front */
let open = [];
/** @type {any} where the focus was before the reasons were asked for */
let before = null;

const box = () => find("#offer");
const secondsLeft = (/** @type {any} */ offer) => Math.ceil((Date.parse(offer.expires_at) - serverNow()) / 1000);

/** @param {any} offer */
export function came(offer) {
  if (!box() || open.some((one) => one.offer_id === offer.offer_id)) return;
  open.push(offer);
  open.sort((one, other) => Date.parse(one.expires_at) - Date.parse(other.expires_at));
  presence.offered(interpolate(gettext("A dialogue is offered: %(channel)s, %(queue)s. F8 accepts, F9 declines."), named(offer)));
  show();
}

/** @param {any} over */
export function ended(over) {
  if (!open.some((one) => one.offer_id === over.offer_id)) return;
  open = open.filter((one) => one.offer_id !== over.offer_id);
  if (over.state === "missed") toast(gettext("The offer was not answered in time and goes to somebody else."));
  if (over.state === "withdrawn") toast(gettext("The offered dialogue has been taken or withdrawn."));
  show();
}

/** At the start, and after a gap in the log. */
export async function reload() {
  if (!box()) return;
  const answer = await read("offers/").catch(() => null);
  if (answer) {
    open = answer.offers;
    offerReasons(answer.reasons);
    show();
  }
}

/** @param {{code: string, name: string}[]} reasons */
function offerReasons(reasons) {
  find(".offer-reasons", box()).replaceChildren(...reasons.map(({ code, name }) => {
    const button = element("button", { type: "button" }, name);
    button.addEventListener("click", () => answer("decline", { reason: code }));
    return button;
  }));
}

/** @param {any} offer */
const named = (offer) => ({ channel: config.channels[offer.channel] || offer.channel, queue: offer.queue });

function show() {
  const [offer] = open;
  const place = box();
  if (!offer) {
    if (!place.hidden) leaveReasons();
    place.hidden = true;
    return;
  }
  if (place.dataset.offer !== String(offer.offer_id)) {
    place.dataset.offer = offer.offer_id;
    const { channel, queue } = named(offer);
    find(".offer-who", place).textContent = offer.guest_name || gettext("Guest without a name");
    find(".offer-where", place).textContent = `${channel} · ${queue}`;
    find("progress", place).max = Math.max(1, (Date.parse(offer.expires_at) - Date.parse(offer.offered_at)) / 1000);
    find(".offer-reasons", place).hidden = true;
    find(".offer-error", place).textContent = "";
  }
  place.hidden = false;
  tick();
}

function tick() {
  const [offer] = open;
  const place = box();
  if (!offer || !place || place.hidden) return;
  const left = secondsLeft(offer);
  if (left < -GONE_AFTER) {
    open.shift();
    show();
    return;
  }
  find("progress", place).value = Math.max(0, left);
  find(".offer-left", place).textContent = left > 0 ? interpolate(gettext("%(left)s s left"), { left }) : gettext("The time is over");
  find(".offer-waited", place).textContent = interpolate(gettext("waits for %(time)s"), { time: elapsed(offer.waiting_since) });
  if (left === 5) announce(interpolate(gettext("%(left)s s left"), { left }), "assertive");
}

/** @param {string} deed @param {Record<string, any>} [fields] @param {any} [offer] */
const answer = (deed, fields = {}, offer = open[0]) =>
  oneAtATime(box(), async () => {
    if (!offer) return;
    try {
      const said = await command(`offers/${offer.offer_id}/${deed}/`, fields);
      document.dispatchEvent(new CustomEvent("otklik:accepted", { detail: said }));
      leaveReasons();
      open = open.filter((one) => one !== offer);
      show();
      if (deed === "accept") item.open(`session:${offer.session_id}`);
    } catch (fault) {
      find(".offer-error", box()).textContent = /** @type {Error} */ (fault).message;
    }
  });

const accept = () => open.length && answer("accept");

/** F2: the offered call, whatever else is offered. Whether there is one. */
export function acceptCall() {
  const call = open.find((offer) => config.calls.includes(offer.channel));
  if (call) answer("accept", {}, call);
  return Boolean(call);
}

/** Asks for the reason; the first one has the focus. */
function decline() {
  if (!open.length) return;
  const reasons = find(".offer-reasons", box());
  if (reasons.hidden) before = document.activeElement;
  reasons.hidden = false;
  find("button", reasons)?.focus();
}

function leaveReasons() {
  const reasons = find(".offer-reasons", box());
  const inside = box().contains(document.activeElement);
  reasons.hidden = true;
  if (inside && before?.isConnected) before.focus();
  before = null;
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  if (!open.length || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || event.repeat) return;
  if (event.key === "F8") accept();
  else if (event.key === "F9") decline();
  else if (event.key === "Escape" && !find(".offer-reasons", box()).hidden) leaveReasons();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

export function start() {
  const place = box();
  if (!place) return;
  find("[data-offer-do=accept]", place).addEventListener("click", accept);
  find("[data-offer-do=decline]", place).addEventListener("click", decline);
  // Before the keys of the desk: Esc here leaves the reasons only.
  document.addEventListener("keydown", pressed, true);
  everySecond(tick);
  reload();
}
