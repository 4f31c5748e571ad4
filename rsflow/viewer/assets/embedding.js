// Vectors of an embedder in the plane: samples that look alike lie together.

import { get, pictureAddress, wasDropped } from "./api.js";
import { colour, h, number, replace } from "./dom.js";
import { Plane, splitColour } from "./plane.js";
import { filters, go, whileHere } from "./route.js";

let tinted = "split";

export async function showEmbedding(content) {
  const query = filters();
  let found;
  replace(content, h("p", { class: "empty" }, "Reading vectors …"));
  try {
    found = await whileHere(get("embedding", query, "embedding"));
  } catch (error) {
    if (!wasDropped(error)) replace(content, h("p", { class: "failure", role: "alert" }, error.message));
    return;
  }
  if (!found) return;
  if (!found.points.length) {
    const why = found.labellers.length ? "None of these samples has a vector." : "This lake has no vectors: a source gets them from a labeller that embeds (docs/labellers.md).";
    replace(content, h("div", { class: "empty" }, h("h2", {}, "No embeddings"), why));
    return;
  }
  const points = found.points.map(([key, split, sensor, source, x, y]) => ({ key, split, sensor, source, x, y }));
  const tint = (point) => (tinted === "split" ? splitColour(point.split) : colour(String(point[tinted])));
  const plane = new Plane({ label: `Embedding of ${number(points.length)} samples`, draw: (context, view) => draw(context, view, points, tint), pick: (x, y, view) => pick(x, y, view, points) });
  const choose = (event) => {
    tinted = event.target.value;
    plane.redraw();
  };
  const by = h("select", { "aria-label": "Colour by", change: choose }, ["split", "sensor", "source"].map((name) => h("option", { value: name, selected: name === tinted }, `colour by ${name}`)));
  replace(content, h("div", { class: "bar" }, h("h1", {}, `${number(points.length)} samples by ${found.labeller}`), h("span", { class: "quiet" }, `two components hold ${Math.round(found.explained * 100)} % of the variance`), h("span", { class: "grow" }), by), plane.node);
  plane.fit([0, 0, Math.max(...points.map((p) => p.x)) || 1, Math.max(...points.map((p) => p.y)) || 1]);
}

function draw(context, view, points, tint) {
  context.globalAlpha = points.length > 3000 ? 0.5 : 0.85;
  const size = points.length > 3000 ? 2 : 3.5;
  for (const point of points) {
    const [x, y] = view.at(point.x, point.y);
    context.fillStyle = tint(point);
    context.beginPath();
    context.arc(x, y, size, 0, 7);
    context.fill();
  }
  context.globalAlpha = 1;
}

function pick(x, y, view, points) {
  let best = null;
  let near = 8 / view.scale;
  for (const point of points) {
    const apart = Math.hypot(point.x - x, point.y - y);
    if (apart < near) [best, near] = [point, apart];
  }
  if (!best) return null;
  return { key: best.key, open: () => go("sample", filters(), best.key), nodes: () => [h("img", { src: pictureAddress(best), alt: "" }), `${best.sensor} · ${best.split || "no split"}`] };
}
