// Asking: the question's form beside its answer.

import { post } from "./api.js";
import { answerView, summaryOf } from "./answer.js";
import { Catalogue, chosen } from "./catalogue.js";
import { EnterpriseField } from "./combobox.js";
import { announce, el, fill, focus, foreign, mark } from "./dom.js";
import { FieldError } from "./field.js";
import { keep, kept } from "./kept.js";
import { t } from "./language.js";
import { MatterField } from "./matter.js";
import { problemBox, showProblem } from "./problem.js";

export class AskPage {
  constructor({ onUnauthorised, onAddress }) {
    this.onUnauthorised = onUnauthorised;
    this.onAddress = onAddress;
    this.catalogue = new Catalogue({});
    this.clear();
  }

  clear() {
    this.running?.abort();
    this.running = null;
    this.subject = { text: "", name: null, error: null };
    this.matter = { choice: "", search: "", error: null };
    this.day = { on: "", error: null };
    this.show(null);
  }

  show(answer, problem = null, gone = null) {
    this.answer = answer; // {asked: {subject, choice, on}, said}
    this.problem = problem;
    this.gone = gone; // the receipt of an answer that this tab does not have
  }

  /** The address of what is shown: a receipt's id, and nothing of an enterprise. */
  get address() {
    const id = this.answer?.said.receipt.id ?? this.gone;
    return id ? `#/answer/${encodeURIComponent(id)}` : "#/";
  }

  /** Show what an address names, as it was answered; nothing is asked anew. */
  follow(address) {
    if (address === this.address) return;
    this.running?.abort();
    this.running = null;
    const id = receiptIn(address);
    const answer = id === null ? null : kept(id);
    this.show(answer, null, answer ? null : id);
    if (answer === null) return;
    const { subject, choice, on } = answer.asked;
    this.subject = { text: subject, name: answer.said.name ?? null, error: null };
    this.matter = { choice, search: "", error: null };
    this.day = { on, error: null };
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
    this.choice = new MatterField(this.catalogue, this.matter);
    this.date = el("input", {
      id: "on", name: "on", type: "date", "aria-describedby": "on-hint on-error", min: "1949-01-01", max: "2199-12-31",
      oninput: () => { this.day.on = this.date.value; this.dayError.clear(); },
    });
    this.date.value = this.day.on;
    this.dayError = new FieldError(this.date, this.day);
    this.button = el("button", { type: "submit", class: "first" }, t("ask"));
    return el(
      "form",
      { class: "card question", novalidate: true, onsubmit: (event) => { event.preventDefault(); this.submit(); } },
      this.field.node,
      this.choice.node,
      this.catalogue.empty && el("p", { class: "quiet" }, t("noMatters")),
      el("div", { class: "field" }, el("label", { for: "on" }, t("on")), el("p", { class: "hint", id: "on-hint" }, t("onHint")), this.date, this.dayError.node),
      this.button,
    );
  }

  async submit() {
    if (this.running) return;
    const mine = (this.running = new AbortController());
    try {
      const subject = await this.field.resolve();
      if (subject === null) return;
      const choice = this.choice.resolve();
      if (choice === "") return;
      // A day typed by half has no value: it must not be taken for today.
      if (!this.date.validity.valid) return void this.dayError.say("onInvalid");
      this.waiting();
      const asked = { subject, choice, on: this.day.on };
      const said = await this.send(asked, mine.signal);
      this.show({ asked, said });
      if (said.name) this.subject.name = said.name;
      keep(said.receipt.id, this.answer);
    } catch (error) {
      if (mine.signal.aborted) return;
      if (error.status === undefined) throw error;
      if (error.status === 401) {
        this.show(null);
        return void this.onUnauthorised(error);
      }
      if (this.sayBeside(error)) return;
      this.show(null, error);
    } finally {
      if (this.running === mine) {
        this.running = null;
        this.rested();
      }
    }
    this.onAddress(this.address);
    this.arrived();
  }

  /** Say what is wrong beside the field that it is about; false where it is about none. */
  sayBeside({ status, fields }) {
    const errors = [
      [fields.includes("subject"), this.field.error, "codeInvalid"],
      [fields.includes("q"), this.field.error, "enterpriseShort"],
      [status === 404 || ["matter", "bundle"].some((one) => fields.includes(one)), this.choice.error, "matterUnknown"],
      [fields.includes("on"), this.dayError, "onInvalid"],
    ].filter(([wrong]) => wrong);
    for (const [, error, key] of errors.reverse()) error.say(key); // the first has the focus in the end
    if (errors.length > 0) this.drawResult();
    return errors.length > 0;
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
    else if (this.gone) fill(this.result, gone(this.gone));
    else if (this.problem) fill(this.result, problemBox(this.problem, () => this.submit()));
    else fill(this.result, empty());
  }
}

/** The receipt's id in an address; null where there is none. */
function receiptIn(address) {
  const found = /^#\/answer\/([\w.%-]{1,80})$/.exec(address);
  try {
    return found && decodeURIComponent(found[1]);
  } catch {
    return null; // an address typed by hand
  }
}

/** An answer that this tab does not have: it was given elsewhere, or is too long ago. */
const gone = (id) =>
  el("section", { class: "card" }, el("h2", {}, t("goneTitle")), el("p", {}, t("goneText", { id })));

const waitingBox = () =>
  el("div", { class: "card waiting" }, el("div", { class: "bar" }), el("p", { class: "quiet" }, t("asking")));

function empty() {
  const legend = [
    ["not_accepted", "not_accepted", "legendNot"],
    ["must_bring", "must_bring", "legendMust"],
    ["may_follow", "may_follow", "legendFollow"],
    ["on_promise", "on_promise", "legendPromise"],
    ["exempt", "exempt", "legendExempt"],
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
