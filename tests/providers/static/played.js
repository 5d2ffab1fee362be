// A guest of any other channel: the provider servers have one form for all of them (tests/providers/played.py).
export class Played {
  #ended = new AbortController();

  constructor(channel, id, events) {
    this.channel = channel;
    this.id = id;
    this.events = events;
  }

  async say(what) {
    const body = JSON.stringify({ channel: this.channel.kind, id: this.id, ...what });
    const answer = await (await fetch("/phone/say", { method: "POST", headers: { "Content-Type": "application/json" }, body })).json();
    this.events.state(answer.error ? `не отправлено: ${answer.error}` : this.channel.title);
  }

  // One message a file: what servers of shops take with a text differs.
  withFiles(files, text) {
    return files.map(({ name, mime, data }, place) => {
      const said = place ? "" : text;
      return ["image/jpeg", "image/png"].includes(mime) ? { text: said, photo: data } : { text: said, document: data, title: name };
    });
  }

  async talk() {
    const { messages } = await (await this.#ask("")).json();
    return { messages: messages.map((message) => this.#shown(message)) };
  }

  #ask(more, options) {
    return fetch(`/phone/talk?channel=${this.channel.kind}&id=${this.id}${more}`, options);
  }

  #shown({ own, text, files, at, taken, choices = [], id }) {
    const said = this.channel.calls && own ? { answered: "☎ Звонок: поговорили", missed: "☎ Звонок: не дозвонился" }[text] ?? text : text;
    return { own, text: [said, ...files.map((name) => `[${name}]`)].filter(Boolean).join("\n"), at, id, failed: own && !taken, keys: choices.map((choice) => ({ text: choice, tap: choice })) };
  }

  async listen() {
    let seen = null;
    while (!this.#ended.signal.aborted) {
      try {
        const more = seen === null ? "" : `&after=${seen}&wait=20`;
        const news = await (await this.#ask(more, { signal: this.#ended.signal })).json();
        if (seen !== null && news.seen !== seen) await this.events.changed();
        seen = news.seen;
      } catch {
        if (this.#ended.signal.aborted) return;
        this.events.state("нет связи с сервером");
        await new Promise((resolve) => setTimeout(resolve, 2000));
      }
    }
  }

  hangUp() {
    this.#ended.abort();
  }
}
