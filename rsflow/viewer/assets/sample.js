// One sample with every record about it.

import { get, pictureAddress, wasDropped } from "./api.js";
import { colour, h, number, plain, replace, splitTag } from "./dom.js";
import { list, nextPage } from "./grid.js";
import { isDrawn, overlay, textBoxes } from "./overlay.js";
import { address, filters, go, whileHere } from "./route.js";
import { decide, editLabel, editTurns, reviewerField, tools, verdict } from "./review.js";
import { marked } from "./texts.js";

export async function showSample(content, state, key) {
  let records;
  try {
    records = await whileHere(get(`sample/${encodeURIComponent(key)}`, undefined, "sample"));
  } catch (error) {
    if (!wasDropped(error)) replace(content, h("p", { class: "failure", role: "alert" }, error.message), back());
    return;
  }
  if (!records) return;
  const stage = makeStage(records);
  const review = state.review && reviewOf(content, state, key, records);
  const parts = [instructions(records, stage, review), selection(records), others(records), labels(records, stage, review), facts(records)];
  const right = h("div", { class: "right" }, review ? [parts[3], parts[0], parts[1], parts[2], parts[4]] : parts);
  const left = h("div", { class: "left" }, review && reviewBar(records, stage, review), stage.node, stage.legend);
  replace(content, heading(records), h("div", { class: review ? "sample reviewing" : "sample" }, left, right));
  const place = list.rows.findIndex((row) => row.key === key);
  if (place >= 0) list.chosen = place;
  content.focus({ preventScroll: true });
  scrollTo(0, 0);
}

function reviewOf(content, state, key, records) {
  const categories = [...new Set([...(records.tile?.vocabulary || []), ...records.labels.map((row) => row.category)])].filter(Boolean).sort();
  const status = h("p", { class: "review-status", role: "alert" });
  const reload = () => showSample(content, state, key);
  return { key, categories, status, reload, reasons: state.review.reasons, place: h("div") };
}

function reviewBar(records, stage, review) {
  const { place } = review;
  const add = h("button", { click: () => editLabel(review, stage, null, place) }, "Add a box");
  const whole = tools(review, "sample", records.card.tile_id, "the sample");
  return h("section", { class: "panel review" }, h("div", { class: "inside" }, h("div", { class: "row" }, reviewerField(), h("span", {}, "Whole sample"), whole, verdict(records, "sample", records.card.tile_id), add), place, review.status));
}

const back = () => h("a", { class: "button", href: address("samples", filters()) }, "← All samples");

function heading({ card }) {
  return h(
    "div",
    { class: "bar" },
    back(),
    h("h1", { class: "mono" }, card.tile_id),
    splitTag(card),
    h("span", { class: "grow" }),
    h("button", { click: () => step(-1), title: "Previous sample (left arrow)", "aria-label": "Previous sample" }, "←"),
    h("button", { click: () => step(1), title: "Next sample (right arrow)", "aria-label": "Next sample" }, "→"),
  );
}

/** Go to the sample before or after this one in the list that it was opened from. */
export async function step(by) {
  const at = list.chosen + by;
  if (at >= list.rows.length) await nextPage().catch(() => false);
  if (!list.rows[at]) return;
  list.chosen = at;
  go("sample", filters(), list.rows[at].key);
}

function makeStage({ card, labels }) {
  const { width_px: width, height_px: height } = card;
  const hidden = new Set();
  const fit = h("div", { class: "fit" });
  const failed = (event) => event.target.replaceWith(h("p", { class: "failed" }, "The picture cannot be read: run rsflow build, which makes it again."));
  const image = h("img", { src: pictureAddress(card), alt: `Picture of ${card.tile_id}`, width, height, error: failed });
  const draw = () => {
    for (const old of fit.querySelectorAll("svg.main")) old.remove();
    fit.append(overlay(width, height, labels, { names: labels.filter(isDrawn).length <= 60, main: true, hidden }));
  };
  fit.style.setProperty("--ratio", width / height);
  image.classList.toggle("small", Math.max(width, height) < 400);
  fit.append(image);
  draw();
  const light = (boxes) => {
    for (const old of fit.querySelectorAll("svg:not(.main)")) old.remove();
    if (boxes) fit.append(textBoxes(width, height, boxes));
  };
  const point = (id) => {
    for (const group of fit.querySelectorAll("svg.main g")) {
      group.classList.toggle("lit", group.dataset.label === id);
      group.classList.toggle("dim", Boolean(id) && group.dataset.label !== id);
    }
  };
  const toggle = (category) => {
    if (!hidden.delete(category)) hidden.add(category);
    draw();
    return !hidden.has(category);
  };
  return { node: h("div", { class: "picture stage" }, fit), fit, width, height, legend: legend(labels, toggle), light, point };
}

