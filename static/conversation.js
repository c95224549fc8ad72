"use strict";

// Reading a conversation: landing at an item, loading all of it, finding in it, printing it.
const items = document.getElementById("items");
const busyLabel = "Stop";

// What is percent-encoded, or the text as it is where nobody encoded it.
const decoded = (text) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

// An address with an item that is not on this page leads to the page that begins with it.
const landed = () => {
  const anchor = location.hash.slice(1);
  if (!anchor.startsWith("item-")) return;
  const item = document.getElementById(anchor) ?? document.getElementById(decoded(anchor));
  const wanted = decoded(decoded(anchor).slice(5));
  if (item) {
    for (const each of items.querySelectorAll(".here")) each.classList.remove("here");
    item.classList.add("here");
    item.focus({ preventScroll: true });
    item.scrollIntoView({ block: "center" });
  } else if (new URLSearchParams(location.search).get("at") !== wanted) {
    location.replace(`${location.pathname}?at=${encodeURIComponent(wanted)}${location.hash}`);
  }
};

addEventListener("hashchange", landed);
addEventListener("load", landed);

// The time of an item is its address: a click copies it, and goes there.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-copy-link]");
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  history.replaceState(history.state, "", link.href);
  landed();
  try {
    await navigator.clipboard.writeText(link.href);
    announce("Copied the address of this item.");
  } catch {
    announce("The address of this item is in the address bar.");
  }
});

// All of it: page after page, each given to the browser before the next is asked for, so that it can draw and be stopped.
let loading = null;

const furtherUrl = () => document.querySelector("#more a[rel=next]")?.href;

const loadPage = async (url, signal) => {
  const response = await fetch(url, { headers: { "HX-Request": "true" }, cache: "no-store", signal });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const more = page.getElementById("more");
  if (!more) throw new Error(`${response.status}`);
  offline(false);
  document.getElementById("more").replaceWith(...page.body.children);
  return response.ok;
};

const loadAll = async () => {
  if (loading) return false;
  loading = new AbortController();
  items.setAttribute("aria-busy", "true");
  let whole = true;
  try {
    for (let url = furtherUrl(); url; url = furtherUrl()) {
      // What loads by being seen would load the same again.
      document.querySelector("#more .near")?.remove();
      const button = document.getElementById("all");
      if (button) {
        button.textContent = busyLabel;
        button.hidden = false;
      }
      if (!(await loadPage(url, loading.signal))) {
        whole = false;
        break;
      }
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    }
  } catch {
    whole = false;
    if (!loading.signal.aborted) offline(true);
  }
  loading = null;
  items.removeAttribute("aria-busy");
  ready();
  announce(document.getElementById("more").textContent.replace(/\s+/g, " ").trim());
  return whole;
};

// What is new on the page is given its ears, and its buttons that need a script are shown.
const ready = () => {
  const more = document.getElementById("more");
  const button = document.getElementById("all");
  if (button) {
    button.hidden = false;
    button.textContent = loading ? busyLabel : "Load all";
  }
  if (!loading) htmx.process(more);
  if (needle.value) find(0);
};

document.addEventListener("click", (event) => {
  if (event.target.id !== "all") return;
  if (loading) loading.abort();
  else loadAll();
});

document.addEventListener("htmx:afterSettle", () => ready());

// The reply to a request for further items is always items, or why there are none, in their place.
document.addEventListener("htmx:beforeSwap", (event) => {
  const has = event.detail.serverResponse.includes('id="more"') || event.detail.pathInfo.requestPath.startsWith("/others/");
  event.detail.shouldSwap = has && !loading;
  if (!has) offline(true);
});

// Find: in what is loaded, without changing it: the browser draws the marks.
const form = document.getElementById("find");
const needle = document.getElementById("needle");
const found = document.getElementById("found");
let matches = [];
let current = -1;

const textsOf = (root) => {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const nodes = [];
  let text = "";
  while (walker.nextNode()) {
    nodes.push({ node: walker.currentNode, start: text.length });
    text += walker.currentNode.data;
  }
  return { nodes, text: text.toLowerCase() };
};

const rangeAt = (nodes, start, end) => {
  const range = new Range();
  const at = (place) => nodes.findLast((each) => each.start <= place);
  const first = at(start);
  const last = at(end - 1);
  range.setStart(first.node, Math.min(start - first.start, first.node.length));
  range.setEnd(last.node, Math.min(end - last.start, last.node.length));
  return range;
};

const MOST = 2000;

const search = () => {
  matches = [];
  const wanted = needle.value.trim().toLowerCase();
  if (!wanted) return;
  for (const item of items.querySelectorAll(".item")) {
    if (!item.textContent.toLowerCase().includes(wanted)) continue;
    const { nodes, text } = textsOf(item);
    for (let place = text.indexOf(wanted); place >= 0; place = text.indexOf(wanted, place + wanted.length)) {
      matches.push(rangeAt(nodes, place, place + wanted.length));
      if (matches.length >= MOST) return;
    }
  }
};

const find = (by) => {
  search();
  if (!matches.length) current = -1;
  else if (current < 0) current = by < 0 ? matches.length - 1 : 0;
  else current = (Math.min(current, matches.length - 1) + by + matches.length) % matches.length;
  const open = Boolean(furtherUrl());
  const where = open ? " in what is loaded; load all to search the rest" : "";
  const count = matches.length >= MOST ? `${MOST} or more` : `${matches.length}`;
  found.textContent = needle.value.trim() ? `${matches.length ? `${current + 1} of ${count}` : "No match"}${where}` : "";
  if (window.Highlight) {
    CSS.highlights.set("match", new Highlight(...matches));
    CSS.highlights.set("current", new Highlight(...matches.slice(current, current + 1)));
  }
  if (by && matches.length) showMatch(matches[current]);
};

const showMatch = (range) => {
  const element = range.startContainer.parentElement;
  for (let fold = element.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  element.scrollIntoView({ block: "center" });
};

let typing;
form.hidden = false;
form.addEventListener("submit", (event) => event.preventDefault());
needle.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    current = -1;
    find(0);
    if (matches.length) showMatch(matches[0]);
  }, 120);
});
needle.addEventListener("keydown", (event) => {
  if (event.key === "Enter") find(event.shiftKey ? -1 : 1);
  if (event.key === "Escape") {
    needle.value = "";
    find(0);
    document.getElementById("title").focus({ preventScroll: true });
  }
  if (event.key === "Enter" || event.key === "Escape") event.preventDefault();
});
form.addEventListener("click", (event) => {
  const way = event.target.closest("[data-find]")?.dataset.find;
  if (way) find(way === "next" ? 1 : -1);
});

const exact = document.getElementById("exact");
const tellTimes = () => items.classList.toggle("exactly", exact.checked);
exact.addEventListener("change", tellTimes);
tellTimes(); // a browser that goes back keeps what is ticked

// A print is of the whole conversation, with nothing folded.
const printing = document.getElementById("print");
printing.hidden = false;
printing.addEventListener("click", async () => {
  if (await loadAll()) print();
});
addEventListener("beforeprint", () => {
  for (const fold of items.querySelectorAll("details:not([open])")) {
    fold.open = true;
    fold.dataset.closed = "";
  }
});
addEventListener("afterprint", () => {
  for (const fold of items.querySelectorAll("details[data-closed]")) {
    fold.open = false;
    delete fold.dataset.closed;
  }
});

ready();
