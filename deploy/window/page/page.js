// The page: who is signed in, which part is shown, in which language.

import { Problem, get, keepToken, token } from "./api.js";
import { AskPage } from "./ask.js";
import { Catalogue } from "./catalogue.js";
import { announce, el, fill, focus, foreign } from "./dom.js";
import { forget } from "./kept.js";
import { language, switchLanguage, t, tag, tell, time } from "./language.js";
import { problemBox } from "./problem.js";
import { drawSignIn } from "./sign-in.js";
import { UsesPage } from "./uses.js";

const $ = (id) => document.getElementById(id);
const main = $("main");
const HEALTH_EACH = 30_000; // milliseconds
const onUnauthorised = (problem) => leave(problem);
/** Give what is shown an address of its own, for Back and for a reload. */
const onAddress = (address) => {
  if (location.hash !== address) history.pushState(null, "", address);
  drawShell();
};

let me = null;
let health = null; // what the server says of its data; a Problem where they are behind
let reason = null; // why the sign-in form is shown
let failed = null; // the problem that kept the page from starting
let ask = new AskPage({ onUnauthorised, onAddress });
let uses = new UsesPage({ onUnauthorised });

/** Take a token out of the address, where it must not stay; null where there is none. */
function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given !== null) history.replaceState(null, "", `${location.pathname}${location.search}#/`);
  return given;
}

const isUses = () => location.hash.startsWith("#/uses") || Boolean(me?.subject);

/** Draw all of it in the language in use. */
function draw() {
  drawShell();
  if (failed) return fill(main, problemBox(failed, enter));
  if (me === null && token()) return fill(main, el("p", { class: "card quiet" }, t("loading")));
  if (me === null) return drawSignIn(main, reason, signIn);
  return (isUses() ? uses : ask).draw(main);
}

function drawShell() {
  document.documentElement.lang = tag();
  for (const one of document.querySelectorAll("[data-t]")) one.textContent = t(one.dataset.t);
  const title = me === null ? "titleSignIn" : isUses() ? "titleUses" : "titleAsk";
  document.title = `${t(title)} · ${t("brand")}`;
  const button = $("language");
  const other = language() === "zh" ? "en" : "zh";
  button.textContent = other === "en" ? "English" : "中文";
  button.lang = tag(other);
  $("nav").hidden = me === null || Boolean(me.subject);
  $("nav").setAttribute("aria-label", t("navLabel"));
  $("nav-ask").setAttribute("href", ask.address);
  for (const [id, current] of [["nav-ask", !isUses()], ["nav-uses", isUses()]]) {
    if (current) $(id).setAttribute("aria-current", "page");
    else $(id).removeAttribute("aria-current");
  }
  $("sign-out").hidden = token() === null;
  $("who").hidden = me === null;
  fill($("who"), me && [foreign(departmentsOf(me)), foreign(tell(me.clerk) || me.subject)]);
  drawHealth();
}

function departmentsOf({ departments: all }) {
  const first = tell(all[0]);
  return all.length > 1 ? t("departments", { first, n: all.length }) : first;
}

function drawHealth() {
  const text = health instanceof Problem ? t("unhealthy") : health && t("healthy", { at: time(health.landed_through), n: Math.round(health.behind_seconds) });
  fill($("health"), text);
}

async function askHealth() {
  try {
    health = await get("/health");
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    health = problem.status === 503 ? problem : null;
  }
  drawHealth();
}

/** Find out who it is, and what may be asked. */
async function enter() {
  failed = null;
  draw();
  try {
    const who = await get("/v1/me");
    const found = who.subject ? {} : await get("/v1/matters");
    me = who;
    uses.own = who.subject ?? null;
    ask.catalogue = new Catalogue(found);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (problem.status === 401) return leave(problem);
    failed = problem;
  }
  draw();
  if (failed) focus(main.querySelector("h2"));
  return askHealth();
}

function signIn(given) {
  keepToken(given);
  reason = null;
  return enter().then(() => { if (me && !isUses()) $("subject")?.focus(); });
}

/** Forget who it was; what they asked and saw goes, too. */
function leave(why) {
  keepToken(null);
  ask.clear();
  uses.clear();
  forget();
  announce(""); // what was announced names an enterprise
  history.replaceState(null, "", isUses() ? "#/uses" : "#/");
  ask = new AskPage({ onUnauthorised, onAddress });
  uses = new UsesPage({ onUnauthorised });
  me = failed = health = null;
  reason = why;
  draw();
  $("token").focus();
}

$("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the fragment is the route's
  main.focus();
});
$("language").addEventListener("click", () => {
  switchLanguage();
  draw();
});
$("sign-out").addEventListener("click", () => leave("signedOut"));
window.addEventListener("hashchange", () => {
  const given = takeToken();
  if (given) {
    leave(null); // it may be somebody else
    signIn(given);
    return;
  }
  if (!isUses()) ask.follow(location.hash);
  draw();
  main.focus({ preventScroll: true });
});

setInterval(() => { if (me) askHealth(); }, HEALTH_EACH);

const given = takeToken();
if (given && given !== token()) {
  forget(); // it may be somebody else
  keepToken(given);
}
if (!isUses()) ask.follow(location.hash);
if (token()) enter();
else {
  draw();
  $("token").focus();
}
