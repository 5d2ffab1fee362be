// The dialogue on the screen: one element a message, in the order of their numbers; what is still on its way stands last.

const NEAR = 80;

/** Events: `retry` and `edit` (client_msg_id), `choose` (the label of a ready answer), `looked` (the end of the log is in view). */
export class Log extends EventTarget {
  constructor({ words, api }) {
    super();
    Object.assign(this, { words, api, shown: new Map(), pending: new Map(), seenSeq: 0 });
    this.list = document.getElementById("log");
    this.scroller = document.getElementById("scroll");
    this.newest = document.getElementById("newest");
    this.templates = { message: document.getElementById("a-message"), day: document.getElementById("a-day") };
    this.scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.newest.addEventListener("click", () => this.toEnd());
  }

  get firstSeq() {
    return Math.min(...[...this.shown.values()].map((row) => row.message.seq));
  }

  get lastAnswerSeq() {
    return Math.max(0, ...[...this.shown.values()].filter((row) => row.message.from !== "guest").map((row) => row.message.seq));
  }

  get isAtEnd() {
    return this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight < NEAR;
  }

  has(id) {
    return this.shown.has(id);
  }

  clear() {
    this.list.replaceChildren();
    this.shown.clear();
    this.pending.clear();
    this.seenSeq = 0;
  }

  /** A message of the server; whether it was not there before. */
  add(message) {
    const stay = this.isAtEnd;
    const known = this.shown.get(message.id);
    if (message.client_msg_id) this.dropPending(message.client_msg_id);
    const element = this.#draw(message);
    if (known) known.element.replaceWith(element);
    else this.#insert(element, message.seq);
    this.shown.set(message.id, { message, element });
    this.#arrange();
    if (stay || message.from === "guest") this.toEnd();
    else if (!known) this.newest.hidden = false;
    return !known;
  }

  /** Older messages above, without moving what is read. */
  addOlder(messages) {
    const height = this.scroller.scrollHeight, top = this.scroller.scrollTop;
    for (const message of messages) {
      if (this.shown.has(message.id)) continue;
      const element = this.#draw(message);
      this.#insert(element, message.seq);
      this.shown.set(message.id, { message, element });
    }
    this.#arrange();
    this.scroller.scrollTop = top + this.scroller.scrollHeight - height;
  }

