// The language in use, and texts in it.

import { WORDS } from "./words.js";

const KEY = "mianti.language";
let current = read();

function read() {
  try {
    return localStorage.getItem(KEY) === "en" ? "en" : "zh";
  } catch {
    return "zh"; // storage may be forbidden; the page works without
  }
}

export const language = () => current;
export const tag = (of = current) => (of === "zh" ? "zh-CN" : "en");

/** Change to the other language, and remember it. */
export function switchLanguage() {
  current = current === "zh" ? "en" : "zh";
  try {
    localStorage.setItem(KEY, current);
  } catch {
    // not remembered, then
  }
}

/** One of the page's own texts, with values put in. */
export function t(key, values = {}) {
  const text = WORDS[current][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** What the server says: words in both languages, something with a name, or plain text. */
export function tell(said) {
  if (said === null || said === undefined) return "";
  if (typeof said !== "object") return String(said);
  const text = said[current] ?? said[current === "zh" ? "en" : "zh"];
  return text !== undefined ? tell(text) : tell(said.name ?? said.id);
}

/** A closed list's word: the page's own text, or, for one it does not know, the code itself. */
export const word = (code) => (Object.hasOwn(WORDS[current], code) ? t(code) : String(code));

/** Several names, as the language lists them. */
export const listed = (names) => names.join(current === "zh" ? "、" : ", ");

/** A time in China, to the minute; China has no summer time. */
export function time(at) {
  const parsed = Date.parse(at);
  if (Number.isNaN(parsed)) return "—";
  const china = new Date(parsed + 8 * 3600 * 1000).toISOString();
  return `${china.slice(0, 10)} ${china.slice(11, 16)}`;
}
