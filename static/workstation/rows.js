// @ts-check
/** The list: rows kept up to date by live events, never moving under the pointer. */
import { busy, config, debounced, find, findAll, firstList, gettext, interpolate, oneAtATime, parse, serverNow } from "./page.js";
import { everySecond, paint, showTitle } from "./clocks.js";
import { Unreachable, read } from "./net.js";

/** @type {Map<string, any>} what is known of items, by key */
const known = new Map();
const KNOWN_MOST = 3000;
/** @type {Map<string, string>} */
const drafts = new Map(Object.entries(firstList.drafts));
/** @type {Set<string>} items whose place in the list has to change */
const displaced = new Set();
const list = find("#rows");
const query = { ...config.query };
let counts = { ...firstList.counts };
let current = "";

/** @param {any} row */
export const keyOf = (row) => `${row.kind}:${row.subject_id}`;
/** Which list is shown. */
export const shownQuery = () => ({ ...query });
/** @param {string} key */
export const rowOf = (key) => known.get(key);
/** @param {string} key */
const lineOf = (key) => find(`[data-key="${key}"]`, list);

// Which numbers an item counts in; the same rule as worklist.selectors.count_tabs.
/** @param {any} row */
function tabsOf(row) {
  const isOpen = row.state !== "closed";
  const mine = isOpen && row.owner_id === config.staff;
  const ours = isOpen && config.groups.includes(row.group_id);
  return {
    mine: mine && row.state !== "snoozed",
    snoozed: mine && row.state === "snoozed",
    queue: ours && row.state === "waiting" && row.owner_id === null,
    group: ours,
    all: isOpen && (ours || config.everything),
    unread: mine && row.unread > 0,
  };
}

/** @param {any} row */
function belongs(row) {
  if ((query.channel && row.channel !== query.channel) || (query.kind && row.kind !== query.kind)) return false;
  const tabs = /** @type {any} */ (tabsOf(row));
  if (query.tab !== "all") return tabs[query.tab];
  const atMyStore = row.at_store && config.stores.includes(row.store_id);
  return config.everything || config.groups.includes(row.group_id) || row.owner_id === config.staff || atMyStore;
}

/** @param {any} row */
function rank(row) {
  const due = row.due_at ? Date.parse(row.due_at) : Infinity;
  if (query.sort === "newest") return [-Date.parse(row.last_at)];
  if (query.sort === "longest") return [Date.parse(row.waiting_since)];
  return query.sort === "priority" ? [-row.priority, due] : [due];
}

/** @param {any} one @param {any} other */
function compare(one, other) {
  const [first, second] = [rank(one), rank(other)];
  const place = first.findIndex((value, index) => value !== second[index]);
  return place < 0 ? one.subject_id - other.subject_id : first[place] - second[place];
}

/** Fills the slots of a row's markup. @param {any} line @param {any} row */
function fill(line, row) {
  const link = line.firstElementChild;
  line.dataset.key = keyOf(row);
  line.className = ["row", row.state, row.kind === "case" && "ticket", row.unread && "is-unread"].filter(Boolean).join(" ");
  link.href = `${config.base}${row.kind}/${row.subject_id}/`;
  find("use", link).setAttribute("href", `${config.sprite}#${row.channel}`);
  find(".row-name", link).textContent = row.guest_name || gettext("Guest without a name");
  find("[data-slot=channel_name]", link).textContent = `, ${config.channels[row.channel] || row.channel}, `;
  find(".row-preview", link).textContent = row.preview || row.title;
  mark(link, "unread", row.unread);
  mark(link, "number", row.number);
  find(".mark-colleague", link).hidden = !row.owner_id || row.owner_id === config.staff;
  find(".mark-priority", link).hidden = row.priority <= 0;
  showDraft(link, drafts.get(keyOf(row)) || "");
  setClock(line, row);
}

/** It is about to be closed, and can still be taken back. @param {string} key @param {boolean} isLeaving */
export function setLeaving(key, isLeaving) {
  lineOf(key)?.classList.toggle("is-leaving", isLeaving);
}

/** @param {any} link @param {string} name @param {any} value */
function mark(link, name, value) {
  find(`[data-slot=${name}]`, link).textContent = value;
  find(`.mark-${name}`, link).hidden = !value;
}

/** @param {any} link @param {string} text */
function showDraft(link, text) {
  find("[data-slot=draft]", link).textContent = text;
  find(".row-draft", link).hidden = !text;
}

