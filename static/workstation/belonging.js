// @ts-check
/** Duplicates and links: beside the ticket, and in the form of a new one. */
import { announce, find, gettext, interpolate, oneAtATime, parse, toast } from "./page.js";
import { attempt, show, showError } from "./dialogs.js";
import { ask } from "./life.js";
import { command, read } from "./net.js";
import { tellLikely } from "./same.js";

/** Fills the panel's place for what belongs to the ticket; the panel is there before it. @param {any} root */
export async function prepare(root) {
  const place = find("[data-belonging]", root);
  if (!place) return;
  const answer = await look(place.dataset.belonging);
  if (answer && place.isConnected) place.replaceChildren(...parse(answer.html));
}

/** @param {string|number} id of the ticket @returns {Promise<any>} the answer; what it tells of a duplicate is told above the dialogue */
export async function look(id) {
  const answer = await read(`case/${id}/belonging/`).catch(() => null);
  if (answer) tellLikely({ key: `case:${id}`, likely: answer.likely });
  return answer;
}

/** Two tickets side by side; Enter joins them. @param {string|number} id @param {string|number} other @param {() => void} done */
export async function compare(id, other, done) {
  let [one, main] = [String(id), String(other)];
  let link = 0;
  const decided = await show("compare", async (root, finish) => {
    const fill = async () => {
      try {
        find("#compare-body", root).replaceChildren(...parse((await read(`case/${one}/compare/${main}/`)).html));
      } catch (fault) {
        showError(root, /** @type {Error} */ (fault).message);
      }
    };
    find("[data-do=swap]", root).addEventListener("click", () => {
      [one, main] = [main, one];
      fill();
    });
    find("[data-two]", root).addEventListener("click", () => attempt(root, () => command(`case/${one}/two-matters/`, { main }), () => finish("two")));
    find("form", root).addEventListener("submit", () => attempt(root, async () => {
      link = (await command(`case/${one}/link/`, { kind: "duplicate", main })).link_id;
    }, () => finish("joined")));
    find("#compare-join", root).focus();
    await fill();
  });
  const undo = () => run(`links/${link}/undo/`, {}, gettext("Undone."), done);
  if (decided === "joined") toast(gettext("The tickets are one matter now."), { word: gettext("Undo"), run: undo }, 8);
  if (decided === "two") toast(gettext("They stay two matters."));
  if (decided) done();
}

let asked = 0;
/** The new ticket's topic, store or words have changed: what would it repeat? @param {any} form @param {string} session */
export async function lookAlike(form, session) {
  const place = find("[data-alike]", form);
  const mine = ++asked;
  const value = (/** @type {string} */ name) => find(`[name=${name}]`, form)?.value || "";
  if (!place || !value("topic")) return;
  const wanted = { topic: value("topic"), store: value("store"), summary: value("summary") };
  const answer = await read(`session/${session}/alike/`, wanted).catch(() => null);
  if (!answer || mine !== asked || !place.isConnected) return;
  place.replaceChildren(...parse(answer.html));
  place.hidden = !answer.html;
  if (answer.html) announce(gettext("There may be a ticket on this matter already."));
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

/** A click inside the panel; true = it was for us. @param {any} button @param {any} root */
export function clicked(button, root) {
  const again = () => prepare(root);
  const { case: id, main, link } = button.dataset;
  const deeds = /** @type {Record<string, () => any>} */ ({
    "join-case": () => run(`case/${id}/link/`, { kind: "duplicate", main }, gettext("Joined. It can be undone here."), again),
    "relate-case": () => run(`case/${id}/link/`, { kind: "related", main }, gettext("Linked. It can be undone here."), again),
    "two-matters": () => run(`case/${id}/two-matters/`, { main }, gettext("They stay two matters."), again),
    "undo-link": () => run(`links/${link}/undo/`, {}, gettext("Undone."), again),
  });
  const deed = deeds[button.dataset.do];
  if (deed) oneAtATime(button, deed);
  return Boolean(deed);
}

/** A word of the feed becomes a ticket of its own: on which topic, about which store? Whether it did.
 * @param {string} path of the ticket @param {any} button @param {(key: string) => void} open @param {() => void} refresh */
export async function splitOff(path, button, open, refresh) {
  const said = find(".text", button.closest(".bubble"))?.textContent || gettext("a file");
  let made = /** @type {any} */ (null);
  await show("split", (root, done) => {
    const form = find("form", root);
    find("#split-text").textContent = said;
    find("#split-topic").focus();
    form.addEventListener("picked", (/** @type {any} */ event) => {
      if (event.target.dataset.picker === "topics") ask(form, String(event.detail.id));
    });
    form.addEventListener("submit", () => {
      const fields = { ...Object.fromEntries(new FormData(form)), message: button.dataset.message };
      attempt(root, async () => { made = await command(`${path}split/`, fields); }, () => done("split"));
    });
  });
  if (!made) return false;
  const words = interpolate(gettext("Ticket № %(number)s is split off."), made);
  toast(words, { word: gettext("Undo"), run: () => run(`links/${made.link_id}/undo/`, {}, gettext("Undone."), refresh) }, 15);
  return true;
}

/** A draft of an incident, or a decision about one. @param {any} data */
export function incidentCame(data) {
  if (data.state !== "draft") return;
  toast(gettext("Many tickets are alike: an incident is drafted."), { word: gettext("Look at it"), run: () => location.assign("/desk/incidents/") });
}
