// @ts-check
/** Dialogs: cloned from the page's templates; closing returns the focus to where it was. */
import { config, element, find, findAll, gettext, oneAtATime } from "./page.js";
import { command, onSignedOut, read } from "./net.js";
import { makePicker } from "./picker.js";

const box = find("#dialog");

/** Ends the dialog that is shown, or was: the browser tells of a closing late, when another one may be open already. */
let end = () => {};

/** Shows a template in the dialog. Resolves with the pressed submit button's value, "" when it was closed.
 * @param {string} name @param {(root: any, done: (value: string) => void) => void} [prepare] @param {boolean} [mustAnswer]
 * @returns {Promise<string>} */
export function show(name, prepare = () => {}, mustAnswer = false) {
  end();
  const opener = /** @type {any} */ (document.activeElement);
  box.replaceChildren(find(`#dialog-${name}`).content.cloneNode(true));
  box.setAttribute("aria-label", find("h2", box).textContent);
  for (const picker of findAll("[data-picker]", box)) makePicker(picker);
  return new Promise((resolve) => {
    const done = (/** @type {string} */ value) => {
      end = () => {};
      box.onclose = null;
      box.close();
      box.replaceChildren();
      if (opener?.isConnected) opener.focus();
      resolve(value);
    };
    end = () => done("");
    box.onclose = () => {
      if (box.open) return; // told of the dialog before this one
      if (mustAnswer) box.showModal();
      else done("");
    };
    box.oncancel = (/** @type {Event} */ event) => {
      if (mustAnswer) event.preventDefault();
    };
    for (const button of findAll("[data-close]", box)) button.addEventListener("click", () => done(""));
    const form = find("form", box);
    form?.addEventListener("submit", (/** @type {any} */ event) => {
      event.preventDefault();
      if (event.submitter?.value) done(event.submitter.value);
    });
    box.showModal();
    prepare(box, done);
  });
}

/** @param {any} root @param {string} text */
export function showError(root, text) {
  const place = find(".field-error", root);
  place.textContent = text;
  place.hidden = !text;
}

/** Runs a command from a form; a refusal is shown in it. @param {any} root @param {() => Promise<any>} run @param {() => void} done */
export const attempt = (root, run, done) =>
  oneAtATime(find("form", root), async () => {
    showError(root, "");
    try {
      await run();
      done();
    } catch (fault) {
      showError(root, /** @type {Error} */ (fault).message);
    }
  });

export const askGuard = () => show("guard");

/** Hand over, or back to the queue. @param {string} path @returns {Promise<string>} */
export const hand = (path) =>
  show("hand", (root, done) => {
    find("#hand-to").focus();
    // A ticket goes to another group by its panel.
    find("#hand-place-field").hidden = !path.startsWith("session/");
    find("form", root).addEventListener("submit", (/** @type {any} */ event) => {
      const fields = Object.fromEntries(new FormData(event.target));
      const deed = fields.place ? ["pass", { to: fields.place, note: fields.note }] : ["hand", fields];
      attempt(root, () => command(`${path}${deed[0]}/`, deed[1]).then(told), () => done("handed"));
    });
    find("[data-do=give-back]", root).addEventListener("click", () => {
      attempt(root, () => command(`${path}return/`, { reason: find("#hand-note").value }).then(told), () => done("returned"));
    });
  });

/** @param {any} answer */
const told = (answer) => document.dispatchEvent(new CustomEvent("otklik:accepted", { detail: answer }));

/** Put off until a time. @param {string} path @returns {Promise<string>} */
export const snooze = (path) =>
  show("snooze", (root, done) => {
    const put = (/** @type {string} */ until) => attempt(root, () => command(`${path}snooze/`, { until }), () => done("snoozed"));
    for (const button of findAll("[data-hours]", root)) {
      button.addEventListener("click", () => put(new Date(Date.now() + button.dataset.hours * 3_600_000).toISOString()));
    }
    find("[data-tomorrow]", root).addEventListener("click", () => put(tomorrowMorning()));
    find("form", root).addEventListener("submit", () => {
      const chosen = find("#until").value;
      if (chosen) put(chosen);
      else showError(root, gettext("Choose a time."));
    });
    find("[data-hours]", root).focus();
  });

/** 9:00 of the next day by the person's own clock; the server reads a time without a zone in that person's zone. */
function tomorrowMorning() {
  const day = new Intl.DateTimeFormat("en-CA", { timeZone: config.zone }).format(Date.now() + 86_400_000);
  return `${day}T09:00`;
}

/** Ready answers. @param {string} path @returns {Promise<string>} the text, "" when none was chosen */
export function chooseTemplate(path) {
  return show("templates", async (root, done) => {
    const words = find("#template-words");
    words.focus();
    let isWaited = false;
    const loading = read(path).catch(() => ({ found: [] }));
    const first = () => find("#templates-list button");
    words.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== "Enter" && event.key !== "ArrowDown") return;
      event.preventDefault();
      isWaited = event.key === "Enter" && !first(); // quicker than the list: the first one is chosen when it is here
      if (event.key === "Enter") first()?.click();
      else first()?.focus();
    });
    const { found } = await loading;
    const fill = () => {
      const part = words.value.toLowerCase();
      const fitting = found.filter((/** @type {any} */ one) => `${one.name} ${one.text}`.toLowerCase().includes(part));
      find("#templates-list").replaceChildren(...fitting.map((/** @type {any} */ one) => {
        const button = element("button", { type: "button" }, one.name, element("span", { className: "hint" }, one.text));
        button.addEventListener("click", () => done(one.text));
        return element("li", {}, button);
      }));
      if (!fitting.length) find("#templates-list").append(element("li", { className: "hint" }, gettext("Nothing found")));
    };
    words.addEventListener("input", fill);
    fill();
    if (isWaited) first()?.click();
  });
}

/** The session has ended: sign in on the spot, nothing of the screen is lost. @returns {Promise<void>} */
async function signIn() {
  await show(
    "sign-in",
    (root, done) => {
      find("#again-login").value = config.login;
      find("#again-password").focus();
      find("form", root).addEventListener("submit", async (/** @type {any} */ event) => {
        const answer = await send(new FormData(event.target));
        if (answer.ok) done("signed in");
        else showError(root, answer.message);
      });
    },
    true,
  );
}

/** @param {FormData} fields */
async function send(fields) {
  try {
    // Not through `command`: signing in has neither a key nor a session.
    const token = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] || "";
    const body = new URLSearchParams([...fields].map(([name, value]) => [name, String(value)]));
    const answer = await fetch("/sign-in/", { method: "POST", body, headers: { Accept: "application/json", "X-CSRFToken": token } });
    if (answer.ok) return { ok: true, message: "" };
    const text = await answer.json().catch(() => null);
    return { ok: false, message: text?.message || gettext("There were too many wrong passwords. Try again later.") };
  } catch {
    return { ok: false, message: gettext("No connection.") };
  }
}

onSignedOut(signIn);
