// Calls of the chat's API. A Fault says whether trying again may help.

const TIMEOUT = 15_000;

export class Fault extends Error {
  /** `status` 0 = the network; `code` and `message` are the server's; `after` = milliseconds to wait, as the server asks. */
  constructor(status, code, message, { fields = {}, after = 0 } = {}) {
    super(message);
    Object.assign(this, { status, code, fields, after });
  }

  get passes() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export class Api {
  constructor(memory, language) {
    this.memory = memory;
    this.language = language;
  }

  get(path) {
    return this.#call("GET", path);
  }

  post(path, body, { keepalive = false } = {}) {
    return this.#call("POST", path, { body: JSON.stringify(body), headers: { "Content-Type": "application/json" }, keepalive });
  }

  upload(file) {
    const body = new FormData();
    body.append("file", file, file.name || "file");
    return this.#call("POST", "uploads", { body, timeout: 120_000 });
  }

  async file(id) {
    return (await this.#fetch("GET", `files/${id}`, { timeout: 60_000 })).blob();
  }

  async #call(method, path, options) {
    const answer = await this.#fetch(method, path, options);
    return answer.json().catch(() => { throw new Fault(0, "network", ""); });
  }

  async #fetch(method, path, { headers = {}, timeout = TIMEOUT, ...options } = {}) {
    const token = this.memory.get("token");
    const given = { "Accept-Language": this.language, Accept: "application/json", ...headers };
    if (token) given.Authorization = `Bearer ${token}`;
    let answer;
    try {
      answer = await fetch(`/chat/${path}`, {
        method, headers: given, credentials: "omit", cache: "no-store", signal: AbortSignal.timeout(timeout), ...options,
      });
    } catch {
      throw new Fault(0, "network", "");
    }
    if (!answer.ok) throw await fault(answer);
    return answer;
  }
}

async function fault(answer) {
  const body = await answer.json().catch(() => ({}));
  const after = Number(answer.headers.get("Retry-After")) * 1000 || 0;
  return new Fault(answer.status, body.code || "", body.message || "", { fields: body.fields, after });
}
