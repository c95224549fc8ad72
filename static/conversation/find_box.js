// The find box. What finds is loaded when the box gets the focus, or at once where a search of the list led here.
const form = document.getElementById("find");
const needle = document.getElementById("needle");
let loaded = false;

const load = async () => {
  await import(form.dataset.script);
  loaded = true;
};

form.hidden = false;
form.addEventListener("submit", (event) => event.preventDefault());
if (needle.dataset.sought || needle.value) load();
else needle.addEventListener("focus", load, { once: true });

// A key that comes before it is loaded is pressed again afterwards.
needle.addEventListener("keydown", async (event) => {
  if (loaded || !["Enter", "Escape"].includes(event.key)) return;
  event.preventDefault();
  await load();
  const { key, shiftKey } = event;
  needle.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true }));
});