  /** A message of the outbox, as it stands. */
  addPending(entry) {
    const known = this.pending.get(entry.client_msg_id);
    const element = this.#draw({
      from: "guest", text: entry.text, sent_at: entry.at, attachments: entry.uploads.map((file) => ({ ...file, ready: false })), author: "",
    });
    this.#markPending(element, entry);
    if (known) known.replaceWith(element);
    else this.list.append(element);
    this.pending.set(entry.client_msg_id, element);
    this.#arrange();
    if (!known) this.toEnd();
  }

  dropPending(id) {
    if (!this.pending.has(id)) return;
    this.pending.get(id).remove();
    this.pending.delete(id);
    this.#arrange();
  }

  /** What the operator has read. */
  markSeen(seq) {
    if (seq === this.seenSeq) return;
    this.seenSeq = seq;
    this.#arrange();
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.newest.hidden = true;
  }

  #scrolled() {
    if (!this.isAtEnd) return;
    this.newest.hidden = true;
    this.dispatchEvent(new CustomEvent("looked"));
  }

  #insert(element, seq) {
    const after = [...this.shown.values()].filter((row) => row.message.seq > seq).sort((a, b) => a.message.seq - b.message.seq)[0];
    this.list.insertBefore(element, after ? after.element : this.pending.values().next().value || null);
  }

  #draw(message) {
    const element = this.templates.message.content.firstElementChild.cloneNode(true);
    const mine = message.from === "guest";
    element.classList.add(mine ? "mine" : "theirs");
    element.dataset.from = message.from;
    element.dataset.day = new Date(message.sent_at).toDateString();
    element.dataset.author = mine ? "guest" : message.author || message.from;
    if (message.seq) element.dataset.seq = message.seq;
    element.querySelector(".author").textContent = mine ? this.words.say("you") : message.author || this.words.say("machine");
    const text = element.querySelector(".text");
    text.textContent = message.deleted ? this.words.say("deleted") : message.text;
    text.hidden = !text.textContent;
    text.classList.toggle("gone", Boolean(message.deleted));
    const at = new Date(message.sent_at);
    const time = element.querySelector("time");
    time.dateTime = message.sent_at;
    time.textContent = this.words.time(at);
    element.querySelector(".attachments").append(...message.attachments.map((file) => this.#file(file)));
    if (message.choices) element.append(this.#ready(message.choices));
    return element;
  }

  /** Ready answers of a machine; only those of the newest message are shown. */
  #ready(choices) {
    const row = document.createElement("p");
    row.className = "ready";
    for (const label of choices) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = label;
      button.addEventListener("click", () => this.dispatchEvent(new CustomEvent("choose", { detail: label })));
      row.append(button);
    }
    return row;
  }

  #markPending(element, entry) {
    element.classList.add("pending");
    element.dataset.status = entry.status;
    const word = { sending: "sending", waits: "waits", failed: "failed" }[entry.status];
    element.querySelector(".mark").textContent = entry.problem ? `${this.words.say(word)}. ${entry.problem}` : this.words.say(word);
    if (entry.status !== "failed") return;
    const deeds = element.querySelector(".deeds");
    for (const name of ["retry", "edit"]) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = this.words.say(name);
      button.addEventListener("click", () => this.dispatchEvent(new CustomEvent(name, { detail: entry.client_msg_id })));
      deeds.append(button);
    }
  }

  #file(file) {
    const item = document.createElement("li");
    if (!file.ready) {
      item.textContent = file.name;
      item.className = "file-waits";
      return item;
    }
    const button = document.createElement("button");
    button.type = "button";
    item.append(button);
    const picture = file.kind === "image" && /^image\/(jpeg|png|gif|webp)$/.test(file.mime);
    if (picture) this.#picture(button, file);
    else {
      button.className = "download";
      button.textContent = `${file.name} · ${this.words.size(file.size || 0)}`;
      button.setAttribute("aria-label", this.words.say("file_save", { name: file.name }));
    }
    button.addEventListener("click", () => this.#save(file, picture));
    return item;
  }

  async #picture(button, file) {
    button.className = "picture";
    button.setAttribute("aria-label", this.words.say("file_open", { name: file.name }));
    const image = document.createElement("img");
    image.alt = file.name;
    image.addEventListener("load", () => {
      const stay = this.isAtEnd || this.#isLast(button);
      URL.revokeObjectURL(image.src);
      if (stay) this.toEnd();
    });
    button.append(image);
    try {
      image.src = URL.createObjectURL(await this.api.file(file.id));
    } catch {
      button.textContent = file.name;
    }
  }

  #isLast(inside) {
    return this.list.lastElementChild === inside.closest(".message");
  }

  async #save(file, picture) {
    try {
      const address = URL.createObjectURL(await this.api.file(file.id));
      const link = document.createElement("a");
      link.href = address;
      if (picture) Object.assign(link, { target: "_blank", rel: "noopener" });
      else link.download = file.name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
    } catch {
      // The network is away: the banner says so, the button stays.
    }
  }

  /** Days between messages, one author a group, and the mark under the last message of the guest. */
  #arrange() {
    for (const line of this.list.querySelectorAll(".day")) line.remove();
    const messages = [...this.list.children];
    let before = null;
    for (const element of messages) {
      const sameDay = before?.dataset.day === element.dataset.day;
      if (!sameDay) this.list.insertBefore(this.#day(element), element);
      element.classList.toggle("follows", sameDay && before.dataset.author === element.dataset.author);
      before?.classList.toggle("continues", sameDay && before.dataset.author === element.dataset.author);
      before = element;
    }
    before?.classList.remove("continues");
    this.#marks(messages.filter((element) => element.dataset.from === "guest" && element.dataset.seq));
  }

  #day(element) {
    const line = this.templates.day.content.firstElementChild.cloneNode(true);
    line.firstElementChild.textContent = this.words.date(new Date(element.dataset.day));
    return line;
  }

  #marks(mine) {
    for (const element of mine) {
      const read = Number(element.dataset.seq) <= this.seenSeq;
      element.dataset.status = read ? "read" : "sent";
      element.querySelector(".mark").textContent = this.words.say(read ? "read" : "sent");
    }
  }
}
