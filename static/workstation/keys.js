// @ts-check
/** Keys by their place on the keyboard, so that ЙЦУКЕН and QWERTY are alike; never while a text is written. */
import { config, element, find, findAll, gettext, isTextField } from "./page.js";
import * as composer from "./composer.js";
import * as dialogs from "./dialogs.js";
import * as item from "./item.js";
import * as offers from "./offers.js";
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

/** What single keys do; which key does it is the person's choice (config.keys). `words` are what the palette finds it by. */
export const DEEDS = [
  { deed: "next", name: gettext("Next in the list"), words: "next следующий вниз", run: () => walk(1) },
  { deed: "previous", name: gettext("Previous in the list"), words: "previous предыдущий вверх", run: () => walk(-1) },
  { deed: "urgent", name: gettext("Open what is most urgent"), words: "urgent sla срочный", run: openUrgent },
  { deed: "answer", name: gettext("Write an answer"), words: "answer reply ответить ответ", run: () => composer.focus("answer") },
  { deed: "note", name: gettext("Write a note"), words: "note заметка", run: () => composer.focus("note") },
  { deed: "assign", name: gettext("Take, or hand to a colleague"), words: "take assign transfer hand принять взять назначить передать", run: item.assign },
  { deed: "snooze", name: gettext("Put off"), words: "snooze put off отложить", run: item.snooze },
  { deed: "finish", name: gettext("Finish"), words: "finish close завершить закрыть", run: () => item.finish() },
  { deed: "finish_next", name: gettext("Finish and take the next"), words: "finish next завершить следующий", run: () => item.finish(true) },
  { deed: "ticket", name: gettext("Make a ticket"), words: "ticket create создать обращение тикет", run: () => panel.showTab("ticket", "#topic") },
  { deed: "topic", name: gettext("Choose the topic"), words: "classify topic тема классификация", run: () => panel.showTab("ticket", "#topic") },
  { deed: "compare", name: gettext("Compare possible duplicates"), words: "compare duplicate дубль сравнить объединить", run: () => item.later("compare") },
  { deed: "compensate", name: gettext("Give a compensation"), words: "compensation points компенсация баллы", run: () => item.later("compensate") },
  { deed: "priority", name: gettext("Change the priority"), words: "priority urgent приоритет срочность", run: () => item.later("priority") },
  { deed: "knowledge", name: gettext("Knowledge base"), words: "knowledge article база знаний статья", run: () => panel.showTab("knowledge", "#article-words") },
  { deed: "history", name: gettext("History of the guest"), words: "history earlier история прежние", run: () => panel.showTab("history", ".case-link") },
  { deed: "orders", name: gettext("Orders of the guest"), words: "orders заказы", run: () => panel.showTab("orders", ".order summary") },
  { deed: "guest", name: gettext("Who the guest is"), words: "guest customer клиент гость", run: () => panel.showTab("guest") },
  ...(config.worksInMass ? [{ deed: "pick", name: gettext("Choose tickets for mass work"), words: "select mass bulk choose выбрать массово", run: () => choosing("pick") }] : []),
  { deed: "undo", name: gettext("Undo"), words: "undo отменить вернуть", run: item.undo },
  { deed: "ready", name: gettext("Ready or break"), words: "ready break на линии перерыв", run: presence.toggle },
  { deed: "tab_mine", name: gettext("List: mine"), words: "mine мои", run: tab("mine") },
  { deed: "tab_queue", name: gettext("List: queue"), words: "queue очередь", run: tab("queue") },
  { deed: "tab_group", name: gettext("List: group"), words: "group группа", run: tab("group") },
  { deed: "tab_snoozed", name: gettext("List: put off"), words: "snoozed отложенные", run: tab("snoozed") },
  { deed: "tab_all", name: gettext("List: all"), words: "all все", run: tab("all") },
  { deed: "fold_list", name: gettext("Fold the list"), words: "fold list свернуть список", run: () => fold("no-list") },
  { deed: "fold_panel", name: gettext("Fold the right panel"), words: "fold panel свернуть панель", run: panel.toggle },
  { deed: "find", name: gettext("Find"), words: "search find поиск найти", run: openPalette },
];
/** Keys that stay as they are, for the overview. */
const OTHERS = [
  ["?", gettext("Keys")],
  ["Ctrl K", gettext("Find anything, do anything")],
  ["F6", gettext("Next region: list, messages, text, panel")],
  ["F2", gettext("Answer the offered call, or make the one that is due")],
  ["F8", gettext("Accept the offered dialogue")],
  ["F9", gettext("Decline the offered dialogue")],
  ["Ctrl Enter", gettext("Send")],
  ["Ctrl Shift Enter", gettext("Send and finish")],
  ["Ctrl /", gettext("Answer or note")],
  ["/", gettext("Ready answers, in an empty text")],
  ["PgUp PgDn", gettext("Message by message")],
  ["Esc", gettext("From the text to the messages, to the list")],
];

