// @ts-check
/** The live connection: one socket a tab, numbered events in order without gap or double, back again by itself. */
import { config, setServerTime } from "./page.js";
import { signedOut } from "./net.js";

const BEAT = 20_000;
const DEAD_AFTER = 45_000;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;
// The server forgets who watches what after 15 minutes: whoever was away longer loads everything anew.
const FORGOTTEN_AFTER = 10 * 60_000;
const RESTART = 1012;
const SPREAD_AFTER_RESTART = 10_000;

export class Live extends EventTarget {
  constructor() {
    super();
    this.position = config.position;
    /** @type {Set<string>} */
    this.topics = new Set();
    /** @type {WebSocket|null} */
    this.socket = null;
    this.tries = 0;
    this.heard = Date.now();
    /** @type {any[]} */
    this.batch = [];
    this.timer = 0;
    this.stopped = false;
  }

  start() {
    this.connect();
    setInterval(() => this.beat(), 5_000);
    addEventListener("online", () => this.retryNow());
    addEventListener("offline", () => this.say("off"));
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.beat());
  }

  /** @param {"on"|"off"|"connecting"} state */
  say(state) {
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN && this.welcomed;
  }

  connect() {
    clearTimeout(this.timer);
    if (this.stopped) return;
    if (Date.now() - this.heard > FORGOTTEN_AFTER) this.position = null;
    this.welcomed = false;
    const address = new URL(`${config.base}socket/`, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    this.socket = socket;
    this.begun = Date.now();
    socket.addEventListener("open", () => this.hello(socket));
    socket.addEventListener("message", (message) => socket === this.socket && this.hear(JSON.parse(message.data)));
    socket.addEventListener("close", (event) => socket === this.socket && this.closed(event.code));
  }

  /** @param {WebSocket} socket */
  hello(socket) {
    this.heard = Date.now();
    socket.send(JSON.stringify({ type: "hello", epoch: this.position?.epoch ?? null, last: this.position?.number ?? null }));
    if (this.topics.size) socket.send(JSON.stringify({ type: "watch", topics: [...this.topics] }));
  }

  /** @param {any} frame */
  hear(frame) {
    this.heard = Date.now();
    if (frame.type === "event") {
      if (!this.position || frame.number <= this.position.number) return;
      this.position = { epoch: this.position.epoch, number: frame.number };
      this.keep(frame);
    } else if (frame.type === "welcome") {
      this.welcome(frame);
    } else if (frame.type === "resync") {
      this.position = { epoch: frame.epoch, number: frame.number };
      this.batch = [];
      this.dispatchEvent(new CustomEvent("resync"));
    } else if (frame.type === "ephemeral") {
      this.dispatchEvent(new CustomEvent("ephemeral", { detail: frame }));
    } else if (frame.type === "pong") {
      setServerTime(frame.now);
    }
  }

  /** @param {any} frame */
  welcome(frame) {
    // Somebody else has signed in in another tab: this screen shows what is not theirs.
    if (frame.staff !== config.staff) {
      location.assign(config.base);
      return;
    }
    setServerTime(frame.now);
    this.tries = 0;
    this.welcomed = true;
    this.say("on");
    this.dispatchEvent(new CustomEvent("welcome"));
  }

  /** Events of one moment are applied together, once a frame; a hidden tab draws no frames. @param {any} frame */
  keep(frame) {
    if (this.batch.push(frame) > 1) return;
    const apply = () => {
      const events = this.batch;
      this.batch = [];
      if (events.length) this.dispatchEvent(new CustomEvent("events", { detail: events }));
    };
    if (document.visibilityState === "visible") requestAnimationFrame(apply);
    else setTimeout(apply, 50);
  }

  /** @param {number} code */
  closed(code) {
    this.welcomed = false;
    this.say("off");
    if (code === 4401) {
      signedOut().then(() => this.connect());
    } else if (code === 4403) {
      this.stopped = true;
    } else {
      const longest = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.tries++);
      this.timer = window.setTimeout(() => this.connect(), Math.random() * (code === RESTART ? Math.max(longest, Math.min(SPREAD_AFTER_RESTART, 1000 * this.tries)) : longest));
    }
  }

  /** A half-open socket looks open for ever: silence closes it. */
  beat() {
    const silent = Date.now() - this.heard;
    const socket = this.socket;
    if (!socket || socket.readyState === WebSocket.CLOSED) return;
    if (silent > DEAD_AFTER || (socket.readyState === WebSocket.CONNECTING && Date.now() - this.begun > 15_000)) {
      this.socket = null;
      socket.close();
      this.closed(1006);
    } else if (silent > BEAT - 5_000 && this.isOpen) {
      this.send({ type: "ping" });
    }
  }

  retryNow() {
    this.tries = 0;
    // The network is back, but an old socket may be half-open: a fresh one is certain.
    const old = this.socket;
    this.socket = null;
    old?.close();
    this.connect();
  }

  /** @param {any} frame */
  send(frame) {
    if (this.isOpen) this.socket?.send(JSON.stringify(frame));
  }

  /** @param {string[]} topics */
  watch(topics) {
    for (const topic of topics) this.topics.add(topic);
    this.send({ type: "watch", topics });
  }

  /** @param {string[]} topics */
  unwatch(topics) {
    for (const topic of topics) this.topics.delete(topic);
    this.send({ type: "unwatch", topics });
  }
}

export const live = new Live();
