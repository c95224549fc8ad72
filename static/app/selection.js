// Selecting rows: a block with Shift, all of the page, and how many are selected for screen readers.
import { announce } from "./announcer.js";

const boxes = () => [...document.querySelectorAll("#threads .pick")];
let last = null;

const count = () => {
  const all = boxes();
  const selected = all.filter((box) => box.checked).length;
  const every = document.querySelector("[data-pick-all]");
  if (every) every.checked = selected === all.length;
  announce(`${selected} selected`);
};

document.addEventListener("click", (event) => {
  if (!event.target.matches("#threads .pick")) return;
  const all = boxes();
  if (event.shiftKey && all.includes(last)) {
    const [from, to] = [all.indexOf(last), all.indexOf(event.target)].sort((a, b) => a - b);
    for (const box of all.slice(from, to + 1)) box.checked = event.target.checked;
  }
  last = event.target;
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-pick-all]")) {
    for (const box of boxes()) box.checked = event.target.checked;
    // The bar goes with the last selected row, and would take the focus along.
    if (!event.target.checked) document.querySelector("#threads .pick")?.focus();
  }
  if (event.target.matches("#threads .pick, [data-pick-all]")) count();
});

document.addEventListener("reset", (event) => {
  if (event.target.id !== "selection") return;
  document.querySelector("#threads .pick:checked")?.focus();
  setTimeout(count);
});
