// Messages between this frame and the host page: only from the very window, origin and version, and of a known shape.

const SHAPES = {
  init: (data) => typeof data.page_url === "string" && typeof data.open === "boolean" && typeof data.leaving === "boolean" && isProof(data.identity),
  open: () => true,
  close: () => true,
  sign_out: () => true,
};

function isProof(value) {
  if (value === null) return true;
  if (typeof value !== "object") return false;
  const fits = (name) => typeof value[name] === "string" && value[name].length <= 4096;
  return fits("token") || (fits("external_id") && fits("hash"));
}

export class Host extends EventTarget {
  constructor({ origins, protocol }) {
    super();
    this.origins = new Set(origins);
    this.protocol = protocol;
    this.origin = "";
    window.addEventListener("message", (event) => this.#hear(event));
  }

  #hear(event) {
    const data = event.data;
    if (window.parent === window || event.source !== window.parent || !this.origins.has(event.origin)) return;
    if (this.origin && event.origin !== this.origin) return;
    if (!data || typeof data !== "object" || data.otklik !== this.protocol) return;
    if (!Object.hasOwn(SHAPES, data.type) || !SHAPES[data.type](data)) return;
    this.origin = event.origin;
    this.dispatchEvent(new CustomEvent(data.type, { detail: data }));
  }

  say(type, data = {}) {
    if (this.origin) window.parent.postMessage({ otklik: this.protocol, type, ...data }, this.origin);
  }
}
