// @ts-check
/** One field that reaches everything: commands, tickets by number, guests by name or telephone. */
import { debounced, element, find, gettext, icon } from "./page.js";
import * as item from "./item.js";
import { read } from "./net.js";

const LATIN = "`qwertyuiop[]asdfghjkl;'zxcvbnm,.";
const RUSSIAN = "ёйцукенгшщзхъфывапролджэячсмитьбю";
const SHOWN = 12;

/** The same keys in the other layout. @param {string} text */
export const otherLayout = (text) =>
  [...text].map((letter) => {
    const [latin, russian] = [LATIN.indexOf(letter), RUSSIAN.indexOf(letter)];
    return latin >= 0 ? RUSSIAN[latin] : russian >= 0 ? LATIN[russian] : letter;
  }).join("");

const box = find("#palette");
const input = find("#palette-input");
const list = find("#palette-list");
/** @type {{name: string, hint: string, shown: string, icon: string, run: () => void}[]} */
let choices = [];
let active = 0;
/** @type {readonly {name: string, words: string, shown: string, run: () => void}[]} */
let commands = [];

/** @param {string} words */
function findCommands(words) {
  const text = words.toLowerCase().trim();
  const spellings = [text, otherLayout(text)];
  const fits = (/** @type {any} */ key) => spellings.some((spelling) => spelling.split(/\s+/).every((part) => `${key.name} ${key.words}`.toLowerCase().includes(part)));
  const found = commands.filter((key) => !text || fits(key));
  return found.map((key) => ({ name: key.name, hint: "", shown: key.shown, icon: "command", run: key.run }));
}

/** @param {any} one */
const asChoice = (one) => ({
  name: [one.number && `№ ${one.number}`, one.name].filter(Boolean).join(" · "),
  hint: [one.channel, one.state, one.hint].filter(Boolean).join(" · "),
  shown: "",
  icon: one.kind === "case" ? "ticket" : "person",
  run: () => item.open(`${one.kind}:${one.id}`),
});

/** @param {typeof choices} found */
function show(found) {
  choices = found.slice(0, SHOWN);
  list.replaceChildren(...choices.map((choice, place) => {
    const line = element("li", { id: `choice-${place}`, role: "option", "aria-selected": "false" });
    line.append(icon(choice.icon), element("span", { className: "found-name" }, choice.name), element("span", { className: "found-hint" }, choice.hint));
    if (choice.shown) line.append(element("kbd", {}, choice.shown));
    line.addEventListener("click", () => run(place));
    return line;
  }));
  if (!choices.length) list.append(element("li", { className: "hint", role: "option", "aria-selected": "false", "aria-disabled": "true" }, gettext("Nothing found")));
  mark(0);
}

/** @param {number} place */
function mark(place) {
  active = place;
  [...list.children].forEach((line, index) => line.setAttribute("aria-selected", String(index === place)));
  list.children[place]?.scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", `choice-${place}`);
}

/** @param {number} place */
function run(place) {
  const choice = choices[place];
  box.close();
  choice?.run();
}

let asked = 0;
const search = debounced(async () => {
  const [words, mine] = [input.value.trim(), ++asked];
  if (words.length < 2) return;
  const { found } = await read("search/", { q: words }).catch(() => ({ found: [] }));
  if (mine === asked && box.open) show([...found.map(asChoice), ...findCommands(words)]);
}, 120);

/** The box is open. @param {typeof commands} all what it can carry out: the keys tell it, so that the two modules do not import each other */
export function opened(all) {
  commands = all;
  look();
}

function look() {
  show(findCommands(input.value));
  search();
}

function start() {
  input.addEventListener("input", look);
  input.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const last = choices.length - 1;
    if (event.key === "ArrowDown") mark(active >= last ? 0 : active + 1);
    else if (event.key === "ArrowUp") mark(active <= 0 ? last : active - 1);
    else if (event.key === "Enter") run(active);
    else return;
    event.preventDefault();
  });
  box.addEventListener("click", (/** @type {Event} */ event) => event.target === box && box.close());
}

start();
