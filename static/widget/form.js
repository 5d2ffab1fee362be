// The site's questions before the chat: one column, problems in words beside their field, answers kept while the page lives.

/** Events: `done` ({name: answer}). */
export class Form extends EventTarget {
  constructor({ words, memory }) {
    super();
    Object.assign(this, { words, memory });
    this.form = document.getElementById("prechat");
    this.list = document.getElementById("questions");
    this.template = document.getElementById("a-question");
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.#submit(); });
    this.form.addEventListener("input", () => this.memory.set("answers", this.answers()));
  }

  draw(questions) {
    const kept = this.memory.get("answers") || {};
    this.list.replaceChildren(...questions.map((question) => this.#question(question, kept[question.name] || "")));
  }

  focus() {
    this.list.querySelector("input, select")?.focus();
  }

  answers() {
    const found = {};
    for (const field of this.list.querySelectorAll("[name]")) found[field.name] = field.type === "checkbox" ? (field.checked ? "yes" : "") : field.value.trim();
    return found;
  }

  /** Sentences by the fields' names, as the server says them. */
  tell(problems) {
    for (const field of this.list.querySelectorAll("[name]")) this.#problem(field, problems[field.name] || "");
    this.list.querySelector("[aria-invalid=true]")?.focus();
  }

  #submit() {
    const missing = [...this.list.querySelectorAll("[required]")].filter((field) => !this.answers()[field.name]);
    this.tell(Object.fromEntries(missing.map((field) => [field.name, this.words.say("required")])));
    if (!missing.length) this.dispatchEvent(new CustomEvent("done", { detail: this.answers() }));
  }

  #question(question, value) {
    const row = this.template.content.firstElementChild.cloneNode(true);
    const label = row.querySelector("label");
    const problem = row.querySelector(".problem");
    const field = this.#field(question, value);
    field.id = `q-${question.name}`;
    problem.id = `p-${question.name}`;
    label.htmlFor = field.id;
    label.textContent = question.label;
    if (question.required) {
      field.required = true;
      const star = document.createElement("span");
      star.textContent = " *";
      star.setAttribute("aria-hidden", "true");
      label.append(star);
    }
    row.classList.toggle("check", question.type === "consent");
    label[question.type === "consent" ? "before" : "after"](field);
    field.addEventListener("input", () => this.#problem(field, ""));
    return row;
  }

  #field(question, value) {
    if (question.type === "choice") return this.#choice(question, value);
    const field = document.createElement("input");
    field.name = question.name;
    field.type = question.type === "consent" ? "checkbox" : question.type;
    field.autocomplete = question.autocomplete;
    if (question.type === "consent") field.checked = value === "yes";
    else field.value = value;
    return field;
  }

  #choice(question, value) {
    const field = document.createElement("select");
    field.name = question.name;
    for (const text of ["", ...question.options]) {
      const option = document.createElement("option");
      option.value = option.textContent = text;
      option.selected = text === value;
      field.append(option);
    }
    return field;
  }

  #problem(field, text) {
    const problem = document.getElementById(`p-${field.name}`);
    problem.textContent = text;
    problem.hidden = !text;
    field.setAttribute("aria-invalid", String(Boolean(text)));
    if (text) field.setAttribute("aria-describedby", problem.id);
    else field.removeAttribute("aria-describedby");
  }
}
