// The answer: the enterprise, a summary, each paper with its reason, then the sheets to print.

import { chosen } from "./catalogue.js";
import { el, facts, foreign, kindOf, mark } from "./dom.js";
import { language, listed, t, tell, time, word } from "./language.js";
import { formSheet, noticeSheet, printButton, receiptSheet } from "./sheets.js";

/** The outcomes with their lists in the notice and the lists' titles: what must be done comes first. */
const GROUPS = [
  ["not_accepted", "not_accepted", "notAccepted"],
  ["must_bring", "to_bring", "toBring"],
  ["may_follow", "may_follow", "mayFollow"],
  ["on_promise", "to_promise", "promises"],
  ["exempt", "not_needed", "exemptList"],
];

const countOf = (notice, list) => (notice[list] ?? []).length;

/** What there is to do, in a sentence; a paper of several matters counts once. */
export function summaryOf(notice) {
  const counts = Object.fromEntries(GROUPS.map(([outcome, list]) => [outcome, countOf(notice, list)]));
  const asked = Object.values(counts).reduce((sum, n) => sum + n, 0);
  const rest = [["not_accepted", "summaryNot"], ["may_follow", "summaryFollow"], ["on_promise", "summaryPromise"], ["exempt", "summaryExempt"]]
    .filter(([outcome]) => counts[outcome] > 0).map(([outcome, key]) => t(key, { n: counts[outcome] }));
  const first = counts.must_bring > 0 ? t("summaryBring", { n: counts.must_bring }) : t("summaryBringNone");
  return t("summary", { told: listed([first, ...rest]), asked });
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
      el("p", { class: "summary" }, summaryOf(said.notice)),
      tally(said.notice),
      el("p", { class: "quiet small" }, asOf(said)),
      terms(said, catalogue, about.isBundle),
    ),
    el(
      "section",
      { class: "card papers", "aria-labelledby": "papers-title" },
      el("div", { class: "sheet-top" }, el("h3", { id: "papers-title" }, t("papers")), printButton("notice")),
      without(said).map((one) => el("p", { class: "quiet" }, about.isBundle ? t("noPapersFor", { name: tell(one.name) }) : t("noPapers"))),
      GROUPS.map((group) => papersOf(group, about)),
    ),
    noticeSheet(about),
    formSheet(about),
    receiptSheet(about),
  ];
}

/** The day, and the time through which departments' data are counted; of the past, the time asked for. */
function asOf({ on, landed_through: through, known_at: at }) {
  return t(through ? "asOf" : "asOfPast", { on, through: time(through), at: time(at) });
}

/** How long each matter takes. */
function terms(said, catalogue, isBundle) {
  return said.matters.map((code) => [catalogue.nameOf(code), catalogue.termOf(code)])
    .filter(([, term]) => term)
    .map(([name, term]) => el("p", { class: "quiet small term" }, isBundle && foreign(`${name}: `), term));
}

function tally(notice) {
  return el("ul", { class: "tally", "aria-label": t("summaryLabel") }, GROUPS.map(([outcome, list]) => {
    const count = countOf(notice, list);
    return el("li", { class: `tally-${outcome}${count === 0 ? " none" : ""}` },
      mark(outcome), el("span", { class: "tally-count" }, String(count)), el("span", { class: "tally-name" }, t(outcome)));
  }));
}

/** The matters that ask for no paper at all. */
const without = (said) => said.answers.filter((one) => one.papers.length === 0);

/** The papers of one outcome; each is there once, whatever the number of matters that ask for it. */
function papersOf([outcome, list, title], about) {
  const entries = about.said.notice[list] ?? [];
  if (entries.length === 0) return null;
  return el("section", { class: `paper-group group-${outcome}` },
    el("h4", {}, mark(outcome), `${t(title)} (${entries.length})`),
    el("ol", { class: "paper-list" }, entries.map((entry) => paper(entry, about))));
}

function paper(entry, { said, isBundle }) {
  const uses = said.answers.flatMap(({ matter, name, papers }) =>
    papers.filter((one) => one.material === entry.material).map((one) => ({ ...one, matter, matterName: tell(name) })));
  const same = uses.filter((one) => one.outcome === entry.outcome && entry.matters.includes(one.matter));
  const one = same.find((use) => tell(use.why) === tell(entry.why)) ?? same[0] ?? uses[0];
  const kind = kindOf(entry.outcome);
  return el(
    "li",
    { class: `paper ${kind}` },
    mark(entry.outcome),
    el(
      "div",
      { class: "paper-body" },
      el(
        "div",
        { class: "paper-head" },
        el("p", { class: "paper-name" }, foreign(tell(entry.name)), entry.optional && el("span", { class: "tag" }, t("optional"))),
        el("p", { class: `badge ${kind}` }, outcomeWord(one)),
      ),
      isBundle && matterLines(uses, entry.outcome),
      el("p", { class: "why" }, foreign(tell(entry.why))),
      entry.promise && el("p", { class: "promise" }, foreign(t("promiseText", { text: tell(entry.promise) }))),
      facts([[t("stoppedBy"), stopped(one.stopped)], [t("rule"), rule(one.rule)], [t("source"), source(one)], [t("record"), record(one.record)]], { class: "proof" }),
    ),
  );
}

/** For which matters of a bundle a paper is; those that decide otherwise say how. */
function matterLines(uses, outcome) {
  const names = (wanted) => listed(uses.filter(wanted).map((one) => one.matterName));
  const others = new Map(uses.filter((one) => one.outcome !== outcome).map((one) => [one.outcome, outcomeWord(one)]));
  return el("p", { class: "paper-matters quiet small" },
    foreign(t("forMatters", { names: names((one) => one.outcome === outcome) })),
    [...others].map(([other, said]) => el("span", { class: "lines" }, foreign(t("otherwise", { names: names((one) => one.outcome === other), outcome: said })))));
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

/** The publisher, its layout where it sends several, and until when that is complete; where it is not, the reason says so. */
function source({ source: id, source_name: name, layout_name: layout, complete_through: through, reason }) {
  if (!id && !name) return null;
  const told = through && reason !== "source_incomplete";
  return [
    foreign(tell(name) || id),
    layout && el("span", { class: "quiet aside" }, foreign(tell(layout))),
    told && el("span", { class: "quiet aside" }, t("completeThrough", { at: time(through) })),
  ];
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
