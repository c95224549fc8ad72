// Links from a row to all threads of its user. One listener for the whole table: htmx would add one per link, which on a
// page of 100 rows takes longer than drawing it.
import { isPlainClick } from "./links.js";

document.addEventListener("click", (event) => {
  const link = event.target.closest("#threads .user a");
  if (!link || event.defaultPrevented || !isPlainClick(event)) return;
  event.preventDefault();
  htmx.ajax("GET", link.href, { source: "#main", target: "#browse", swap: "outerHTML show:window:top" });
});