/** A key as people read it: "Shift E", "" for none. @param {string} key */
const capOf = (key) => (key.startsWith("Shift+") ? `Shift ${config.caps[key.slice(6)]}` : config.caps[key] || "");
/** A pressed key's name, as the server keeps it. @param {KeyboardEvent} event */
const nameOf = (event) => `${event.shiftKey ? "Shift+" : ""}${event.code}`;

/** Every command as the palette shows it. */
const commands = () => [
  ...DEEDS.map((one) => ({ ...one, shown: capOf(config.keys[one.deed]) })),
  { name: gettext("Keys"), words: "keys help клавиши помощь", shown: "?", run: help },
  { name: gettext("Change the keys"), words: "keys remap change клавиши настроить изменить", shown: "", run: changeKeys },
];

export function help() {
  dialogs.show("help", (root) => {
    const lines = [...DEEDS.map((one) => [capOf(config.keys[one.deed]), one.name]), ...OTHERS];
    find("#keys-list").replaceChildren(...lines.map(([keys, name]) => {
      const caps = keys.split(" ").filter(Boolean).flatMap((key, place) => (place ? [" ", element("kbd", {}, key)] : [element("kbd", {}, key)]));
      return element("p", {}, name, element("span", {}, ...(caps.length ? caps : [gettext("no key")])));
    }));
    find("[data-change]", root).addEventListener("click", changeKeys);
    find("[data-close]", root).focus();
  });
}

const changeKeys = () => import("./own_keys.js").then((part) => part.change(DEEDS, { capOf, nameOf }));

/** The field is there at once: what is typed before the rest has come waits in it. */
function openPalette() {
  const [box, input] = [find("#palette"), find("#palette-input")];
  const opener = /** @type {any} */ (document.activeElement);
  box.onclose = () => opener?.isConnected && document.activeElement === document.body && opener.focus();
  input.value = "";
  box.showModal();
  input.focus();
  import("./palette.js").then((palette) => palette.opened(commands()));
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
  } else if (event.key === "F2") {
    event.preventDefault();
    if (!event.repeat && !offers.acceptCall()) import("./life.js").then((part) => part.answerCall(item.open, panel.showTab));
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
  const deed = event.key === "?" ? { run: help } : DEEDS.find((one) => config.keys[one.deed] === nameOf(event));
  if (!deed) return;
  event.preventDefault();
  deed.run();
}

export function start() {
  document.addEventListener("keydown", pressed);
  document.addEventListener("click", (event) => {
    const target = /** @type {any} */ (event.target);
    for (const menu of findAll("details.menu[open]")) if (!menu.contains(target)) menu.open = false;
    if (target.closest("[data-do=help]")) help();
    if (target.closest("[data-do=choose]")) choosing("toggleMode");
    if (target.closest("[data-do=palette]")) openPalette();
    if (target.closest("[data-do=own-keys]")) changeKeys();
  });
}
