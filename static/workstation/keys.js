// @ts-check
/** Keys by their place on the keyboard, so that ЙЦУКЕН and QWERTY are alike; never while a text is written. */
import { config, element, find, findAll, gettext, isTextField } from "./page.js";
import * as composer from "./composer.js";
import * as dialogs from "./dialogs.js";
import * as item from "./item.js";
import * as panel from "./panel.js";
import * as presence from "./presence.js";
import * as rows from "./rows.js";

/** @param {1|-1} step */
function walk(step) {
  const focused = /** @type {any} */ (document.activeElement)?.closest?.(".row")?.dataset.key;
  const line = rows.neighbour(step, focused || item.current()?.key || "");
  if (!line) return;
  rows.rove(line.firstElementChild);
  line.firstElementChild.focus();
}

const openUrgent = () => {
  const row = rows.mostUrgent();
  if (row) item.open(rows.keyOf(row));
};

const tab = (/** @type {string} */ name) => () => rows.choose({ tab: name });
const fold = (/** @type {string} */ name) => document.body.classList.toggle(name);

/** A person who may work on many tickets at once chooses them in the list. @param {"pick"|"toggleMode"} deed */
const choosing = (deed) => import("./choosing.js").then((part) => part[deed]());

/** Single keys: place on the keyboard, with Shift or not, what is printed on it, what it does. `words` are what the palette finds it by. */
export const KEYS = [
  { code: "KeyJ", shown: "J", name: gettext("Next in the list"), words: "next следующий вниз", run: () => walk(1) },
  { code: "KeyK", shown: "K", name: gettext("Previous in the list"), words: "previous предыдущий вверх", run: () => walk(-1) },
  { code: "KeyU", shown: "U", name: gettext("Open what is most urgent"), words: "urgent sla срочный", run: openUrgent },
  { code: "KeyR", shown: "R", name: gettext("Write an answer"), words: "answer reply ответить ответ", run: () => composer.focus("answer") },
  { code: "KeyN", shown: "N", name: gettext("Write a note"), words: "note заметка", run: () => composer.focus("note") },
  { code: "KeyA", shown: "A", name: gettext("Take, or hand to a colleague"), words: "take assign transfer hand принять взять назначить передать", run: item.assign },
  { code: "KeyS", shown: "S", name: gettext("Put off"), words: "snooze put off отложить", run: item.snooze },
  { code: "KeyE", shown: "E", name: gettext("Finish"), words: "finish close завершить закрыть", run: () => item.finish() },
  { code: "KeyE", shift: true, shown: "Shift E", name: gettext("Finish and take the next"), words: "finish next завершить следующий", run: () => item.finish(true) },
  { code: "KeyT", shown: "T", name: gettext("Make a ticket"), words: "ticket create создать обращение тикет", run: () => panel.showTab("ticket", "#topic") },
  { code: "KeyL", shown: "L", name: gettext("Choose the topic"), words: "classify topic тема классификация", run: () => panel.showTab("ticket", "#topic") },
  { code: "KeyI", shown: "I", name: gettext("Who the guest is"), words: "guest customer клиент гость", run: () => panel.showTab("guest") },
  ...(config.worksInMass ? [{ code: "KeyX", shown: "X", name: gettext("Choose tickets for mass work"), words: "select mass bulk choose выбрать массово", run: () => choosing("pick") }] : []),
  { code: "KeyZ", shown: "Z", name: gettext("Undo"), words: "undo отменить вернуть", run: item.undo },
  { code: "KeyA", shift: true, shown: "Shift A", name: gettext("Ready or break"), words: "ready break на линии перерыв", run: presence.toggle },
  { code: "Digit1", shown: "1", name: gettext("List: mine"), words: "mine мои", run: tab("mine") },
  { code: "Digit2", shown: "2", name: gettext("List: queue"), words: "queue очередь", run: tab("queue") },
  { code: "Digit3", shown: "3", name: gettext("List: group"), words: "group группа", run: tab("group") },
  { code: "Digit4", shown: "4", name: gettext("List: put off"), words: "snoozed отложенные", run: tab("snoozed") },
  { code: "Digit5", shown: "5", name: gettext("List: all"), words: "all все", run: tab("all") },
  { code: "BracketLeft", shown: "[", name: gettext("Fold the list"), words: "fold list свернуть список", run: () => fold("no-list") },
  { code: "BracketRight", shown: "]", name: gettext("Fold the right panel"), words: "fold panel свернуть панель", run: panel.toggle },
  { code: "Slash", shown: "/", name: gettext("Find"), words: "search find поиск найти", run: openPalette },
  { code: "Slash", shift: true, shown: "?", name: gettext("Keys"), words: "keys help клавиши помощь", run: () => help() },
];
/** Keys with Ctrl and function keys, for the overview. */
const OTHERS = [
  ["Ctrl K", gettext("Find anything, do anything")],
  ["F6", gettext("Next region: list, messages, text, panel")],
  ["F8", gettext("Accept the offered dialogue")],
  ["F9", gettext("Decline the offered dialogue")],
  ["Ctrl Enter", gettext("Send")],
  ["Ctrl Shift Enter", gettext("Send and finish")],
  ["Ctrl /", gettext("Answer or note")],
  ["/", gettext("Ready answers, in an empty text")],
  ["PgUp PgDn", gettext("Message by message")],
  ["Esc", gettext("From the text to the messages, to the list")],
];

