// The answer: the enterprise, a summary, each paper with its reason, then the sheets to print.

import { chosen } from "./catalogue.js";
import { el, facts, foreign, kindOf, mark } from "./dom.js";
import { language, t, tell, time, word } from "./language.js";
import { formSheet, noticeSheet, receiptSheet } from "./sheets.js";

const COUNTED = [
  ["exempt", "not_needed"],
  ["on_promise", "to_promise"],
  ["may_follow", "may_follow"],
  ["must_bring", "to_bring"],
  ["not_accepted", "not_accepted"],
];

/** How many papers there are, in a sentence; a paper of several matters counts once. */
export function summaryOf(notice) {
  const counts = COUNTED.map(([, list]) => (notice[list] ?? []).length);
  const asked = counts.reduce((sum, n) => sum + n, 0);
  const told = t("summary", { asked, exempt: counts[0], bring: counts[3] });
  return counts[4] > 0 ? `${told}${t("summaryNot", { n: counts[4] })}` : told;
}

/** All that the server answered to one question. */
export function answerView({ asked, said }, catalogue) {
  const about = {
    said,
    title: catalogue.titleOf(asked.choice),
    matters: said.matters.map((code) => catalogue.nameOf(code)),
    isBundle: chosen(asked.choice).kind === "bundle",
    department: catalogue.departmentsOf(said.matters),
  };
  return [
    el(
      "section",
      { class: "card overview" },
      el("h2", { lang: said.name ? "zh-CN" : null }, foreign(said.name || t("nameless"))),
      el("p", { class: "overview-code" }, foreign(said.subject, { class: "code" })),
      el("p", { class: "overview-matter" }, foreign(about.title)),
      el("p", { class: "quiet small" }, asOf(said)),
      tally(said.notice),
      el("p", { class: "summary" }, summaryOf(said.notice)),
    ),
    el(
      "section",
      { class: "card papers", "aria-labelledby": "papers-title" },
      el("h3", { id: "papers-title" }, t("papers")),
      said.answers.map((one) => matterPapers(one, catalogue, about.isBundle)),
    ),
    formSheet(about),
    noticeSheet(about),
    receiptSheet(about),
  ];
}

/** The day, and the time through which departments' data are counted; of the past, the time asked for. */
function asOf({ on, landed_through: through, known_at: at }) {
  return t(through ? "asOf" : "asOfPast", { on, through: time(through), at: time(at) });
}

function tally(notice) {
  return el("ul", { class: "tally", "aria-label": t("summaryLabel") }, COUNTED.map(([outcome, list]) => {
    const count = (notice[list] ?? []).length;
    return el("li", { class: `tally-${outcome}${count === 0 ? " none" : ""}` },
      mark(outcome), el("span", { class: "tally-count" }, String(count)), el("span", { class: "tally-name" }, t(outcome)));
  }));
}

function matterPapers(one, catalogue, isBundle) {
  const term = catalogue.termOf(one.matter);
  return [
    isBundle && el("h4", {}, foreign(tell(one.name)), " ", el("span", { class: "code quiet" }, one.matter)),
    term && el("p", { class: "quiet small term" }, term),
    one.papers.length === 0 && el("p", { class: "quiet" }, t("noPapers")),
    el("ol", { class: "paper-list" }, one.papers.map(paper)),
  ];
}

function paper(one) {
  const kind = kindOf(one.outcome);
  return el(
    "li",
    { class: `paper ${kind}` },
    mark(one.outcome),
    el(
      "div",
      { class: "paper-body" },
      el(
        "div",
        { class: "paper-head" },
        el("p", { class: "paper-name" }, foreign(tell(one.name)), one.necessity === "optional" && el("span", { class: "tag" }, t("optional"))),
        el("p", { class: `badge ${kind}` }, outcomeWord(one)),
      ),
      el("p", { class: "why" }, foreign(tell(one.why))),
      facts([[t("stoppedBy"), stopped(one.stopped)], [t("rule"), rule(one.rule)], [t("source"), source(one)], [t("record"), record(one.record)]], { class: "proof" }),
    ),
  );
}

/** The page's own word for an outcome; the server's for one that the page does not know. */
const outcomeWord = (one) => (word(one.outcome) === one.outcome && tell(one.outcome_words)) || word(one.outcome);

/** What became of what cannot be accepted, since when, by whom, and by which decision. Without a day
 * the document is the record's own, which may be the grant. */
function stopped(one) {
  if (!one) return null;
  return [
    el("strong", {}, foreign(tell(one.state_words))),
    one.by && el("span", { class: "aside" }, foreign(one.by)),
    one.since && el("span", { class: "quiet aside" }, t("stoppedSince", { on: one.since })),
    one.document && el("span", { class: "quiet aside" }, one.since ? null : t("onFile"), foreign(one.document, { class: "code" })),
  ];
}

function rule(one) {
  if (!one) return null;
  const law = tell(one.law);
  const article = String(one.article).replaceAll(/,\s*/g, language() === "zh" ? "、" : ", ");
  return [
    foreign(language() === "zh" ? `《${law}》` : `${law}, `),
    foreign(t("article", { n: article })),
    el("span", { class: "quiet says" }, foreign(tell(one.says))),
  ];
}

function source({ source: id, source_name: name, complete_through: through }) {
  if (!id && !name) return null;
  const until = through ? t("completeThrough", { at: time(through) }) : t("notComplete");
  return [foreign(tell(name) || id), el("span", { class: "quiet aside" }, until)];
}

function record(one) {
  if (!one) return null;
  const { number, record_key: key, valid_from: from, valid_to: to } = one;
  const term = from && to ? "validity" : from ? "validFrom" : to ? "validTo" : null;
  return [
    foreign(number || key || "", { class: "code" }),
    term && el("span", { class: "quiet aside" }, t(term, { from, to })),
  ];
}
