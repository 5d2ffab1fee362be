// News from the server: a socket while there is one, polls while there is none. Numbers make it free of gaps either way.

const SILENCE = 60_000;
const SOCKET_PATIENCE = 5_000;
const POLL_OPEN = 4_000;
const POLL_HIDDEN = 15_000;
const LONGEST_WAIT = 30_000;

/** Events: `message` (a message), `state`, `typing` (bool), `up`, `down`, `lost` (the token has ended). */
export class Line extends EventTarget {
  constructor(api, memory) {
    super();
    Object.assign(this, { api, memory, lastSeq: 0, socket: null, polling: 0, tries: 0, stopped: true, isUp: null, hurried: false });
    window.addEventListener("online", () => this.#anew());
    window.addEventListener("offline", () => this.#tell("down"));
    document.addEventListener("visibilitychange", () => document.hidden || this.hurry());
  }

  start(lastSeq) {
    this.stop();
    Object.assign(this, { lastSeq, stopped: false, tries: 0 });
    this.#connect();
  }

  stop() {
    this.stopped = true;
    for (const timer of ["retry", "watch", "patience", "polling"]) clearTimeout(this[timer]);
    this.polling = 0;
    const socket = this.socket;
    this.socket = null;
    if (socket) socket.close();
  }

  /** The network is back, or somebody looks: try at once. */
  hurry() {
    if (this.stopped || this.ready) return;
    this.tries = 0;
    clearTimeout(this.retry);
    if (!this.socket) this.#connect();
    if (this.polling) this.#poll();
  }

  /** A socket from before the gap may look open and be dead: only a new greeting proves the line. */
  #anew() {
    if (this.stopped) return;
    const socket = this.socket;
    this.socket = null;
    if (socket) socket.close();
    for (const timer of ["watch", "patience"]) clearTimeout(this[timer]);
    this.hurry();
  }

  get ready() {
    return this.socket !== null && this.socket.greeted === true;
  }

  /** Send a small frame if the socket is up; false = use the API. */
  send(frame) {
    if (!this.ready || this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  #tell(type, detail) {
    if (type === "up" || type === "down") {
      if (this.isUp === (type === "up")) return;
      this.isUp = type === "up";
    }
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #connect() {
    let socket;
    try {
      socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/chat/socket/`);
    } catch {
      this.#ended(null, 0);
      return;
    }
    this.socket = socket;
    this.patience = setTimeout(() => this.#startPolling(), SOCKET_PATIENCE);
    socket.onopen = () => socket.send(JSON.stringify({ type: "hello", token: this.memory.get("token"), last_seq: this.lastSeq }));
    socket.onmessage = (event) => this.#frame(socket, event.data);
    socket.onclose = (event) => this.#ended(socket, event.code);
  }

  #frame(socket, text) {
    if (socket !== this.socket) return;
    clearTimeout(this.watch);
    this.watch = setTimeout(() => this.#ended(socket, 0), SILENCE);
    const frame = JSON.parse(text);
    if (frame.type === "message") this.#message(frame.data);
    else if (frame.type === "ready" || frame.type === "state") this.#state(socket, frame.data);
    else if (frame.type === "typing") this.#tell("typing", frame.data.typing);
    else if (frame.type === "ping") this.send({ type: "pong" });
    else if (frame.type === "error" && frame.data.code === "token") this.#tell("lost");
  }

  #state(socket, state) {
    socket.greeted = true;
    this.tries = 0;
    clearTimeout(this.patience);
    clearTimeout(this.polling);
    this.polling = 0;
    this.#tell("up");
    this.#tell("state", state);
  }

  #message(message) {
    this.lastSeq = Math.max(this.lastSeq, message.seq);
    this.#tell("message", message);
  }

  #ended(socket, code) {
    if (socket !== this.socket || this.stopped) return;
    this.socket = null;
    clearTimeout(this.watch);
    clearTimeout(this.patience);
    if (socket) socket.close();
    if (code === 4401) return;
    this.#startPolling();
    const wait = Math.min(LONGEST_WAIT, 1000 * 1.7 ** this.tries++);
    this.retry = setTimeout(() => this.#connect(), wait * (0.5 + Math.random()));
  }

  #startPolling() {
    if (!this.polling && !this.stopped) this.#poll();
  }

  async #poll() {
    clearTimeout(this.polling);
    const turn = (this.polling = setTimeout(() => this.#poll(), document.hidden ? POLL_HIDDEN : POLL_OPEN));
    try {
      const news = await this.api.get(`messages?after=${this.lastSeq}`);
      if (this.stopped || this.ready) return;
      for (const message of news.messages) this.#message(message);
      this.#tell("up");
      this.#tell("state", news.state);
      if (news.more && this.polling === turn) this.#poll();
    } catch (fault) {
      if (this.stopped || this.ready) return;
      if (fault.status === 401) this.#tell("lost");
      else this.#tell("down");
    }
  }
}
