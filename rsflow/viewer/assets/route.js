// What is shown is in the address: `#view/argument?filters`. So back, forward, reload and a sent link do what they should.

export const FILTERS = ["source", "sensor", "split", "task", "category", "reason", "scene"];
export const NUMBERS = ["min_score", "max_score", "min_size", "max_size"];
export const EVERY = [...FILTERS, ...NUMBERS, "text", "order", "box", "queue"];

export function route() {
  const [path, query = ""] = decodeHash().split("?");
  const [view = "samples", ...rest] = path.split("/");
  return { view: view || "samples", argument: rest.join("/"), query: new URLSearchParams(query) };
}

function decodeHash() {
  return location.hash.slice(1);
}

export function address(view, query, argument = "") {
  const text = query.toString();
  return `#${view}${argument ? `/${encodeURIComponent(argument)}` : ""}${text ? `?${text}` : ""}`;
}

export function go(view, query, argument = "") {
  location.hash = address(view, query, argument);
}

/** The filters of the present address, without what belongs to one view only. */
export function filters() {
  const chosen = new URLSearchParams();
  for (const [name, value] of route().query) if (EVERY.includes(name)) chosen.append(name, value);
  return chosen;
}

/** Change filters and stay in the view. `values`: by name, a list (empty: none). */
export function setFilters(values) {
  const { view, query } = route();
  for (const [name, list] of Object.entries(values)) {
    query.delete(name);
    for (const value of list) query.append(name, value);
  }
  go(view === "sample" ? "samples" : view, query);
}

/** Wait for an answer; null where the address changed meanwhile, so that a late answer never replaces a newer view. */
export async function whileHere(answer) {
  const asked = location.hash;
  const found = await answer;
  return location.hash === asked ? found : null;
}
