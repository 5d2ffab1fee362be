// @ts-check
/** The feed: entries joined, changed and paged in without a jump; what is new is counted, read and announced. */
import { announce, config, find, findAll, gettext, interpolate, ngettext, parse, serverNow, toast } from "./page.js";
import { everySecond } from "./clocks.js";
import { command, read } from "./net.js";
import * as rows from "./rows.js";

const MOST_ENTRIES = 600;
const NEAR_BOTTOM = 60;
const REMEMBERED = 300;

/** @type {any} the open item: {key, kind, id, guest, session} */
let item = null;
/** @type {any} */
let feed = null;
/** @type {Set<number>} ids whose entries have to be fetched */
const wanted = new Set();
/** @type {{guest: number, id: number}[]} messages told of lately: an item being opened may have missed them */
const lately = [];
let fetching = false;
let missed = 0;
/** The page does not reach the newest message. */
let isDetached = false;
/** @type {Set<number>} what came meanwhile and is not on the page */
const skipped = new Set();
let seen = 0;
let readUpTo = 0;

const path = () => `${item.kind}/${item.id}/`;
export const opened = () => item;
const entriesOf = () => findAll(".entry:not(.is-pending)", feed);
const newestId = () => Math.max(0, ...entriesOf().map((entry) => Number(entry.dataset.id)));
const atBottom = () => feed.scrollHeight - feed.scrollTop - feed.clientHeight < NEAR_BOTTOM;
const toBottom = () => {
  feed.scrollTop = feed.scrollHeight;
};

/** @param {any} opened */
export function open(opened) {
  item = opened;
  feed = find("#feed");
  [missed, isDetached, readUpTo] = [0, false, 0];
  wanted.clear();
  skipped.clear();
  feed.addEventListener("scroll", scrolled, { passive: true });
  find("#to-newest").addEventListener("click", backToNewest);
  find("#feed-filter").addEventListener("change", filter);
  feed.addEventListener("keydown", walk);
  fillFilter();
  showTools();
  const divider = find(".separator.unread", feed);
  if (divider) divider.scrollIntoView({ block: "center" });
  else toBottom();
  seen = newestId();
  // A picture that arrives later must not push the newest message out of sight.
  feed.addEventListener("load", () => missed === 0 && !isDetached && !divider && toBottom(), true);
  for (const told of lately) if (told.guest === item.guest && !find(`#m${told.id}`)) wanted.add(told.id);
  fetchWanted();
  markRead();
}

export function close() {
  item = feed = null;
}

/** A message was added somewhere. @param {any} data */
export function messageCame(data) {
  lately.push({ guest: data.guest_id, id: data.message_id });
  if (lately.length > REMEMBERED) lately.shift();
  if (data.guest_id === item?.guest) want(data.message_id);
}

/** A message's text, files or fate has changed. @param {any} data */
export function messageChanged(data) {
  if (data.guest_id === item?.guest && find(`#m${data.message_id}`)) want(data.message_id);
}

/** @param {number} id */
export function want(id) {
  wanted.add(id);
  fetchWanted();
}

/** While an own message is on its way, its entry waits for the answer: it takes the place of the bubble shown at once. */
let held = 0;
export const hold = () => {
  held += 1;
};
export const release = () => {
  held -= 1;
  fetchWanted();
};

async function fetchWanted() {
  if (fetching || held || !item || !wanted.size) return;
  fetching = true;
  const [ids, opened] = [[...wanted].slice(0, 100), item];
  for (const id of ids) wanted.delete(id);
  try {
    const after = isDetached ? 0 : lastId(ids);
    const answer = await read(`${path()}messages/`, { ids: ids.join(","), after });
    if (opened === item) join(parse(answer.html));
  } catch {
    if (opened === item) for (const id of ids) wanted.add(id);
    setTimeout(fetchWanted, 2000);
    return;
  } finally {
    fetching = false;
  }
  fetchWanted();
}

/** @param {number[]} ids */
function lastId(ids) {
  const others = entriesOf().filter((entry) => !ids.includes(Number(entry.dataset.id)));
  return others.at(-1)?.dataset.id || 0;
}

/** @param {HTMLElement[]} fresh */
function join(fresh) {
  const stick = atBottom() && !isDetached;
  const added = [];
  for (const entry of fresh) {
    const old = find(`#${entry.id}`);
    if (old) replace(old, entry);
    else if (isDetached) {
      missed += 1;
      skipped.add(Number(entry.dataset.id));
    } else {
      insert(entry);
      added.push(entry);
    }
  }
  filterEntries(fresh);
  showTools();
  if (stick) toBottom();
  else missed += added.filter((entry) => entry.classList.contains("in")).length;
  showMissed();
  for (const entry of added) say(entry);
  if (stick) markRead();
  watchUndo();
}

