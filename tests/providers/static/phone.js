// A guest's phone: what is said goes to the control plane of the Telegram server, the chat is drawn from the server's state.
const $ = (id) => document.getElementById(id);
const failed = new Map();
let chat = Number(localStorage.getItem("chat")) || newChat();
let seen = 0;
let editing = null;

function newChat() {
  const id = 500000000 + Math.floor(Math.random() * 400000000);
  localStorage.setItem("chat", String(id));
  return id;
}

async function say(what) {
  const body = JSON.stringify({ chat_id: chat, first_name: $("name").value.trim() || "Анна", ...what });
  const request = fetch("/_control/telegram/guest", { method: "POST", headers: { "Content-Type": "application/json" }, body });
  setTimeout(draw, 60);
  const answer = await (await request).json();
  for (const { update, delivered, wanted } of answer.result ?? []) {
    const message = update.message ?? update.edited_message;
    if (message && wanted && !delivered) failed.set(message.message_id, true);
  }
  $("state").textContent = answer.error ? `не отправлено: ${answer.error}` : "бот";
  await draw();
}

async function draw() {
  const answer = await fetch(`/phone/chat?chat_id=${chat}`);
  const { messages, blocked } = await answer.json();
  const log = $("log");
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  log.replaceChildren(...messages.map(bubble));
  if (atEnd) log.scrollTop = log.scrollHeight;
  $("chat").textContent = String(chat);
  $("block").textContent = blocked ? "Разблокировать" : "Заблокировать";
  $("block").setAttribute("aria-pressed", String(blocked));
}

function bubble(message) {
  const item = $("bubble").content.cloneNode(true).firstElementChild;
  const own = !message.from.is_bot;
  item.classList.toggle("own", own);
  item.dataset.id = message.message_id;
  item.querySelector("p").textContent = message.text ?? message.caption ?? (message.contact ? `☎ ${message.contact.phone_number}` : "");
  item.querySelector("time").textContent = clock(message);
  if (own && failed.has(message.message_id)) item.querySelector("footer").append(mark());
  if (own && message.text) item.addEventListener("dblclick", () => startEditing(message));
  attach(item, message);
  keys(item, message);
  return item;
}

function clock(message) {
  const time = new Date(message.date * 1000).toLocaleTimeString("ru", { hour: "2-digit", minute: "2-digit" });
  return message.edit_date ? `изменено ${time}` : time;
}

function mark() {
  const span = document.createElement("span");
  span.className = "failed";
  span.textContent = " не доставлено";
  return span;
}

function attach(item, message) {
  const photo = message.photo?.at(-1);
  if (photo) show(item.querySelector("img"), "src", photo.file_id);
  if (message.document) show(item.querySelector("a"), "href", message.document.file_id).textContent = `Файл: ${message.document.file_name}`;
}

function show(element, attribute, file) {
  element[attribute] = `/phone/file?id=${encodeURIComponent(file)}`;
  element.hidden = false;
  return element;
}

function keys(item, message) {
  const rows = message.reply_markup?.inline_keyboard ?? [];
  if (!rows.length || !message.from.is_bot) return;
  const box = document.createElement("div");
  box.className = "keys";
  for (const key of rows.flat()) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = key.text;
    button.addEventListener("click", () => say({ press: key.callback_data, reply_to: message.message_id }));
    box.append(button);
  }
  item.append(box);
}

function startEditing(message) {
  editing = message.message_id;
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

async function sendFiles(files, caption) {
  const photos = files.filter((file) => ["image/jpeg", "image/png"].includes(file.type));
  const others = files.filter((file) => !photos.includes(file));
  if (photos.length === 1) await say({ photo: await base64(photos[0]), caption });
  if (photos.length > 1) await say({ album: await Promise.all(photos.map(base64)), caption });
  for (const file of others) {
    const mime = file.type || "application/octet-stream";
    await say({ document: await base64(file), name: file.name, mime, caption: photos.length ? "" : caption });
  }
}

async function submit(event) {
  event.preventDefault();
  const text = $("text").value.trim();
  const files = [...$("files").files];
  const edit = editing;
  editing = null;
  $("composer").reset();
  if (files.length) await sendFiles(files, text);
  else if (text) await say(edit ? { text, edit } : { text });
}

async function listen() {
  for (;;) {
    try {
      const answer = await fetch(`/_control/telegram/accepted?after=${seen}&wait=20`);
      const entries = await answer.json();
      if (entries.length) {
        seen = entries.at(-1).n;
        await draw();
      }
    } catch {
      $("state").textContent = "нет связи с сервером";
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
}

$("composer").addEventListener("submit", submit);
$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
});
$("files").addEventListener("change", submit);
$("block").addEventListener("click", () => say({ block: $("block").getAttribute("aria-pressed") !== "true" }));
$("contact").addEventListener("click", () => say({ contact: "79001112233" }));
$("fresh").addEventListener("click", () => {
  chat = newChat();
  draw();
});
draw();
listen();
