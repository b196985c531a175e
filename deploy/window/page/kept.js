// What this tab was answered, so that a reload or Back shows it again: the data are not used anew.

const KEY = "mianti.kept";
const MOST = 12;
let held = null;

/** Entries of [name, value], the newest last. */
function entries() {
  if (held !== null) return held;
  try {
    held = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
  } catch {
    held = []; // storage may be forbidden; the page works without
  }
  return held;
}

export const kept = (name) => entries().find(([known]) => known === name)?.[1] ?? null;

/** Keep a value for this tab; the oldest go where there is no room. */
export function keep(name, value) {
  held = [...entries().filter(([known]) => known !== name), [name, value]].slice(-MOST);
  for (let from = 0; from < held.length; from += 1) {
    try {
      return sessionStorage.setItem(KEY, JSON.stringify(held.slice(from)));
    } catch {
      // too much, or storage is forbidden
    }
  }
  return undefined;
}

/** Forget all of it: somebody else may sit here next. */
export function forget() {
  held = [];
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // nothing was kept, then
  }
}
