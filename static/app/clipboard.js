// Buttons that copy an id: [data-copy].
import { announce } from "./announcer.js";

const DONE_MS = 1500;

const copyId = async (button) => {
  const id = button.dataset.copy || button.closest("[data-thread-id]").dataset.threadId;
  try {
    await navigator.clipboard.writeText(id);
    announce(`Copied ${id}`);
    button.classList.add("done");
    setTimeout(() => button.classList.remove("done"), DONE_MS);
  } catch {
    // Without https there is no clipboard. The id is selected instead, for Ctrl+C.
    getSelection().selectAllChildren(button.previousElementSibling);
    announce("The id is selected. Copy it with the keyboard.");
  }
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copyId(button);
});
