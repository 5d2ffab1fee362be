// @ts-check
/** A ticket's life in the panel: what a topic asks for, the route map, calls that are due, news of followed tickets. */
import { element, find, findAll, gettext, interpolate, parse, toast } from "./page.js";
import { show, showError } from "./dialogs.js";
import { read } from "./net.js";

const TYPES = /** @type {Record<string, string>} */ ({ date: "date", time: "time", number: "number" });

/** The fields that the chosen topic asks for, and its instruction. What is known of the `caseId` already stands in them.
 * @param {any} root the form @param {string} topic @param {string} [caseId] */
export async function ask(root, topic, caseId = "") {
  const place = find("[data-asks]", root);
  if (!place) return;
  const answer = await read("topics/asks/", caseId ? { topic, case: caseId } : { topic }).catch(() => null);
  if (!place.isConnected || !answer) return;
  const hint = find("[data-store-hint]", root);
  if (hint) hint.textContent = answer.store_required ? gettext("needed for this topic") : gettext("if it is about one");
  const written = new Map(findAll("[name]", place).map((field) => [field.name, field.value]));
  const parts = answer.details.map((/** @type {any} */ one) => asked(one, `${place.dataset.asks}-${one.name}`, written.get(one.name) || one.value));
  const told = answer.instruction ? [element("p", { className: "hint" }, answer.instruction)] : [];
  place.replaceChildren(...told, ...parts);
}

/** @param {any} one @param {string} id @param {string} value */
function asked(one, id, value) {
  const mark = one.required ? "" : ` (${gettext("if known")})`;
  const hint = one.hint ? [element("span", { className: "hint" }, one.hint)] : [];
  return element("div", { className: "field" }, element("label", { htmlFor: id }, one.label + mark), field(one, id, value), ...hint);
}

/** @param {any} one @param {string} id @param {string} value */
function field(one, id, value) {
  const common = { id, name: one.name, required: one.required };
  const options = one.kind === "yes_no" ? [["yes", gettext("yes")], ["no", gettext("no")]] : one.options.map((/** @type {string} */ word) => [word, word]);
  if (!options.length) return element("input", { ...common, type: TYPES[one.kind] || "text", value, autocomplete: "off", maxLength: 300 });
  const list = element("select", common, element("option", { value: "" }, gettext("Choose")));
  for (const [code, word] of options) list.append(element("option", { value: code, selected: code === value }, word));
  return list;
}

/** @param {string} caseId */
export const routeMap = (caseId) =>
  show("route-map", async (root) => {
    try {
      const { html } = await read(`case/${caseId}/map/part/`);
      find("#route-map-body", root).replaceChildren(...parse(html));
    } catch (fault) {
      showError(root, /** @type {Error} */ (fault).message);
    }
  });

/** Calls that are due and not looked at yet, the newest last. @type {number[]} */
let due = [];

/** A call is due. @param {any} data @param {(key: string) => void} open */
export function callCame(data, open) {
  due = [...due.filter((id) => id !== data.case_id), data.case_id];
  const words = interpolate(gettext("Call back: № %(number)s, %(guest_name)s. %(note)s"), data);
  toast(words, { word: gettext("Open"), run: () => open(`case:${data.case_id}`) }, 60);
}

/** F2 while nobody calls: the ticket of the call that is due, with its number at hand. @param {(key: string) => Promise<void>} open @param {(tab: string) => Promise<void>} showTab */
export async function answerCall(open, showTab) {
  const id = due.pop();
  if (!id) {
    toast(gettext("No call is offered, and none is due."));
    return;
  }
  await open(`case:${id}`);
  await showTab("ticket");
  (find("#panel .call.is-due a") || find("#panel .call.is-due [name=outcome]"))?.focus();
}

/** Something happened to a ticket that the person follows. @param {any} data @param {(key: string) => void} open */
export function newsCame(data, open) {
  const words = data.by ? interpolate(gettext("№ %(number)s: news by %(by)s"), data) : interpolate(gettext("№ %(number)s: news"), data);
  toast(words, { word: gettext("Open"), run: () => open(`case:${data.case_id}`) }, 8);
}
