// @ts-check
/** A message on its way out: why it has not arrived, another channel, approved texts, the guest's consent. */
import { element, find, findAll, gettext, interpolate, oneAtATime, parse, toast } from "./page.js";
import { show, showError } from "./dialogs.js";
import { command, read } from "./net.js";

/** The tries of a message, and what can be done. @param {string|number} message @param {(id: number) => void} [changed] */
export async function story(message, changed = () => {}) {
  await show("story", async (root, done) => {
    try {
      const { html } = await read(`messages/${message}/story/`);
      find("#story-body", root).replaceChildren(...parse(html));
    } catch (fault) {
      showError(root, /** @type {Error} */ (fault).message);
    }
    for (const button of findAll("[data-way]", root)) {
      button.addEventListener("click", () => oneAtATime(button, async () => {
        showError(root, "");
        try {
          await command(`messages/${message}/other-channel/`, { identity: button.dataset.way });
          done("sent");
          toast(gettext("Sent through the other channel."));
          changed(Number(message));
        } catch (fault) {
          showError(root, /** @type {Error} */ (fault).message);
        }
      }));
    }
  });
}

/** A message of ours was not sent: said wherever the operator is. @param {any} data */
export function failed(data) {
  const words = data.error ? interpolate(gettext("An answer was not sent: %(error)s"), { error: data.error }) : gettext("An answer was not sent.");
  toast(words, { word: gettext("Why?"), run: () => story(data.message_id) }, 15);
}

/** Choose an approved text, fill it in and send it. @param {string} path of the item @param {number} seen @returns {Promise<any>} the answer */
export async function approved(path, seen) {
  let sent = null;
  await show("approved", async (root, done) => {
    const { found } = await read(`${path}approved/`).catch(() => ({ found: [] }));
    const list = find("#approved-list", root);
    for (const one of found) list.append(element("option", { value: String(one.id) }, `${one.name} (${one.language})`));
    const chosen = () => found.find((/** @type {any} */ one) => String(one.id) === list.value);
    const values = () => findAll("[data-place]", root).map((field) => field.value.trim());
    const preview = () => {
      const given = values();
      find("#approved-text", root).textContent = chosen()?.body.replace(/\{\{(\d+)\}\}/g, (/** @type {string} */ place, /** @type {string} */ number) => given[Number(number) - 1] || place) || "";
    };
    const fill = () => {
      const fields = (chosen()?.parameters || []).map((/** @type {string} */ name, /** @type {number} */ place) => {
        const field = element("input", { type: "text", id: `place-${place}`, required: true, autocomplete: "off", "data-place": String(place) });
        return element("div", { className: "field" }, element("label", { htmlFor: `place-${place}` }, name), field);
      });
      find("#approved-places", root).replaceChildren(...fields);
      preview();
    };
    list.addEventListener("change", fill);
    find("#approved-places", root).addEventListener("input", preview);
    find("form", root).addEventListener("submit", (/** @type {any} */ event) => oneAtATime(event.target, async () => {
      showError(root, "");
      try {
        sent = await command(`${path}approved/send/`, { template: list.value, values: JSON.stringify(values()), seen: seen || "" });
        done("sent");
      } catch (fault) {
        showError(root, /** @type {Error} */ (fault).message);
      }
    }));
    if (!found.length) showError(root, gettext("No text has been approved for this account yet."));
    find("[type=submit]", root).disabled = !found.length;
    fill();
    list.focus();
  });
  return sent;
}

/** The guest agrees, or no longer, to be written to in a channel when another one fails. @param {any} button */
export async function consent({ dataset }) {
  try {
    await command(`guests/${dataset.guest}/identities/${dataset.identity}/consent/`, { agrees: dataset.agrees });
    toast(dataset.agrees === "1" ? gettext("The consent is noted.") : gettext("The consent is withdrawn."));
  } catch (fault) {
    toast(/** @type {Error} */ (fault).message);
  }
}
