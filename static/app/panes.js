// The conversation beside the list, where the window has room for both: a press on a row swaps the conversation alone.
// Elsewhere, and where anything fails, the link is followed as it is.
import { announce } from "./announcer.js";
import { setCookie } from "./cookies.js";
import { isPlainClick } from "./links.js";

const ROOM = matchMedia("(min-width: 62rem) and (min-height: 34rem)");
const TITLES = "#threads a.title, #threads .hit a";

// The server leaves out the list beside a conversation where there is no room for it.
const noteRoom = () => setCookie("panes", ROOM.matches ? "two" : "one");
ROOM.addEventListener("change", noteRoom);
noteRoom();

const main = document.getElementById("main");
let latest = null; // the request whose reply is to be shown
let isStarted = document.getElementById("pane") !== null; // whether the script of conversations runs

const addStyles = (href) => {
  if (!href || document.querySelector(`link[rel=stylesheet][href="${href}"]`)) return Promise.resolve();
  return new Promise((resolve) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = href;
    link.onload = link.onerror = resolve;
    document.head.append(link);
  });
};

const rowOf = (id) => [...document.querySelectorAll("#threads tr[data-thread-id]")].find((row) => row.dataset.threadId === id);

// Marks the row of the open thread, and says in the head where it is in the list.
const markRow = () => {
  const pane = document.getElementById("pane");
  if (!pane || !document.getElementById("threads")) return;
  const row = rowOf(pane.dataset.threadId);
  for (const each of document.querySelectorAll("#threads tr[aria-current]")) if (each !== row) each.removeAttribute("aria-current");
  if (!row) return;
  row.setAttribute("aria-current", "true");
  row.scrollIntoView({ block: "nearest" });
  const { first, total } = document.getElementById("threads").dataset;
  const place = document.getElementById("place");
  if (place && first && total) place.textContent = `${(Number(first) + row.sectionRowIndex).toLocaleString("en")} of ${Number(total).toLocaleString("en")}`;
};

// The title of the thread is the page's heading now, and that of the list comes below it.
const nameList = () => {
  const former = document.querySelector("#browse > h1");
  if (!former) return;
  const heading = document.createElement("h2");
  heading.className = former.className;
  heading.textContent = former.textContent;
  former.replaceWith(heading);
};

// Shows the conversation at this address beside the list.
const open = async (url) => {
  const request = (latest = new AbortController());
  main.classList.add("htmx-request");
  try {
    const headers = { "HX-Request": "true", "HX-Target": "reading", "HX-Current-URL": location.href };
    const response = await fetch(url, { headers, cache: "no-store", signal: request.signal });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const reading = page.getElementById("reading");
    const address = response.headers.get("HX-Push-Url") ?? response.headers.get("HX-Replace-Url");
    if (!reading || !address) throw new Error(`${response.status}`);
    await Promise.all([main.dataset.styles, ...[...page.querySelectorAll("link")].map((link) => link.getAttribute("href"))].map(addStyles));
    if (latest !== request) return;
    const former = document.getElementById("reading");
    const focused = former.contains(document.activeElement) ? document.activeElement.id : null;
    former.replaceWith(reading);
    main.classList.add("open");
    nameList();
    document.title = page.title;
    if (address !== location.pathname + location.search) {
      history.replaceState({ ...history.state, htmx: true }, ""); // Back loads what is here now again
      history.pushState({ htmx: true }, "", address + (new URL(url, location).hash ?? ""));
    }
    htmx.process(reading);
    markRow();
    await import(main.dataset.script);
    if (isStarted) document.dispatchEvent(new Event("pane"));
    isStarted = true;
    // The focus stays on the element with the same id, or goes to the title.
    if (focused !== null && document.activeElement === document.body) {
      (document.getElementById(focused) ?? document.getElementById("title")).focus({ preventScroll: true });
    }
    announce(`Opened ${document.getElementById("title").textContent.trim()}`);
  } catch (error) {
    if (latest === request) location.href = url;
  } finally {
    if (latest === request) main.classList.remove("htmx-request");
  }
};

// The row before or after that of the open thread; none at an edge of the page, where the server knows the neighbour.
const neighbour = (by) => {
  const row = rowOf(document.getElementById("pane")?.dataset.threadId);
  return row?.parentElement.rows[row.sectionRowIndex + by]?.querySelector("a.title");
};

document.addEventListener("click", (event) => {
  if (!main || event.defaultPrevented || !isPlainClick(event) || !ROOM.matches) return;
  const step = event.target.closest("#previous-thread, #next-thread");
  const link = step ? neighbour(step.id === "next-thread" ? 1 : -1) : event.target.closest(TITLES);
  if (!link || !document.getElementById("reading")) return;
  event.preventDefault();
  open(link.href);
});

document.addEventListener("htmx:afterSettle", (event) => event.detail.target.id === "browse" && markRow());
addEventListener("load", markRow);
