// The window's HTTP API, and what goes wrong with it.

import { language } from "./language.js";

const KEY = "mianti.token";
const PATIENCE = 20_000; // milliseconds
let held = null;

/** A problem as the server tells it (RFC 9457); status 0: no server was reached. */
export class Problem extends Error {
  constructor(status, said = {}, after = null) {
    super(said.title ?? String(status));
    this.status = status;
    this.said = said;
    this.after = after;
  }

  /** The fields of the request that it is about. */
  get fields() {
    return this.said.fields ?? [];
  }

  /** What the server says of it, in the language in use. */
  get detail() {
    const zh = this.said.detail_zh ?? this.said.detail;
    return String((language() === "zh" ? zh : this.said.detail) ?? "");
  }
}

export function token() {
  try {
    return held ?? sessionStorage.getItem(KEY);
  } catch {
    return held;
  }
}

/** Keep a token for this tab; null forgets it. */
export function keepToken(value) {
  held = value;
  try {
    if (value === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, value);
  } catch {
    // kept in memory only
  }
}

export const get = (path, query = {}, signal = null) => {
  const asked = new URLSearchParams(query).toString();
  return call("GET", asked ? `${path}?${asked}` : path, null, signal);
};
export const post = (path, body, signal = null) => call("POST", path, body, signal);

// The page lies at `page/`: `..` is the window, whatever path a proxy has put before it.
async function call(method, path, body, signal) {
  const limit = AbortSignal.timeout(PATIENCE);
  const headers = { Accept: "application/json" };
  if (token()) headers.Authorization = `Bearer ${token()}`;
  if (body !== null) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(`..${path}`, {
      method,
      headers,
      body: body === null ? null : JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
    });
    if (response.ok) return await response.json();
  } catch (error) {
    if (signal?.aborted) throw error; // nobody waits for it any more
    throw new Problem(0);
  }
  throw await problem(response);
}

async function problem(response) {
  const after = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  const said = await response.json().catch(() => ({}));
  return new Problem(response.status, said ?? {}, Number.isNaN(after) ? null : after);
}
