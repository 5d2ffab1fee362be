// Where the guest writes: text that survives a reload, files put up at once, Enter sends, Shift+Enter begins a line.

const TYPING_EVERY = 2_000;

/** Events: `send` ({text, uploads}), `typing` (length), `height`. */
export class Composer extends EventTarget {
  constructor({ words, api, memory, settings }) {
    super();
    Object.assign(this, { words, api, memory, settings, uploads: [], typedAt: 0 });
    this.form = document.getElementById("composer");
    this.text = document.getElementById("text");
    this.fault = document.getElementById("fault");
    this.files = document.getElementById("files");
    this.counter = document.getElementById("counter");
    this.template = document.getElementById("a-file");
    this.#listen();
    this.restore(memory.get("draft") || "");
  }

  #listen() {
    const attach = document.getElementById("attach");
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.send(); });
    this.text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.send();
    });
    this.text.addEventListener("input", () => this.#changed());
    attach.addEventListener("change", () => { this.attach([...attach.files]); attach.value = ""; });
    this.text.addEventListener("paste", (event) => {
      if (event.clipboardData?.files.length) { event.preventDefault(); this.attach([...event.clipboardData.files]); }
    });
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => { event.preventDefault(); this.attach([...(event.dataTransfer?.files || [])]); });
  }

  restore(text) {
    this.text.value = text;
    this.fit();
  }

  clear() {
    this.uploads = [];
    this.files.replaceChildren();
    this.files.hidden = true;
    this.restore("");
    this.say("");
    this.memory.set("draft", "");
  }

  focus() {
    this.text.focus();
  }

  say(problem) {
    this.fault.textContent = problem;
    this.fault.hidden = !problem;
  }

  send() {
    const text = this.text.value.trim();
    const uploads = this.uploads.filter((one) => one.file).map((one) => one.file);
    if ((!text && !uploads.length) || text.length > this.settings.text_limit || this.uploads.some((one) => one.busy)) return;
    this.clear();
    this.dispatchEvent(new CustomEvent("typing", { detail: 0 }));
    this.dispatchEvent(new CustomEvent("send", { detail: { text, uploads } }));
  }

  #changed() {
    this.fit();
    this.say("");
    this.memory.set("draft", this.text.value);
    const now = Date.now();
    if (now - this.typedAt < TYPING_EVERY && this.text.value) return;
    this.typedAt = this.text.value ? now : 0;
    this.dispatchEvent(new CustomEvent("typing", { detail: this.text.value.length }));
  }

  /** As high as its text; to be called again when it comes into view. */
  fit() {
    this.text.style.height = "auto";
    this.text.style.height = `${this.text.scrollHeight}px`;
    const over = this.text.value.trim().length - this.settings.text_limit;
    this.counter.hidden = over <= 0;
    this.counter.textContent = over > 0 ? this.words.say("too_long", { count: over }) : "";
    this.dispatchEvent(new CustomEvent("height"));
  }

  attach(files) {
    this.say("");
    for (const file of files) {
      if (this.uploads.length >= this.settings.files_at_once) {
        this.say(this.words.say("files_too_many", { count: this.settings.files_at_once }));
        return;
      }
      if (file.size > this.settings.file_limit) {
        const reason = this.words.say("file_too_large", { size: this.settings.file_limit / 1024 / 1024 });
        this.say(this.words.say("file_failed", { name: file.name, reason }));
        continue;
      }
      this.#put(file);
    }
  }

  async #put(file) {
    const upload = { busy: true, file: null, element: this.#chip(file) };
    this.uploads.push(upload);
    upload.element.querySelector("button").addEventListener("click", () => this.#remove(upload));
    try {
      upload.file = await this.api.upload(file);
      upload.element.querySelector(".name").textContent = `${file.name} · ${this.words.size(file.size)}`;
      upload.element.removeAttribute("aria-busy");
    } catch (fault) {
      this.#remove(upload);
      this.say(this.words.say("file_failed", { name: file.name, reason: fault.message || this.words.say("offline") }));
    } finally {
      upload.busy = false;
    }
  }

  #chip(file) {
    const element = this.template.content.firstElementChild.cloneNode(true);
    element.setAttribute("aria-busy", "true");
    element.querySelector(".name").textContent = this.words.say("file_uploading", { name: file.name });
    element.querySelector("button").setAttribute("aria-label", this.words.say("file_remove", { name: file.name }));
    this.files.append(element);
    this.files.hidden = false;
    this.dispatchEvent(new CustomEvent("height"));
    return element;
  }

  #remove(upload) {
    this.uploads = this.uploads.filter((one) => one !== upload);
    const hadFocus = upload.element.contains(document.activeElement);
    upload.element.remove();
    this.files.hidden = !this.uploads.length;
    if (hadFocus) this.focus();
  }
}
