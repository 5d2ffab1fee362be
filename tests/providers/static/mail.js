// A guest's mailbox: letters go to the mail server by SMTP, answers are read from the guest's own mailbox.
const $ = (id) => document.getElementById(id);
const sent = [];
let answered = null;
let drawn = "";

async function send(event) {
  event.preventDefault();
  const body = {
    from: $("address").value.trim(),
    name: $("name").value.trim(),
    subject: $("subject").value.trim(),
    text: $("text").value,
    in_reply_to: answered?.message_id ?? "",
    to: answered?.reply_to || answered?.from || "",
  };
  const request = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const answer = await (await fetch("/_control/mail/send", request)).json();
  $("state").textContent = answer.error ? `не отправлено: ${answer.error}` : "Отправлено";
  if (answer.error) return;
  sent.push({ ...body, date: new Date().toUTCString(), own: true });
  $("text").value = "";
  $("subject").value = "";
  answered = null;
  await draw();
}

async function draw() {
  const address = $("address").value.trim();
  const { mails } = await (await fetch(`/mail/box?address=${encodeURIComponent(address)}`)).json();
  const all = [...sent.filter((mail) => mail.from === address), ...mails].sort((a, b) => Date.parse(a.date) - Date.parse(b.date));
  const state = JSON.stringify(all);
  if (state === drawn) return;
  drawn = state;
  $("letters").replaceChildren(...all.map(card));
  $("letters").scrollTop = $("letters").scrollHeight;
}

function card(mail) {
  const item = $("card").content.cloneNode(true).firstElementChild;
  item.classList.toggle("own", Boolean(mail.own));
  item.querySelector("h2").textContent = mail.subject || "Без темы";
  item.querySelector(".from").textContent = `${mail.from} · ${new Date(mail.date).toLocaleString("ru")}`;
  item.querySelector(".text").textContent = mail.text;
  item.querySelector(".files").textContent = mail.files?.length ? `Файлы: ${mail.files.join(", ")}` : "";
  const button = item.querySelector("button");
  button.hidden = Boolean(mail.own);
  button.addEventListener("click", () => reply(mail));
  return item;
}

function reply(mail) {
  answered = mail;
  $("subject").value = /^re:/i.test(mail.subject) ? mail.subject : `Re: ${mail.subject}`;
  $("text").focus();
}

$("letter").addEventListener("submit", send);
$("address").addEventListener("change", draw);
setInterval(draw, 2000);
draw();
