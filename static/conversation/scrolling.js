// The place that one reads, in the window or in a pane that scrolls by itself.
import { onPane } from "./pane.js";

export const scroller = () => {
  for (let element = document.getElementById("items"); element; element = element.parentElement) {
    const scrolls = ["auto", "scroll"].includes(getComputedStyle(element).overflowY);
    if (scrolls && element.scrollHeight > element.clientHeight && element !== document.body) return element;
  }
  return document.scrollingElement;
};

export const scrollToStart = () => {
  scroller().scrollTop = 0;
};

export const scrollToEnd = () => document.getElementById("more").scrollIntoView({ block: "end" });

// To be called before items are put above those that are there. Returns a function to call after it, which keeps the
// latter where they are in the window, and returns the first of their pages.
export const holdPlace = () => {
  const page = document.getElementById("earlier").nextElementSibling;
  const top = page.getBoundingClientRect().top;
  return () => {
    scroller().scrollTop += page.getBoundingClientRect().top - top;
    return page;
  };
};

// A conversation opens at its end. A browser that goes back restores the place by itself.
onPane(() => {
  const [navigation] = performance.getEntriesByType("navigation");
  const isRestored = document.readyState !== "complete" && navigation?.type === "back_forward";
  if (document.getElementById("items").dataset.atEnd === undefined || location.hash || isRestored) return;
  scrollToEnd();
  // What stands above may have got another height meanwhile.
  if (document.readyState !== "complete") addEventListener("load", () => scrollToEnd(), { once: true });
});