/** @param {any} line @param {any} row */
function setClock(line, row) {
  const clock = find(".clock", line);
  const runs = row.due_at && row.state !== "closed";
  clock.hidden = !runs;
  clock.dataset.due = runs ? row.due_at : "";
  clock.dataset.target = row.target_seconds;
  if (runs) paint(clock, serverNow());
}

/** @param {any} row */
function makeLine(row) {
  const line = find("#blank-row").content.firstElementChild.cloneNode(true);
  fill(line, row);
  if (keyOf(row) === current) line.firstElementChild.setAttribute("aria-current", "page");
  return line;
}

/** @param {any} row */
function remember(row) {
  known.delete(keyOf(row));
  known.set(keyOf(row), row);
  if (known.size > KNOWN_MOST) for (const key of known.keys()) if (key !== current && !lineOf(key)) return known.delete(key);
  return true;
}

const isBusy = () => list.matches(":hover") || list.contains(document.activeElement);

/** Live rows of one frame. @param {any[]} rows */
export function apply(rows) {
  for (const row of rows) {
    const key = keyOf(row);
    const before = known.get(key);
    if (before && before.version >= row.version) continue;
    count(before, row);
    remember(row);
    if (before?.owner_id === config.staff && row.owner_id === config.staff && row.unread > before.unread) document.dispatchEvent(new CustomEvent("otklik:wrote"));
    if (key === current && row.unread) document.dispatchEvent(new CustomEvent("otklik:unread"));
    const line = lineOf(key);
    if (line) fill(line, row);
    if (Boolean(line) !== Boolean(belongs(row)) || (line && before && compare(before, row) !== 0)) displaced.add(key);
  }
  settle();
}

/** @param {any} before @param {any} row */
function count(before, row) {
  if (!before && row.version > 1) {
    askCounts();
    return;
  }
  const [was, is] = [before ? tabsOf(before) : {}, tabsOf(row)];
  for (const tab of Object.keys(is)) counts[tab] += Number(/** @type {any} */ (is)[tab]) - Number(/** @type {any} */ (was)[tab] || 0);
  showCounts(counts);
}

// Numbers are kept by the events; what the events cannot tell is asked for, at most once in ten seconds.
let askedAt = 0;
const askCounts = debounced(async () => {
  askedAt = Date.now();
  const answer = await read("counts/").catch(() => null);
  if (answer) showCounts(answer.counts);
}, 400);
const lateCounts = debounced(() => askCounts(), 10_000);
export function refreshCounts() {
  if (Date.now() - askedAt > 10_000) askCounts();
  else lateCounts();
}

/** @param {Record<string, number>} fresh */
function showCounts(fresh) {
  counts = fresh;
  for (const place of findAll("[data-count]")) place.textContent = String(Math.max(0, fresh[place.dataset.count] || 0));
  title();
}

const isMine = (/** @type {any} */ row) => row.owner_id === config.staff && row.state !== "closed" && row.due_at;
/** The numbers that are seen while another window is looked at. */
function title() {
  const due = [...known.values()].filter(isMine).reduce((first, row) => (!first || Date.parse(row.due_at) < Date.parse(first.due_at) ? row : first), undefined);
  showTitle(Math.max(0, counts.unread), due);
}

/** Puts displaced rows where they belong, unless somebody is pointing at them. */
function settle(evenIfBusy = false) {
  const button = find("#reorder");
  if (!evenIfBusy && isBusy() && displaced.size) {
    button.textContent = interpolate(gettext("Update the order (%(count)s)"), { count: displaced.size });
    button.hidden = false;
    return;
  }
  button.hidden = true;
  for (const key of displaced) place(key);
  displaced.clear();
  showEmpty();
}

/** @param {string} key */
function place(key) {
  const row = known.get(key);
  const line = lineOf(key);
  if (!row || !belongs(row)) {
    line?.remove();
    return;
  }
  const lines = [...list.children].filter((other) => other !== line);
  const next = lines.find((other) => compare(row, known.get(other.dataset.key) || row) < 0);
  // Behind the last loaded row there may be others that are not loaded yet.
  if (!next && !line && !find("#more").hidden) return;
  const placed = line || makeLine(row);
  if (next) next.before(placed);
  else list.append(placed);
}

function showEmpty() {
  find("#list-empty").hidden = list.children.length > 0;
  const first = find(".row-link[tabindex='0']", list);
  if (!first) find(".row-link", list)?.setAttribute("tabindex", "0");
}

/** Which item is open. @param {string} key */
export function setCurrent(key) {
  current = key;
  for (const link of findAll("[aria-current]", list)) link.removeAttribute("aria-current");
  const link = lineOf(key)?.firstElementChild;
  link?.setAttribute("aria-current", "page");
  if (link) rove(link);
}