function legend(labels, toggle) {
  const counts = new Map();
  for (const label of labels) if (isDrawn(label) || label.kind === "cover") counts.set(label.category, (counts.get(label.category) || 0) + 1);
  const entry = ([category, count]) => {
    const swatch = h("span", { class: "swatch" });
    swatch.style.background = colour(category);
    const press = (event) => event.currentTarget.setAttribute("aria-pressed", toggle(category));
    return h("button", { "aria-pressed": "true", click: press, title: "Show or hide" }, swatch, `${category} ${number(count)}`);
  };
  return h("div", { class: "legend" }, [...counts].map(entry));
}

function panel(title, ...inside) {
  return h("section", { class: "panel" }, h("h2", {}, title), inside);
}

function folded(title, ...inside) {
  return h("section", { class: "panel" }, h("details", {}, h("summary", {}, title), h("div", { class: "inside" }, inside)));
}

function selection({ selection: row, rejects }) {
  if (!row && !rejects.length) return null;
  const why = row ? (row.selected ? `In, split ${row.split}.` : `Out: ${row.reason.replaceAll("_", " ")}${row.assigned_split ? `; it belongs to ${row.assigned_split}` : ""}.`) : "Not selected yet.";
  const facts = row ? pairs({ cluster: row.cluster, "stands for it": row.canonical, cell: row.cell, repeat: row.repeat }) : null;
  const left = rejects.map((reject) => h("p", {}, h("span", { class: "tag out" }, reject.reason.replaceAll("_", " ")), ` ${reject.subject}: ${reject.detail}`));
  return panel("Selection", h("div", { class: "inside" }, h("p", {}, why), facts, left.length ? [h("h3", {}, "Refused"), left] : null));
}

function instructions(records, stage, review) {
  const rows = records.instructions;
  const talk = (row) => {
    const body = h("div");
    const own = review && [verdict(records, "instruction", row.instruction_id), tools(review, "instruction", row.instruction_id, `the ${row.task} instruction`, () => editTurns(review, row, body))];
    const show = (indices) => stage.light(indices && indices.map((index) => row.boxes[index]).filter(Boolean));
    const out = row.selection && !row.selection.selected;
    return h(
      "article",
      { class: "talk", "data-instruction": row.instruction_id },
      h("header", {}, h("strong", {}, row.task), h("span", { class: "quiet" }, row.generator), out ? h("span", { class: "tag out" }, row.selection.reason.replaceAll("_", " ")) : null, checks(row), own),
      fillTurns(body, row, show),
    );
  };
  return panel(`Instructions (${number(rows.length)})`, rows.length ? rows.map(talk) : h("p", { class: "inside quiet" }, "None"));
}

/** What is asked about a group; its boxes are on several pictures, so none lights up. */
function groupTalk(row) {
  return h("article", { class: "talk", "data-instruction": row.instruction_id }, h("header", {}, h("strong", {}, row.task), h("span", { class: "quiet" }, row.generator)), fillTurns(h("div"), row, () => {}));
}

function fillTurns(body, row, show) {
  body.append(...row.turns.map((turn) => h("div", { class: "turn" }, h("span", { class: "who" }, turn.role), h("span", {}, marked(turn.text, show)))));
  return body;
}

