// An enterprise by its code or name: the ARIA combobox pattern, suggestions from the server.

import { Problem, get } from "./api.js";
import { announce, el, fill, foreign } from "./dom.js";
import { FieldError } from "./field.js";
import { t } from "./language.js";

const PAUSE = 180; // milliseconds of no typing before the server is asked
const LEAST = 2; // characters
const CODE = /^[0-9A-Z]{18}$/;

const asCode = (text) => text.replace(/\s+/g, "").toUpperCase();

/** A field for an enterprise. `state` keeps {text, name, error} while the page is drawn anew. */
export class EnterpriseField {
  constructor(state) {
    this.state = state;
    this.options = [];
    this.active = -1;
    this.input = el("input", {
      id: "subject", name: "subject", type: "text", role: "combobox", autocomplete: "off", autocapitalize: "characters",
      spellcheck: "false", maxlength: "60", "aria-autocomplete": "list", "aria-expanded": "false",
      "aria-controls": "subject-list", "aria-describedby": "subject-hint subject-error",
      oninput: (event) => this.typed(event), oncompositionend: () => this.changed(),
      onkeydown: (event) => this.key(event), onblur: () => this.close(),
    });
    this.input.value = state.text;
    this.list = el("ul", { id: "subject-list", role: "listbox", "aria-label": t("suggestions"), hidden: true });
    this.chosen = el("p", { class: "chosen" });
    this.error = new FieldError(this.input, state);
    this.node = el(
      "div",
      { class: "field combobox" },
      el("label", { for: "subject" }, t("enterprise")),
      el("p", { class: "hint", id: "subject-hint" }, t("enterpriseHint")),
      el("div", { class: "combobox-box" }, this.input, this.list),
      this.chosen,
      this.error.node,
    );
    this.showChosen();
  }

  /** The code to ask about; null where none can be told, and the field says why. */
  async resolve() {
    clearTimeout(this.timer);
    const text = this.input.value.trim();
    if (text === "") return this.fail("enterpriseMissing");
    if (CODE.test(asCode(text))) {
      this.running?.abort();
      this.close();
      return asCode(text);
    }
    if (text.length < LEAST) return this.fail("enterpriseShort");
    const found = await this.lookup(text);
    if (found === null) return null; // something else was typed meanwhile
    if (found.length === 1) {
      this.pick(found[0]);
      return found[0].subject;
    }
    this.show(found);
    return this.fail(found.length === 0 ? "enterpriseNone" : "enterprisePick");
  }

  fail(key) {
    this.error.say(key);
    return null;
  }

  typed(event) {
    if (!event.isComposing) this.changed();
  }

  changed() {
    this.state.text = this.input.value;
    this.state.name = null;
    this.showChosen();
    this.error.clear();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.suggest(), PAUSE);
  }

  async suggest() {
    const text = this.input.value.trim();
    if (text.length < LEAST) return this.close();
    try {
      const found = await this.lookup(text);
      if (found === null || document.activeElement !== this.input) return undefined;
      this.show(found);
      return announce(found.length ? t("suggestionsCount", { n: found.length }) : t("suggestionsNone"));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.close();
      return announce(t("suggestionsFailed"));
    }
  }

  /** Those that match; null where this question was overtaken by another. */
  async lookup(text) {
    this.running?.abort();
    const mine = (this.running = new AbortController());
    const q = CODE.test(asCode(text)) ? asCode(text) : text;
    try {
      return (await get("/v1/subjects", { q }, mine.signal)).subjects;
    } catch (error) {
      if (mine.signal.aborted) return null;
      throw error;
    }
  }

  show(found) {
    this.options = found;
    this.active = -1;
    fill(this.list, found.map((one, at) =>
      el(
        "li",
        { role: "option", id: `subject-${at}`, "aria-selected": "false",
          // Before the field loses the focus, which would close the list.
          onpointerdown: (event) => { event.preventDefault(); this.pick(one); } },
        foreign(one.name || t("nameless"), { class: "option-name", lang: "zh-CN" }),
        foreign(one.subject, { class: "code" }),
      )));
    this.expand(found.length > 0);
  }

  expand(open) {
    this.list.hidden = !open;
    this.input.setAttribute("aria-expanded", String(open));
    if (!open) this.point(-1);
  }

  close() {
    clearTimeout(this.timer);
    this.expand(false);
  }

  point(at) {
    this.active = at;
    [...this.list.children].forEach((option, place) => option.setAttribute("aria-selected", String(place === at)));
    if (at < 0) this.input.removeAttribute("aria-activedescendant");
    else {
      this.input.setAttribute("aria-activedescendant", `subject-${at}`);
      this.list.children[at].scrollIntoView({ block: "nearest" });
    }
  }

  key(event) {
    if (event.isComposing) return; // the keys belong to the input method
    const open = !this.list.hidden;
    const count = this.options.length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!open && count === 0) this.suggest();
      else if (!open) this.expand(true);
      const step = event.key === "ArrowDown" ? 1 : -1;
      if (count > 0) this.point(this.active < 0 && step < 0 ? count - 1 : (this.active + step + count) % count);
    } else if (event.key === "Enter" && open && this.active >= 0) {
      event.preventDefault();
      this.pick(this.options[this.active]);
    } else if (event.key === "Escape" && open) {
      event.preventDefault();
      this.close();
    }
  }

  pick(one) {
    this.running?.abort();
    this.input.value = this.state.text = one.subject;
    this.state.name = one.name || null;
    this.error.clear();
    this.showChosen();
    this.options = [];
    this.close();
  }

  showChosen() {
    fill(this.chosen, this.state.name && foreign(this.state.name, { lang: "zh-CN" }));
  }
}
