// Replacing the list (#browse) with a reply of the server: what may be swapped in, and where the focus goes.
import { announce } from "./announcer.js";
import { showOffline } from "./connection.js";
import { focusResult, showWords } from "./filter.js";
import { restoreTyping, saveTyping } from "./typing.js";

// An error page, of a proxy or of ours, does not replace the list.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (!document.getElementById("browse") || event.detail.target.id !== "browse") return;
  event.detail.shouldSwap &&= event.detail.serverResponse.includes('id="browse"');
  if (event.detail.shouldSwap) saveTyping();
  else showOffline(true);
});

document.addEventListener("htmx:afterSwap", restoreTyping);

// The focus stays on the element with the same id. Where the new list has none, it goes to the summary, or to the rows.
const afterSwap = () => {
  showWords();
  focusResult();
  const summary = document.getElementById("summary");
  const isAlert = document.querySelector("#browse [role=alert]");
  announce(isAlert ? "" : summary ? summary.textContent.replace(/\s+/g, " ").trim() : document.title);
  const target = summary?.tagName === "CAPTION" ? document.getElementById("rows") : summary;
  if (document.activeElement === document.body) target?.focus({ preventScroll: true });
};

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target.id !== "browse") return;
  // A list that comes by itself, beside a conversation, leaves the focus and the messages alone.
  if (event.detail.requestConfig?.elt.id === "browse") showWords();
  else afterSwap();
});

// Does what htmx does with a reply in a third of the time: htmx notifies every element that it removes, and makes the
// browser lay out both pages to move the focus.
export const swapList = (page) => {
  const browse = page.getElementById("browse");
  const focused = document.activeElement.id;
  saveTyping();
  document.activeElement.blur();
  document.getElementById("browse").replaceWith(browse);
  const views = page.getElementById("viewbar"); // the audit log has none
  if (views) {
    views.removeAttribute("hx-swap-oob");
    document.getElementById("viewbar").replaceWith(views);
    htmx.process(views);
  }
  document.title = page.title;
  htmx.process(browse);
  restoreTyping();
  document.getElementById(focused)?.focus({ preventScroll: true });
  scrollTo(0, 0);
  afterSwap();
};
