// The place that one reads, in the window or in a pane that scrolls by itself.
const items = document.getElementById("items");

const scroller = () => {
  for (let element = items; element; element = element.parentElement) {
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
const [navigation] = performance.getEntriesByType("navigation");
if (items.dataset.atEnd !== undefined && !location.hash && navigation?.type !== "back_forward") {
  scrollToEnd();
  // What stands above may have got another height meanwhile.
  addEventListener("load", () => scrollToEnd());
}
