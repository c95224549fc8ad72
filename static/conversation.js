"use strict";

// Reading a conversation: landing at an item, loading all of it, finding in it, printing it.
const items = document.getElementById("items");
const progress = document.getElementById("loading");

// An address of ours, with the list that this page was opened from: there is a way back from there too.
const placed = (url) => {
  const list = new URLSearchParams(location.search).get("list");
  if (list) url.searchParams.set("list", list);
  return url.href;
};

const addressed = () => {
  const anchor = location.hash.slice(1);
  return document.getElementById(anchor) ?? document.getElementById(decoded(anchor));
};

const landed = () => {
  const anchor = location.hash.slice(1);
  if (!anchor.startsWith("item-")) return;
  const item = addressed();
  const wanted = decoded(decoded(anchor).slice(5));
  if (item) {
    for (const each of items.querySelectorAll(".here")) each.classList.remove("here");
    item.classList.add("here");
    item.focus({ preventScroll: true });
    item.scrollIntoView({ block: "center" });
  } else if (new URLSearchParams(location.search).get("at") !== wanted) {
    location.replace(placed(new URL(`${location.pathname}?at=${encodeURIComponent(wanted)}${location.hash}`, location)));
  }
};

addEventListener("hashchange", landed);
addEventListener("load", landed);

// The time of an item is its address: a click copies it, and goes there.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-copy-link]");
  if (!link || !isPlain(event)) return;
  event.preventDefault();
  history.replaceState(history.state, "", placed(new URL(link.href)));
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

const loadPage = async (url, signal, clear = () => {}) => {
  const headers = { "HX-Request": "true", "HX-Target": "more", "HX-Current-URL": location.href };
  const response = await fetch(url, { headers, cache: "no-store", signal });
  const elsewhere = response.headers.get("HX-Redirect");
  if (elsewhere) {
    location.href = elsewhere;
    loading.abort();
  }
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  if (!page.getElementById("more") || page.querySelector("main")) throw new Error(`${response.status}`);
  clear();
  document.getElementById("more").replaceWith(...page.body.children);
  return response.ok;
};

// Who wants all of it from a page that begins in the middle wants what comes before, too.
const fromTheBeginning = () => {
  const earlier = document.querySelector(".earlier");
  if (!earlier?.querySelector("a[rel=prev]")) return null;
  return earlier.querySelector("a:not([rel])").href;
};

const loadAll = async () => {
  if (loading) return false;
  loading = new AbortController();
  const waited = document.activeElement?.id === "all";
  items.setAttribute("aria-busy", "true");
  progress.hidden = false;
  if (waited) document.getElementById("stop").focus();
  let whole = true;
  try {
    const first = fromTheBeginning();
    if (first) {
      whole = await loadPage(first, loading.signal, () => items.replaceChildren(document.getElementById("more")));
      document.querySelector(".earlier")?.remove();
      document.querySelector(".printed")?.remove();
    }
    for (let url = furtherUrl(); url && whole; url = furtherUrl()) {
      whole = await loadPage(url, loading.signal);
      document.getElementById("loaded").textContent = saidOf(document.querySelector("#more > p")).replace(/ (More|Load).*$/, "");
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    }
    offline(false);
  } catch {
    whole = false;
    if (!loading.signal.aborted) offline(true);
  }
  const stopped = document.activeElement?.id === "stop";
  loading = null;
  items.removeAttribute("aria-busy");
  progress.hidden = true;
  ready();
  if (stopped) (document.getElementById("all") ?? document.getElementById("again") ?? document.getElementById("title")).focus({ preventScroll: true });
  announce(saidOf(document.getElementById("more")));
  return whole;
};

const saidOf = (element) => (element?.textContent ?? "").replace(/\s+/g, " ").trim();

// What is new on the page is given its ears, and its buttons that need a script are shown. While all is loaded, what loads
// by being seen is left without: it would load the same again.
const ready = () => {
  if (loading) return;
  const button = document.getElementById("all");
  if (button) button.hidden = false;
  htmx.process(document.getElementById("more"));
  if (typing) findTyped();
  else if (needle.value) find(0);
};

document.addEventListener("click", (event) => {
  if (event.target.id === "stop") loading?.abort();
  if (event.target.id === "all") loadAll();
});

document.addEventListener("htmx:afterSettle", () => ready());

// The reply to a request for further items is always items, or why there are none, in their place.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.pathInfo.requestPath.startsWith("/live/")) return; // has nothing to show
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

