// A chat with the bot: said through the control plane of the Bot API server, drawn from the server's own state.
export class Telegram {
  #failed = new Set();
  #ended = new AbortController();

  constructor(channel, id, events) {
    this.channel = channel;
    this.id = Number(id);
    this.events = events;
  }

  async say({ name, ...what }) {
    const body = JSON.stringify({ chat_id: this.id, first_name: name, ...what });
    const answer = await (await fetch("/_control/telegram/guest", { method: "POST", headers: { "Content-Type": "application/json" }, body })).json();
    for (const { update, delivered, wanted } of answer.result ?? []) {
      const message = update.message ?? update.edited_message;
      if (message && wanted && !delivered) this.#failed.add(message.message_id);
    }
    this.events.state(answer.error ? `не отправлено: ${answer.error}` : this.channel.title);
  }

  withFiles(files, caption) {
    const photos = files.filter((file) => ["image/jpeg", "image/png"].includes(file.mime));
    const others = files.filter((file) => !photos.includes(file));
    const said = [];
    if (photos.length === 1) said.push({ photo: photos[0].data, caption });
    if (photos.length > 1) said.push({ album: photos.map((file) => file.data), caption });
    for (const { data, name, mime } of others) {
      said.push({ document: data, name, mime: mime || "application/octet-stream", caption: photos.length ? "" : caption });
    }
    return said;
  }

  async talk() {
    const { messages, blocked } = await (await fetch(`/phone/chat?chat_id=${this.id}`)).json();
    return { messages: messages.map((message) => this.#shown(message)), blocked };
  }

  #shown(message) {
    const own = !message.from.is_bot;
    const address = (file) => `/phone/file?id=${encodeURIComponent(file)}`;
    const rows = own ? [] : message.reply_markup?.inline_keyboard ?? [];
    return {
      id: message.message_id,
      own,
      text: message.text ?? message.caption ?? (message.contact ? `☎ ${message.contact.phone_number}` : ""),
      at: message.date,
      edited: Boolean(message.edit_date),
      failed: own && this.#failed.has(message.message_id),
      editable: own && Boolean(message.text),
      image: message.photo ? address(message.photo.at(-1).file_id) : null,
      file: message.document ? { href: address(message.document.file_id), name: message.document.file_name } : null,
      keys: rows.flat().map((key) => ({ text: key.text, data: key.callback_data })),
    };
  }

  async listen() {
    let seen = 0;
    while (!this.#ended.signal.aborted) {
      try {
        const answer = await fetch(`/_control/telegram/accepted?after=${seen}&wait=20`, { signal: this.#ended.signal });
        const entries = await answer.json();
        if (!entries.length) continue;
        seen = entries.at(-1).n;
        await this.events.changed();
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
