// @ts-check
/** What the server does not have yet, in the order of writing: kept over a reload, sent again until it is accepted, never twice. */
import { config, element, find, findAll, gettext, interpolate, serverNow } from "./page.js";
import { askGuard } from "./dialogs.js";
import * as feed from "./feed.js";
import { live } from "./live.js";
import { Unreachable, command } from "./net.js";

const PLACE = `otklik.outbox.${config.staff}`;

/** @type {any[]} */
let letters = [];
/** @type {Map<string, File[]>} */
const filesOf = new Map();
let sending = false;
/** What the place of writing does for the outbox; it says so at its start. @type {{saved: () => Promise<void>, takeBack: (mode: string, text: string, files: File[]) => void}} */
let writing;
/** Files of letters from before a reload are being read. @type {Promise<unknown>} */
let ready = Promise.resolve();

const keptFiles = () => import("./kept_files.js");
const isShown = (/** @type {any} */ letter) => letter.item === feed.opened()?.key;
const withFiles = (/** @type {any} */ letter) => ({ ...letter, files: filesOf.get(letter.key) || [] });

function keep() {
  if (letters.length) sessionStorage.setItem(PLACE, JSON.stringify(letters));
  else sessionStorage.removeItem(PLACE);
}

/** @param {any} letter @param {File[]} files */
export function send(letter, files) {
  if (files.length) {
    letter.files = files.length;
    filesOf.set(letter.key, files);
    // Where files cannot be kept they still go out with this page.
    keptFiles().then((part) => part.keep(letter.key, files)).catch(() => {});
  }
  letters.push(letter);
  keep();
  addPending(withFiles(letter));
  flush();
}

/** Sends what waits, in order; stops at the first that the server cannot be asked about. */
async function flush() {
  if (sending) return;
  sending = true;
  try {
    await ready;
    for (let letter = letters.find((one) => !one.refused); letter; letter = letters.find((one) => !one.refused)) {
      if (!(await deliver(letter))) break;
    }
  } finally {
    sending = false;
  }
}

/** False = not reached, all wait. @param {any} letter */
async function deliver(letter) {
  const fields = { text: letter.text, seen: letter.seen || "", revision: letter.revision, over_newer: letter.over };
  const files = filesOf.get(letter.key) || [];
  feed.hold();
  try {
    await writing.saved();
    accepted(letter, await command(`${letter.kind}/${letter.id}/${letter.mode}/`, fields, { key: letter.key, files }));
    return true;
  } catch (fault) {
    if (fault instanceof Unreachable) {
      showPending(letter.key, "wait", gettext("Waits for the connection"));
      setTimeout(flush, 3000 + Math.random() * 2000);
      return false;
    }
    letter.fault = fault;
  } finally {
    feed.release();
  }
  // The feed goes on while the person is asked.
  await refused(letter, letter.fault);
  return true;
}

/** Called after a message has been accepted with "send and finish". @type {() => void} */
let finishAfter = () => {};
/** @param {() => void} run */
export const onFinish = (run) => {
  finishAfter = run;
};

/** @param {any} letter @param {any} answer */
function accepted(letter, answer) {
  drop(letter);
  if (isShown(letter)) settlePending(letter.key, answer.message_id);
  if (letter.finish && isShown(letter)) finishAfter();
  document.dispatchEvent(new CustomEvent("otklik:accepted", { detail: answer }));
}

/** @param {any} letter @param {{code?: string, message: string}} fault */
async function refused(letter, fault) {
  delete letter.fault;
  letter.refused = fault.message;
  keep();
  if (fault.code === "newer_messages" && isShown(letter)) {
    const others = letters.filter((other) => other.item === letter.item);
    if ((await askGuard()) === "send") {
      // Asked once: what was written along with it is meant to go too.
      for (const other of others) other.over = 1;
      retry(letter);
    } else for (const other of others.reverse()) takeBack(other);
    return;
  }
  showRefused(letter);
}

/** @param {any} letter */
function showRefused(letter) {
  const again = element("button", { type: "button", className: "small" }, gettext("Try again"));
  const edit = element("button", { type: "button", className: "small" }, gettext("Edit"));
  again.addEventListener("click", () => retry(letter));
  edit.addEventListener("click", () => takeBack(letter));
  // Without its files a letter is another letter: it is not sent again as it is.
  const ways = isWhole(letter) ? [again, edit] : [edit];
  showPending(letter.key, "failed", interpolate(gettext("Not sent: %(reason)s"), { reason: letter.refused }), ways);
}

