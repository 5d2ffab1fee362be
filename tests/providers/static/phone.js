// A guest's phone: the channel chosen in it says how things are said and what has been said; the page draws it.
import { Played } from "./played.js";
import { Telegram } from "./telegram.js";

const $ = (id) => document.getElementById(id);
const HINT = "Enter отправляет, Shift+Enter переносит строку.";
let line = null;
let editing = null;

function newGuest(channel) {
  const id = `${channel.phone ? "79" : ""}${500000000 + Math.floor(Math.random() * 400000000)}`;
  localStorage.setItem(`guest:${channel.kind}`, id);
  return id;
}

function pickUp(channel, guest) {
  line?.hangUp();
  const id = guest ?? localStorage.getItem(`guest:${channel.kind}`) ?? newGuest(channel);
  const events = { changed: draw, state: (text) => ($("state").textContent = text) };
  line = channel.kind === "telegram" ? new Telegram(channel, id, events) : new Played(channel, id, events);
  editing = null;
  show(channel, id);
  line.listen();
  draw();
}

function show(channel, id) {
  $("channel").value = channel.kind;
  location.hash = channel.kind;
  document.title = `Гость: ${channel.title}`;
  $("chat").textContent = id;
  $("state").textContent = channel.title;
  $("block").hidden = $("contact").hidden = channel.kind !== "telegram";
  $("composer").hidden = channel.calls || !channel.writes;
  $("calls").hidden = !channel.calls;
  $("silent").hidden = channel.writes;
  $("clip").hidden = !channel.photo;
  $("files").accept = channel.document ? "" : "image/png,image/jpeg";
  $("stars").hidden = !channel.stars;
  $("what").textContent = channel.phone ? "Телефон" : channel.stars ? "Номер отзыва" : "Номер гостя";
  $("hint").textContent = hint(channel);
}

function hint(channel) {
  if (channel.calls) return "Звонок проигрывается целиком: АТС расскажет о нём так, как это делает её производитель.";
  if (!channel.writes) return "Номер гостя и номер в уведомлении должны совпадать.";
  if (channel.kind === "telegram") return `${HINT} Двойной щелчок по своему сообщению позволяет его исправить.`;
  if (!channel.answers) return `${HINT} Отвечать здесь платформа не может: площадка ответов не принимает.`;
  return channel.stars ? `${HINT} Новый текст меняет тот же отзыв; «Другой гость» начинает новый.` : HINT;
}

async function draw() {
  const from = line;
  const { messages, blocked } = await from.talk();
  if (from !== line) return;
  const log = $("log");
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  log.replaceChildren(...messages.map(bubble));
  if (atEnd) log.scrollTop = log.scrollHeight;
  $("block").textContent = blocked ? "Разблокировать" : "Заблокировать";
  $("block").setAttribute("aria-pressed", String(Boolean(blocked)));
}

function bubble(message) {
  const item = $("bubble").content.cloneNode(true).firstElementChild;
  item.classList.toggle("own", message.own);
  item.querySelector("p").textContent = message.text;
  item.querySelector("time").textContent = clock(message);
  if (message.failed) item.querySelector("footer").append(mark());
  if (message.editable) item.addEventListener("dblclick", () => startEditing(message));
  if (message.image) reveal(item.querySelector("img"), "src", message.image);
  if (message.file) reveal(item.querySelector("a"), "href", message.file.href).textContent = `Файл: ${message.file.name}`;
  keys(item, message);
  return item;
}

function clock(message) {
  const time = new Date(message.at * 1000).toLocaleTimeString("ru", { hour: "2-digit", minute: "2-digit" });
  return message.edited ? `изменено ${time}` : time;
}

function mark() {
  const span = document.createElement("span");
  span.className = "failed";
  span.textContent = " не доставлено";
  return span;
}

function reveal(element, attribute, address) {
  element[attribute] = address;
  element.hidden = false;
  return element;
}

function keys(item, message) {
  if (!message.keys?.length) return;
  const box = document.createElement("div");
  box.className = "keys";
  for (const key of message.keys) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = key.text;
    button.addEventListener("click", () => say({ ...(key.tap ? { tap: key.tap } : { press: key.data }), reply_to: message.id }));
    box.append(button);
  }
  item.append(box);
}

function startEditing(message) {
  editing = message.id;
  $("text").value = message.text;
  $("text").focus();
  $("state").textContent = "исправление сообщения";
}

async function base64(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let start = 0; start < bytes.length; start += 8192) text += String.fromCharCode(...bytes.subarray(start, start + 8192));
  return btoa(text);
}

async function say(what) {
  const sending = line.say({ name: $("name").value.trim() || "Анна", ...what });
  setTimeout(draw, 60);
  await sending;
  await draw();
}

async function submit(event) {
  event.preventDefault();
  const text = $("text").value.trim();
  const stars = line.channel.stars ? { stars: Number($("stars").value) } : {};
  const chosen = [...$("files").files];
  const edit = editing;
  editing = null;
  $("text").value = $("files").value = "";
  if (chosen.length) {
    const files = await Promise.all(chosen.map(async (file) => ({ name: file.name, mime: file.type, data: await base64(file) })));
    for (const part of line.withFiles(files, text)) await say(part);
  } else if (text) await say(edit ? { text, edit } : { text, ...stars });
}

async function begin() {
  const telegram = { kind: "telegram", title: "Telegram", group: "Мессенджеры", photo: true, document: true, writes: true, answers: true };
  const channels = [telegram, ...(await (await fetch("/phone/channels")).json())];
  const byKind = new Map(channels.map((channel) => [channel.kind, channel]));
  $("channel").replaceChildren(...[...new Set(channels.map((channel) => channel.group))].map((name) => group(name, channels)));
  $("channel").addEventListener("change", () => pickUp(byKind.get($("channel").value)));
  $("fresh").addEventListener("click", () => pickUp(line.channel, newGuest(line.channel)));
  window.addEventListener("hashchange", () => {
    const named = byKind.get(location.hash.slice(1));
    if (named && named !== line.channel) pickUp(named);
  });
  pickUp(byKind.get(location.hash.slice(1)) ?? telegram);
}

function group(name, channels) {
  const found = document.createElement("optgroup");
  found.label = name;
  found.append(...channels.filter((channel) => channel.group === name).map((channel) => new Option(channel.title, channel.kind)));
  return found;
}

$("composer").addEventListener("submit", submit);
$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
});
$("files").addEventListener("change", submit);
for (const button of $("calls").querySelectorAll("button")) button.addEventListener("click", () => say({ text: button.dataset.call }));
$("block").addEventListener("click", () => say({ block: $("block").getAttribute("aria-pressed") !== "true" }));
$("contact").addEventListener("click", () => say({ contact: "79001112233" }));
begin();
