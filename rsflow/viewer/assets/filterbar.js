// The filters: what each could be beside the others, with the number of samples.

import { get, wasDropped } from "./api.js";
import { h, number, replace } from "./dom.js";
import { FILTERS, filters, route, setFilters } from "./route.js";

const TITLES = { source: "Source", sensor: "Sensor", split: "Split", task: "Task", category: "Category", reason: "In, or why it left" };
const SHOWN = ["split", "sensor", "source", "task", "category", "reason"];
let asked = null;

export async function showFilters(panel) {
  const query = filters();
  query.delete("order");
  const key = query.toString();
  if (asked === key && panel.childElementCount) return;
  asked = key;
  try {
    draw(panel, await get("counts", query, "counts"), query);
  } catch (error) {
    if (wasDropped(error)) return;
    asked = null;
    replace(panel, h("p", { class: "failure", role: "alert" }, error.message));
  }
}

function draw(panel, counts, query) {
  const total = document.getElementById("total");
  if (total) total.textContent = `${number(counts.total)} ${counts.total === 1 ? "sample" : "samples"}`;
  const focused = document.activeElement?.closest?.("#filters") ? document.activeElement.id : "";
  const open = [...panel.querySelectorAll("[data-all]")].map((each) => each.dataset.all);
  replace(
    panel,
    SHOWN.map((name) => choice(name, counts[name], query.getAll(name), open.includes(name))),
    range("Score of a label", "score", "0.01", query),
    range("Size of an object, px", "size", "1", query),
    FILTERS.some((name) => query.has(name)) || query.size ? h("button", { class: "more", click: () => (location.hash = `#${route().view}`) }, "Remove all filters") : null,
  );
  if (focused) document.getElementById(focused)?.focus();
}

const FEW = 8;

function choice(name, values, chosen, all) {
  const missing = chosen.filter((value) => !values.some((each) => each.value === value)).map((value) => ({ value, count: 0 }));
  const every = [...missing, ...values];
  if (!every.length) return null;
  const shown = all ? every : every.filter((each, place) => place < FEW || chosen.includes(each.value));
  const list = h("div", { class: "list" }, shown.map((each) => option(name, each, chosen)));
  const field = h("fieldset", all ? { "data-all": name } : {}, h("legend", {}, TITLES[name]), list);
  if (every.length > shown.length) {
    const more = h("button", { class: "plain more", click: () => field.replaceWith(choice(name, values, chosen, true)) }, `${number(every.length - shown.length)} more`);
    field.append(more);
  }
  return field;
}

function option(name, { value, count }, chosen) {
  const toggle = (event) => {
    const others = chosen.filter((other) => other !== value);
    setFilters({ [name]: event.target.checked ? [...others, value] : others });
  };
  const box = h("input", { type: "checkbox", id: `f-${name}-${value}`, checked: chosen.includes(value), change: toggle });
  const text = value === "" ? "none" : name === "reason" ? value.replaceAll("_", " ") : value;
  return h("label", { class: "option" }, box, h("span", { title: text }, text), h("span", { class: "count" }, number(count)));
}

function range(title, name, step, query) {
  const field = (bound) =>
    h("input", {
      type: "number",
      id: `f-${bound}-${name}`,
      step,
      min: "0",
      placeholder: bound,
      "aria-label": `${title}, ${bound}`,
      value: query.get(`${bound}_${name}`) ?? "",
      change: (event) => setFilters({ [`${bound}_${name}`]: event.target.value === "" ? [] : [event.target.value] }),
    });
  return h("fieldset", {}, h("legend", {}, title), h("div", { class: "range" }, field("min"), "–", field("max")));
}
