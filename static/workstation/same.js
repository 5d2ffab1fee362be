// @ts-check
/** Guests who are one person: candidates in the panel, a preview in a dialog, joining, parting. */
import { find, gettext, oneAtATime, parse, toast } from "./page.js";
import { show, showError } from "./dialogs.js";
import { command, read } from "./net.js";

/** Fills the panel's place for candidates; the panel is there before it. @param {any} root */
export async function prepare(root) {
  const place = find("[data-same]", root);
  if (!place) return;
  const answer = await read(`guests/${place.dataset.same}/same/`).catch(() => null);
  if (!answer || !place.isConnected) return;
  place.replaceChildren(...parse(answer.html));
  tellLikely({ guest: Number(place.dataset.same), likely: answer.likely });
}

/** What may be a duplicate is told above the dialogue. @param {{guest?: number, key?: string, likely: any}} detail */
export const tellLikely = (detail) => document.dispatchEvent(new CustomEvent("otklik:likely", { detail }));

/** @param {string} kept @param {string} gone */
const preview = (kept, gone) => read(`guests/${kept}/same/${gone}/`);

/** @param {{guest: string|number, other: string|number}} pair @param {() => void} done */
export async function compare({ guest, other }, done) {
  let merge = 0;
  const joined = await show("join", async (root, finish) => {
    const body = find("#join-body", root);
    const fill = async (/** @type {string} */ kept, /** @type {string} */ gone) => {
      try {
        const { html } = await preview(kept, gone);
        body.replaceChildren(...parse(html));
        find("#join-now", root).disabled = false;
      } catch (fault) {
        showError(root, /** @type {Error} */ (fault).message);
      }
    };
    const value = (/** @type {string} */ name) => find(`[name=${name}]`, body)?.value;
    find("[data-do=swap]", root).addEventListener("click", () => value("kept") && fill(value("gone"), value("kept")));
    find("form", root).addEventListener("submit", (/** @type {any} */ event) => {
      event.preventDefault();
      oneAtATime(event.target, async () => {
        showError(root, "");
        try {
          merge = (await command(`guests/${value("kept")}/join/`, { guest: value("gone") })).merge_id;
          finish("joined");
        } catch (fault) {
          showError(root, /** @type {Error} */ (fault).message);
        }
      });
    });
    await fill(String(guest), String(other));
    find("#join-now", root).focus();
  });
  if (joined !== "joined") return;
  const part = () => run(`merges/${merge}/undo/`, {}, gettext("They are two guests again."), done);
  toast(gettext("They are one guest now."), { word: gettext("Undo"), run: part }, 8);
  done();
}

/** @param {string} path @param {Record<string, string>} fields @param {string} words @param {() => void} done */
async function run(path, fields, words, done) {
  try {
    await command(path, fields);
    toast(words);
  } catch (fault) {
    toast(/** @type {Error} */ (fault).message);
  }
  done();
}

/** A click on one of these deeds in the panel. @param {any} button @param {any} root */
export function clicked(button, root) {
  const again = () => prepare(root);
  const deeds = /** @type {Record<string, () => any>} */ ({
    compare: () => compare(button.dataset, again),
    "two-people": () => run(`guests/${button.dataset.guest}/two-people/`, { guest: button.dataset.other }, gettext("They stay two guests."), again),
    part: () => run(`merges/${button.dataset.merge}/undo/`, {}, gettext("They are two guests again."), again),
  });
  oneAtATime(button, deeds[button.dataset.do]);
}
