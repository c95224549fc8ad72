// The focus on a row of the list, or on an item of a conversation. Back from a conversation, its row has the focus again.
import { decoded, isPlainClick } from "./links.js";

// One link per row: its title.
const rowLinks = () => [...document.querySelectorAll("#threads a.title")];
const threadIdOf = (link) => link.closest("tr").dataset.threadId;

// What can be read of a conversation: items, and the lines that groups of steps are folded to.
export const READABLE = ".item:not(details:not([open]) .item), .steps > details > summary";

// Moves the focus by a number of rows, or of items. Without a focused one, to the first; in a conversation that
// opened at its end, to the last.
export const moveFocus = (by) => {
  const focused = document.activeElement;
  const inPane = document.getElementById("pane") && (!rowLinks().length || focused.closest("#pane"));
  const links = inPane ? [...document.querySelectorAll(`#items :is(${READABLE})`)] : rowLinks();
  const holds = (link) => link.contains(focused) || link.closest("tr")?.contains(focused);
  const isOpen = (link) => link.closest("tr")?.ariaCurrent === "true";
  const now = links.some(holds) ? links.findIndex(holds) : links.findIndex(isOpen);
  const start = inPane && document.querySelector("#items[data-at-end]") ? links.length - 1 : 0;
  const next = links[now < 0 ? start : Math.min(Math.max(now + by, 0), links.length - 1)];
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: "nearest" });
};

// Whether the focused row is selected: its box is pressed.
export const toggleRow = () => document.activeElement.closest("#threads tr")?.querySelector(".pick")?.click();

// A time lies above its row's link, since it says the exact time under the pointer. It opens the row too.
document.addEventListener("click", (event) => {
  const time = event.target.closest("#threads time");
  if (time && isPlainClick(event)) time.closest("tr").querySelector("a.title")?.click();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("#threads .thread a");
  if (link) history.replaceState({ ...history.state, row: threadIdOf(link) }, "");
});

// htmx goes back by a reload, and would forget the row before it.
const reloadWithRow = (event) => {
  if (!event.state?.row) return;
  event.stopImmediatePropagation();
  location.reload();
};
addEventListener("popstate", reloadWithRow, { capture: true });

addEventListener("load", () => {
  const id = location.hash.startsWith("#thread-") ? decoded(location.hash.slice(8)) : history.state?.row;
  const link = id && rowLinks().find((candidate) => threadIdOf(candidate) === id);
  if (link) {
    link.focus({ preventScroll: true });
    link.closest("tr").scrollIntoView({ block: "center" });
  }
});

// Where the rows or the open conversation scroll by themselves, the keys that scroll a page scroll them, as long as
// nothing has the focus.
const SCROLL = {
  ArrowDown: ["scrollBy", 40],
  ArrowUp: ["scrollBy", -40],
  PageDown: ["scrollBy", 0.9],
  PageUp: ["scrollBy", -0.9],
  Home: ["scrollTo", 0],
  End: ["scrollTo", 1e7],
};

document.addEventListener("keydown", (event) => {
  const pane = document.getElementById("talk"); // whose ends have keys of their own
  if (pane && ["Home", "End"].includes(event.key)) return;
  const area = pane ?? document.getElementById("rows");
  const hasModifier = event.ctrlKey || event.metaKey || event.altKey || event.shiftKey;
  const [act, by] = SCROLL[event.key] ?? [];
  if (!act || !area || hasModifier || event.defaultPrevented || document.activeElement !== document.body) return;
  if (getComputedStyle(area).overflowY !== "auto") return;
  event.preventDefault();
  area[act]({ top: Math.abs(by) < 1 ? by * area.clientHeight : by });
});
