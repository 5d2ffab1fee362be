// @ts-check
/** The composer: drafts on the server, files, limits. What is sent goes by the outbox. */
import { config, debounced, element, find, gettext, icon, interpolate, serverNow, toast } from "./page.js";
import { hourOf } from "./clocks.js";
import { chooseTemplate } from "./dialogs.js";
import * as feed from "./feed.js";
import { live } from "./live.js";
import { command, newKey } from "./net.js";
import * as outbox from "./outbox.js";
import * as rows from "./rows.js";

const AUTOSAVE = 700;
const TYPING_EVERY = 3_000;

/** @type {any} */
let item = null;
/** @type {any} */
let form = null;
/** @type {any} */
let text = null;
/** @type {Record<string, string>} */
let texts = { answer: "", note: "" };
/** @type {Record<string, number>} */
let revisions = { answer: 0, note: 0 };
/** @type {File[]} */
let files = [];
let typedAt = 0;

const mode = () => (new FormData(form).get("mode") === "note" ? "note" : "answer");

/** @param {any} opened */
export function open(opened) {
  item = opened;
  form = find("#composer");
  text = find("#text");
  texts = { answer: text.dataset.answer, note: text.dataset.note };
  // Who types before the scripts are there has not typed in vain.
  const early = text.value === texts[mode()] ? "" : text.value;
  revisions = { answer: 0, note: 0 };
  files = [];
  form.addEventListener("submit", submit);
  form.addEventListener("change", changed);
  text.addEventListener("input", typed);
  text.addEventListener("keydown", keys);
  text.addEventListener("blur", () => say("off"));
  text.addEventListener("paste", (/** @type {ClipboardEvent} */ event) => addFiles(event.clipboardData?.files, event));
  for (const kind of ["dragover", "dragleave", "drop"]) form.addEventListener(kind, dragged);
  showMode();
  outbox.show(item.key);
  if (early) {
    text.value = early;
    typed();
  }
}

/** Leaving the item: what is written stays as a draft. */
export function close() {
  if (!item) return;
  save.cancel();
  keepDraft();
  say("off");
  item = null;
}

/** @param {any} event */
function changed(event) {
  if (event.target.id === "files") {
    addFiles(event.target.files);
    event.target.value = "";
  } else if (event.target.name === "mode") {
    showMode();
    text.focus();
  }
}

function showMode() {
  const chosen = mode();
  form.classList.toggle("is-note", chosen === "note");
  text.value = texts[chosen];
  text.placeholder = chosen === "note" ? text.dataset.notePlaceholder : text.dataset.shown || (text.dataset.shown = text.placeholder);
  find("#send-word").textContent = find("#send-word").dataset[chosen];
  find("#text-label").textContent = chosen === "note" ? gettext("Note for colleagues") : gettext("Answer to the guest");
  setSilent(form.dataset.silent);
  count();
}

/** Why the guest cannot be answered; notes are possible still. @param {string} why */
export function setSilent(why) {
  if (!form) return;
  form.dataset.silent = why;
  const isClosed = Boolean(why) && mode() === "answer";
  find("#composer-hint").textContent = isClosed ? why : "";
  text.readOnly = isClosed && !text.value;
  find("#send").disabled = isClosed;
}

/** @param {"answer"|"note"} chosen */
export function focus(chosen) {
  const radio = form && find(`[name=mode][value=${chosen}]`, form);
  if (!radio) return;
  radio.checked = true;
  showMode();
  text.focus();
}
export const toggle = () => focus(mode() === "note" ? "answer" : "note");

function typed() {
  const chosen = mode();
  texts[chosen] = text.value;
  revisions[chosen] = serverNow();
  feed.seenNow();
  count();
  find("#draft-state").textContent = "";
  save();
  if (chosen === "answer" && Date.now() - typedAt > TYPING_EVERY && text.value) {
    typedAt = Date.now();
    say("on");
  }
}

/** Colleagues see that an answer is being written. @param {"on"|"off"} state */
function say(state) {
  if (state === "off") typedAt = 0;
  if (item) live.send({ type: "typing", guest_id: item.guest, state });
}

function count() {
  const limit = Number(form.dataset.limit);
  const length = [...text.value].length;
  const counter = find("#counter");
  counter.hidden = mode() === "note" || !limit || length < limit * 0.7;
  counter.textContent = `${length} / ${limit}`;
  const isOver = mode() === "answer" && Boolean(limit) && length > limit;
  counter.classList.toggle("is-over", isOver);
  text.setAttribute("aria-invalid", String(isOver));
}

// One save at a time, so that an older text never overtakes a newer one on its way.
let saving = Promise.resolve();
/** Saves under way by mode: until they end, what stands here is newer than any news of a draft. */
const underWay = { answer: 0, note: 0 };
const save = debounced(() => keepDraft(), AUTOSAVE);
/** @param {boolean} [leaving] the page goes away: the call must outlive it */
function keepDraft(leaving = false) {
  const opened = item;
  for (const chosen of ["answer", "note"]) {
    const [words, revision] = [texts[chosen], Math.round(revisions[chosen])];
    if (!opened || !revision) continue;
    revisions[chosen] = 0;
    rows.setDraft(opened.key, texts.answer || texts.note);
    const run = () => command(`${opened.kind}/${opened.id}/draft/`, { mode: chosen, text: words, revision }, { keepalive: leaving }).then(
      () => opened === item && (find("#draft-state").textContent = interpolate(gettext("Draft saved at %(time)s"), { time: hourOf(serverNow()) })),
      () => {
        // Not saved: the next keystroke or the connection's return tries again.
        if (opened === item && !revisions[chosen] && texts[chosen] === words) revisions[chosen] = revision;
      },
    );
    if (leaving) run();
    else {
      underWay[chosen] += 1;
      saving = saving.then(run).then(() => void (underWay[chosen] -= 1));
    }
  }
}

