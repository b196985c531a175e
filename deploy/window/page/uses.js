// By whom and for what an enterprise's data were used.

import { get } from "./api.js";
import { EnterpriseField } from "./combobox.js";
import { announce, el, fill, focus, foreign, mark } from "./dom.js";
import { keep, kept } from "./kept.js";
import { t, tell, time, word } from "./language.js";
import { problemBox, showProblem } from "./problem.js";

export class UsesPage {
  constructor({ onUnauthorised }) {
    this.onUnauthorised = onUnauthorised;
    this.own = null; // the enterprise itself, where it looks
    this.subject = { text: "", name: null, error: null };
    this.clear();
  }

  clear() {
    this.running?.abort();
    this.running = null;
    this.found = null; // {subject, uses, others, next}
    this.problem = null;
  }

  draw(main) {
    if (this.own === null) this.restore();
    this.field = this.own === null ? new EnterpriseField(this.subject) : null;
    this.result = el("div", { class: "result" });
    fill(
      main,
      el("div", { class: "lead" }, el("h1", {}, t("titleUses")), el("p", { class: "quiet" }, t("leadUses"))),
      this.field &&
        el("form", { class: "card question one-line", novalidate: true,
          onsubmit: (event) => { event.preventDefault(); this.submit(); } },
        this.field.node, el("button", { type: "submit", class: "first" }, t("usesAsk"))),
      this.result,
    );
    if (this.found) fill(this.result, this.view());
    else if (this.problem) fill(this.result, problemBox(this.problem, () => this.submit()));
    else if (this.own !== null) this.submit();
  }

  /** Show again what this tab was shown: looking anew would leave another receipt. */
  restore() {
    const found = this.found || this.problem ? null : kept("uses");
    if (found === null) return;
    this.found = found;
    this.subject = { text: found.subject, name: null, error: null };
  }

  submit() {
    return this.load(async (signal) => {
      const subject = this.own ?? (await this.field.resolve());
      if (subject === null) return null;
      fill(this.result, el("div", { class: "card waiting" }, el("div", { class: "bar" }), el("p", { class: "quiet" }, t("loading"))));
      return get("/v1/uses", { subject }, signal);
    });
  }

  /** Add the next page behind those shown. */
  more() {
    return this.load(async (signal) => {
      const { subject, next, uses } = this.found;
      const page = await get("/v1/uses", { subject, after: next }, signal);
      return { ...page, uses: [...uses, ...page.uses] };
    });
  }

  /** Show what is found, or what is wrong; nothing where null is found: the field says why. */
  async load(find) {
    if (this.running) return;
    const mine = (this.running = new AbortController());
    this.problem = null;
    try {
      const found = await find(mine.signal);
      if (found === null) return;
      this.found = found;
      keep("uses", found);
    } catch (error) {
      if (mine.signal.aborted) return;
      if (error.status === undefined) throw error;
      if (this.field && ["subject", "q"].some((one) => error.fields.includes(one))) {
        fill(this.result, this.found && this.view());
        return void this.field.error.say(error.fields.includes("q") ? "enterpriseShort" : "codeInvalid");
      }
      this.found = null;
      this.problem = error;
      if (error.status === 401) return void this.onUnauthorised(error);
    } finally {
      if (this.running === mine) this.running = null;
    }
    this.arrived();
  }

  arrived() {
    if (!this.result.isConnected) return;
    if (this.problem) {
      showProblem(this.result, this.problem, () => this.submit());
      return;
    }
    fill(this.result, this.view());
    announce(countOf(this.found));
    focus(this.result.querySelector("h2"));
  }

  view() {
    const { subject, uses, others, next } = this.found;
    const title = el("h2", {}, foreign(t("usesOf", { code: subject })));
    if (uses.length === 0) {
      return el("section", { class: "card" }, title, el("p", {}, countOf(this.found)),
        others === 0 && el("p", { class: "quiet" }, t("usesNoneText")));
    }
    const heads = ["usesAt", "usesBy", "usesFor", "usesKind", "usesData", "usesReceipt"];
    return el(
      "section",
      { class: "card" },
      title,
      el("p", { class: "quiet" }, countOf(this.found)),
      el("table", { class: "stacked uses-table" },
        el("thead", {}, el("tr", {}, heads.map((key) => el("th", { scope: "col" }, t(key))))),
        el("tbody", {}, uses.map((one) => row(one, heads)))),
      next && el("button", { type: "button", class: "plain", id: "uses-more", onclick: () => this.more() }, t("usesMore")),
    );
  }
}

/** How many uses are shown, whether there are more, and how many are not the caller's to see. */
function countOf({ uses, others, next }) {
  const shown = uses.length === 0 ? t("usesNone") : t(next ? "usesShown" : "usesCount", { n: uses.length });
  return others > 0 ? `${shown}${t("usesOthers", { n: others })}` : shown;
}

const several = (names) => el("ul", {}, [...new Set((names ?? []).map(tell))].map((name) => el("li", {}, foreign(name))));

const BADGES = { refusal: "must_bring", look: "on_promise" };

function row(one, heads) {
  const refused = one.kind === "refusal";
  const cells = [
    el("span", { class: "nowrap" }, time(one.at)),
    [several(one.departments), el("span", { class: "quiet small lines" }, foreign(one.window))],
    [several(one.matters), el("span", { class: "quiet small lines" }, several(one.purposes))],
    [el("span", { class: `badge ${BADGES[one.kind] ?? "exempt"}` }, mark(BADGES[one.kind] ?? "exempt"), word(one.kind)), refused && one.why && el("span", { class: "quiet small lines" }, foreign(tell(one.why)))],
    one.evidence?.length ? several(one.evidence) : el("span", { class: "quiet" }, t("usesNothing")),
    foreign(one.receipt, { class: "code small" }),
  ];
  // The heading of each cell is said again where the rows are stacked on a narrow screen.
  return el("tr", {}, cells.map((cell, at) => el("td", {}, el("span", { class: "cell-name", "aria-hidden": "true" }, t(heads[at])), el("div", {}, cell))));
}
