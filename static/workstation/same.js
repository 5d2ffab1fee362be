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
  if (answer && place.isConnected) place.replaceChildren(...parse(answer.html));
}

/** @param {string} kept @param {string} gone */
const preview = (kept, gone) => read(`guests/${kept}/same/${gone}/`);

/** @param {any} data @param {() => void} done */
async function compare({ guest, other }, done) {
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
          await command(`guests/${value("kept")}/join/`, { guest: value("gone") });
          finish("joined");
        } catch (fault) {
          showError(root, /** @type {Error} */ (fault).message);
        }
      });
    });
    await fill(guest, other);
  });
  if (joined === "joined") {
    toast(gettext("They are one guest now."));
    done();
  }
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
