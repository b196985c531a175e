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

  /** The options, grouped: bundles first, then each department's matters. */
  options(choice) {
    const option = (kind, one) => {
      const value = `${kind}:${one.code}`;
      return el("option", { value, selected: value === choice }, `${tell(one.name)} · ${one.code}`);
    };
    const groups = new Map();
    for (const one of this.matters.values()) {
      const name = tell(one.department);
      groups.set(name, [...(groups.get(name) ?? []), option("matter", one)]);
    }
    const bundles = [...this.bundles.values()].map((one) => option("bundle", one));
    return [
      el("option", { value: "" }, t("matterPick")),
      bundles.length > 0 && el("optgroup", { label: t("bundles") }, bundles),
      [...groups].map(([label, members]) => el("optgroup", { label }, members)),
    ];
  }
}

/** A choice taken apart: its kind, and the code. */
export function chosen(choice) {
  const at = choice.indexOf(":");
  return { kind: choice.slice(0, at), code: choice.slice(at + 1) };
}
