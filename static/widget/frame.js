// The chat in its frame: begins a session, shows what comes, sends what is written, tells the host page what it may know.

import { Api, Fault } from "./api.js";
import { Composer } from "./composer.js";
import { Form } from "./form.js";
import { Host } from "./host.js";
import { Line } from "./line.js";
import { Log } from "./log.js";
import { Memory } from "./memory.js";
import { Outbox } from "./outbox.js";
import { Signs } from "./signs.js";
import { Words } from "./words.js";

const WAITS = [1_000, 3_000, 8_000, 20_000];
const data = JSON.parse(document.getElementById("data").textContent);
const part = (id) => document.getElementById(id);

class Chat {
  constructor() {
    this.words = new Words(data);
    this.memory = new Memory(data.site);
    this.api = new Api(this.memory, data.language);
    this.host = new Host(data);
    this.line = new Line(this.api, this.memory);
    this.outbox = new Outbox(this.api, this.memory);
    this.log = new Log(this);
    this.signs = new Signs({ ...this, settings: data.settings });
    this.composer = new Composer({ ...this, settings: data.settings });
    this.form = new Form(this);
    Object.assign(this, { open: false, unread: 0, begun: false, pageUrl: "", state: null, answers: null, asked: false, turn: 0, tries: 0 });
    this.form.draw(data.settings.prechat);
    this.#hearHost();
    this.#hearServer();
    this.#hearGuest();
    this.signs.standing(this.state);
  }

