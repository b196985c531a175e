// Signing in: a token is pasted; why it is asked for is said.

import { el, fill } from "./dom.js";
import { FieldError } from "./field.js";
import { t } from "./language.js";

/** Draw the form; `reason` is the problem that led here, or the key of a text. */
export function drawSignIn(main, reason, onToken) {
  const input = el("input", {
    id: "token", type: "password", autocomplete: "off", spellcheck: "false", "aria-describedby": "token-hint token-error",
  });
  const submit = (event) => {
    event.preventDefault();
    const token = input.value.replace(/\s+/g, "").replace(/^Bearer/i, "");
    return token === "" ? error.say("tokenMissing") : onToken(token);
  };
  // The server's words of a token are for programs.
  const error = new FieldError(input, { error: reason && typeof reason !== "string" ? "p401Hint" : null });
  fill(
    main,
    el(
      "form",
      { class: "card sign-in", novalidate: true, onsubmit: submit },
      el("h1", {}, t("titleSignIn")),
      typeof reason === "string" && el("p", { class: "note", role: "status" }, t(reason)),
      el("p", { class: "quiet", id: "token-hint" }, t("signInLead")),
      el("div", { class: "field" }, el("label", { for: "token" }, t("token")), input, error.node),
      el("button", { type: "submit", class: "first" }, t("signIn")),
    ),
  );
}
