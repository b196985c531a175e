// What is printed: the form, the notice, the receipt. Each is a sheet of its own on paper.

import { Problem, get } from "./api.js";
import { el, facts, fill, foreign, mark, svg } from "./dom.js";
import { listed, t, tell, time, word } from "./language.js";
import { titleOf } from "./problem.js";

/** Print one sheet alone; the rest of the page is left out by print.css. */
function print(name) {
  const { classList } = document.body;
  classList.remove(...[...classList].filter((one) => one.startsWith("print-")));
  classList.add(`print-${name}`);
  window.addEventListener("afterprint", () => classList.remove(`print-${name}`), { once: true });
  window.print();
}

/** The button that prints a sheet; `printing` prepares it first. */
export const printButton = (name, printing = null) =>
  el("button", { type: "button", class: "second", id: `print-${name}`, onclick: printing ?? (() => print(name)) },
    t(`print${name[0].toUpperCase()}${name.slice(1)}`));

/** A sheet; without a `printing` its button is elsewhere. */
function sheet(name, about, title, printing, ...content) {
  const { said } = about;
  return el(
    "section",
    { class: `card sheet sheet-${name}`, "aria-labelledby": `${name}-title` },
    el("div", { class: "sheet-top" },
      el("h3", { id: `${name}-title` }, el("span", { class: "on-screen" }, t(name)), el("span", { class: "on-paper" }, title)),
      printing && printButton(name, printing)),
    name !== "receipt" && el("p", { class: "on-paper sheet-number" }, `${t("noticeNumber", { id: said.receipt.id })} · ${time(said.receipt.at)}`),
    facts([
      [t("forMatter"), foreign(about.title)],
      [t("department"), about.department && foreign(about.department)],
      [t("applicant"), foreign(said.name || t("nameless"))],
      [t("code"), foreign(said.subject, { class: "code" })],
      [t("date"), said.on],
      [t("dataThrough"), said.landed_through && time(said.landed_through)],
    ], { class: "on-paper heading-facts" }),
    ...content,
  );
}

const signatures = (...names) =>
  el("div", { class: "on-paper signatures" }, names.map((name) =>
    el("div", {}, el("p", { class: "signature" }, name), el("p", { class: "signature-date" }, t("dateSign")))));

/** The matter's form, filled in as far as the evidence goes. */
export function formSheet(about) {
  const rows = about.said.form;
  return sheet("form", about, t("formPaper"), () => print("form"), rows.length === 0
    ? el("p", { class: "quiet" }, t("formNone"))
    : [
        el("p", { class: "quiet" }, t("formLead")),
        el("table", { class: "stacked form-table" },
          el("thead", {}, el("tr", {}, ["formField", "formValue", "formSource"].map((key) => el("th", { scope: "col" }, t(key))))),
          el("tbody", {}, rows.map(formRow))),
        el("p", { class: "on-paper form-sign" }, t("formSign")),
      ], signatures(t("applicantSign")));
}

function formRow(one) {
  const filled = one.value !== null && one.value !== undefined && one.value !== "";
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, foreign(tell(one.name) || one.id)),
    filled
      ? el("td", { class: "value" }, foreign(tell(one.value)))
      : el("td", { class: "unfilled" }, el("span", { class: "tag" }, t("formEmpty")), " ", foreign(tell(one.why) || word(one.reason ?? ""))),
    el("td", { class: "small" },
      foreign(tell(one.evidence_name)),
      el("span", { class: "quiet lines" }, foreign(tell(one.source_name)), one.layout_name && el("span", { class: "layout" }, " · ", foreign(tell(one.layout_name)))),
      one.complete_through && one.reason !== "source_incomplete" && el("span", { class: "quiet lines" }, t("completeThrough", { at: time(one.complete_through) }))),
  );
}

/** 一次告知: all that is still to be brought, and what is not. */
export function noticeSheet(about) {
  const { notice } = about.said;
  const several = about.matters.length > 1;
  const part = (list, key, extra) => {
    const entries = notice[list] ?? [];
    if (entries.length === 0 && list !== "to_bring") return null;
    return el("div", { class: "notice-part" },
      el("h4", {}, mark(OUTCOME[list]), `${t(key)} (${entries.length})`),
      entries.length === 0
        ? el("p", {}, t("toBringNone"))
        : el("ol", {}, entries.map((one) => entry(one, about, several, extra(one)))));
  };
  return sheet(
    "notice", about, t("notice"), null,
    el("p", { class: "on-paper notice-lead" }, t("noticeLead")),
    part("not_accepted", "notAccepted", (one) => foreign(tell(one.why))),
    part("to_bring", "toBring", (one) => foreign(tell(one.why))),
    part("may_follow", "mayFollow", (one) => [one.due && el("strong", {}, t("due", { due: one.due })), foreign(tell(one.why), { class: "lines" })]),
    part("to_promise", "promises", (one) => foreign(one.promise ? t("promiseText", { text: tell(one.promise) }) : tell(one.why))),
    part("not_needed", "exemptList", () => null),
    signatures(t("clerkSign"), t("applicantSign")),
  );
}