/** @param {any} link the one that Tab reaches */
export function rove(link) {
  for (const other of findAll(".row-link[tabindex='0']", list)) other.tabIndex = -1;
  link.tabIndex = 0;
}

/** The neighbour of the open (or focused) row. @param {1|-1} step @param {string} [from] */
export function neighbour(step, from = current) {
  const lines = [...list.children];
  const place = lines.findIndex((line) => line.dataset.key === from);
  return lines[place < 0 ? (step > 0 ? 0 : lines.length - 1) : place + step] || null;
}

/** The row whose promise ends first. */
export const mostUrgent = () =>
  [...list.children].map((line) => known.get(line.dataset.key)).filter((row) => row?.due_at).sort((one, other) => Date.parse(one.due_at) - Date.parse(other.due_at))[0];

/** @param {string} key @param {string} text */
export function setDraft(key, text) {
  if (text) drafts.set(key, text.slice(0, 120));
  else drafts.delete(key);
  const line = lineOf(key);
  if (line) showDraft(line.firstElementChild, text.slice(0, 120));
}

/** @param {any} answer a page of the list @param {boolean} more whether it goes on below */
function show(answer, more) {
  for (const row of answer.rows) remember(row);
  const lines = parse(answer.html);
  if (more) {
    const fresh = lines.filter((line) => !lineOf(line.dataset.key || ""));
    list.append(...fresh);
  } else {
    drafts.clear();
    for (const [key, text] of Object.entries(answer.drafts)) drafts.set(key, /** @type {string} */ (text));
    list.replaceChildren(...lines);
    displaced.clear();
    list.scrollTop = 0;
  }
  for (const line of lines) setClock(line, known.get(line.dataset.key || ""));
  find("#more").hidden = !answer.next;
  find("#more").dataset.cursor = answer.next;
  find("#reorder").hidden = true;
  showCounts(answer.counts);
  setCurrent(current);
  showEmpty();
}

let asking = new AbortController();
/** Loads the list anew (tab, order or filter changed, or the log has a gap). */
export async function reload() {
  asking.abort();
  asking = new AbortController();
  const end = busy(list);
  find("#list-error").hidden = true;
  try {
    show(await read("list/", query, asking.signal), false);
  } catch (fault) {
    if (/** @type {any} */ (fault).name !== "AbortError") showFault(/** @type {Error} */ (fault));
  } finally {
    end();
  }
}

/** @param {Error} fault */
function showFault(fault) {
  const box = find("#list-error");
  box.hidden = false;
  box.firstElementChild.textContent = fault instanceof Unreachable ? gettext("The list could not be loaded: no connection.") : fault.message;
}

async function loadMore() {
  const last = list.lastElementChild;
  try {
    show(await read("list/", { ...query, cursor: find("#more").dataset.cursor }), true);
  } catch (fault) {
    showFault(/** @type {Error} */ (fault));
  }
  if (find("#more").hidden) last?.nextElementSibling?.firstElementChild.focus();
}

/** @param {Partial<typeof query>} change */
export function choose(change) {
  Object.assign(query, change);
  for (const tab of findAll("[data-tab]")) {
    if (tab.dataset.tab === query.tab) tab.setAttribute("aria-current", "true");
    else tab.removeAttribute("aria-current");
  }
  history.replaceState(history.state, "", address());
  return reload();
}

/** The page's address with the list that is shown. @param {string} [path] */
export function address(path = location.pathname) {
  const asked = new URLSearchParams();
  if (query.tab !== config.firstTab) asked.set("tab", query.tab);
  for (const name of ["sort", "channel", "kind"]) if (query[name] && query[name] !== "due") asked.set(name, query[name]);
  const text = asked.toString();
  return text ? `${path}?${text}` : path;
}

export function start() {
  for (const row of firstList.rows) remember(row);
  everySecond(title);
  for (const line of list.children) setClock(line, known.get(/** @type {any} */ (line).dataset.key));
  showEmpty();
  find("#reorder").addEventListener("click", () => settle(true));
  find("#more").addEventListener("click", () => oneAtATime(find("#more"), loadMore));
  const calm = debounced(() => settle(), 400);
  list.addEventListener("pointerleave", calm);
  list.addEventListener("focusout", calm);
  find("#filters").addEventListener("change", (/** @type {any} */ event) => choose({ [event.target.name]: event.target.value }));
  document.addEventListener("click", (event) => {
    const tab = /** @type {any} */ (event.target)?.closest?.("[data-tab], [data-tab-link]");
    if (!tab || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    choose({ tab: tab.dataset.tab || tab.dataset.tabLink });
  });
}
