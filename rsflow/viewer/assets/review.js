// Deciding on a sample: accept, reject for a reason, correct texts, categories and boxes. Each decision is sent at once.

import { post } from "./api.js";
import { editBox } from "./boxes.js";
import { announce, h, replace } from "./dom.js";

const NAMES = { accept: "accepted", reject: "rejected", correct: "corrected", add: "added" };

export function reviewer() {
  return localStorage.getItem("reviewer") || "";
}

export function reviewerField() {
  const keep = (event) => localStorage.setItem("reviewer", event.target.value.trim());
  return h("label", { class: "row" }, h("span", { class: "quiet" }, "Reviewer"), h("input", { type: "text", id: "reviewer", value: reviewer(), size: "10", change: keep, placeholder: "your name", autocomplete: "off" }));
}

/** What was last decided about a target, as a tag. */
export function verdict(records, kind, target) {
  const mine = records.decisions.filter((row) => row.kind === kind && row.target === target);
  if (!mine.length) return records.drawn.includes(target) ? h("span", { class: "tag other" }, "to review") : null;
  const last = mine.at(-1);
  const people = new Set(mine.map((row) => row.reviewer));
  const more = people.size > 1 ? ` (${people.size} reviewers)` : "";
  return h("span", { class: `tag ${last.action === "reject" ? "out" : "train"}`, title: [last.reviewer, last.reason, last.note].filter(Boolean).join(" · ") }, `${NAMES[last.action]}${more}`);
}

/** Send a decision; the sample is read again after. */
export async function decide(review, words) {
  const status = review.status;
  if (!reviewer()) {
    status.textContent = "Who decides? Write your name under Reviewer first.";
    document.getElementById("reviewer")?.focus();
    return false;
  }
  try {
    await post("decisions", { ...words, key: review.key, reviewer: reviewer() });
  } catch (error) {
    status.textContent = error.message;
    announce(error.message);
    return false;
  }
  announce(`${words.kind} ${NAMES[words.action]}`);
  await review.reload();
  return true;
}

/** Accept, reject for a reason and, where `edit` is given, correct. */
export function tools(review, kind, target, name, edit = null) {
  const accept = h("button", { class: "small", title: "Accept", "aria-label": `Accept ${name}`, click: () => decide(review, { kind, action: "accept", target }) }, "✓");
  const reject = h("button", { class: "small", title: "Reject", "aria-label": `Reject ${name}`, click: () => box.replaceChildren(reasons(review, kind, target, name, () => box.replaceChildren(...all))) }, "✗");
  const correct = edit ? h("button", { class: "small", title: "Correct", "aria-label": `Correct ${name}`, click: edit }, "✎") : null;
  const all = [accept, reject, correct].filter(Boolean);
  const box = h("span", { class: "tools-line" }, all);
  return box;
}

function reasons(review, kind, target, name, cancel) {
  const list = h("select", { "aria-label": `Why ${name} is rejected` }, review.reasons[kind].map((reason) => h("option", { value: reason }, reason.replaceAll("_", " "))));
  const note = h("input", { type: "text", placeholder: "note", "aria-label": "Note", size: "10" });
  const send = (event) => {
    event.preventDefault();
    decide(review, { kind, action: "reject", target, reason: list.value, note: note.value });
  };
  const form = h("form", { class: "row", submit: send }, list, note, h("button", { class: "primary small" }, "Reject"), h("button", { type: "button", class: "small", click: cancel }, "Cancel"));
  queueMicrotask(() => list.focus());
  return form;
}

/** Texts of an instruction to be written anew; marks like [[ship|0]] stay references to its boxes. */
export function editTurns(review, row, place) {
  const fields = row.turns.map((turn) => h("textarea", { rows: Math.min(6, 1 + Math.ceil(turn.text.length / 60)), "aria-label": turn.role }, turn.text));
  const send = (event) => {
    event.preventDefault();
    const turns = row.turns.map((turn, at) => ({ role: turn.role, text: fields[at].value }));
    decide(review, { kind: "instruction", action: "correct", target: row.instruction_id, after: { turns } });
  };
  const form = h("form", { class: "edit", submit: send }, fields, h("div", { class: "row" }, h("button", { class: "primary" }, "Save"), h("button", { type: "button", click: () => review.reload() }, "Cancel")));
  replace(place, form);
  fields.at(-1).focus();
}

/** A label's category and box: drawn with the mouse, or as numbers. `row` null: a new one. */
export function editLabel(review, stage, row, place) {
  const categories = h("datalist", { id: "categories" }, review.categories.map((name) => h("option", { value: name })));
  const category = h("input", { type: "text", list: "categories", value: row?.category ?? "", "aria-label": "Category", required: true });
  const text = row && row.text ? h("input", { type: "text", value: row.text, "aria-label": "Text" }) : null;
  const numbers = row && !row.box ? [] : ["left", "top", "right", "bottom"].map((name) => h("input", { type: "number", step: "any", min: "0", "aria-label": name, required: true, input: () => editor.set(numbers.map((field) => Number(field.value))) }));
  const editor = numbers.length ? editBox(stage, row?.box ?? null, (box) => box.forEach((value, at) => (numbers[at].value = Math.round(value * 10) / 10))) : null;
  const stop = () => {
    editor?.remove();
    review.reload();
  };
  const send = async (event) => {
    event.preventDefault();
    const after = { category: category.value };
    if (numbers.length) after.box = numbers.map((field) => Number(field.value));
    if (row && numbers.length && row.box.every((value, at) => Math.abs(value - after.box[at]) < 0.06)) delete after.box;
    if (row && category.value === row.category) delete after.category;
    if (text && text.value !== row.text) after.text = text.value;
    const words = row ? { action: "correct", target: row.label_id } : { action: "add", target: "" };
    if (await decide(review, { kind: "label", ...words, after })) editor?.remove();
  };
  const hint = numbers.length ? h("span", { class: "quiet" }, row ? "Drag the box or its corners." : "Draw the box in the picture.") : null;
  replace(place, h("form", { class: "edit row", submit: send }, categories, category, text, numbers, h("button", { class: "primary" }, "Save"), h("button", { type: "button", click: stop }, "Cancel"), hint));
  category.focus();
}