export function help() {
  dialogs.show("help", (root) => {
    const lines = [...KEYS.map((key) => [key.shown, key.name]), ...OTHERS];
    find("#keys-list").replaceChildren(...lines.map(([keys, name]) => {
      const caps = keys.split(" ").flatMap((key, place) => (place ? [" ", element("kbd", {}, key)] : [element("kbd", {}, key)]));
      return element("p", {}, name, element("span", {}, ...caps));
    }));
    find("[data-close]", root).focus();
  });
}

/** The field is there at once: what is typed before the rest has come waits in it. */
function openPalette() {
  const [box, input] = [find("#palette"), find("#palette-input")];
  const opener = /** @type {any} */ (document.activeElement);
  box.onclose = () => opener?.isConnected && document.activeElement === document.body && opener.focus();
  input.value = "";
  box.showModal();
  input.focus();
  import("./palette.js").then((palette) => palette.opened(KEYS));
}

const REGIONS = ["#rows", "#feed", "#text", "#panel-body"];

/** F6 walks the regions, Shift+F6 backwards. @param {1|-1} step */
function region(step) {
  const present = REGIONS.map((selector) => find(selector)).filter((place) => place?.offsetParent);
  const here = present.findIndex((place) => place.contains(document.activeElement) || (place.id === "text" && place.form.contains(document.activeElement)));
  const next = present[(here + step + present.length) % present.length] || present[0];
  if (next?.id === "rows") (find(".row-link[tabindex='0']") || find(".row-link") || find(".tab")).focus();
  else next?.focus();
}

/** Esc: from the messages to the list, from the panel to the messages. */
function escape() {
  const open = findAll("details.menu[open]")[0];
  if (open) {
    open.open = false;
    find("summary", open).focus();
  } else if (document.body.classList.contains("panel-over")) {
    document.body.classList.remove("panel-over");
    find("#feed")?.focus();
  } else if (find("#panel").contains(document.activeElement)) find("#feed")?.focus();
  else if (find("#middle").contains(document.activeElement)) find(".row-link[tabindex='0']")?.focus();
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  if (event.defaultPrevented || event.isComposing) return;
  const isDialog = Boolean(find("dialog[open]"));
  if (event.code === "KeyK" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
    event.preventDefault();
    if (!isDialog) openPalette();
    return;
  }
  if (isDialog) return;
  if (event.key === "F6") {
    event.preventDefault();
    region(event.shiftKey ? -1 : 1);
  } else if (event.key === "Escape") escape();
  else if (/** @type {any} */ (event.target).closest?.("#rows") && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    walk(event.key === "ArrowDown" ? 1 : -1);
  } else single(event);
}

/** @param {KeyboardEvent} event */
function single(event) {
  const modified = event.ctrlKey || event.altKey || event.metaKey || event.getModifierState("AltGraph");
  if (!config.singleKeys || modified || isTextField(event.target) || event.repeat) return;
  // The question mark stands elsewhere on a Russian keyboard: it is known by itself.
  const place = event.key === "?" ? { code: "Slash", shift: true } : { code: event.code, shift: event.shiftKey };
  const key = KEYS.find((one) => one.code === place.code && Boolean(one.shift) === place.shift);
  if (!key) return;
  event.preventDefault();
  key.run();
}

export function start() {
  document.addEventListener("keydown", pressed);
  document.addEventListener("click", (event) => {
    const target = /** @type {any} */ (event.target);
    for (const menu of findAll("details.menu[open]")) if (!menu.contains(target)) menu.open = false;
    if (target.closest("[data-do=help]")) help();
    if (target.closest("[data-do=choose]")) choosing("toggleMode");
    if (target.closest("[data-do=palette]")) openPalette();
  });
}
