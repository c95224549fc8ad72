// A popover is a <details data-pop>. It closes at a press beside it, and at Escape, which gives the focus back.
const opened = () => document.querySelectorAll("details[data-pop][open]");

document.addEventListener("click", (event) => {
  for (const each of opened()) {
    each.open = each.contains(event.target) && !event.target.closest("[data-help], a, .menu button");
    // The link may be replaced with its page, so that the focus would be lost.
    if (!each.open && each.contains(document.activeElement)) each.querySelector("summary").focus();
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const each of opened()) {
    each.open = false;
    each.querySelector("summary").focus();
    event.preventDefault();
  }
});
