// Elements. Whatever comes from outside becomes text, never markup.

/** An element; `on…` attributes are listeners, children are nodes or texts. */
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...present(children));
  return made;
}

/** Put children in the place of all that an element has. */
export const fill = (element, ...children) => element.replaceChildren(...present(children));

const present = (children) =>
  children.flat(Infinity).filter((one) => one !== null && one !== undefined && one !== false && one !== "");

/** A text from outside: its direction marks reach no further than itself. */
export const foreign = (text, attributes = {}) => el("bdi", attributes, String(text ?? ""));

/** Rows of a description list; those without a value are left out. */
export function facts(rows, attributes = {}) {
  const shown = rows.filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== false);
  if (shown.length === 0) return null;
  return el("dl", attributes, shown.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

/** Move the focus to a heading or box that is not in the tab order. */
export function focus(element) {
  element.setAttribute("tabindex", "-1");
  element.focus({ preventScroll: true });
  const { top } = element.getBoundingClientRect();
  if (top < 0 || top > window.innerHeight / 2) element.scrollIntoView({ block: "start" });
}

/** Tell those who do not see the page. */
export function announce(text) {
  const live = document.getElementById("live");
  live.textContent = "";
  // A region that is filled anew in the same turn is often not read.
  requestAnimationFrame(() => (live.textContent = text));
}

const SVG = "http://www.w3.org/2000/svg";
const SHAPES = {
  exempt: [["circle", { cx: 12, cy: 12, r: 11 }], ["path", { d: "M6.8 12.4l3.6 3.6 6.8-7.6", class: "cut" }]],
  on_promise: [["path", { d: "M12 .8L23.2 12 12 23.2 .8 12z" }], ["path", { d: "M8.5 15.5l.6-2.8 5-5 2.2 2.2-5 5z", class: "cut thin" }]],
  may_follow: [["circle", { cx: 12, cy: 12, r: 9.8, class: "line" }], ["path", { d: "M12 6.5V12l3.8 2.6", class: "line" }]],
  must_bring: [["rect", { x: 1.5, y: 1.5, width: 21, height: 21, rx: 2.5 }], ["path", { d: "M12 6v7.2M12 17.2v.6", class: "cut" }]],
  not_accepted: [["path", { d: "M7.4 1h9.2L23 7.4v9.2L16.6 23H7.4L1 16.6V7.4z" }], ["path", { d: "M8 8l8 8M16 8l-8 8", class: "cut" }]],
};

/** An outcome's kind: both ways of being exempt look alike; what is not known counts as to bring. */
export function kindOf(outcome) {
  if (String(outcome).startsWith("exempt")) return "exempt";
  return Object.hasOwn(SHAPES, outcome) ? outcome : "must_bring";
}

/** An outcome's mark: a shape of its own, so that colour is never all there is. */
export function mark(outcome) {
  const kind = kindOf(outcome);
  const made = document.createElementNS(SVG, "svg");
  made.setAttribute("viewBox", "0 0 24 24");
  made.setAttribute("class", `mark ${kind}`);
  made.setAttribute("aria-hidden", "true");
  for (const [name, attributes] of SHAPES[kind]) made.append(part(name, attributes));
  return made;
}

/** A square picture of one dark path, with its text for those who do not see it. */
export function svg(size, path, text) {
  const made = document.createElementNS(SVG, "svg");
  made.setAttribute("viewBox", `0 0 ${size} ${size}`);
  made.setAttribute("role", "img");
  made.setAttribute("aria-label", text);
  made.setAttribute("shape-rendering", "crispEdges");
  made.append(part("rect", { width: size, height: size, fill: "#fff" }), part("path", { d: path, fill: "#000" }));
  return made;
}

function part(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