/** @param {any} old @param {any} entry */
function replace(old, entry) {
  for (const kind of ["day", "session", "unread"]) {
    const line = find(`.separator.${kind}`, old);
    if (line && !find(`.separator.${kind}`, entry)) entry.querySelector(".bubble").before(line);
    else if (!line) find(`.separator.${kind}`, entry)?.remove();
  }
  const hadFocus = old.contains(document.activeElement);
  old.replaceWith(entry);
  if (hadFocus) entry.focus();
}

/** @param {any} entry */
function insert(entry) {
  const later = entriesOf().find((other) => other.dataset.order > entry.dataset.order);
  const pending = find(".is-pending", feed);
  if (later) {
    tidyFollowing(entry, later);
    later.before(entry);
  } else if (pending && entry.classList.contains("in")) pending.before(entry);
  else feed.append(entry);
}

/** A line that stood above the later entry is said by the earlier one now. @param {any} entry @param {any} later */
function tidyFollowing(entry, later) {
  if (later.dataset.day === entry.dataset.day) find(".separator.day", later)?.remove();
  if (later.dataset.session === entry.dataset.session) find(".separator.session", later)?.remove();
}

/** @param {any} entry */
function say(entry) {
  if (!entry.classList.contains("in")) return;
  const text = find(".text", entry)?.textContent || gettext("a file");
  const who = find(".who", entry).textContent;
  announce(interpolate(gettext("%(who)s, %(channel)s: %(text)s"), { who, channel: find(".via", entry).textContent, text: text.slice(0, 300) }));
}

function showMissed() {
  const button = find("#to-newest");
  button.hidden = !missed && !isDetached;
  button.textContent = missed
    ? `↓ ${interpolate(ngettext("%(count)s new message", "%(count)s new messages", missed), { count: missed })}`
    : `↓ ${gettext("To the newest")}`;
}

export async function backToNewest() {
  try {
    if (isDetached) await reload();
  } catch (fault) {
    toast(/** @type {Error} */ (fault).message, { word: gettext("Try again"), run: backToNewest });
    return;
  }
  missed = 0;
  showMissed();
  toBottom();
  markRead();
}

/** The newest page again: after a gap in the log, or from far up. */
export async function reload() {
  const asked = item;
  const answer = await read(`${path()}feed/`);
  if (asked !== item) return;
  showPart(answer);
  toBottom();
  markRead();
}

/** Another part of the feed in place of the one that is shown. @param {{html: string, before: string, has_newer: boolean}} answer */
function showPart(answer) {
  const fresh = parse(answer.html);
  // What joined while the answer was on its way is newer than all of it.
  const newest = fresh.at(-1)?.dataset.order || "";
  for (const entry of entriesOf()) if (answer.has_newer || entry.dataset.order <= newest) entry.remove();
  const rest = find(".entry", feed);
  for (const entry of fresh) rest ? rest.before(entry) : feed.append(entry);
  setBefore(answer.before);
  setDetached(answer.has_newer);
  filterEntries(entriesOf());
}

/** @param {string} before the cursor of the page above, "" = there is none */
function setBefore(before) {
  feed.dataset.before = before;
  find(".older", feed).hidden = !before;
}

/** What is written belongs below the newest message. @param {HTMLElement} bubble */
export function addBelow(bubble) {
  feed.append(bubble);
  toBottom();
  if (isDetached) backToNewest();
}

/** @param {boolean} detached */
function setDetached(detached) {
  isDetached = detached;
  if (!detached) {
    missed = 0;
    for (const id of skipped) if (!find(`#m${id}`)) wanted.add(id);
    skipped.clear();
    fetchWanted();
  }
  showMissed();
}

let paging = false;
export async function older() {
  if (paging || !feed.dataset.before) return;
  paging = true;
  const [asked, before] = [item, feed.dataset.before];
  try {
    const answer = await read(`${path()}feed/`, { before });
    if (asked !== item || before !== feed.dataset.before) return;
    find(".older", feed).textContent = gettext("Earlier messages");
    prepend(parse(answer.html), answer.before);
  } catch {
    if (asked === item) find(".older", feed).textContent = gettext("Earlier messages could not be loaded. Try again");
  } finally {
    paging = false;
  }
}

/** @param {HTMLElement[]} entries @param {string} before */
function prepend(entries, before) {
  const first = entriesOf()[0];
  const [height, top] = [feed.scrollHeight, feed.scrollTop];
  if (first && entries.length) tidyFollowing(entries.at(-1), first);
  find(".older", feed).after(...entries);
  filterEntries(entries);
  showTools();
  setBefore(before);
  feed.scrollTop = top + feed.scrollHeight - height;
  trim();
}

/** A feed of years stays light: what is far below leaves the page and comes back with one click. */
function trim() {
  const entries = entriesOf();
  if (entries.length <= MOST_ENTRIES) return;
  for (const entry of entries.slice(MOST_ENTRIES)) entry.remove();
  setDetached(true);
}