  #hearHost() {
    this.host.addEventListener("init", async ({ detail }) => {
      this.pageUrl = detail.page_url;
      this.open = detail.open;
      this.host.say("language", { code: data.language });
      if (detail.leaving) await this.#leave();
      else await this.#begin(detail.identity);
    });
    this.host.addEventListener("open", () => { this.open = true; this.#opened(); });
    this.host.addEventListener("close", () => { this.open = false; });
    this.host.addEventListener("sign_out", () => this.#leave());
  }

  #hearServer() {
    this.line.addEventListener("message", ({ detail }) => this.#message(detail));
    this.line.addEventListener("state", ({ detail }) => this.#show(detail));
    this.line.addEventListener("typing", ({ detail }) => this.signs.typing(detail, this.state?.operator));
    this.line.addEventListener("up", () => { this.signs.offline(false); this.outbox.flush(); });
    this.line.addEventListener("down", () => this.signs.offline(true));
    this.line.addEventListener("lost", () => this.#lost());
    this.outbox.addEventListener("lost", () => this.#lost());
    this.outbox.addEventListener("changed", ({ detail }) => this.log.addPending(detail));
    this.outbox.addEventListener("sent", ({ detail }) => this.#sent(detail));
    this.outbox.addEventListener("refused", ({ detail }) => this.#refused(detail));
  }

  #hearGuest() {
    this.composer.addEventListener("send", ({ detail }) => this.#write(detail));
    this.composer.addEventListener("typing", ({ detail }) => this.#tellTyping(detail));
    this.composer.addEventListener("height", () => { if (this.log.isAtEnd) this.log.toEnd(); });
    this.form.addEventListener("done", ({ detail }) => { this.answers = detail; this.#screens(); this.composer.focus(); });
    this.log.addEventListener("looked", () => this.#look());
    this.log.addEventListener("retry", ({ detail }) => this.outbox.retry(detail));
    this.log.addEventListener("edit", ({ detail }) => this.#edit(detail));
    this.log.addEventListener("choose", ({ detail }) => this.#write({ text: detail, uploads: [] }));
    part("close").addEventListener("click", () => this.host.say("close"));
    part("again").addEventListener("click", () => { this.again = true; this.#screens(); this.#focus(); });
    part("older").addEventListener("click", () => this.#older());
    part("language").addEventListener("click", () => this.#changeLanguage());
    part("forget").addEventListener("click", async () => { part("menu").open = false; await this.#leave(); await this.#begin(null); });
    document.addEventListener("visibilitychange", () => this.#look());
    document.addEventListener("keydown", (event) => this.#key(event));
    document.addEventListener("click", (event) => { if (!part("menu").contains(event.target)) part("menu").open = false; });
  }

  #key(event) {
    if (event.key !== "Escape" || event.isComposing) return;
    if (part("menu").open) {
      part("menu").open = false;
      part("menu").querySelector("summary").focus();
    } else this.host.say("close");
  }

  /** The session: with a proof of who the visitor is, or with what this browser has kept. */
  async #begin(identity) {
    const turn = ++this.turn;
    clearTimeout(this.again_at);
    try {
      const opening = await this.api.post("sessions", {
        site_key: data.site, device_id: this.memory.get("device"), locale: data.language, page_url: this.pageUrl, ...(identity ? { identity } : {}),
      });
      if (turn === this.turn) this.#opening(opening, identity);
    } catch (fault) {
      if (turn !== this.turn) return;
      if (!(fault instanceof Fault)) throw fault;
      await this.#notBegun(fault, identity);
    }
  }

  /** The token has ended: a customer is proved anew by the host page, an anonymous visitor by the device. */
  #lost() {
    this.line.stop();
    if (this.identified) this.host.say("identity_needed");
    else this.#begin(null);
  }

  #opening(opening, identity) {
    this.tries = 0;
    this.identified = opening.identified;
    if (identity) this.host.say("identity", { ok: true, code: "" });
    this.memory.set("token", opening.session_token);
    this.log.clear();
    for (const message of opening.messages) this.log.add(message);
    for (const entry of this.outbox.entries) this.log.addPending(entry);
    part("older").hidden = !opening.more;
    this.begun = true;
    this.signs.offline(false);
    this.#show(opening.state);
    this.log.toEnd();
    this.line.start(Math.max(0, ...opening.messages.map((message) => message.seq)));
    this.outbox.flush();
    if (this.open) this.#opened();
  }

  async #notBegun(fault, identity) {
    if (fault.code === "device_forgotten" || fault.code === "device_id") {
      this.memory.renew();
      return this.#begin(identity);
    }
    if (identity && fault.code.startsWith("identity_")) {
      this.host.say("identity", { ok: false, code: fault.code });
      this.composer.say(this.words.say("identity_refused"));
      return this.#begin(null);
    }
    if (fault.passes) {
      this.signs.offline(true, fault.status === 0 ? "offline" : "trouble");
      const wait = fault.after || WAITS[Math.min(this.tries++, WAITS.length - 1)];
      this.again_at = setTimeout(() => this.#begin(identity), wait);
      this.#screens();
      return undefined;
    }
    return this.#stranger(fault);
  }

  /** Nobody may write here: the site wants its visitors signed in, or knows no chat. */
  #stranger(fault) {
    this.begun = false;
    this.#screens();
    part("hours").hidden = false;
    part("hours").textContent = fault.code === "identity_required" ? this.words.say("sign_in_first") : fault.message;
  }

  /** Sign out: the server ends the tokens, the browser forgets everything. */
  async #leave() {
    this.turn++;
    this.line.stop();
    if (this.memory.get("token")) await this.api.post("forget", {}, { keepalive: true }).catch(() => undefined);
    this.memory.renew();
    this.outbox.clear();
    this.composer.clear();
    this.log.clear();
    Object.assign(this, { begun: false, state: null, answers: null, again: false });
    this.form.draw(data.settings.prechat);
    part("older").hidden = true;
    this.#count(0);
    this.host.say("active", { value: false });
    if (this.open) await this.#begin(null);
  }

  #opened() {
    if (!this.begun && !this.state) this.#begin(null);
    this.line.hurry();
    this.log.toEnd();
    this.#focus();
    this.#look();
  }

  #focus() {
    if (!part("composer").hidden) this.composer.focus();
    else if (!part("prechat").hidden) this.form.focus();
    else if (!part("ended").hidden) part("again").focus();
    else part("close").focus();
  }

  #write({ text, uploads }) {
    const first = this.answers && !this.#isOpen;
    this.log.addPending(this.outbox.put({ text, uploads, prechat: first ? this.answers : undefined }));
    this.host.say("active", { value: true });
  }

  #sent({ entry, answer }) {
    this.log.dropPending(entry.client_msg_id);
    if (!answer.id || this.log.has(answer.id)) return;
    this.log.add({
      id: answer.id, seq: answer.seq, client_msg_id: entry.client_msg_id, from: "guest", author: "", text: entry.text, sent_at: answer.sent_at,
      deleted: false, attachments: entry.uploads.map((file) => ({ ...file, ready: false })),
    });
    this.line.hurry();
  }

  #refused({ entry, fault }) {
    if (fault.code !== "form") return;
    this.#edit(entry.client_msg_id);
    this.answers = null;
    this.#screens();
    this.form.tell(fault.fields || {});
  }

  #edit(id) {
    const entry = this.outbox.entries.find((one) => one.client_msg_id === id);
    if (!entry) return;
    this.outbox.remove(id);
    this.log.dropPending(id);
    this.composer.restore([this.composer.text.value, entry.text].filter(Boolean).join("\n"));
    this.composer.focus();
  }

  #message(message) {
    // It has arrived, whatever becomes of the request that brought it: nothing to repeat, and no second bubble.
    if (message.client_msg_id) this.outbox.remove(message.client_msg_id);
    const fresh = this.log.add(message);
    if (message.from === "guest" || !fresh) return;
    this.signs.typing(false);
    this.#look();
  }

  #show(state) {
    const before = this.state?.status;
    this.state = state;
    if (state.status === "closed" && before && before !== "closed") this.again = false;
    if (state.status !== "none") this.host.say("active", { value: true });
    this.log.markSeen(state.seen_seq);
    this.#count(this.#isLooking ? 0 : state.unread);
    this.signs.standing(this.state);
    this.#screens();
    this.#look();
  }

  get #isOpen() {
    return Boolean(this.state) && !["none", "closed"].includes(this.state.status);
  }

  get #isLooking() {
    return this.open && !document.hidden && this.log.isAtEnd;
  }

  /** Which of form, composer and end is on the screen. */
  #screens() {
    const atEnd = this.log.isAtEnd;
    const ended = this.begun && this.state?.status === "closed" && !this.again && !this.outbox.entries.length;
    const form = this.begun && !ended && data.settings.prechat.length > 0 && !this.#isOpen && !this.answers && !this.outbox.entries.length;
    const held = document.activeElement;
    part("ended").hidden = !ended;
    part("prechat").hidden = !form;
    part("composer").hidden = ended || form || (!this.begun && !this.state && !this.signs.isOffline);
    this.composer.fit();
    if (atEnd) this.log.toEnd();
    if (held && held !== document.body && held.closest("[hidden]") && this.open) this.#focus();
  }

  #tellTyping(length) {
    if (!this.#isOpen) return;
    if (!this.line.send({ type: "typing", data: { text_length: length } })) this.api.post("typing", { text_length: length }).catch(() => undefined);
  }

  /** What is on the screen of an open chat has been read. */
  #look() {
    if (!this.#isLooking || !this.begun) return;
    const seq = this.log.lastAnswerSeq;
    this.#count(0);
    if (!seq || seq <= (this.lookedAt || 0)) return;
    this.lookedAt = seq;
    if (!this.line.send({ type: "seen", seq })) this.api.post("seen", { seq }).catch(() => { this.lookedAt = 0; });
  }

  #count(unread) {
    if (unread === this.unread) return;
    this.unread = unread;
    this.host.say("unread", { count: unread, label: this.words.unread(unread) });
  }

  async #older() {
    const button = part("older");
    button.disabled = true;
    try {
      const page = await this.api.get(`messages?before=${this.log.firstSeq}`);
      this.log.addOlder(page.messages);
      button.hidden = !page.more;
    } catch {
      this.signs.offline(true);
    } finally {
      button.disabled = false;
    }
  }

  #changeLanguage() {
    const there = new URL(location.href);
    there.searchParams.set("lang", part("language").dataset.code);
    location.replace(there);
  }
}

new Chat();
