// What this browser keeps for one site, in the frame's own (partitioned) storage; in memory where storage is refused.

const DEVICE_DAYS = 180;

/** A random UUID (RFC 9562, version 4); crypto.randomUUID exists in secure contexts only. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

export class Memory {
  constructor(site) {
    this.key = `otklik.${site}`;
    this.values = this.#load();
    if (!this.values.device || Date.now() - this.values.since > DEVICE_DAYS * 86_400_000) this.renew();
  }

  #load() {
    try {
      const found = JSON.parse(localStorage.getItem(this.key) || "{}");
      return found && typeof found === "object" ? found : {};
    } catch {
      return {};
    }
  }

  get(name) {
    return this.values[name];
  }

  set(name, value) {
    this.values[name] = value;
    try {
      localStorage.setItem(this.key, JSON.stringify(this.values));
    } catch {
      // Refused or full: what is in memory serves until the page goes.
    }
  }

  /** A new device secret; everything else of the old one is gone. */
  renew() {
    const bytes = crypto.getRandomValues(new Uint8Array(24));
    this.values = { device: [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(""), since: Date.now() };
    try {
      localStorage.removeItem(this.key);
    } catch {
      // see set
    }
    this.set("since", this.values.since);
  }
}
