// Messages on their way: kept with their ids until the server has them, so a repeat is the same message and no text is lost.

import { newId } from "./memory.js";

const WAITS = [1_000, 3_000, 8_000, 20_000];

/** Events: `changed` (an entry), `sent` ({entry, answer}), `refused` ({entry, fault}), `lost`. */
export class Outbox extends EventTarget {
  constructor(api, memory) {
    super();
    Object.assign(this, { api, memory, entries: memory.get("outbox") || [], busy: false, tries: 0 });
    // What was refused before the page went stays refused until the guest decides.
    window.addEventListener("online", () => this.flush());
  }

  put({ text, uploads, prechat }) {
    const entry = { client_msg_id: newId(), text, uploads, prechat, at: new Date().toISOString(), status: "sending" };
    this.entries.push(entry);
    this.#keep();
    this.flush();
    return entry;
  }

  retry(id) {
    const entry = this.entries.find((one) => one.client_msg_id === id);
    if (!entry) return;
    entry.status = "sending";
    this.#keep();
    this.#tell("changed", entry);
    this.flush();
  }

  remove(id) {
    this.entries = this.entries.filter((one) => one.client_msg_id !== id);
    this.#keep();
  }

  clear() {
    this.entries = [];
    clearTimeout(this.timer);
  }

  /** Send what waits, one after another, in the order of writing. */
  async flush() {
    clearTimeout(this.timer);
    if (this.busy) return;
    this.busy = true;
    try {
      for (let entry = this.#next(); entry; entry = this.#next()) {
        if (!(await this.#send(entry))) break;
      }
    } finally {
      this.busy = false;
    }
  }

  #next() {
    return this.entries.find((entry) => entry.status !== "failed");
  }

  async #send(entry) {
    const { client_msg_id, text, uploads, prechat } = entry;
    try {
      const answer = await this.api.post("messages", { client_msg_id, text, prechat, uploads: uploads.map((file) => file.id) });
      this.tries = 0;
      this.remove(client_msg_id);
      this.#tell("sent", { entry, answer });
      return true;
    } catch (fault) {
      return this.#failed(entry, fault);
    }
  }

  #failed(entry, fault) {
    if (!this.entries.includes(entry)) return true;
    if (fault.status === 401) {
      this.#tell("lost");
      return false;
    }
    entry.status = fault.passes ? "waits" : "failed";
    entry.problem = fault.passes ? "" : fault.message;
    this.#keep();
    this.#tell("changed", entry);
    if (!fault.passes) {
      this.#tell("refused", { entry, fault });
      return true;
    }
    const wait = fault.after || WAITS[Math.min(this.tries++, WAITS.length - 1)];
    this.timer = setTimeout(() => this.flush(), wait);
    return false;
  }

  #keep() {
    this.memory.set("outbox", this.entries);
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
