// @ts-check
/** The knowledge base beside the dialogue: found while typing, put into the answer, never sent by itself. */
import { announce, busy, debounced, find, findAll, gettext, interpolate, ngettext, parse, toast } from "./page.js";
import * as composer from "./composer.js";
import { showError } from "./dialogs.js";
import { read } from "./net.js";

let asked = 0;

/** @param {any} root the panel */
export function prepare(root) {
  const words = find("#article-words", root);
  words.addEventListener("input", debounced(() => look(root, words.value.trim()), 250));
  find("#articles", root).addEventListener("click", (/** @type {any} */ event) => {
    const button = event.target.closest("[data-do=insert-article]");
    if (button) put(find(".article-answer", button.closest("details")).textContent);
  });
}

/** @param {any} root @param {string} words */
async function look(root, words) {
  const [list, mine] = [find("#articles", root), ++asked];
  const end = busy(list);
  try {
    const answer = await read("knowledge/", { q: words });
    if (mine !== asked || !list.isConnected) return;
    showError(root, "");
    list.replaceChildren(...parse(answer.html));
    const count = findAll("details", list).length;
    announce(interpolate(ngettext("%(count)s article found", "%(count)s articles found", count), { count }));
  } catch (fault) {
    if (mine === asked && list.isConnected) showError(root, /** @type {Error} */ (fault).message);
  } finally {
    end();
  }
}

/** @param {string} words */
function put(words) {
  document.body.classList.remove("panel-over");
  if (!composer.insertAnswer(words)) toast(gettext("The guest cannot be answered here."));
}
