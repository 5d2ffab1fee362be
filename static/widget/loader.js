// The launcher of the chat on a host page. One global function: otklik(command, ...values).
// The chat itself lives in a frame on our origin; nothing of the visitor is readable here.
(() => {
  "use strict";
  const script = document.currentScript || document.querySelector("script[data-site][src*='/widget/loader.js']");
  if (!script || (window.otklik && window.otklik.loaded)) return;
  const TEXTS = {} /* texts */;
  const PROTOCOL = 1;
  const origin = new URL(script.src).origin;
  const site = script.dataset.site;
  const before = (window.otklik && window.otklik.q) || [];
  const listeners = {};
  const remembered = `otklik:${site}`;
  let language = pick(script.dataset.lang || document.documentElement.lang) || pick(navigator.language) || "ru";
  let frame = null, ready = false, open = false, leaving = false, identity = null, unread = 0, unreadLabel = "", scroll = "";

  function pick(code) {
    const short = (code || "").slice(0, 2).toLowerCase();
    return TEXTS[short] ? short : "";
  }

  // Storage of the host page holds one bit: whether this browser has a dialogue. Without storage there is just no early badge.
  function remember(value) {
    try {
      if (value === undefined) return localStorage.getItem(remembered) === "1";
      value ? localStorage.setItem(remembered, "1") : localStorage.removeItem(remembered);
    } catch { /* refused by the browser */ }
    return false;
  }

  const host = document.createElement("div");
  host.className = "otklik";
  const root = host.attachShadow({ mode: "open" });
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = `${origin}/widget/loader.css`;
  if (script.nonce) style.nonce = script.nonce;
  const panel = document.createElement("div");
  panel.className = "panel";
  panel.id = "panel";
  panel.hidden = true;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "launcher";
  button.hidden = true;
  button.setAttribute("aria-controls", "panel");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  for (const [name, d] of [
    ["talk", "M4 5.5A2.5 2.5 0 0 1 6.5 3h11A2.5 2.5 0 0 1 20 5.5v8a2.5 2.5 0 0 1-2.5 2.5H11l-4.4 3.7a.7.7 0 0 1-1.1-.6V16A2.5 2.5 0 0 1 4 13.5z"],
    ["down", "M6 9l6 6 6-6"],
  ]) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("class", name);
    path.setAttribute("d", d);
    svg.append(path);
  }
  const badge = document.createElement("span");
  badge.className = "badge";
  badge.hidden = true;
  badge.setAttribute("aria-hidden", "true");
  button.append(svg, badge);
  root.append(style, panel, button);
  for (const end of ["load", "error"]) style.addEventListener(end, () => { button.hidden = false; });
  host.dataset.side = script.dataset.side === "left" ? "left" : "right";

  function show() {
    const texts = TEXTS[language];
    panel.hidden = !open;
    host.toggleAttribute("data-open", open);
    button.setAttribute("aria-expanded", String(open));
    button.setAttribute("aria-label", open ? texts.close : unread ? unreadLabel : texts.open);
    badge.hidden = open || !unread;
    badge.textContent = unread > 9 ? "9+" : String(unread);
    if (frame) frame.title = texts.title;
  }

  function make() {
    if (frame) return;
    frame = document.createElement("iframe");
    const theme = script.dataset.theme || "auto";
    frame.src = `${origin}/widget/frame/${encodeURIComponent(site)}/?lang=${language}&theme=${encodeURIComponent(theme)}`;
    frame.allow = "clipboard-write";
    frame.referrerPolicy = "origin";
    // The frame is loaded anew when its reader changes the language there.
    frame.addEventListener("load", () => introduce());
    panel.append(frame);
    show();
  }

  async function introduce() {
    ready = false;
    const claim = await proof();
    ready = true;
    say("init", { page_url: location.origin + location.pathname, identity: claim, open, leaving });
    leaving = false;
  }

  // A function is asked each time: signed tokens are taken once.
  async function proof() {
    try {
      return (typeof identity === "function" ? await identity() : identity) || null;
    } catch {
      return null;
    }
  }

  function say(type, data) {
    if (frame && ready && frame.contentWindow) frame.contentWindow.postMessage({ otklik: PROTOCOL, type, ...data }, origin);
  }

  function setOpen(value) {
    if (open === value) return;
    open = value;
    if (open) make();
    const page = document.documentElement;
    if (open && matchMedia("(max-width: 480px)").matches) {
      scroll = page.style.overflow;
      page.style.overflow = "hidden";
      host.toggleAttribute("data-locked", true);
    } else if (host.hasAttribute("data-locked")) {
      page.style.overflow = scroll;
      host.removeAttribute("data-locked");
    }
    show();
    say(open ? "open" : "close", {});
    if (open) frame.focus();
    else button.focus();
    tell(open ? "open" : "close");
  }

  function tell(name, value) {
    for (const listener of listeners[name] || []) listener(value);
  }

  const accepted = {
    close: () => setOpen(false),
    unread: (data) => {
      if (!Number.isInteger(data.count) || data.count < 0 || typeof data.label !== "string") return;
      unread = data.count;
      unreadLabel = data.label.slice(0, 200);
      show();
      tell("unread", unread);
    },
    active: (data) => { remember(data.value === true); },
    language: (data) => {
      if (pick(data.code)) language = pick(data.code);
      show();
    },
    identity: (data) => tell("identity", { ok: data.ok === true, code: String(data.code || "") }),
    identity_needed: () => introduce(),
  };

  window.addEventListener("message", (event) => {
    const data = event.data;
    if (!frame || event.source !== frame.contentWindow || event.origin !== origin) return;
    if (!data || typeof data !== "object" || data.otklik !== PROTOCOL || !Object.hasOwn(accepted, data.type)) return;
    accepted[data.type](data);
  });
  button.addEventListener("click", () => setOpen(!open));
  host.addEventListener("keydown", (event) => { if (event.key === "Escape") setOpen(false); });

  const commands = {
    open: () => setOpen(true),
    close: () => setOpen(false),
    toggle: () => setOpen(!open),
    // {external_id, hash}, {token}, or a function that fetches one of them from the site's server.
    identify: (given) => {
      identity = given;
      if (ready) introduce();
    },
    signOut: () => {
      identity = null;
      if (ready) say("sign_out", {});
      else if (frame || remember()) { leaving = true; make(); }
      remember(false);
    },
    on: (name, listener) => { (listeners[name] ||= []).push(listener); },
    language: (code) => {
      if (!pick(code) || pick(code) === language) return;
      language = pick(code);
      if (frame) { ready = false; frame.src = frame.src.replace(/lang=\w+/, `lang=${language}`); }
      show();
    },
  };
  function otklik(name, ...values) {
    if (Object.hasOwn(commands, name)) commands[name](...values);
  }
  otklik.loaded = true;
  window.otklik = otklik;

  function start() {
    document.body.append(host);
    show();
    for (const call of before) otklik(...call);
    if (remember()) make();
  }
  document.body ? start() : document.addEventListener("DOMContentLoaded", start);
})();
