// A canvas that one moves and zooms over a plane: by mouse, by touch, by keys. The map and the embedding draw on it.

import { h } from "./dom.js";

export const SPLIT_COLOURS = { train: "--train", val: "--val", test: "--test" };

export const cssColour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export const splitColour = (split) => cssColour(SPLIT_COLOURS[split] || "--other");

/** `draw(context, view)` is called when anything changed; `pick(x, y, view)` names what lies at a point of the plane. */
export class Plane {
  constructor({ draw, pick, open, label }) {
    Object.assign(this, { draw, pick, open, x: 0, y: 0, scale: 1, moved: false });
    this.canvas = h("canvas", { tabindex: "0", role: "img", "aria-label": label, pointerdown: (e) => this.down(e), pointermove: (e) => this.move(e), pointerup: (e) => this.up(e), pointerleave: () => this.leave(), wheel: (e) => this.wheel(e), keydown: (e) => this.key(e) });
    this.hover = h("div", { class: "hover", hidden: true });
    const tool = (text, title, click) => h("button", { title, "aria-label": title, click }, text);
    this.tools = h("div", { class: "tools" }, tool("+", "Zoom in", () => this.zoom(1.6)), tool("−", "Zoom out", () => this.zoom(1 / 1.6)), tool("⤢", "Show everything", () => this.fit(this.extent)));
    this.node = h("div", { class: "drawn" }, this.canvas, this.tools, this.hover);
    this.watch = new ResizeObserver(() => this.resize());
    this.watch.observe(this.canvas);
    addEventListener("themechange", () => this.redraw());
  }

  get width() { return this.canvas.clientWidth || 800; }
  get height() { return this.canvas.clientHeight || 500; }

  /** From the plane to the canvas; y grows upwards in the plane. */
  at(x, y) { return [(x - this.x) * this.scale + this.width / 2, (this.y - y) * this.scale + this.height / 2]; }
  from(px, py) { return [(px - this.width / 2) / this.scale + this.x, this.y - (py - this.height / 2) / this.scale]; }

  fit(extent) {
    this.extent = extent;
    const [west, south, east, north] = extent;
    this.x = (west + east) / 2;
    this.y = (south + north) / 2;
    this.scale = 0.88 * Math.min(this.width / Math.max(east - west, 1e-9), this.height / Math.max(north - south, 1e-9));
    this.redraw();
  }

  zoom(by, px = this.width / 2, py = this.height / 2) {
    const [x, y] = this.from(px, py);
    this.scale *= by;
    const [nx, ny] = this.from(px, py);
    this.x += x - nx;
    this.y += y - ny;
    this.redraw();
  }

  redraw() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      const context = this.canvas.getContext("2d");
      const ratio = devicePixelRatio || 1;
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, this.width, this.height);
      this.draw(context, this);
    });
  }

  resize() {
    const ratio = devicePixelRatio || 1;
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    if (this.extent && !this.moved) this.fit(this.extent);
    else this.redraw();
  }

  down(event) {
    this.held = [event.offsetX, event.offsetY];
    this.dragged = false;
    this.canvas.setPointerCapture(event.pointerId);
  }

  move(event) {
    if (this.held) {
      const [dx, dy] = [event.offsetX - this.held[0], event.offsetY - this.held[1]];
      if (Math.abs(dx) + Math.abs(dy) > 3) this.dragged = this.moved = true;
      this.x -= dx / this.scale;
      this.y += dy / this.scale;
      this.held = [event.offsetX, event.offsetY];
      this.redraw();
      return;
    }
    this.show(this.pick(...this.from(event.offsetX, event.offsetY), this), event.offsetX, event.offsetY);
  }

  show(found, px, py) {
    this.hover.hidden = !found;
    if (!found) return;
    if (this.shown !== found.key) this.hover.replaceChildren(...found.nodes());
    this.shown = found.key;
    this.hover.style.left = `${Math.min(px + 14, this.width - 160)}px`;
    this.hover.style.top = `${Math.min(py + 14, this.height - 190)}px`;
  }

  up(event) {
    this.held = null;
    if (this.dragged) return;
    const found = this.pick(...this.from(event.offsetX, event.offsetY), this);
    if (found?.open) found.open();
  }

  leave() {
    this.held = null;
    this.hover.hidden = true;
  }

  wheel(event) {
    event.preventDefault();
    this.moved = true;
    this.zoom(Math.exp(-event.deltaY / 400), event.offsetX, event.offsetY);
  }

  key(event) {
    const far = 60 / this.scale;
    const keys = { ArrowLeft: [-far, 0], ArrowRight: [far, 0], ArrowUp: [0, far], ArrowDown: [0, -far] };
    if (event.key in keys) {
      this.x += keys[event.key][0];
      this.y += keys[event.key][1];
    } else if (event.key === "+" || event.key === "=") this.zoom(1.4);
    else if (event.key === "-") this.zoom(1 / 1.4);
    else if (event.key === "0") this.fit(this.extent);
    else return;
    this.moved = true;
    event.preventDefault();
    this.redraw();
  }
}
