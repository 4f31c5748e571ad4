// The page: its head, its views by address, and the keys that work everywhere.

import { get, session } from "./api.js";
import { h, number, replace } from "./dom.js";
import { showEmbedding } from "./embedding.js";
import { showFilters } from "./filterbar.js";
import { showGrid } from "./grid.js";
import { showMap } from "./map.js";
import { showRejects } from "./rejects.js";
import { address, filters, go, route, setFilters } from "./route.js";
import { showSample, step } from "./sample.js";

const VIEWS = { samples: "Samples", map: "Map", embedding: "Embedding", rejects: "Rejects" };
const KEYS = [["/", "search"], ["← ↑ ↓ →", "move in the grid; one sample on or back"], ["Enter", "open"], ["Esc", "back"], ["b", "show or hide boxes"], ["+ −", "larger or smaller cards"], ["1 – 4", "samples, map, embedding, rejects"], ["d", "light or dark"], ["?", "this help"]];
const content = document.getElementById("content");
const panel = document.getElementById("filters");
let state = null;
let cardSize = 220;

async function start() {
  theme(localStorage.getItem("theme"));
  if (new URLSearchParams(location.search).has("token")) history.replaceState(null, "", location.pathname + location.hash);
  try {
    state = await get("lake");
  } catch (error) {
    replace(content, h("p", { class: "failure", role: "alert" }, error.message));
    return;
  }
  session.secret = state.secret;
  document.title = `rsflow · ${state.root}`;
  if (state.note) {
    const notice = document.getElementById("notice");
    notice.textContent = state.note;
    notice.hidden = false;
  }
  addEventListener("hashchange", show);
  addEventListener("keydown", onKey);
  show();
}

function show() {
  const { view, argument, query } = route();
  head(view, query);
  panel.hidden = view === "rejects" || view === "sample";
  panel.classList.remove("open");
  if (view === "sample") return showSample(content, state, decodeURIComponent(argument));
  if (view === "rejects") return showRejects(content);
  ({ map: showMap, embedding: showEmbedding }[view] || showGrid)(content, state);
  return showFilters(panel);
}

function head(view, query) {
  const kept = filters();
  const tab = ([name, title]) => h("a", { href: address(name, name === "rejects" ? new URLSearchParams() : kept), "aria-current": (view === "sample" ? "samples" : view) === name ? "page" : null }, title);
  const field = h("input", { type: "search", id: "text", placeholder: "Search ids, texts, categories", "aria-label": "Search", value: query.get("text") || "", autocomplete: "off" });
  const search = (event) => {
    event.preventDefault();
    const words = field.value.trim() ? [field.value.trim()] : [];
    setFilters({ text: words });
  };
  replace(
    document.getElementById("top"),
    h("a", { class: "brand", href: "#samples" }, h("img", { src: "assets/icon.svg", alt: "" }), "rsflow"),
    h("span", { class: "root quiet mono", title: state.root }, h("bdi", {}, state.root)),
    h("nav", { class: "tabs", "aria-label": "Views" }, Object.entries(VIEWS).map(tab)),
    h("form", { id: "search", role: "search", submit: search }, field, h("kbd", { "aria-hidden": "true" }, "/")),
    h("span", { class: "grow" }),
    state.review ? h("a", { class: "button", href: address("samples", new URLSearchParams({ queue: "1" })), title: "The samples that rsflow review drew" }, state.review.queue ? `To review: ${number(state.review.open)} of ${number(state.review.queue)}` : "Reviewing") : null,
    h("span", { class: "quiet", title: "selected samples of all tiles" }, `${number(state.counts.selected)} of ${number(state.counts.samples)} in`),
    h("button", { id: "open-filters", "aria-controls": "filters", click: () => panel.classList.toggle("open") }, "Filters"),
    h("button", { class: "plain", click: toggleTheme, title: "Light or dark (d)", "aria-label": "Light or dark" }, "◐"),
    h("button", { class: "plain", click: help, title: "Keys (?)", "aria-label": "Keys and help" }, "?"),
  );
  field.addEventListener("search", (event) => field.value === "" && query.get("text") && search(event));
}

function theme(name) {
  if (name === "dark" || name === "light") document.documentElement.dataset.theme = name;
}

function toggleTheme() {
  const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  theme(dark ? "light" : "dark");
  localStorage.setItem("theme", document.documentElement.dataset.theme);
  dispatchEvent(new Event("themechange"));
}

function help() {
  const close = () => dialog.close();
  const dialog = h("dialog", { "aria-labelledby": "help-title", close: () => dialog.remove() },
    h("h2", { id: "help-title" }, "Keys"),
    h("div", { class: "keys" }, KEYS.map(([key, does]) => [h("kbd", {}, key), h("span", {}, does)])),
    h("p", { class: "quiet" }, `rsflow ${state.version}. Everything on this page comes from this machine's server.`),
    h("button", { click: close, autofocus: true }, "Close"));
  document.body.append(dialog);
  dialog.showModal();
}

function onKey(event) {
  const typing = event.target.closest("input, textarea, select, dialog, [contenteditable]");
  if (event.key === "Escape" && typing?.id === "text") return content.focus();
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return undefined;
  const { view } = route();
  const tabs = Object.keys(VIEWS);
  const keys = {
    "/": () => document.getElementById("text").focus(),
    "?": help,
    b: () => document.body.classList.toggle("no-boxes"),
    d: toggleTheme,
    "+": () => resize(40),
    "-": () => resize(-40),
    Escape: () => view === "sample" && go("samples", filters()),
    ArrowLeft: () => view === "sample" && step(-1),
    ArrowRight: () => view === "sample" && step(1),
    ArrowDown: () => view === "samples" && content.querySelector('.card[tabindex="0"]')?.focus(),
    ...Object.fromEntries(tabs.map((name, place) => [String(place + 1), () => go(name, name === "rejects" ? new URLSearchParams() : filters())])),
  };
  if (!(event.key in keys) || (event.target.closest(".grid, canvas") && /^Arrow|^[+-]$/.test(event.key))) return undefined;
  if (event.key.startsWith("Arrow") && view !== "sample" && view !== "samples") return undefined;
  event.preventDefault();
  return keys[event.key]();
}

function resize(by) {
  cardSize = Math.max(120, Math.min(480, cardSize + by));
  document.documentElement.style.setProperty("--card", `${cardSize}px`);
}

start();
