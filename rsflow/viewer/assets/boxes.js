// A box that is drawn, moved and resized over a picture with the mouse, a pen or a finger.

import { s } from "./dom.js";

const HANDLES = [[0, 0], [0.5, 0], [1, 0], [1, 0.5], [1, 1], [0.5, 1], [0, 1], [0, 0.5]];

/** An editor on a stage. `box`: x0, y0, x1, y1 in pixels of the picture, or null to draw one. `changed(box)` follows it. */
export function editBox(stage, box, changed) {
  stage.fit.querySelector("svg.editor")?.remove();
  const { width, height } = stage;
  const drawn = s("rect", { class: "edited" });
  const size = Math.max(width, height) / 70;
  const handles = HANDLES.map(([x, y]) => s("rect", { class: "handle", width: size, height: size, "data-x": x, "data-y": y }));
  const svg = s("svg", { class: "overlay editor", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "xMidYMid meet" }, drawn, handles);
  let now = box ? [...box] : null;
  let held = null;

  function show() {
    for (const part of [drawn, ...handles]) part.setAttribute("visibility", now ? "visible" : "hidden");
    if (!now) return;
    const [x0, y0, x1, y1] = now;
    for (const [name, value] of [["x", x0], ["y", y0], ["width", x1 - x0], ["height", y1 - y0]]) drawn.setAttribute(name, value);
    HANDLES.forEach(([x, y], at) => {
      handles[at].setAttribute("x", x0 + (x1 - x0) * x - size / 2);
      handles[at].setAttribute("y", y0 + (y1 - y0) * y - size / 2);
    });
  }

  function place(event) {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return [Math.max(0, Math.min(width, point.x)), Math.max(0, Math.min(height, point.y))];
  }

  function move(event) {
    if (!held) return;
    const [x, y] = place(event);
    const [x0, y0, x1, y1] = held.box;
    if (held.what === "all") {
      const dx = Math.max(-x0, Math.min(width - x1, x - held.x));
      const dy = Math.max(-y0, Math.min(height - y1, y - held.y));
      now = [x0 + dx, y0 + dy, x1 + dx, y1 + dy];
    } else {
      const ends = [held.dx === 0 ? x : x0, held.dy === 0 ? y : y0, held.dx === 1 ? x : x1, held.dy === 1 ? y : y1];
      now = [Math.min(ends[0], ends[2]), Math.min(ends[1], ends[3]), Math.max(ends[0], ends[2]), Math.max(ends[1], ends[3])];
    }
    show();
    changed(now);
  }

  function down(event) {
    event.preventDefault();
    svg.setPointerCapture(event.pointerId);
    const [x, y] = place(event);
    const { dataset } = event.target;
    if (dataset.x !== undefined) held = { what: "end", dx: Number(dataset.x), dy: Number(dataset.y), box: [...now] };
    else if (now && event.target === drawn) held = { what: "all", x, y, box: [...now] };
    else if (!box) held = { what: "end", dx: 1, dy: 1, box: [x, y, x, y] };
  }

  const up = () => (held = null);
  svg.addEventListener("pointerdown", down);
  svg.addEventListener("pointermove", move);
  svg.addEventListener("pointerup", up);
  stage.fit.append(svg);
  show();
  if (now) changed(now);
  return {
    set(values) {
      if (values.every(Number.isFinite)) now = values;
      show();
    },
    remove: () => svg.remove(),
  };
}
