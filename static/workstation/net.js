// @ts-check
/** Calls to the server: reads, commands with a key that makes a repeat harmless, signing in again in place. */
import { config, gettext } from "./page.js";

/** An anticipated no of the server: `code` for programs, `message` for people. */
export class Refused extends Error {
  /** @param {string} code @param {string} message @param {number} status */
  constructor(code, message, status) {
    super(message);
    this.code = code;
    this.status = status;
  }
}
/** The server was not reached, or is restarting: the same call may be made again later. */
export class Unreachable extends Error {}

/** @type {() => Promise<void>} */
let signInAgain = async () => {
  location.reload();
};
/** @param {() => Promise<void>} ask shows the sign-in dialog; resolves when the person is signed in again */
export const onSignedOut = (ask) => {
  signInAgain = ask;
};
/** @type {Promise<void>|null} */
let signingIn = null;
/** Asks once, however many calls found the session ended. */
export function signedOut() {
  signingIn ||= signInAgain().finally(() => {
    signingIn = null;
  });
  return signingIn;
}

export const token = () => document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] || "";
export const newKey = () => crypto.randomUUID();

/** @param {string} path @param {RequestInit} options @returns {Promise<any>} */
async function call(path, options) {
  let answer;
  try {
    answer = await fetch(path.startsWith("/") ? path : config.base + path, { credentials: "same-origin", ...options });
  } catch (fault) {
    if (fault instanceof DOMException && fault.name === "AbortError") throw fault;
    throw new Unreachable(gettext("No connection."));
  }
  if (answer.status === 401) {
    await signedOut();
    return call(path, { ...options, headers: headersOf(options) });
  }
  if (answer.status >= 502 && answer.status <= 504) throw new Unreachable(gettext("The service is restarting."));
  const body = await answer.json().catch(() => null);
  if (answer.ok && body) return body;
  throw new Refused(body?.code || "fault", body?.message || gettext("Something went wrong. Please try again."), answer.status);
}

/** The token changes with each sign-in, so it is read anew. @param {RequestInit} options */
function headersOf(options) {
  const headers = new Headers(options.headers);
  if (headers.has("X-CSRFToken")) headers.set("X-CSRFToken", token());
  return headers;
}

/** @param {string} path @param {Record<string, string|number>} [query] @param {AbortSignal} [signal] */
export function read(path, query = {}, signal) {
  const asked = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)])).toString();
  return call(asked ? `${path}?${asked}` : path, { headers: { Accept: "application/json" }, signal });
}

/** @param {string} path @param {Record<string, any>} [fields] @param {{key?: string, files?: File[], keepalive?: boolean}} [how] */
export function command(path, fields = {}, { key = newKey(), files = [], keepalive = false } = {}) {
  const body = files.length ? new FormData() : new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) if (value !== undefined && value !== null) body.append(name, String(value));
  for (const file of files) /** @type {FormData} */ (body).append("files", file, file.name);
  const headers = { Accept: "application/json", "Idempotency-Key": key, "X-CSRFToken": token() };
  return call(path, { method: "POST", headers, body, keepalive });
}
