// @ts-check
/** What can be taken back within seconds: a closing and a mail that the server still holds. */
import { find, findAll, gettext, serverNow, toast } from "./page.js";
import * as composer from "./composer.js";
import { command } from "./net.js";
import * as rows from "./rows.js";

/** The last own closing that the server holds. */
let held = { key: "", until: 0 };

/** The item is about to be closed. @param {string} key `session:12` @param {{held_until: string}} answer */
export function leaving(key, answer) {
  held = { key, until: Date.parse(answer.held_until) };
  rows.setLeaving(key, true);
  toast(gettext("Finished."), { word: gettext("Undo"), run: keepOpen }, Math.max(1, (held.until - serverNow()) / 1000));
}

/** The closing is taken back; what has been opened meanwhile stays open. */
async function keepOpen() {
  const [kind, id] = held.key.split(":");
  held.until = 0;
  try {
    await command(`${kind}/${id}/keep-open/`);
    rows.setLeaving(`${kind}:${id}`, false);
    toast(gettext("It stays open."));
  } catch (fault) {
    toast(/** @type {Error} */ (fault).message);
  }
}

/** What was to be closed is still open, and why. @param {{kind: string, id: number, why: string}} data @param {(key: string) => void} open */
export function notClosed(data, open) {
  const key = `${data.kind}:${data.id}`;
  rows.setLeaving(key, false);
  toast(data.why, { word: gettext("Open"), run: () => open(key) }, 15);
}

/** Z: the last deed that can be taken back, else a word why there is none. */
export function undo() {
  const mail = findAll(".undo:not([hidden])").at(-1);
  if (mail) mail.click();
  else if (held.until > serverNow()) keepOpen();
  else if (find(".toast button")) find(".toast button").click();
  else toast(gettext("There is nothing to take back. A chat message goes at once; a mail and a closing wait for 5 seconds."));
}

/** A mail that did not go: its text and files are where they were written. @param {{text: string, files: {name: string, url: string}[]}} mail */
export async function bringBack({ text, files }) {
  composer.putText("answer", text);
  const bring = async (/** @type {{name: string, url: string}} */ { name, url }) => {
    const body = await (await fetch(url)).blob();
    return new File([body], name, { type: body.type });
  };
  if (files.length) composer.addFiles(await Promise.all(files.map(bring)));
}
