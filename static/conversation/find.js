// Finding in a conversation: searches the loaded items. The CSS Custom Highlight API marks the matches, so that the page stays unchanged.
import { targetItem } from "./item_links.js";
import { matchesIn, MAX_MATCHES } from "./matching.js";
import { nextPageUrl, previousPageUrl } from "./pages.js";
import { onPane } from "./pane.js";
import { scroller } from "./scrolling.js";

const TYPING_PAUSE_MS = 120;

let form, needle, output, items; // of the open conversation
let matches = [];
let current = -1;
let typingTimer = 0;

const search = () => {
  matches = [];
  const wanted = needle.value.trim();
  if (!wanted) return;
  for (const item of items.querySelectorAll(".item")) {
    matches.push(...matchesIn(item, wanted, MAX_MATCHES - matches.length));
    if (matches.length >= MAX_MATCHES) return;
  }
};

// Searches again, and moves from the current match by 1, -1 or 0.
const find = (by) => {
  search();
  if (!matches.length) current = -1;
  else if (current < 0) current = by < 0 ? matches.length - 1 : 0;
  else current = (Math.min(current, matches.length - 1) + by + matches.length) % matches.length;
  output.textContent = needle.value.trim() ? summary() : "";
  if (window.Highlight) {
    CSS.highlights.set("match", new Highlight(...matches));
    CSS.highlights.set("current", new Highlight(...matches.slice(current, current + 1)));
  }
  if (by && matches.length) showMatch(matches[current]);
};

const summary = () => {
  const count = matches.length >= MAX_MATCHES ? `${MAX_MATCHES} or more` : `${matches.length}`;
  return `${matches.length ? `${current + 1} of ${count}` : "No match"}${unsearched()}`;
};

// The part of the conversation that this search does not cover. A search in the list covers shortened items, too.
const unsearched = () => {
  if (nextPageUrl() || previousPageUrl()) return " in what is loaded; load all to search the rest";
  return items.querySelector(".cut") ? " in what is shown; the download has the rest" : "";
};

const showMatch = (range) => {
  const element = range.startContainer.parentElement;
  for (let fold = element.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  element.scrollIntoView({ block: "center" });
  // A long element is in view before the match is.
  const box = element.closest("pre");
  if (box) box.scrollTop += range.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientHeight / 2;
  const { top, bottom } = range.getBoundingClientRect();
  if (top < 100 || bottom > innerHeight) scroller().scrollBy(0, top - innerHeight / 2);
};

const stopTyping = () => {
  clearTimeout(typingTimer);
  typingTimer = 0;
};

const findTyped = () => {
  stopTyping();
  current = -1;
  find(0);
  if (matches.length) showMatch(matches[0]);
};

const step = (by) => {
  if (typingTimer) findTyped();
  else find(by);
};

// Updates the matches after items were loaded.
document.addEventListener("items:loaded", () => {
  if (typingTimer) findTyped();
  else if (needle.value) find(0);
});

const closeFind = () => {
  stopTyping();
  needle.value = "";
  find(0);
  form.hidden = true;
  document.getElementById("title").focus({ preventScroll: true });
};

// Opened from a search of the list: find the first of its words that the item of this address has.
const findSought = () => {
  const terms = JSON.parse(needle.dataset.sought ?? "[]");
  if (!terms.length || needle.value) return;
  const item = targetItem();
  needle.value = terms.find((term) => item?.matches(".item") && matchesIn(item, term).length) ?? terms[0];
  search();
  current = Math.max(0, matches.findIndex((range) => item?.contains(range.startContainer)));
  find(0);
};

onPane(() => {
  form = document.getElementById("find");
  needle = document.getElementById("needle");
  output = document.getElementById("found");
  items = document.getElementById("items");
  matches = [];
  current = -1;
  needle.addEventListener("input", () => {
    stopTyping();
    typingTimer = setTimeout(findTyped, TYPING_PAUSE_MS);
  });
  needle.addEventListener("keydown", (event) => {
    if (event.key === "Enter") step(event.shiftKey ? -1 : 1);
    if (event.key === "Escape") closeFind();
    if (event.key === "Enter" || event.key === "Escape") event.preventDefault();
  });
  form.addEventListener("click", (event) => {
    const direction = event.target.closest("[data-find]")?.dataset.find;
    if (direction) step(direction === "next" ? 1 : -1);
  });
  findSought();
  if (needle.value && !matches.length) findTyped(); // typed before this was loaded
});