/** @param {any} letter */
const isWhole = (letter) => (letter.files || 0) === (filesOf.get(letter.key)?.length || 0);

/** @param {any} letter */
function retry(letter) {
  letter.refused = "";
  keep();
  showPending(letter.key, "wait", gettext("In the queue"));
  // Within a round that is under way the loop finds it by itself.
  flush();
}

/** The text and its files go back to where they were written. @param {any} letter */
function takeBack(letter) {
  find(`#k${letter.key}`)?.remove();
  const files = filesOf.get(letter.key) || [];
  drop(letter);
  writing.takeBack(letter.mode, letter.text, files);
}

/** @param {any} letter */
function drop(letter) {
  letters = letters.filter((other) => other !== letter);
  filesOf.delete(letter.key);
  if (letter.files) keptFiles().then((part) => part.drop(letter.key)).catch(() => {});
  keep();
}

/** Bubbles of what an item's guest has not been sent yet. @param {string} key */
export async function show(key) {
  await ready;
  for (const letter of letters) {
    if (letter.item !== key || !isShown(letter) || find(`#k${letter.key}`)) continue;
    addPending(withFiles(letter));
    if (letter.refused) showRefused(letter);
  }
}

/** Files of letters that an earlier page has left; a letter whose files are gone is never sent without them. */
async function readFiles() {
  const owners = letters.filter((letter) => letter.files);
  const kept = await keptFiles();
  await kept.tidy(letters.map((letter) => letter.key));
  for (const letter of owners) {
    const files = await kept.read(letter.key).catch(() => []);
    if (files.length) filesOf.set(letter.key, files);
    if (!isWhole(letter)) letter.refused = gettext("the files did not outlive the page. Attach them again");
  }
  keep();
}

/** The bubble shown before the server has the message. @param {{key: string, mode: string, text: string, files: File[]}} letter */
function addPending(letter) {
  const bubble = find("#blank-entry").content.firstElementChild.cloneNode(true);
  bubble.className = `entry ${letter.mode === "note" ? "note" : "out"} is-pending`;
  bubble.id = `k${letter.key}`;
  find(".who", bubble).textContent = config.name;
  find("time", bubble).textContent = new Intl.DateTimeFormat(config.language, { hour: "2-digit", minute: "2-digit", timeZone: config.zone }).format(serverNow());
  find(".text", bubble).textContent = letter.text || letter.files.map((file) => file.name).join(", ");
  feed.addBelow(bubble);
}

/** @param {string} key @param {string} mark @param {string} word @param {HTMLElement[]} [buttons] */
function showPending(key, mark, word, buttons = []) {
  const bubble = find(`#k${key}`);
  if (!bubble) return;
  const state = find(".send-state", bubble);
  state.dataset.mark = mark;
  find("use", state).setAttribute("href", `${config.sprite}#${mark}`);
  find(".send-word", state).textContent = word;
  for (const button of findAll("button", bubble)) button.remove();
  find(".bubble-foot", bubble).append(...buttons);
}

/** The server has the message: its entry takes the bubble's place. @param {string} key @param {number} id */
function settlePending(key, id) {
  const bubble = find(`#k${key}`);
  if (!bubble) return;
  if (find(`#m${id}`)) bubble.remove();
  else {
    bubble.id = `m${id}`;
    bubble.dataset.id = String(id);
    bubble.dataset.order = "~";
  }
  feed.want(id);
}

/** What tabs that were closed, or another person, have left here goes. */
async function tidyUp() {
  const found = (await indexedDB.databases?.()) || [];
  if (found.some((one) => one.name === "otklik")) await (await keptFiles()).tidy([]);
}

/** Signing out: nothing of the guest's stays in this browser. */
export async function forget() {
  letters = [];
  keep();
  await keptFiles().then((part) => part.clear()).catch(() => {});
}

/** @param {typeof writing} place */
export function start(place) {
  writing = place;
  letters = JSON.parse(sessionStorage.getItem(PLACE) || "[]");
  if (letters.some((letter) => letter.files)) ready = readFiles().catch(() => {});
  else tidyUp().catch(() => {});
  addEventListener("online", () => flush());
  live.addEventListener("welcome", () => flush());
}