function checks(row) {
  const passed = row.checks?.length ? `checks: ${row.checks.join(", ")}` : null;
  const perplexity = row.perplexity === null ? null : `perplexity ${plain(row.perplexity)}`;
  const text = [passed, perplexity].filter(Boolean).join(" · ");
  return text ? h("span", { class: "quiet" }, text) : null;
}

const LABEL_COLUMNS = ["kind", "category", "text", "value", "score", "box", "origin", "origin_name", "model", "revision", "prompt_digest", "transferred_from", "quality", "visibility", "flags"];

function labels(records, stage, review) {
  const shown = review ? (row) => row.kind !== "fact" : () => true;
  const rows = records.labels.filter(shown);
  const left = records.left.filter(shown);
  if (!rows.length && !left.length) return null;
  const columns = LABEL_COLUMNS.filter((name) => rows.some((row) => plain(row[name]) !== "–"));
  const own = (row, gone) => review && h("td", {}, h("span", { class: "row" }, gone ? h("button", { class: "small", "aria-label": `Keep ${row.category}`, click: () => decide(review, { kind: "label", action: "accept", target: row.label_id }) }, "↺") : tools(review, "label", row.label_id, row.category, () => editLabel(review, stage, row, review.place)), verdict(records, "label", row.target)));
  const line = (row, gone = false) =>
    h("tr", { class: gone ? "left-out" : null,  tabindex: "0", "data-label": row.label_id, mouseenter: () => stage.point(row.label_id), mouseleave: () => stage.point(null), focus: () => stage.point(row.label_id), blur: () => stage.point(null) },
      own(row, gone),
      columns.map((name) => h("td", name === "text" ? { class: "wrap" } : {}, name === "box" && row.box ? row.box.map((value) => Math.round(value)).join(" ") : plain(row[name]))));
  const table = h("table", {}, h("thead", {}, h("tr", {}, review && h("th", { scope: "col" }, "decide"), columns.map((name) => h("th", { scope: "col" }, name.replaceAll("_", " "))))), h("tbody", {}, rows.map((row) => line(row)), left.map((row) => line(row, true))));
  const title = `Labels and where they come from (${number(rows.length)})`;
  const inside = h("div", { class: "scroll" }, table);
  return review ? panel(title, h("div", { class: "inside" }, inside)) : folded(title, inside);
}

function others({ duplicates, companions, groups }) {
  const thumb = (row, text) =>
    h("a", { href: row.key ? address("sample", filters(), row.key) : null, title: row.tile_id }, row.key ? h("img", { src: pictureAddress(row), alt: row.tile_id, loading: "lazy" }) : null, text);
  const date = (row) => (row.acquired_at ? String(row.acquired_at).slice(0, 10) : "no date");
  return [
    duplicates.length ? panel(`Duplicates of it (${duplicates.length})`, h("div", { class: "inside strip" }, duplicates.map((row) => thumb(row, `${row.selected ? "in" : row.reason.replaceAll("_", " ")} · ${row.scene_id}`)))) : null,
    companions.length ? panel(`On the same ground (${companions.length})`, h("div", { class: "inside strip" }, companions.map((row) => thumb(row, `${row.sensor} · ${date(row)} · ${Math.round(row.overlap * 100)} % shared`)))) : null,
    groups.map((group) => panel(`Group: ${group.kind} at ${group.place}`, [h("div", { class: "inside strip" }, group.members.map((row) => thumb(row, `${row.role || row.sensor || ""} · ${date(row)}`))), group.instructions.map(groupTalk)])),
  ];
}

function facts({ tile, scene }) {
  if (!tile) return null;
  const { row_off, col_off, height_px, width_px, ...rest } = tile;
  return [
    folded("Tile", pairs({ window: `rows ${row_off}–${row_off + height_px}, columns ${col_off}–${col_off + width_px}`, ...rest })),
    scene ? folded(`Scene ${scene.scene_id}`, pairs(scene)) : null,
  ];
}

function pairs(values) {
  const shown = Object.entries(values).filter(([, value]) => plain(value) !== "–");
  return h("dl", { class: "facts-list" }, shown.map(([name, value]) => [h("dt", {}, name.replaceAll("_", " ")), h("dd", {}, plain(value))]));
}
