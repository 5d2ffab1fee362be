// What the chat says of itself: who answers, the place in the queue, closed hours, somebody typing, no connection.

const TYPING_SHOWN = 6_000;
const part = (id) => document.getElementById(id);

export class Signs {
  constructor({ words, settings, log }) {
    Object.assign(this, { words, settings, log, isOffline: false });
  }

  /** `state` as the server tells it; null before there is one. */
  standing(given) {
    const say = (...values) => this.words.say(...values);
    const state = given || { status: "none", working: true };
    const time = state.opens_at ? this.words.opening(new Date(state.opens_at)) : "";
    const off = !state.working && !state.operator;
    part("status").textContent = this.#who(state, off && time ? time : "");
    part("hours").hidden = !off;
    if (off) part("hours").textContent = time ? say("closed_now", { time }) : say("closed_unknown");
    part("place").hidden = !state.queue_position || off;
    const place = state.queue_position ? say("queue", { place: state.queue_position }) : "";
    // A live region speaks only when it changes.
    if (part("place").textContent !== place) part("place").textContent = place;
    part("chat").dataset.status = off ? "off" : state.status;
  }

  #who(state, opening) {
    if (state.operator) return this.words.say("with_operator", { name: state.operator });
    if (state.status === "parked") return this.words.say("with_experts");
    if (opening) return this.words.say("status_closed", { time: opening });
    return this.settings.promise || this.words.say("status_open");
  }

  /** Somebody types; without more of it the sign goes after a while. */
  typing(on, name = "") {
    clearTimeout(this.until);
    const stay = this.log.isAtEnd;
    part("typing").hidden = !on;
    if (!on) return;
    part("typing-text").textContent = name ? this.words.say("typing", { name }) : this.words.say("typing_someone");
    if (stay) this.log.toEnd();
    this.until = setTimeout(() => this.typing(false), TYPING_SHOWN);
  }

  /** `text` is the name of the sentence that says why. */
  offline(is, text = "offline") {
    this.isOffline = is;
    part("offline").hidden = !is;
    part("offline").textContent = is ? this.words.say(text) : "";
  }
}
