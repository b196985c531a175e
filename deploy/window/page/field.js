// What is wrong with a field, said beside it; it stays there while the page is drawn anew.

import { el } from "./dom.js";
import { t } from "./language.js";

/** A message for `input`, which is described by it; `state.error` is the key of its text. */
export class FieldError {
  constructor(input, state) {
    this.input = input;
    this.state = state;
    this.node = el("p", { class: "field-error", id: `${input.id}-error` });
    this.draw();
  }

  /** Say what is wrong, and lead there. */
  say(key) {
    this.state.error = key;
    this.draw();
    this.input.focus();
  }

  clear() {
    this.state.error = null;
    this.draw();
  }

  draw() {
    const { error } = this.state;
    this.node.textContent = error ? t(error) : "";
    if (error) this.input.setAttribute("aria-invalid", "true");
    else this.input.removeAttribute("aria-invalid");
  }
}
