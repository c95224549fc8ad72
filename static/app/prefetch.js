// Prefetches the next and the previous page of the list when a click on their link is likely, so that the click only has
// to show the page. A prefetched page lives in memory, for ten seconds at most, and any other navigation drops it.
import { showOffline } from "./connection.js";
import { forgetEnter } from "./filter.js";
import { swapList } from "./list_swap.js";
import { isTyping } from "./typing.js";

const LINKS = "#browse a[rel=next], #browse a[rel=prev]";
const TTL_MS = 10_000;
const HOVER_MS = 50; // a pointer that only crosses the link has left by then

const entries = new Map();
// What the reply is depends on the conversation that the list is beside.
const keyOf = (href) => `${location.pathname} ${href}`;
let turningTo = null;
let hoverTimer;

const load = async (link, entry) => {
  const response = await fetch(link.href, { headers: { "HX-Request": "true", "HX-Current-URL": location.href }, cache: "no-store" });
  const address = response.headers.get("HX-Push-Url");
  if (!response.ok || !address) throw new Error(`${response.status}`);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  if (!page.getElementById("browse")) throw new Error("not the list");
  entry.expires = performance.now() + TTL_MS;
  return { address, page };
};

const prefetch = (link) => {
  const key = keyOf(link.href);
  const cached = entries.get(key);
  if (cached && performance.now() < cached.expires) return;
  const entry = { expires: Infinity };
  entry.reply = load(link, entry);
  entry.reply.catch(() => entries.delete(key)); // the click requests it again, and shows the error
  entries.set(key, entry);
};

const turnTo = async (entry, issueRequest) => {
  const main = document.getElementById("main");
  htmx.trigger(main, "htmx:abort");
  turningTo = entry;
  main.classList.add("htmx-request");
  const reply = await entry.reply.catch(() => null);
  entries.clear();
  if (turningTo !== entry) return;
  turningTo = null;
  forgetEnter();
  main.classList.remove("htmx-request");
  if (!reply) {
    issueRequest(true);
    return;
  }
  showOffline(false);
  history.replaceState({ htmx: true }, "");
  history.pushState({ htmx: true }, "", reply.address);
  reply.page.title ||= document.title; // beside a conversation, the title is the conversation's
  swapList(reply.page);
};

document.addEventListener("htmx:confirm", (event) => {
  if (event.detail.path === "/live/" && isTyping()) event.preventDefault(); // the reload would lose the text
  if (["search", "user"].includes(event.detail.elt.id) || event.detail.path === "/live/") return; // these do not replace the list
  const entry = entries.get(keyOf(event.detail.elt.href));
  if (!entry || performance.now() > entry.expires) {
    entries.clear();
    turningTo = null;
    return;
  }
  event.preventDefault();
  if (entry !== turningTo) turnTo(entry, event.detail.issueRequest);
});

const linkOf = (event) => event.target.closest?.(LINKS);

document.addEventListener("pointerdown", (event) => linkOf(event) && prefetch(linkOf(event)));

// A visible focus comes from the keyboard. One left behind by a click does not announce another.
document.addEventListener("focusin", (event) => {
  if (linkOf(event) && event.target.matches(":focus-visible")) prefetch(event.target);
});

document.addEventListener("pointerover", (event) => {
  clearTimeout(hoverTimer);
  const link = linkOf(event);
  if (link) hoverTimer = setTimeout(prefetch, HOVER_MS, link);
});

addEventListener("pagehide", () => entries.clear());
