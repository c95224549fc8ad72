// Addresses of items, #item-…: scrolling to one, and copying one by a click on the time of its item.
import { announce } from "../app/announcer.js";
import { decoded, isPlainClick } from "../app/links.js";
import { onPane } from "./pane.js";

// The element that the address names, as it is or percent-encoded.
export const targetItem = () => {
  const anchor = location.hash.slice(1);
  return document.getElementById(anchor) ?? document.getElementById(decoded(anchor));
};

// Adds the list that this page was opened from, so that the back link leads there again.
const withList = (url) => {
  const list = new URLSearchParams(location.search).get("list");
  if (list) url.searchParams.set("list", list);
  return url.href;
};

const goToTarget = () => {
  const anchor = location.hash.slice(1);
  if (!anchor.startsWith("item-")) return;
  const item = targetItem();
  const id = decoded(decoded(anchor).slice(5));
  if (item) {
    for (let fold = item.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    for (const former of document.querySelectorAll("#items .here")) former.classList.remove("here");
    item.classList.add("here");
    item.focus({ preventScroll: true });
    item.scrollIntoView({ block: "center" });
  } else if (new URLSearchParams(location.search).get("at") !== id) {
    // Not on this page: load the page that begins around it, once.
    location.replace(withList(new URL(`${location.pathname}?at=${encodeURIComponent(id)}${location.hash}`, location)));
  }
};

addEventListener("hashchange", goToTarget);
addEventListener("load", goToTarget);
onPane(() => document.readyState === "complete" && goToTarget());

document.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-copy-link]");
  if (!link || !isPlainClick(event)) return;
  event.preventDefault();
  history.replaceState(history.state, "", withList(new URL(link.href)));
  goToTarget();
  try {
    await navigator.clipboard.writeText(link.href);
    announce("Copied the address of this item.");
  } catch {
    announce("The address of this item is in the address bar.");
  }
});
