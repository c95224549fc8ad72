// Enter and Escape in a field of the filter. Enter leaves the field, so that the next keys are shortcuts, and the result
// takes the focus: its first row, or the field with an error.
import { moveFocus } from "./rows.js";

let submittedByEnter = false;

document.addEventListener("submit", (event) => {
  submittedByEnter = event.target.id === "filter" && document.activeElement.matches("#filter input");
  if (submittedByEnter) document.activeElement.blur();
});

document.addEventListener("htmx:beforeRequest", (event) => {
  if (!["filter", "user"].includes(event.detail.elt.id)) forgetEnter();
});

// Browsers clear a search field on Escape. Here it keeps its text and loses the focus.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.isComposing || !event.target.matches("#filter input[type=search]")) return;
  event.preventDefault();
  event.target.blur();
});

export const forgetEnter = () => {
  submittedByEnter = false;
};

export const focusResult = () => {
  if (submittedByEnter && document.activeElement === document.body) {
    const invalid = document.querySelector("#filter [aria-invalid]");
    if (invalid) invalid.focus();
    else moveFocus(1);
  }
  forgetEnter();
};
