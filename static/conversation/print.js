// Printing the whole conversation, with every fold open.
import { announce } from "../app/announcer.js";
import { isLoading, loadAll } from "./load_all.js";
import { onPane } from "./pane.js";

onPane(() => {
  const button = document.getElementById("print");
  button.hidden = false;
  button.addEventListener("click", async () => {
    if (isLoading()) announce("It is still loading. Print when it has come to its end.");
    else if (await loadAll()) print();
  });
});

addEventListener("beforeprint", () => {
  for (const fold of document.querySelectorAll("#items details:not([open]), .reason:not([open])")) {
    fold.open = true;
    fold.dataset.closed = "";
  }
});
addEventListener("afterprint", () => {
  for (const fold of document.querySelectorAll("details[data-closed]")) {
    fold.open = false;
    delete fold.dataset.closed;
  }
});