const OUTCOME = { not_accepted: "not_accepted", to_bring: "must_bring", may_follow: "may_follow", to_promise: "on_promise", not_needed: "exempt" };

function entry(one, about, several, detail) {
  const names = several ? mattersOf(one, about) : [];
  return el(
    "li",
    {},
    el("span", { class: "entry-name" }, foreign(tell(one.name)), one.optional && el("span", { class: "tag" }, t("optional"))),
    detail && el("span", { class: "entry-detail" }, detail),
    names.length > 0 && el("span", { class: "entry-detail quiet" }, t("forMatters", { names: listed(names) })),
  );
}

function mattersOf(one, { said }) {
  const named = new Map(said.answers.map((answer) => [answer.matter, tell(answer.name)]));
  return (one.matters ?? []).map((code) => named.get(code) ?? code);
}

/** The receipt: short on the screen, whole on paper. */
export function receiptSheet(about) {
  const { receipt } = about.said;
  const whole = el("div", { class: "whole" });
  const square = el("div", { class: "square" });
  const status = el("p", { class: "field-error", role: "status" });
  let loaded = false;
  const load = async () => {
    if (loaded) return true;
    status.textContent = "";
    try {
      const at = new URL("..", document.baseURI).href; // the window, as this browser reaches it
      const found = await get(`/v1/receipts/${encodeURIComponent(receipt.id)}`, { at });
      fill(square, codeOf(found.code));
      fill(whole, wholeReceipt(found, about));
      more.remove();
      loaded = true;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      status.textContent = [titleOf(error), error.detail].filter(Boolean).join(" · ");
    }
    return loaded;
  };
  const more = el("button", { type: "button", class: "link", onclick: load }, t("receiptShow"));
  return sheet(
    "receipt", about, t("receipt"), async () => { if (await load()) print("receipt"); },
    el("p", { class: "quiet" }, t("receiptLead")),
    facts([
      [t("receiptId"), foreign(receipt.id, { class: "code" })],
      [t("receiptAt"), time(receipt.at)],
      [t("receiptHash"), hash(receipt.hash)],
    ], { class: "proof" }),
    more, status, square, whole,
  );
}

/** The QR code of the page that verifies the receipt, and its address in letters. */
function codeOf(code) {
  if (!code) return null;
  return [
    svg(code.size, code.path, t("receiptCode")),
    el("div", {}, el("p", {}, el("strong", {}, t("receiptCode"))), el("p", { class: "small" }, t("receiptCodeText")),
      el("p", { class: "small" }, foreign(code.text, { class: "code" }))),
  ];
}

const hash = (text) => [
  el("span", { class: "code on-screen" }, `${String(text).slice(0, 16)}…`),
  el("span", { class: "code on-paper" }, String(text)),
];

/** The papers of several matters, each once for what was decided of it. */
function once(papers) {
  const known = new Map();
  for (const one of papers) {
    const key = JSON.stringify([one.material, one.outcome, one.reason]);
    const before = known.get(key);
    known.set(key, { ...one, records: [...new Set([...(before?.records ?? []), ...(one.records ?? [])])] });
  }
  return [...known.values()];
}

function wholeReceipt({ body, signature, department_names: departments, purpose_names: purposes }, { said }) {
  const names = new Map(said.answers.flatMap((one) => one.papers).map((one) => [one.material, tell(one.name)]));
  const code = (value) => value && foreign(tell(value), { class: "code" });
  return [
    facts([
      [t("receiptClerk"), foreign(listed([tell(body.who?.clerk), ...departments.map(tell)].filter(Boolean)))],
      [t("receiptPurpose"), purposes.length > 0 && foreign(listed(purposes.map(tell)))],
      [t("receiptWindow"), body.window && foreign(body.window)],
      [t("receiptSequence"), tell(body.sequence)],
      [t("receiptPrevious"), code(body.previous)],
      [t("receiptKey"), code(body.key)],
      [t("receiptSignature"), code(signature)],
    ], { class: "proof" }),
    el("h4", {}, t("receiptPapers")),
    el("ul", { class: "receipt-papers" }, once((body.answers ?? []).flatMap((one) => one.papers)).map((one) =>
      el("li", {},
        foreign(names.get(one.material) ?? one.material), ": ", word(one.outcome), one.reason && ` (${word(one.reason)})`,
        one.records?.length > 0 && el("span", { class: "lines quiet small" }, t("receiptRecords"), " ", foreign(listed(one.records), { class: "code" }))))),
  ];
}
