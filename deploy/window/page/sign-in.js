// Signing in: a token is pasted; why it is asked for is said.

import { el, fill } from "./dom.js";
import { t } from "./language.js";

/** Draw the form; `reason` is the problem that led here, or the key of a text. */
export function drawSignIn(main, reason, onToken) {
  const error = el("p", { class: "field-error", id: "token-error" });
  const input = el("input", {
    id: "token", type: "password", autocomplete: "off", spellcheck: "false", "aria-describedby": "token-hint token-error",
  });
  const submit = (event) => {
    event.preventDefault();
    const token = input.value.replace(/\s+/g, "").replace(/^Bearer/i, "");
    if (token !== "") return onToken(token);
    error.textContent = t("tokenMissing");
    input.setAttribute("aria-invalid", "true");
    return input.focus();
  };
  fill(
    main,
    el(
      "form",
      { class: "card sign-in", novalidate: true, onsubmit: submit },
      el("h1", {}, t("titleSignIn")),
      reason && explained(reason),
      el("p", { class: "quiet", id: "token-hint" }, t("signInLead")),
      el("div", { class: "field" }, el("label", { for: "token" }, t("token")), input, error),
      el("button", { type: "submit", class: "first" }, t("signIn")),
    ),
  );
}

function explained(reason) {
  if (typeof reason === "string") return el("p", { class: "note", role: "status" }, t(reason));
  return el("p", { class: "note bad", role: "alert" }, t("p401Hint")); // the server's words are for programs
}
