// Further items of a conversation, above and below those that are there. "Load all" loads page after page, and lets the
// browser draw each before it requests the next, so that the user sees progress and can stop.
import { announce } from "../app/announcer.js";
import { showOffline } from "../app/connection.js";
import { READABLE } from "../app/rows.js";
import { nextPageUrl, previousPageUrl } from "./pages.js";
import { onPane } from "./pane.js";
import { holdPlace } from "./scrolling.js";

let items, progress, all; // of the open conversation
let controller = null; // of the load that runs
let restorePlace = null; // after earlier items have been swapped in

export const isLoading = () => controller !== null;

const textContentOf = (element) => (element?.textContent ?? "").replace(/\s+/g, " ").trim();

const drawn = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));

// What the page says of how much is loaded.
const summary = (place) => {
  const parts = document.querySelectorAll(`#${place} > p:not(.divider, .printed)`);
  return textContentOf(parts[0]).replace(/(Earlier messages|Beginning of the conversation|Later messages)\s*/g, "").trim();
};

// The styles of widgets, with the first items that have one.
const addStyles = (root) => {
  const href = root.querySelector("[data-styles]")?.dataset.styles;
  if (!href || document.querySelector(`link[href="${href}"]`)) return;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = href;
  document.head.append(link);
};

// Puts one page in the place of #earlier or #more. Returns whether the server answered 2xx; throws where the reply is not
// a page.
const loadPage = async (url, place) => {
  const headers = { "HX-Request": "true", "HX-Target": place, "HX-Current-URL": location.href };
  const response = await fetch(url, { headers, cache: "no-store", signal: controller.signal });
  const redirect = response.headers.get("HX-Redirect");
  if (redirect) {
    location.href = redirect;
    controller.abort();
  }
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  if (!page.getElementById(place) || page.querySelector("main")) throw new Error(`${response.status}`);
  addStyles(page);
  const restorePlace = place === "earlier" ? holdPlace() : null;
  document.getElementById(place).replaceWith(...page.body.children);
  restorePlace?.();
  document.getElementById("loaded").textContent = summary(place);
  await drawn();
  return response.ok;
};

// Up to the beginning, then down to the end. Returns whether the conversation is complete.
const loadPages = async () => {
  let ok = true;
  for (let url = previousPageUrl(); url && ok; url = previousPageUrl()) ok = await loadPage(url, "earlier");
  for (let url = nextPageUrl(); url && ok; url = nextPageUrl()) ok = await loadPage(url, "more");
  showOffline(false);
  return ok;
};

// Loads every item. Returns whether the conversation is complete; false where a load runs already.
export const loadAll = async () => {
  if (isLoading()) return false;
  const place = previousPageUrl() ? "earlier" : "more";
  controller = new AbortController();
  const hadFocus = document.activeElement === all;
  items.setAttribute("aria-busy", "true");
  progress.hidden = false;
  if (hadFocus) document.getElementById("stop").focus();
  const complete = await loadPages().catch(() => {
    if (!controller.signal.aborted) showOffline(true);
    return false;
  });
  const stopHadFocus = document.activeElement?.id === "stop";
  controller = null;
  items.removeAttribute("aria-busy");
  progress.hidden = true;
  activate();
  if (stopHadFocus) {
    const next = all.hidden ? document.querySelector("#again, #again-earlier, #title") : all;
    next.focus({ preventScroll: true });
  }
  announce(document.querySelector("#items [role=alert]") ? textContentOf(items.querySelector("[role=alert]")) : summary(place));
  return complete;
};

// Activates new items. Not while all is loaded: the trigger of #more on being seen would load the same page again.
const activate = () => {
  if (isLoading()) return;
  all.hidden = !previousPageUrl() && !nextPageUrl();
  addStyles(items);
  for (const place of ["earlier", "more"]) htmx.process(document.getElementById(place));
  document.dispatchEvent(new CustomEvent("items:loaded"));
};

onPane(() => {
  controller?.abort(); // of the conversation before
  items = document.getElementById("items");
  progress = document.getElementById("loading");
  all = document.getElementById("all");
  all.addEventListener("click", loadAll);
  document.getElementById("stop").addEventListener("click", () => controller?.abort());
  activate();
});

document.addEventListener("htmx:afterSettle", (event) => {
  if (items?.isConnected && event.target.closest?.("#reading")) activate();
});

// A reply to a request for further items replaces #earlier or #more only where it has one.
document.addEventListener("htmx:beforeSwap", (event) => {
  const place = event.detail.target.id;
  if (!["earlier", "more"].includes(place)) return;
  const expected = event.detail.serverResponse.includes(`id="${place}"`);
  event.detail.shouldSwap = expected && !isLoading();
  if (!expected) showOffline(true);
  if (place === "earlier" && event.detail.shouldSwap) restorePlace = holdPlace();
});

// The focus goes to the first item that was there before, so that k goes on to those that have come.
document.addEventListener("htmx:afterSwap", () => {
  const page = restorePlace?.();
  restorePlace = null;
  if (!page) return;
  page.querySelector(READABLE)?.focus({ preventScroll: true });
  announce(summary("earlier"));
});