/** The person wrote on another screen. @param {any} data */
export function draftElsewhere(data) {
  rows.setDraft(data.item, data.text);
  if (data.item !== item?.key || document.activeElement === text || revisions[data.mode] || underWay[data.mode]) return;
  if (data.text.endsWith("…")) return; // a long text comes cut; it is read when the item is opened
  texts[data.mode] = data.text;
  if (mode() === data.mode) text.value = data.text;
}

/** @param {KeyboardEvent} event */
function keys(event) {
  if (event.key === "Enter" && event.ctrlKey) {
    event.preventDefault();
    if (!event.repeat) submit(event, event.shiftKey);
  } else if (event.code === "Slash" && event.ctrlKey) {
    event.preventDefault();
    toggle();
  } else if (event.key === "/" && !text.value) {
    event.preventDefault();
    insertTemplate();
  } else if (event.key === "Escape") {
    event.preventDefault();
    find("#feed").focus();
  }
}

export async function insertTemplate() {
  const chosen = await chooseTemplate(`${item.kind}/${item.id}/templates/`);
  text.focus();
  if (chosen) insert(chosen);
}

/** @param {string} words put where the person writes */
function insert(words) {
  text.setRangeText(words, text.selectionStart, text.selectionEnd, "end");
  typed();
}

/** Words for the guest, where the answer is written. @param {string} words @returns {boolean} whether the guest can be answered */
export function insertAnswer(words) {
  focus("answer");
  if (text.readOnly || mode() !== "answer") return false;
  insert(words);
  return true;
}

/** @param {DragEvent} event */
function dragged(event) {
  if (!event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  form.classList.toggle("is-over", event.type === "dragover");
  if (event.type === "drop") addFiles(event.dataTransfer.files);
}

/** @param {FileList|File[]|undefined|null} chosen @param {Event} [event] */
export function addFiles(chosen, event) {
  const most = Number(form.dataset.files);
  if (!chosen?.length) return;
  event?.preventDefault();
  if (!most) {
    toast(gettext("This channel takes no files."));
    return;
  }
  files = [...files, ...chosen].slice(0, most);
  if (files.length === most && chosen.length > 1) toast(interpolate(gettext("This channel takes %(count)s files at a time."), { count: most }));
  showFiles();
}

function showFiles() {
  const list = find("#uploads");
  list.hidden = !files.length;
  list.replaceChildren(...files.map((file) => {
    const remove = element("button", { type: "button", className: "icon-button", "aria-label": interpolate(gettext("Remove %(name)s"), { name: file.name }) }, icon("close"));
    remove.addEventListener("click", () => {
      files = files.filter((other) => other !== file);
      showFiles();
      text.focus();
    });
    return element("li", {}, file.name, remove);
  }));
}

export const attach = () => find("#files")?.click();

/** @param {Event} event @param {boolean} [finish] */
function submit(event, finish = false) {
  event.preventDefault();
  const [chosen, words] = [mode(), text.value];
  if ((!words.trim() && !files.length) || find("#send").disabled) return;
  const limit = Number(form.dataset.limit);
  if (chosen === "answer" && limit && [...words].length > limit) {
    toast(interpolate(gettext("The text is %(excess)s characters over the limit of this channel."), { excess: [...words].length - limit }));
    return;
  }
  const letter = {
    key: newKey(), item: item.key, kind: item.kind, id: item.id, mode: chosen, text: words,
    seen: feed.seenId(), revision: Math.round(serverNow()), over: 0, finish,
  };
  const sent = chosen === "answer" ? files : [];
  empty(chosen);
  outbox.send(letter, sent);
}

/** @param {string} chosen */
function empty(chosen) {
  save.cancel();
  texts[chosen] = text.value = "";
  revisions[chosen] = 0;
  if (chosen === "answer") files = [];
  showFiles();
  count();
  say("off");
  find("#draft-state").textContent = "";
  rows.setDraft(item.key, texts.answer || texts.note);
}

/** What could not be sent goes back to where it was written. @param {string} chosen @param {string} words @param {File[]} kept */
function takeBack(chosen, words, kept) {
  putText(chosen, words);
  files = [...kept, ...files];
  showFiles();
}

/** @param {string} chosen @param {string} words */
export function putText(chosen, words) {
  focus(chosen === "note" ? "note" : "answer");
  text.value = text.value ? `${words}\n${text.value}` : words;
  typed();
}

/** Signing out: nothing of the guest's stays in this browser. */
export async function leave() {
  save.cancel();
  keepDraft(true);
  await saving;
  await outbox.forget();
}

export function start() {
  outbox.start({ saved: () => saving, takeBack });
  addEventListener("pagehide", () => keepDraft(true));
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && keepDraft());
  live.addEventListener("welcome", () => keepDraft());
}
