// The box that finds in the conversation. What finds is loaded when the box gets the focus, or at once where a search of
// the list led here.
import { onPane } from "./pane.js";

let form, needle; // of the open conversation
let isLoaded = false;

const load = async () => {
  await import(form.dataset.script);
  isLoaded = true;
};

export const openFind = () => {
  form.hidden = false;
  needle.focus();
  needle.select();
};

onPane(() => {
  form = document.getElementById("find");
  needle = document.getElementById("needle");
  form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("open-find").addEventListener("click", openFind);
  if (needle.dataset.sought || needle.value) {
    form.hidden = false;
    load();
  } else needle.addEventListener("focus", load, { once: true });
  // A key that comes before it is loaded is pressed again afterwards.
  needle.addEventListener("keydown", async (event) => {
    if (isLoaded || !["Enter", "Escape"].includes(event.key)) return;
    event.preventDefault();
    await load();
    const { key, shiftKey } = event;
    needle.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true }));
  });
});
