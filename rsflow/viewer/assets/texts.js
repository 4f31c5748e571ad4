// Turns of instructions. A text's marks, [[phrase|0,2]], refer to the boxes of its instruction.

import { h } from "./dom.js";

const MARK = /\[\[([^[\]|]*)\|(\d+(?:,\d+)*)\]\]/g;

/** The text without its marks, as one reads it. */
export const readable = (text) => text.replaceAll(MARK, (_, phrase) => phrase || "▢");

/** Nodes of a text; `show(indices)` is called where a mark is pointed at, `show(null)` after. */
export function marked(text, show) {
  const nodes = [];
  let end = 0;
  for (const found of text.matchAll(MARK)) {
    nodes.push(text.slice(end, found.index));
    const boxes = found[2].split(",").map(Number);
    const on = () => show(boxes);
    const off = () => show(null);
    nodes.push(h("span", { class: "mark", tabindex: "0", mouseenter: on, mouseleave: off, focus: on, blur: off }, found[1] || "▢"));
    end = found.index + found[0].length;
  }
  nodes.push(text.slice(end));
  return nodes;
}
