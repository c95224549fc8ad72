// The conversation that is open: its parts start when the page has one, and again when another takes its place.
const starts = [];

export const onPane = (start) => {
  starts.push(start);
  if (document.getElementById("pane")) start();
};

document.addEventListener("pane", () => starts.forEach((start) => start()));
