// A matter or bundle: a list, and a search by words of its name, its code or its department.

import { announce, el, fill } from "./dom.js";
import { FieldError } from "./field.js";
import { t } from "./language.js";

const SHOWN = 8; // lines of the list while it is searched

/** A field for a matter. `state` keeps {choice, search, error} while the page is drawn anew. */
export class MatterField {
  constructor(catalogue, state) {
    this.catalogue = catalogue;
    this.state = state;
    this.hint = el("p", { class: "hint after", id: "matter-hint" });
    this.select = el("select", {
      id: "matter", name: "matter", "aria-describedby": "matter-hint matter-error",
      onchange: () => this.chose(this.select.value), onkeydown: (event) => this.key(event),
    });
    this.error = new FieldError(this.select, state);
    this.search = el("input", {
      id: "matter-search", type: "search", autocomplete: "off", spellcheck: "false", maxlength: "60",
      "aria-label": t("matterSearch"), "aria-controls": "matter", "aria-describedby": "matter-search-hint",
      oninput: (event) => { if (!event.isComposing) this.searched(); }, oncompositionend: () => this.searched(),
      onkeydown: (event) => this.down(event),
    });
    this.search.value = state.search;
    this.node = el(
      "div",
      { class: "field matter" },
      el("label", { for: "matter" }, t("matter")),
      el("p", { class: "hint", id: "matter-search-hint" }, t("matterSearchHint")),
      this.search, this.select, this.hint, this.error.node,
    );
    this.list();
  }

  /** What is chosen; "" where nothing is, and the field says why. */
  resolve() {
    const { choice, search } = this.state;
    if (choice === "") {
      const none = search.trim() !== "" && this.found.length === 0;
      this.error.say(none ? "matterNoneHint" : "matterMissing");
      if (none) this.search.focus();
    }
    return choice;
  }

  searched() {
    this.state.search = this.search.value;
    this.error.clear();
    const { found } = this.list();
    if (this.state.search.trim() !== "") announce(found.length === 0 ? t("matterNone") : t("matterCount", { n: found.length }));
  }

  /** Draw the list of those that match. One alone is chosen; one that does not match is not. */
  list() {
    const { search } = this.state;
    this.found = this.catalogue.matching(search);
    const searching = search.trim() !== "";
    if (searching && this.found.length === 1) this.state.choice = this.found[0];
    else if (searching && !this.found.includes(this.state.choice)) this.state.choice = "";
    const title = !searching ? t("matterPick") : this.found.length === 0 ? t("matterNone") : t("matterCount", { n: this.found.length });
    fill(this.select, this.catalogue.options(this.state.choice, new Set(this.found), title));
    this.select.size = searching && this.found.length > 1 ? Math.min(this.found.length + 2, SHOWN) : 0;
    this.draw();
    return this;
  }

  chose(choice) {
    this.state.choice = choice;
    this.error.clear();
    this.draw();
  }

  draw() {
    const { choice } = this.state;
    fill(this.hint, choice && this.catalogue.hintOf(choice));
  }

  /** Enter asks, here too: a select alone would only open its list. */
  key(event) {
    if (event.key !== "Enter") return;
    event.preventDefault();
    this.select.form.requestSubmit();
  }

  /** From the search down into the list. */
  down(event) {
    if (event.key !== "ArrowDown" || event.isComposing || this.found.length === 0) return;
    event.preventDefault();
    if (this.select.value === "") {
      this.select.value = this.found[0];
      this.chose(this.select.value);
    }
    this.select.focus();
  }
}