/** Newer entries below those of a page that does not reach the end. @param {HTMLElement[]} entries @param {boolean} hasNewer */
function extend(entries, hasNewer) {
  const last = entriesOf().at(-1);
  if (last && entries.length) tidyFollowing(last, entries[0]);
  const pending = find(".is-pending", feed);
  for (const entry of entries) pending ? pending.before(entry) : feed.append(entry);
  filterEntries(entries);
  setDetached(hasNewer);
  trimAbove();
}

/** The other end of a long feed: the first visible message stays where it is. */
function trimAbove() {
  const entries = entriesOf();
  if (entries.length <= MOST_ENTRIES) return;
  const height = feed.scrollHeight;
  for (const entry of entries.slice(0, entries.length - MOST_ENTRIES)) entry.remove();
  setBefore(entriesOf()[0].dataset.id);
  feed.scrollTop -= height - feed.scrollHeight;
}

/** What the far parts of the feed need of it. */
const FAR = { path, opened, entriesOf, showPart, extend };
export const beginning = () => import("./far.js").then((part) => part.beginning(FAR));

function scrolled() {
  if (feed.scrollTop < 200) older();
  if (isDetached && feed.scrollHeight - feed.scrollTop - feed.clientHeight < 200) import("./far.js").then((part) => part.newer(FAR));
  if (atBottom() && !isDetached && missed) {
    missed = 0;
    showMissed();
  }
  if (atBottom()) markRead();
}

/** A choice is offered only where there is something to choose from. */
function showTools() {
  const sessions = new Set(entriesOf().map((entry) => entry.dataset.session));
  const tools = find("#feed-tools");
  if (sessions.size < 2 || !tools.hidden) return;
  tools.hidden = false;
  feed.classList.add("has-tools");
}

function fillFilter() {
  const select = find("#feed-filter");
  for (const [kind, name] of Object.entries(config.channels)) select.append(new Option(/** @type {string} */ (name), kind));
}

function filter() {
  filterEntries(entriesOf());
  toBottom();
}

/** @param {any[]} entries */
function filterEntries(entries) {
  const chosen = find("#feed-filter").value;
  for (const entry of entries) {
    entry.hidden = chosen === "session" ? Number(entry.dataset.session) !== item.session : Boolean(chosen) && entry.dataset.channel !== chosen;
  }
  find("#feed-empty").hidden = entriesOf().some((entry) => !entry.hidden) || Boolean(find(".is-pending", feed));
}

/** Reading is having the newest message on a visible screen. */
export function markRead() {
  if (!item || document.visibilityState !== "visible" || !atBottom()) return;
  const newest = newestId();
  seen = newest;
  const row = rows.rowOf(item.key);
  if (!row?.unread || row.owner_id !== config.staff || readUpTo >= newest) return;
  readUpTo = newest;
  command(`${path()}read/`, { up_to: newest }).catch(() => {
    readUpTo = 0;
  });
}

/** The newest message that was on the screen when the writer last touched the text. */
export const seenNow = () => {
  if (document.visibilityState === "visible" && atBottom()) seen = newestId();
  return seen;
};
export const seenId = () => seen;

/** PgUp and PgDn go by message, Home and End to the ends. @param {KeyboardEvent} event */
async function walk(event) {
  const isFar = (event.key === "Home" && feed.dataset.before) || (event.key === "End" && isDetached);
  if (isFar && !event.ctrlKey && !event.altKey) {
    event.preventDefault();
    if (event.key === "End") await backToNewest();
    else await beginning();
    if (event.key === "End") entriesOf().at(-1)?.focus({ preventScroll: true });
    return;
  }
  const entries = entriesOf().filter((entry) => !entry.hidden);
  const place = entries.indexOf(/** @type {any} */ (document.activeElement)?.closest?.(".entry"));
  const next = { PageUp: place < 0 ? entries.length - 1 : place - 1, PageDown: place + 1, Home: 0, End: entries.length - 1 }[event.key];
  if (next === undefined || event.ctrlKey || event.altKey || !entries.length) return;
  event.preventDefault();
  const entry = entries[Math.max(0, Math.min(entries.length - 1, next))];
  entry.focus({ preventScroll: true });
  entry.scrollIntoView({ block: "nearest" });
}

function watchUndo() {
  for (const button of findAll(".undo", feed || document)) {
    const left = Math.ceil((Date.parse(button.dataset.until) - serverNow()) / 1000);
    button.hidden = left <= 0;
    button.textContent = interpolate(gettext("Take back (%(seconds)s)"), { seconds: left });
  }
}

everySecond(watchUndo);
document.addEventListener("visibilitychange", markRead);
// The list may tell of a new message after the feed has shown it: by then nothing else would say that it was read.
document.addEventListener("otklik:unread", () => {
  if (!fetching && !wanted.size) markRead();
});
