// Further items of a conversation. "Load all" loads page after page, and lets the browser draw each before it requests the
// next, so that the user sees progress and can stop.
import { announce } from "../app/announcer.js";
import { showOffline } from "../app/connection.js";
import { refreshMatches } from "./find.js";
import { firstPageUrl, nextPageUrl } from "./pages.js";

const items = document.getElementById("items");
const progress = document.getElementById("loading");

let controller = null; // of the load that runs

export const isLoading = () => controller !== null;

const textContentOf = (element) => (element?.textContent ?? "").replace(/\s+/g, " ").trim();

const drawn = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));

// Puts one page in the place of #more. Returns whether the server answered 2xx; throws where the reply is not a page.
const loadPage = async (url, beforeInsert = () => {}) => {
  const headers = { "HX-Request": "true", "HX-Target": "more", "HX-Current-URL": location.href };
  const response = await fetch(url, { headers, cache: "no-store", signal: controller.signal });
  const redirect = response.headers.get("HX-Redirect");
  if (redirect) {
    location.href = redirect;
    controller.abort();
  }
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  if (!page.getElementById("more") || page.querySelector("main")) throw new Error(`${response.status}`);
  beforeInsert();
  document.getElementById("more").replaceWith(...page.body.children);
  return response.ok;
};

// A page that begins in the middle starts over from the first. Returns whether the conversation is complete.
const loadPages = async () => {
  let ok = true;
  const first = firstPageUrl();
  if (first) {
    ok = await loadPage(first, () => items.replaceChildren(document.getElementById("more")));
    document.querySelector(".earlier")?.remove();
    document.querySelector(".printed")?.remove();
  }
  for (let url = nextPageUrl(); url && ok; url = nextPageUrl()) {
    ok = await loadPage(url);
    const loaded = textContentOf(document.querySelector("#more > p")).replace(/ (More|Load).*$/, "");
    document.getElementById("loaded").textContent = loaded;
    await drawn();
  }
  showOffline(false);
  return ok;
};

// Loads every item. Returns whether the conversation is complete; false where a load runs already.
export const loadAll = async () => {
  if (isLoading()) return false;
  controller = new AbortController();
  const hadFocus = document.activeElement?.id === "all";
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
    const next = document.getElementById("all") ?? document.getElementById("again") ?? document.getElementById("title");
    next.focus({ preventScroll: true });
  }
  announce(textContentOf(document.getElementById("more")));
  return complete;
};

// Activates #more on new items. Not while all is loaded: its trigger on being seen would load the same page again.
const activate = () => {
  if (isLoading()) return;
  const button = document.getElementById("all");
  if (button) button.hidden = false;
  htmx.process(document.getElementById("more"));
  refreshMatches();
};

document.addEventListener("click", (event) => {
  if (event.target.id === "stop") controller?.abort();
  if (event.target.id === "all") loadAll();
});

document.addEventListener("htmx:afterSettle", activate);

// A reply to a request for further items replaces #more only where it has one.
document.addEventListener("htmx:beforeSwap", (event) => {
  const path = event.detail.pathInfo.requestPath;
  if (path.startsWith("/live/")) return; // has no content
  const expected = event.detail.serverResponse.includes('id="more"') || path.startsWith("/others/");
  event.detail.shouldSwap = expected && !isLoading();
  if (!expected) showOffline(true);
});

activate();
