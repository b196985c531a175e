// A problem shown in words: what is wrong, what the server says of it, what to do.

import { el, focus, foreign } from "./dom.js";
import { t } from "./language.js";

const KNOWN = [0, 401, 403, 404, 422, 429, 503];

/** The window cannot answer, though its data may be up to date: no replica, no place for receipts. */
const isUnable = (problem) => problem.status === 503 && String(problem.said.type).endsWith(":unable");

export const titleOf = (problem) =>
  isUnable(problem) ? t("unable") : t(KNOWN.includes(problem.status) ? `p${problem.status}` : "pOther");

function hintOf(problem) {
  if (problem.status === 429) return problem.after === null ? t("p429Soon") : t("p429Hint", { n: problem.after });
  if (isUnable(problem)) return t("unableHint");
  if ([0, 403, 503].includes(problem.status)) return t(`p${problem.status}Hint`);
  return KNOWN.includes(problem.status) ? "" : t("pOtherHint", { n: problem.status });
}

/** A box with the problem; `again` is offered where asking again may help. */
export function problemBox(problem, again = null) {
  const useful = again !== null && ![401, 403, 422].includes(problem.status);
  const hint = hintOf(problem);
  return el(
    "div",
    { class: "problem", role: "alert" },
    el("h2", {}, titleOf(problem)),
    problem.detail && el("p", {}, foreign(problem.detail)),
    hint && el("p", { class: "quiet" }, hint),
    useful && el("p", {}, el("button", { type: "button", class: "second", onclick: again }, t("again"))),
  );
}

/** Show a problem in a place, and move the focus to it. */
export function showProblem(place, problem, again = null) {
  place.replaceChildren(problemBox(problem, again));
  focus(place.querySelector("h2"));
}
