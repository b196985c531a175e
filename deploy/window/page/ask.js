// Asking: the question's form beside its answer.

import { post } from "./api.js";
import { answerView, summaryOf } from "./answer.js";
import { Catalogue, chosen } from "./catalogue.js";
import { EnterpriseField } from "./combobox.js";
import { announce, el, fill, focus, foreign, mark } from "./dom.js";
import { t } from "./language.js";
import { problemBox, showProblem } from "./problem.js";

export class AskPage {
  constructor({ onUnauthorised }) {
    this.onUnauthorised = onUnauthorised;
    this.catalogue = new Catalogue({});
    this.subject = { text: "", name: null };
    this.choice = "";
    this.on = "";
    this.clear();
  }

  clear() {
    this.running?.abort();
    this.running = null;
    this.answer = null; // {asked: {subject, choice, on}, said}
    this.problem = null;
  }

  /** Draw the page anew, in the language in use, with what was typed and answered. */
  draw(main) {
    this.field = new EnterpriseField(this.subject);
    this.result = el("div", { class: "result", id: "result" });
    fill(
      main,
      el("div", { class: "lead" }, el("h1", {}, t("titleAsk")), el("p", { class: "quiet" }, t("leadAsk"))),
      el("div", { class: "columns" }, this.form(), this.result),
    );
    this.drawResult();
  }

  form() {
    this.hint = el("p", { class: "hint after", id: "matter-hint" });
    this.matterError = el("p", { class: "field-error", id: "matter-error" });
    this.select = el(
      "select",
      { id: "matter", name: "matter", "aria-describedby": "matter-hint matter-error", onchange: () => this.chose(),
        onkeydown: (event) => this.key(event) },
      this.catalogue.options(this.choice),
    );
    this.hintChoice();
    const date = el("input", {
      id: "on", name: "on", type: "date", "aria-describedby": "on-hint", min: "1990-01-01", max: "2099-12-31",
      oninput: (event) => (this.on = event.target.value),
    });
    date.value = this.on;
    this.button = el("button", { type: "submit", class: "first" }, t("ask"));
    return el(
      "form",
      { class: "card question", novalidate: true, onsubmit: (event) => { event.preventDefault(); this.submit(); } },
      this.field.node,
      el("div", { class: "field" }, el("label", { for: "matter" }, t("matter")), this.select, this.hint, this.matterError),
      this.catalogue.empty && el("p", { class: "quiet" }, t("noMatters")),
      el("div", { class: "field" }, el("label", { for: "on" }, t("on")), el("p", { class: "hint", id: "on-hint" }, t("onHint")), date),
      this.button,
    );
  }

  /** Enter asks, here too: a select alone would only open its list. */
  key(event) {
    if (event.key !== "Enter") return;
    event.preventDefault();
    this.select.form.requestSubmit();
  }

  chose() {
    this.choice = this.select.value;
    this.matterError.textContent = "";
    this.select.removeAttribute("aria-invalid");
    this.hintChoice();
  }

  hintChoice() {
    fill(this.hint, this.choice && this.catalogue.hintOf(this.choice));
  }

  async submit() {
    if (this.running) return;
    const mine = (this.running = new AbortController());
    this.problem = null;
    try {
      const subject = await this.field.resolve();
      if (subject === null) return;
      if (this.choice === "") {
        this.matterError.textContent = t("matterMissing");
        this.select.setAttribute("aria-invalid", "true");
        this.select.focus();
        return;
      }
      this.waiting();
      const asked = { subject, choice: this.choice, on: this.on };
      const said = await this.send(asked, mine.signal);
      this.answer = { asked, said };
      if (said.name) this.subject.name = said.name;
    } catch (error) {
      if (mine.signal.aborted) return;
      if (error.status === undefined) throw error;
      this.answer = null;
      this.problem = error;
      if (error.status === 401) return void this.onUnauthorised(error);
    } finally {
      if (this.running === mine) {
        this.running = null;
        this.rested();
      }
    }
    this.arrived();
  }

  send({ subject, choice, on }, signal) {
    const { kind, code } = chosen(choice);
    const body = { subject, [kind]: code, ...(on ? { on } : {}) };
    return post(kind === "bundle" ? "/v1/bundle" : "/v1/ask", body, signal);
  }

  waiting() {
    this.button.setAttribute("aria-disabled", "true");
    this.button.textContent = t("asking");
    this.result.setAttribute("aria-busy", "true");
    fill(this.result, waitingBox());
    announce(t("asking"));
  }

  rested() {
    this.button.removeAttribute("aria-disabled");
    this.button.textContent = t("ask");
    this.result.removeAttribute("aria-busy");
  }

  /** Show what came, and take the reader there. */
  arrived() {
    if (!this.result.isConnected) return;
    if (this.problem) {
      showProblem(this.result, this.problem, () => this.submit());
      return;
    }
    this.field.showChosen();
    this.drawResult();
    const { said } = this.answer;
    announce(t("done", { name: said.name || t("nameless"), summary: summaryOf(said.notice) }));
    focus(this.result.querySelector("h2"));
  }

  drawResult() {
    if (this.answer) fill(this.result, answerView(this.answer, this.catalogue));
    else if (this.problem) fill(this.result, problemBox(this.problem, () => this.submit()));
    else fill(this.result, empty());
  }
}

const waitingBox = () =>
  el("div", { class: "card waiting" }, el("div", { class: "bar" }), el("p", { class: "quiet" }, t("asking")));

function empty() {
  const legend = [
    ["exempt", "exempt", "legendExempt"],
    ["on_promise", "on_promise", "legendPromise"],
    ["may_follow", "may_follow", "legendFollow"],
    ["must_bring", "must_bring", "legendMust"],
    ["not_accepted", "not_accepted", "legendNot"],
  ];
  return el(
    "section",
    { class: "card empty" },
    el("h2", {}, t("emptyTitle")),
    el("p", { class: "quiet" }, t("emptyText")),
    el("ul", { class: "legend" }, legend.map(([outcome, name, text]) =>
      el("li", {}, mark(outcome), el("span", {}, el("strong", {}, t(name)), el("span", { class: "quiet" }, foreign(t(text))))))),
  );
}
