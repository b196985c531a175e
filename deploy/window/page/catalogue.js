// The matters and bundles that a clerk may ask about: names, and the list to choose from.

import { el } from "./dom.js";
import { listed, t, tell } from "./language.js";

export class Catalogue {
  constructor({ matters = [], bundles = [] }) {
    this.matters = new Map(matters.map((one) => [one.code, one]));
    this.bundles = new Map(bundles.map((one) => [one.code, one]));
  }

  get empty() {
    return this.matters.size === 0 && this.bundles.size === 0;
  }

  nameOf(code) {
    return tell(this.matters.get(code)?.name) || code;
  }

  /** The departments of some matters, each once. */
  departmentsOf(codes) {
    return listed([...new Set(codes.map((code) => tell(this.matters.get(code)?.department)).filter(Boolean))]);
  }

  /** How long a matter takes, by law and as promised. */
  termOf(code) {
    const { legal_days: legal, promised_days: promised } = this.matters.get(code) ?? {};
    return [legal && t("legalDays", { n: legal }), promised && t("promisedDays", { n: promised })].filter(Boolean).join(" · ");
  }

  /** What is to be said under the list of a choice: "matter:CODE" or "bundle:CODE". */
  hintOf(choice) {
    const { kind, code } = chosen(choice);
    if (kind !== "bundle") return this.termOf(code);
    const codes = this.bundles.get(code)?.matters ?? [];
    return t("bundleOf", { n: codes.length, names: listed(codes.map((one) => this.nameOf(one))) });
  }

  /** The title of what was asked. */
  titleOf(choice) {
    const { kind, code } = chosen(choice);
    return kind === "bundle" ? tell(this.bundles.get(code)?.name) || code : this.nameOf(code);
  }

  /** The choices that have every word of a search in their name, code or department: in the order of the list. */
  matching(search) {
    const words = folded(search).split(/\s+/).filter(Boolean);
    const has = (...texts) => {
      const text = folded(texts.flatMap((one) => [one?.zh, one?.en, typeof one === "string" ? one : ""]).join(" "));
      return words.every((word) => text.includes(word));
    };
    const bundles = [...this.bundles.values()].filter((one) => has(one.name, one.code)).map((one) => `bundle:${one.code}`);
    const matters = [...this.byDepartment().values()].flat()
      .filter((one) => has(one.name, one.code, one.department.name)).map((one) => `matter:${one.code}`);
    return [...bundles, ...matters];
  }

  byDepartment() {
    const groups = new Map();
    for (const one of this.matters.values()) {
      const name = tell(one.department);
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push(one);
    }
    return groups;
  }

  /** The options of some choices, grouped: bundles first, then each department's matters. */
  options(choice, wanted, title) {
    const option = (kind, one) => {
      const value = `${kind}:${one.code}`;
      if (!wanted.has(value)) return null;
      return el("option", { value, selected: value === choice }, `${tell(one.name)} · ${one.code}`);
    };
    const group = (label, options) => {
      const present = options.filter(Boolean);
      return present.length > 0 && el("optgroup", { label }, present);
    };
    return [
      el("option", { value: "", selected: choice === "" }, title),
      group(t("bundles"), [...this.bundles.values()].map((one) => option("bundle", one))),
      [...this.byDepartment()].map(([label, members]) => group(label, members.map((one) => option("matter", one)))),
    ];
  }
}

/** A text as it is compared: full-width and small letters are the same. */
const folded = (text) => text.normalize("NFKC").toLowerCase();

/** A choice taken apart: its kind, and the code. */
export function chosen(choice) {
  const at = choice.indexOf(":");
  return { kind: choice.slice(0, at), code: choice.slice(at + 1) };
}
