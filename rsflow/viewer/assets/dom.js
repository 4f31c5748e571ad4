// Elements from values. Text is set as text only: nothing that a lake holds is ever read as HTML.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes (functions become listeners, `null` and `false` leave one out) and children. */
export function h(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function s(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function replace(parent, ...children) {
  parent.replaceChildren(...children.flat(Infinity).filter(Boolean));
}

/** Say something to who cannot see the page change. */
export function announce(text) {
  document.getElementById("live").textContent = text;
}

export const number = (value) => (value ?? 0).toLocaleString("en-GB");

/** A value of a record as short text. */
export function plain(value) {
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : String(Math.round(value * 1e4) / 1e4);
  if (Array.isArray(value)) return value.length ? value.map(plain).join(", ") : "–";
  if (typeof value === "object") return JSON.stringify(value);
  return String(value);
}

/** The colour of a category: the same wherever it is drawn. */
export function colour(category) {
  let hash = 2166136261;
  for (const letter of category) hash = Math.imul(hash ^ letter.codePointAt(0), 16777619) >>> 0;
  return `hsl(${Math.round((hash % 1000) * 0.36 * 137.5) % 360} 90% 62%)`;
}

export function splitTag(row) {
  if (row.selected) return h("span", { class: `tag ${["train", "val", "test"].includes(row.split) ? row.split : "other"}` }, row.split || "in");
  return h("span", { class: "tag out", title: `out: ${row.reason}` }, row.reason.replaceAll("_", " "));
}
