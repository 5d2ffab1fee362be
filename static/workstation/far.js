// @ts-check
/** A long feed far from its end: its beginning at one go, and the way down from there. */
import { find, gettext, parse, toast } from "./page.js";
import { read } from "./net.js";

/** @typedef {{path: () => string, opened: () => any, entriesOf: () => any[], showPart: (answer: any) => void, extend: (entries: HTMLElement[], hasNewer: boolean) => void}} Feed */

/** The guest's very first messages. @param {Feed} feed */
export async function beginning(feed) {
  const asked = feed.opened();
  try {
    const answer = await read(`${feed.path()}feed/`, { first: 1 });
    if (asked !== feed.opened()) return;
    feed.showPart(answer);
    find("#feed").scrollTop = 0;
    feed.entriesOf()[0]?.focus({ preventScroll: true });
  } catch (fault) {
    toast(/** @type {Error} */ (fault).message);
  }
}

let paging = false;
/** The page below the last shown entry. @param {Feed} feed */
export async function newer(feed) {
  const [asked, last] = [feed.opened(), feed.entriesOf().at(-1)];
  if (paging || !last) return;
  paging = true;
  try {
    const answer = await read(`${feed.path()}feed/`, { after: last.dataset.id });
    // Another part may stand there by now: this page does not follow it.
    if (asked === feed.opened() && last === feed.entriesOf().at(-1)) feed.extend(parse(answer.html), answer.has_newer);
  } catch {
    // The next scroll tries again.
  } finally {
    paging = false;
  }
}
