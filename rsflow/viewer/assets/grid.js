// Samples as a grid. It grows as one scrolls or moves down; its cards are one stop of the tab key, the arrows move in it.

import { get, pictureAddress, wasDropped } from "./api.js";
import { announce, h, number, replace, splitTag } from "./dom.js";
import { overlay } from "./overlay.js";
import { address, filters, setFilters } from "./route.js";
import { readable } from "./texts.js";

/** The list that is shown: the sample view steps through it too. */
export const list = { query: null, rows: [], next: null, loading: null, chosen: 0 };

export function showGrid(content, state) {
  const query = filters();
  const same = list.query === query.toString();
  if (!same) Object.assign(list, { query: query.toString(), rows: [], next: "", loading: null, chosen: 0 });
  const grid = h("div", { class: "grid", role: "list", "aria-label": "Samples", keydown: onKey });
  const more = h("div", { class: "more-line" }, h("button", { click: () => extend(grid, more) }, "More"));
  replace(content, bar(state, query), grid, more);
  for (const [place, row] of list.rows.entries()) grid.append(card(row, place));
  more.hidden = list.next === null;
  const watch = new IntersectionObserver((seen) => seen.some((each) => each.isIntersecting) && extend(grid, more), { rootMargin: "600px" });
  watch.observe(more);
  if (same && list.rows.length) focusCard(grid, list.chosen);
}

function bar(state, query) {
  const orders = { id: "by id", mixed: "mixed", unsure: "least sure first", objects: "most objects first", newest: "newest first" };
  const order = h(
    "select",
    { id: "order", "aria-label": "Order", change: (event) => setFilters({ order: event.target.value === "id" ? [] : [event.target.value] }) },
    state.orders.map((name) => h("option", { value: name, selected: (query.get("order") || "id") === name }, orders[name] || name)),
  );
  const chips = [...query].filter(([name]) => name !== "order").map(([name, value]) => chip(name, value));
  return h("div", { class: "bar" }, h("h1", { id: "total", "aria-live": "polite" }, "Samples"), chips, h("span", { class: "grow" }), order);
}

function chip(name, value) {
  const without = () => setFilters({ [name]: filters().getAll(name).filter((other) => other !== value) });
  return h("button", { class: "chip", title: `Remove the filter ${name}: ${value}`, click: without }, h("span", {}, `${name}: ${value}`), "×");
}

/** Read the next page of the list; false at its end. */
export async function nextPage() {
  if (list.next === null) return false;
  if (!list.loading) {
    const query = new URLSearchParams(list.query);
    if (list.next) query.set("after", list.next);
    list.loading = get("samples", query, "samples").then((page) => {
      list.rows.push(...page.samples);
      list.next = page.next;
      return page.samples.length > 0;
    });
    list.loading.finally(() => (list.loading = null)).catch(() => {});
  }
  return list.loading;
}

async function extend(grid, more) {
  if (list.loading || list.next === null || !grid.isConnected) return;
  const from = list.rows.length;
  more.firstChild.disabled = true;
  try {
    await nextPage();
  } catch (error) {
    if (!wasDropped(error)) replace(more, h("p", { class: "failure", role: "alert" }, error.message));
    return;
  }
  more.firstChild.disabled = false;
  if (!grid.isConnected) return;
  const added = list.rows.slice(from);
  for (const row of added) grid.append(card(row, grid.childElementCount));
  showTexts(grid, added);
  more.hidden = list.next === null;
  if (!list.rows.length) grid.after(h("div", { class: "empty" }, h("h2", {}, "No samples here"), emptyHint()));
  announce(`${number(list.rows.length)} samples are shown`);
}

function emptyHint() {
  return list.query ? h("button", { click: () => (location.hash = "#samples") }, "Remove all filters") : "Nothing was labelled in this lake yet: run rsflow build.";
}

function card(row, place) {
  const failed = (event) => event.target.replaceWith(h("span", { class: "failed" }, "This picture cannot be read"));
  const categories = [...new Set(row.labels.map((label) => label.category).filter(Boolean))];
  const name = row.tile_id;
  return h(
    "a",
    {
      class: row.decided === "rejected" ? "card rejected" : "card",
      role: "listitem",
      href: address("sample", filters(), row.key),
      tabindex: place === list.chosen ? "0" : "-1",
      "data-place": place,
      "data-key": row.key,
      "aria-label": `${name}, ${row.sensor}, ${row.selected ? row.split : row.reason}, ${row.objects} objects`,
      focus: () => (list.chosen = place),
    },
    h(
      "div",
      { class: "picture" },
      h("img", { src: pictureAddress(row), loading: "lazy", decoding: "async", alt: "", width: row.width_px, height: row.height_px, error: failed }),
      overlay(row.width_px, row.height_px, row.labels),
    ),
    h("div", { class: "facts" }, h("span", { class: "name", title: name }, h("bdi", {}, name)), row.decided ? h("span", { class: "decided" }, row.decided) : null, splitTag(row)),
    categories.length ? h("div", { class: "categories", title: categories.join(", ") }, categories.join(", ")) : null,
    h("div", { class: "said" }, row.texts ? said(row.texts) : null),
  );
}

const said = ([first]) => (first ? [h("q", {}, readable(first.turns[0]?.text || "")), " ", readable(first.turns[1]?.text || "")] : []);

/** Texts come after the pictures: they are read from the lake's files. */
async function showTexts(grid, rows) {
  if (!rows.length) return;
  const texts = await get("texts", new URLSearchParams(rows.map((row) => ["key", row.key]))).catch(() => ({}));
  for (const row of rows) row.texts = texts[row.key] || [];
  for (const row of rows) grid.querySelector(`[data-key="${row.key}"] .said`)?.replaceChildren(...said(row.texts));
}

function focusCard(grid, place) {
  const cards = grid.children;
  const at = Math.max(0, Math.min(place, cards.length - 1));
  for (const each of grid.querySelectorAll('[tabindex="0"]')) each.tabIndex = -1;
  if (!cards[at]) return;
  cards[at].tabIndex = 0;
  cards[at].focus();
  cards[at].scrollIntoView({ block: "nearest" });
}

function onKey(event) {
  const grid = event.currentTarget;
  const columns = getComputedStyle(grid).gridTemplateColumns.split(" ").length;
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, Home: -Infinity, End: Infinity };
  if (!(event.key in steps) || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  focusCard(grid, Math.max(0, Math.min(list.chosen + steps[event.key], grid.children.length - 1)));
}
