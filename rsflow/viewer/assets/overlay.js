// Boxes, oriented boxes and outlines over a picture, as SVG in the picture's pixels.

import { colour, s } from "./dom.js";

const DRAWN = new Set(["box", "phrase"]);

export const isDrawn = (label) => DRAWN.has(label.kind) && label.box;

/** The overlay of a picture of `width` × `height` px. `names`: write each category beside its box. */
export function overlay(width, height, labels, { names = false, main = false, hidden = new Set() } = {}) {
  const drawn = labels.filter((label) => isDrawn(label) && !hidden.has(label.category));
  const covers = main ? labels.filter((label) => label.kind === "cover" && label.polygon?.length && !hidden.has(label.category)) : [];
  return s(
    "svg",
    { class: main ? "overlay main" : "overlay", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "xMidYMid meet", "aria-hidden": "true" },
    covers.map((label) => s("polygon", { class: "wash", points: points(label.polygon), fill: colour(label.category) })),
    drawn.map((label) => shape(label, names ? Math.max(width, height) / 46 : 0)),
  );
}

function shape(label, size) {
  const tint = colour(label.category);
  const at = outline(label);
  const [x0, y0, x1] = label.box;
  const name = label.score === null || label.score === undefined ? label.category : `${label.category} ${label.score.toFixed(2)}`;
  return s(
    "g",
    { "data-label": label.label_id },
    s("title", {}, name),
    s("polygon", { class: "halo", points: at }),
    s("polygon", { class: "shape", points: at, stroke: tint, fill: "none", "pointer-events": "all" }),
    size ? s("text", { x: Math.min(x0, x1), y: y0 > size * 1.2 ? y0 - size * 0.3 : y0 + size, "font-size": size, fill: tint }, name) : null,
  );
}

function outline(label) {
  if (label.polygon?.length >= 6) return points(label.polygon);
  const [x0, y0, x1, y1] = label.box;
  return `${x0},${y0} ${x1},${y0} ${x1},${y1} ${x0},${y1}`;
}

export function points(ring) {
  const pairs = [];
  for (let i = 0; i + 1 < ring.length; i += 2) pairs.push(`${ring[i]},${ring[i + 1]}`);
  return pairs.join(" ");
}

/** Boxes that a text names: four numbers, or eight of an oriented one. */
export function textBoxes(width, height, boxes) {
  const shapes = boxes.map((box) =>
    s("polygon", {
      class: "shape",
      stroke: "#fff",
      points: box.length === 8 ? points(box) : `${box[0]},${box[1]} ${box[2]},${box[1]} ${box[2]},${box[3]} ${box[0]},${box[3]}`,
    }),
  );
  return s("svg", { class: "overlay", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "xMidYMid meet", "aria-hidden": "true" }, s("g", { class: "lit" }, shapes));
}
