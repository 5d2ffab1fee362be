// @ts-check
/** Deeds that are not needed for the first moment: with messages of the feed, with the ticket, with possible duplicates. */
import { config, element, find, gettext, interpolate, oneAtATime, toast } from "./page.js";
import { attempt, show } from "./dialogs.js";
import * as feed from "./feed.js";
import { command, read } from "./net.js";
import * as panel from "./panel.js";
import * as rows from "./rows.js";

/** What a deed needs of the open item; given, for modules that import each other have no hashed names.
 * @typedef {{current: () => any, open: (key: string) => Promise<void>, refresh: () => void}} Desk */

/** @param {any} opened */
const pathOf = (opened) => `${opened.kind}/${opened.id}/`;

// Messages

/** @param {Desk} _desk @param {any} button */
export const message = (_desk, button) => oneAtATime(button, () => runMessageDeed(button.dataset));

/** @param {any} data */
async function runMessageDeed({ do: deed, message: id }) {
  try {
    const answer = await command(`messages/${id}/${deed}/`);
    if (deed === "take-back") await import("./undo.js").then((part) => part.bringBack(answer));
  } catch (fault) {
    toast(/** @type {Error} */ (fault).message);
  }
  feed.want(Number(id));
}

/** @param {Desk} desk @param {any} button */
export const noteConsent = (desk, button) => oneAtATime(button, async () => {
  await (await import("./outgoing.js")).consent(button);
  desk.refresh();
});

/** A word of the feed becomes a ticket of its own. @param {Desk} desk @param {any} button */
export async function split(desk, button) {
  const [{ splitOff }, opened] = [await import("./belonging.js"), desk.current()];
  if (opened && (await splitOff(pathOf(opened), button, desk.open, desk.refresh))) desk.refresh();
}

/** An approved text, the way out of a closed reply window. @param {Desk} desk */
export async function sendApproved(desk) {
  const opened = desk.current();
  const answer = opened && (await (await import("./outgoing.js")).approved(pathOf(opened), feed.seenId()));
  if (!answer) return;
  document.dispatchEvent(new CustomEvent("otklik:accepted", { detail: answer }));
  feed.want(answer.message_id);
  desk.refresh();
}

// The ticket

/** C: the form of a compensation, in the ticket. @param {Desk} desk */
export async function compensate(desk) {
  const opened = desk.current();
  if (!opened) return;
  await panel.showTab("ticket");
  if (opened.kind !== "case") {
    (find("#panel .case-link") || find("#topic"))?.focus();
    toast(gettext("Points are given in a ticket: open one of this dialogue or make it first."));
    return;
  }
  const form = find("#panel .points details");
  if (!form) {
    find("#panel-body").focus();
    toast(find("#panel .points") ? gettext("This ticket has its compensation already, or you may not give one.") : gettext("Your role does not allow giving points."));
    return;
  }
  form.open = true;
  find("#points-reason").focus();
}

/** P: another priority. @param {Desk} desk */
export async function priority(desk) {
  const opened = desk.current();
  if (!opened) return;
  if (opened.kind !== "case" || !find("[data-do=priority]")) await panel.showTab("ticket");
  if (opened.kind !== "case") toast(gettext("A dialogue has the priority of its queue: hand it to another queue with A."));
  else if (!find("[data-do=priority]")) toast(gettext("You cannot change this ticket's priority."));
  else await choosePriority(desk, opened);
}

/** @param {Desk} desk @param {any} opened */
async function choosePriority(desk, opened) {
  const now = rows.rowOf(opened.key)?.priority;
  const change = (/** @type {number} */ level) => command(`${pathOf(opened)}priority/`, { priority: level });
  const chosen = await show("priority", (root, done) => {
    const buttons = config.priorities.map((/** @type {[number, string]} */ [level, name]) => {
      const button = element("button", { type: "button", className: "wide", "aria-pressed": String(level === now) }, name);
      button.addEventListener("click", () => attempt(root, () => change(level), () => done(String(level))));
      return button;
    });
    find("#priorities", root).append(...buttons);
    (find("[aria-pressed=true]", root) || buttons[0]).focus();
  });
  if (!chosen || Number(chosen) === now) return;
  const back = () => change(now).then(desk.refresh, (fault) => toast(fault.message));
  const isUsual = config.priorities.some((/** @type {[number, string]} */ [level]) => level === now);
  toast(gettext("The priority is changed."), isUsual ? { word: gettext("Undo"), run: back } : null);
  desk.refresh();
}

// Duplicates

/** What the ticket, or the guest of the dialogue, may repeat. @param {any} opened @returns {Promise<any>} */
async function likely(opened) {
  if (opened.kind === "case") return (await (await import("./belonging.js")).look(opened.id))?.likely;
  return config.joinsGuests ? (await read(`guests/${opened.guest}/same/`)).likely : null;
}

/** D: beside each other; Enter joins, Z undoes. @param {Desk} desk */
export async function compare(desk) {
  const opened = desk.current();
  if (!opened) return;
  const found = await likely(opened).catch((fault) => void toast(fault.message));
  if (found === null || found === false) toast(gettext("Nothing like it has been found."));
  if (!found || opened !== desk.current()) return;
  if (opened.kind === "case") await (await import("./belonging.js")).compare(opened.id, found.id, () => again(desk, opened));
  else await (await import("./same.js")).compare({ guest: opened.guest, other: found.id }, () => again(desk, opened));
}

/** What belongs together has changed. @param {Desk} desk @param {any} opened */
async function again(desk, opened) {
  if (opened !== desk.current()) return;
  desk.refresh();
  await likely(opened).catch(() => {});
}

/** A guest has said more, and the ticket is like another one now. @param {{case_id: number}} data @param {any} opened */
export async function alikeCame({ case_id: id }, opened) {
  if (opened?.key !== `case:${id}`) return;
  const { prepare, look } = await import("./belonging.js");
  if (find("#panel [data-belonging]")) await prepare(find("#panel"));
  else await look(id);
}

/** What the banner says of it. @param {any} opened @param {any} found */
export const likelyWords = (opened, found) =>
  interpolate(opened.kind === "case" ? gettext("Perhaps the same matter as № %(number)s, %(score)s of 100") : gettext("Perhaps the same guest as %(name)s, %(score)s of 100"), found);
