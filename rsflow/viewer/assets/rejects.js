// What left while the lake was labelled, with its reasons.

import { get, wasDropped } from "./api.js";
import { h, number, replace } from "./dom.js";
import { address, go, route } from "./route.js";

export async function showRejects(content) {
  const query = route().query;
  const table = h("tbody");
  const more = h("div", { class: "more-line" }, h("button", { click: () => extend(table, more, query) }, "More"));
  const bars = h("div", { class: "bars" });
  const head = ["", "reason", "what", "source", "step", "detail", "file"].map((name) => h("th", { scope: "col" }, name));
  replace(content, h("div", { class: "bar" }, h("h1", {}, "Rejects"), h("span", { class: "quiet" }, "what left before it became a sample")), bars, h("div", { class: "scroll" }, h("table", { class: "rejects" }, h("thead", {}, h("tr", {}, head)), table)), more);
  try {
    drawBars(bars, await get("reject-counts", undefined, "reject-counts"), query);
    await extend(table, more, query);
  } catch (error) {
    if (!wasDropped(error)) replace(content, h("p", { class: "failure", role: "alert" }, error.message));
  }
}

function drawBars(bars, counts, query) {
  const sums = new Map();
  for (const row of counts) sums.set(row.reason, (sums.get(row.reason) || 0) + row.count);
  const most = Math.max(1, ...sums.values());
  const bar = ([reason, count]) => {
    const chosen = query.get("reason") === reason;
    const press = () => go("rejects", new URLSearchParams(chosen ? {} : { reason }));
    return h("button", { "aria-pressed": String(chosen), click: press }, h("span", {}, reason.replaceAll("_", " ")), line(count / most), h("span", { class: "count" }, number(count)));
  };
  replace(bars, sums.size ? [...sums].sort((a, b) => b[1] - a[1]).map(bar) : h("p", { class: "empty" }, "Nothing was rejected."));
}

function line(share) {
  const filled = h("span");
  filled.style.width = `${Math.max(0.5, share * 100)}%`;
  return h("span", { class: "bar-line", "aria-hidden": "true" }, filled);
}

async function extend(table, more, query) {
  const asked = new URLSearchParams();
  for (const name of ["reason", "source", "text", "kind"]) if (query.get(name)) asked.set(name, query.get(name));
  if (table.dataset.next) asked.set("after", table.dataset.next);
  const page = await get("rejects", asked);
  for (const row of page.rejects)
    table.append(
      h("tr", {},
        h("td", {}, picture(row)),
        h("td", {}, h("span", { class: "tag out" }, row.reason.replaceAll("_", " "))),
        h("td", { class: "mono" }, `${row.kind} `, subject(row)),
        h("td", {}, row.source), h("td", {}, row.step), h("td", { class: "wrap" }, row.detail), h("td", { class: "mono" }, row.file)),
    );
  table.dataset.next = page.next ?? "";
  more.hidden = page.next === null;
}

/** A tile as it would have looked, cut from its scene; nothing where the scene is not at hand. */
function picture(row) {
  if (row.kind !== "tile") return null;
  const image = h("img", { class: "rejected", src: `/api/rejected/${row.n}`, alt: `rejected tile ${row.subject}`, loading: "lazy", decoding: "async" });
  image.addEventListener("error", () => image.replaceWith(h("span", { class: "quiet" }, "scene not at hand")));
  return image;
}

/** What was refused; of an instruction, a way to its tile. */
function subject(row) {
  if (row.kind !== "instruction") return row.subject;
  return h("a", { href: address("samples", new URLSearchParams({ text: row.subject.split("#")[0] })) }, row.subject);
}