const OURS = ".who, .divider, .host, .error, .hidden-character"; // not said by anybody, or not seen

const known = new WeakMap();

// What an item says, as it stands there and folded, and the nodes that it stands in.
const textsOf = (root) => {
  if (known.has(root)) return known.get(root);
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT, (node) => {
    if (node.nodeType === Node.TEXT_NODE) return NodeFilter.FILTER_ACCEPT;
    return node.matches(OURS) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_SKIP;
  });
  const nodes = [];
  let text = "";
  while (walker.nextNode()) {
    nodes.push({ node: walker.currentNode, start: text.length });
    text += walker.currentNode.data;
  }
  known.set(root, { nodes, text, ...folding.places(text) });
  return known.get(root);
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

// Where a text is in an item. What has no letter, digit or emoji is looked for as it stands.
const matchesIn = (item, wanted, most = MOST) => {
  const { nodes, text, plain, begin, end } = textsOf(item);
  const words = folding.folded(wanted);
  const pattern = words ? words.replaceAll(" ", " +") : wanted.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const ranges = [];
  for (const match of (words ? plain : text).matchAll(new RegExp(pattern, "g"))) {
    if (ranges.length >= most) break;
    const last = match.index + match[0].length - 1;
    ranges.push(words ? rangeAt(nodes, begin(match.index), end(last)) : rangeAt(nodes, match.index, last + 1));
  }
  return ranges;
};

const search = () => {
  matches = [];
  const wanted = needle.value.trim();
  if (!wanted) return;
  for (const item of items.querySelectorAll(".item")) {
    matches.push(...matchesIn(item, wanted, MOST - matches.length));
    if (matches.length >= MOST) return;
  }
};

const find = (by) => {
  search();
  if (!matches.length) current = -1;
  else if (current < 0) current = by < 0 ? matches.length - 1 : 0;
  else current = (Math.min(current, matches.length - 1) + by + matches.length) % matches.length;
  const open = furtherUrl() || fromTheBeginning();
  const cut = items.querySelector(".cut"); // a search in the list looks into that, too
  const where = open ? " in what is loaded; load all to search the rest" : cut ? " in what is shown; the download has the rest" : "";
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
  // In a long text that is not yet the match.
  const box = element.closest("pre");
  if (box) box.scrollTop += range.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientHeight / 2;
  const { top, bottom } = range.getBoundingClientRect();
  if (top < 100 || bottom > innerHeight) scrollBy(0, top - innerHeight / 2);
};

// Typing is looked for when it pauses, or when something else asks for the matches before that.
let typing = 0;

const findTyped = () => {
  stopTyping();
  current = -1;
  find(0);
  if (matches.length) showMatch(matches[0]);
};

const stopTyping = () => {
  clearTimeout(typing);
  typing = 0;
};

const step = (by) => {
  if (typing) findTyped();
  else find(by);
};

form.hidden = false;
form.addEventListener("submit", (event) => event.preventDefault());
needle.addEventListener("input", () => {
  stopTyping();
  typing = setTimeout(findTyped, 120);
});
needle.addEventListener("keydown", (event) => {
  if (event.key === "Enter") step(event.shiftKey ? -1 : 1);
  if (event.key === "Escape") {
    stopTyping();
    needle.value = "";
    find(0);
    document.getElementById("title").focus({ preventScroll: true });
  }
  if (event.key === "Enter" || event.key === "Escape") event.preventDefault();
});
form.addEventListener("click", (event) => {
  const way = event.target.closest("[data-find]")?.dataset.find;
  if (way) step(way === "next" ? 1 : -1);
});

// Who comes from a search finds the first of its words marked that is in the item that it led to.
const sought = JSON.parse(needle.dataset.sought ?? "[]");
if (sought.length && !needle.value) {
  const item = addressed();
  needle.value = sought.find((each) => item?.matches(".item") && matchesIn(item, each).length) ?? sought[0];
  search();
  current = Math.max(0, matches.findIndex((range) => item?.contains(range.startContainer)));
  find(0);
}

const exact = document.getElementById("exact");
const tellTimes = () => items.classList.toggle("exactly", exact.checked);
exact.addEventListener("change", tellTimes);
tellTimes(); // a browser that goes back keeps what is ticked

// A print is of the whole conversation, with nothing folded.
const printing = document.getElementById("print");
printing.hidden = false;
printing.addEventListener("click", async () => {
  if (loading) announce("It is still loading. Print when it has come to its end.");
  else if (await loadAll()) print();
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
