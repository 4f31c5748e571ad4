// Where the samples lie: footprints or counts over a graticule, in Web Mercator so that tiles of a background fit.

import { get, pictureAddress, wasDropped } from "./api.js";
import { h, number, replace } from "./dom.js";
import { Plane, cssColour, splitColour } from "./plane.js";
import { address, filters, go, setFilters, whileHere } from "./route.js";

const DEGREE = Math.PI / 180;
const MOST_LATITUDE = 85.0511;
const mercator = (lat) => Math.log(Math.tan(Math.PI / 4 + (Math.max(-MOST_LATITUDE, Math.min(MOST_LATITUDE, lat)) * DEGREE) / 2)) / DEGREE;
const latitude = (y) => (2 * Math.atan(Math.exp(y * DEGREE)) - Math.PI / 2) / DEGREE;

export async function showMap(content, state) {
  const query = filters();
  let found;
  replace(content, h("p", { class: "empty" }, "Reading footprints …"));
  try {
    found = await whileHere(get("map", query, "map"));
  } catch (error) {
    if (!wasDropped(error)) replace(content, h("p", { class: "failure", role: "alert" }, error.message));
    return;
  }
  if (!found) return;
  const head = h("div", { class: "bar" }, h("h1", { id: "total" }, `${number(found.placed)} samples on the map`));
  if (found.unplaced) head.append(h("span", { class: "quiet" }, `${number(found.unplaced)} say no place`));
  if (!found.extent) {
    replace(content, head, h("div", { class: "empty" }, h("h2", {}, "Nothing to place"), "None of these samples has coordinates on the ground."));
    return;
  }
  const rings = found.outlines.filter(([, , , ring]) => ring).map(([key, split, selected, ring]) => ({ key, split, selected, ring: project(ring) }));
  const plane = new Plane({ label: `Map of ${number(found.placed)} samples`, draw: (context, view) => draw(context, view, rings, found.cells, state.background), pick: (x, y) => pick(x, y, rings) });
  const here = () => {
    const [west, north] = plane.from(0, 0);
    const [east, south] = plane.from(plane.width, plane.height);
    setFilters({ box: [[west, latitude(south), east, latitude(north)].map((value) => value.toFixed(6)).join(",")] });
  };
  const key = ["train", "val", "test"].map((name) => h("span", {}, swatch(splitColour(name)), name));
  const tools = [h("span", { class: "grow" }), h("span", { class: "keyline" }, key, h("span", {}, swatch(splitColour("")), "other"), rings.length ? h("span", {}, "dashed: out") : null),
    h("button", { click: here }, "Only what is in view"), query.get("box") ? h("button", { click: () => setFilters({ box: [] }) }, "Everywhere") : null,
    h("a", { class: "button", href: address("samples", query) }, "As a grid")];
  head.append(...tools.filter(Boolean));
  replace(content, head, plane.node);
  const [west, south, east, north] = query.get("box")?.split(",").map(Number) || found.extent;
  plane.fit([west, mercator(south), east, mercator(north)]);
}

function swatch(colour) {
  const node = h("span", { class: "swatch" });
  node.style.background = colour;
  return node;
}

function project(ring) {
  const found = [];
  for (let i = 0; i + 1 < ring.length; i += 2) found.push([ring[i], mercator(ring[i + 1])]);
  return found;
}

function draw(context, view, rings, cells, background) {
  if (background) drawBackground(context, view, background);
  drawGraticule(context, view);
  const most = Math.max(1, ...cells.map((cell) => cell[4]));
  for (const [west, south, step, split, count] of cells) {
    const [x0, y1] = view.at(west, mercator(south));
    const [x1, y0] = view.at(west + step, mercator(south + step));
    context.globalAlpha = 0.25 + 0.75 * Math.sqrt(count / most);
    context.fillStyle = splitColour(split);
    context.fillRect(x0, y0, Math.max(2, x1 - x0), Math.max(2, y1 - y0));
  }
  context.globalAlpha = 1;
  for (const { ring, split, selected } of rings) {
    context.beginPath();
    for (const [x, y] of ring) context.lineTo(...view.at(x, y));
    context.closePath();
    context.strokeStyle = context.fillStyle = splitColour(split);
    context.setLineDash(selected ? [] : [3, 3]);
    context.globalAlpha = selected ? 0.3 : 0.06;
    context.fill();
    context.globalAlpha = selected ? 1 : 0.7;
    context.stroke();
  }
  context.globalAlpha = 1;
  context.setLineDash([]);
}

const STEPS = [30, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001];

function drawGraticule(context, view) {
  const [west, top] = view.from(0, 0);
  const [east, bottom] = view.from(view.width, view.height);
  const step = STEPS.find((each) => each * view.scale < 160) || STEPS.at(-1);
  const digits = Math.max(0, Math.ceil(-Math.log10(step)));
  context.strokeStyle = cssColour("--line");
  context.fillStyle = cssColour("--quiet");
  context.font = "11px system-ui, sans-serif";
  for (let lon = Math.ceil(west / step) * step; lon <= east; lon += step) {
    const [x] = view.at(lon, 0);
    line(context, x, 0, x, view.height);
    context.fillText(`${Math.abs(lon).toFixed(digits)}°${lon < 0 ? "W" : "E"}`, x + 3, view.height - 6);
  }
  for (let lat = Math.ceil(latitude(bottom) / step) * step; lat <= latitude(top); lat += step) {
    const [, y] = view.at(0, mercator(lat));
    line(context, 0, y, view.width, y);
    context.fillText(`${Math.abs(lat).toFixed(digits)}°${lat < 0 ? "S" : "N"}`, 4, y - 3);
  }
}

function line(context, x0, y0, x1, y1) {
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  context.stroke();
}

const images = new Map();

function drawBackground(context, view, template) {
  const level = Math.max(0, Math.min(19, Math.round(Math.log2((view.scale * 360) / 256))));
  const size = 360 / 2 ** level;
  const [west, north] = view.from(0, 0);
  const [east, south] = view.from(view.width, view.height);
  const first = [Math.floor((west + 180) / size), Math.floor((180 - north) / size)];
  const last = [Math.floor((east + 180) / size), Math.floor((180 - south) / size)];
  for (let x = first[0]; x <= last[0]; x++)
    for (let y = Math.max(0, first[1]); y <= Math.min(2 ** level - 1, last[1]); y++) {
      const count = 2 ** level;
      const source = template.replace("{z}", level).replace("{x}", ((x % count) + count) % count).replace("{y}", y);
      const [px, py] = view.at(x * size - 180, 180 - y * size);
      const image = load(source, view);
      if (image.complete && image.naturalWidth) context.drawImage(image, px, py, size * view.scale, size * view.scale);
    }
}

function load(source, view) {
  if (!images.has(source)) {
    const image = new Image();
    image.onload = () => view.redraw();
    image.src = source;
    images.set(source, image);
  }
  return images.get(source);
}

function pick(x, y, rings) {
  const found = rings.findLast(({ ring }) => isInside(x, y, ring));
  if (!found) return null;
  const open = () => go("sample", filters(), found.key);
  return { key: found.key, open, nodes: () => [h("img", { src: pictureAddress(found), alt: "" }), found.selected ? found.split : "out"] };
}

function isInside(x, y, ring) {
  let inside = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [[ax, ay], [bx, by]] = [ring[i], ring[j]];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}
