// The search box and the filters. Enter leaves the field, so that the next keys are shortcuts, and the result takes the
// focus: its first row, or the field with an error. The box stands outside of the part that is replaced.
import { moveFocus } from "./rows.js";

const BY_ENTER = "search-entered"; // in sessionStorage: a search on another page leads to the list

const box = document.getElementById("search");
let submittedByEnter = false;
let sent = null; // what the box held when the form was submitted

document.addEventListener("submit", (event) => {
  const field = document.activeElement;
  const fromBox = field === box;
  submittedByEnter = fromBox || (event.target.id === "filters" && field.matches("#filters input:not([type=radio])"));
  sent = box?.value ?? null;
  const popover = field.closest("[data-pop]");
  if (popover && event.target.id === "filters") {
    popover.open = false;
    if (!submittedByEnter) popover.querySelector("summary").focus();
  }
  if (submittedByEnter) field.blur();
  if (fromBox && event.target.id !== "filters") sessionStorage.setItem(BY_ENTER, "");
});

document.addEventListener("htmx:beforeRequest", (event) => {
  if (!["filters", "search", "user"].includes(event.detail.elt.id)) forgetEnter();
});

box?.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  const offers = document.getElementById("people").options.length && box.value !== box.defaultValue;
  if (event.key === "ArrowDown" && !offers && document.getElementById("threads")) {
    event.preventDefault();
    moveFocus(1);
  }
  // Browsers clear a search field on Escape. Here it keeps its text and loses the focus.
  if (event.key === "Escape") {
    event.preventDefault();
    box.blur();
  }
});

export const forgetEnter = () => {
  submittedByEnter = false;
};

export const focusResult = () => {
  if (submittedByEnter && document.activeElement === document.body) {
    const invalid = document.querySelector("#filters [aria-invalid]") ?? document.querySelector("#search[aria-invalid]");
    if (invalid) invalid.focus();
    else moveFocus(1);
  }
  forgetEnter();
};

// The box shows the words of the list, unless somebody types in it.
export const showWords = () => {
  const words = document.getElementById("filters")?.dataset.words ?? "";
  const wrong = document.getElementById("q-error");
  box.toggleAttribute("aria-invalid", wrong);
  if (wrong) box.setAttribute("aria-describedby", "q-error");
  else box.removeAttribute("aria-describedby");
  if ([box.defaultValue, sent].includes(box.value)) box.value = words;
  box.defaultValue = words;
  sent = null;
  document.getElementById("people").replaceChildren();
};

addEventListener("load", () => {
  if (sessionStorage.getItem(BY_ENTER) === null) return;
  sessionStorage.removeItem(BY_ENTER);
  if (document.getElementById("threads") && document.activeElement === document.body) moveFocus(1);
});
