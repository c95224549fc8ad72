// The focus on a row of the list, or on an item of a conversation. Back from a conversation, its row has the focus again.
import { decoded } from "./links.js";

// One link per row: its title, not that of the snippet.
const rowLinks = () => [...document.querySelectorAll("#threads .thread a:not(.hit a)")];
const threadIdOf = (link) => link.closest("tr").dataset.threadId;

// What can be read of a conversation: items, and the lines that groups of steps are folded to.
export const READABLE = ".item:not(details:not([open]) .item), .steps > details > summary";

// Moves the focus by a number of rows, or of items. Without a focused one, to the first; in a conversation that
// opened at its end, to the last.
export const moveFocus = (by) => {
  const links = document.getElementById("items") ? [...document.querySelectorAll(`#items :is(${READABLE})`)] : rowLinks();
  const focused = document.activeElement;
  const now = links.findIndex((link) => link.contains(focused) || link.closest("tr")?.contains(focused));
  const start = document.querySelector("#items[data-at-end]") ? links.length - 1 : 0;
  const next = links[now < 0 ? start : Math.min(Math.max(now + by, 0), links.length - 1)];
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: "nearest" });
};

document.addEventListener("click", (event) => {
  const link = event.target.closest("#threads .thread a");
  if (link) history.replaceState({ ...history.state, row: threadIdOf(link) }, "");
});

addEventListener("load", () => {
  const id = location.hash.startsWith("#thread-") ? decoded(location.hash.slice(8)) : history.state?.row;
  const link = id && rowLinks().find((candidate) => threadIdOf(candidate) === id);
  if (link) {
    link.focus({ preventScroll: true });
    link.closest("tr").scrollIntoView({ block: "center" });
  }
});
