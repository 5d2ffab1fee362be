// @ts-check
/** The desk is put together here: live events to their places, the look, signing out. */
import { announce, config, find, findAll, gettext, toast } from "./page.js";
import * as clocks from "./clocks.js";
import * as composer from "./composer.js";
import * as feed from "./feed.js";
import * as item from "./item.js";
import * as keys from "./keys.js";
import { live } from "./live.js";
import { command } from "./net.js";
import * as offers from "./offers.js";
import * as panel from "./panel.js";
import * as presence from "./presence.js";
import * as rows from "./rows.js";

// A drop shorter than this is not worth a word.
const BANNER_AFTER = 1500;

/** Everything of one frame, in order. @param {any[]} events */
function apply(events) {
  const changed = [];
  for (const { kind, data } of events) {
    if (kind === "item") changed.push(data);
    else if (kind === "message") feed.messageCame(data);
    else if (kind === "message_changed" || kind === "send_state") feed.messageChanged(data);
    else if (kind === "guest_changed") item.guestChanged(data);
    else if (kind === "send_failed") import("./outgoing.js").then((part) => part.failed(data));
    else if (kind === "presence") presence.show(data);
    else if (kind === "given") presence.given(data);
    else if (kind === "offer") offers.came(data);
    else if (kind === "offer_over") offers.ended(data);
    else if (kind === "not_closed") import("./undo.js").then((part) => part.notClosed(data, item.open));
    else if (kind === "alike") import("./deeds.js").then((part) => part.alikeCame(data, item.current()));
    else if (kind === "incident") import("./belonging.js").then((part) => part.incidentCame(data));
    else if (kind === "call_back") import("./life.js").then((part) => part.callCame(data, item.open));
    else if (kind === "case_news") import("./life.js").then((part) => part.newsCame(data, item.open));
  }
  if (!changed.length) return;
  rows.apply(changed);
  if (changed.some((row) => rows.keyOf(row) === item.current()?.key)) item.refresh();
}

/** @param {any} said */
function fleeting(said) {
  if (said.kind === "draft") composer.draftElsewhere(said);
  else item.colleagueDid(said);
}

let bannerTimer = 0;
/** @param {"on"|"off"|"connecting"} state */
function showConnection(state) {
  const words = { on: gettext("Connected"), off: gettext("No connection"), connecting: gettext("Connecting") };
  find("#connection").dataset.state = state;
  find("#connection-word").textContent = words[state];
  clearTimeout(bannerTimer);
  if (state === "on") {
    if (!find("#offline").hidden) announce(gettext("The connection is back."));
    find("#offline").hidden = true;
  } else {
    bannerTimer = window.setTimeout(() => {
      find("#offline").hidden = false;
    }, BANNER_AFTER);
  }
}

function look() {
  document.addEventListener("change", (/** @type {any} */ event) => {
    if (event.target.name === "theme") {
      document.documentElement.dataset.theme = event.target.value;
      command("look/", { theme: event.target.value }).catch(complain);
    } else if (event.target.id === "single-keys") {
      config.singleKeys = event.target.checked;
      command("look/", { single_keys: event.target.checked ? 1 : 0 }).catch(complain);
    } else if (event.target.dataset.signal) {
      presence.chooseSignals({ muted: findAll("[data-signal]").filter((box) => !box.checked).map((box) => box.dataset.signal) });
    } else if (event.target.id === "volume") {
      presence.chooseSignals({ volume: Number(event.target.value) });
    }
  });
  const { muted, volume } = presence.signals();
  for (const box of findAll("[data-signal]")) box.checked = !muted.includes(box.dataset.signal);
  find("#volume").value = volume;
}

/** @param {Error} fault */
const complain = (fault) => toast(fault.message);

function signOut() {
  const form = find("#sign-out");
  form.addEventListener("submit", async (/** @type {Event} */ event) => {
    event.preventDefault();
    await composer.leave();
    form.submit();
  });
}

for (const part of [clocks, rows, panel, presence, composer, item, offers, keys]) part.start();
live.addEventListener("events", (/** @type {any} */ event) => apply(event.detail));
live.addEventListener("ephemeral", (/** @type {any} */ event) => fleeting(event.detail));
live.addEventListener("state", (/** @type {any} */ event) => showConnection(event.detail));
live.addEventListener("resync", () => {
  rows.reload();
  item.reload();
  offers.reload();
});
document.addEventListener("otklik:accepted", (/** @type {any} */ event) => presence.show(event.detail.presence));
look();
signOut();
live.start();
