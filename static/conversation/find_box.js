// The find box. What finds is loaded when the box gets the focus, or at once where a search of the list led here.
const form = document.getElementById("find");
const needle = document.getElementById("needle");

const load = () => import(form.dataset.script);

form.hidden = false;
form.addEventListener("submit", (event) => event.preventDefault());
if (needle.dataset.sought || needle.value) load();
else needle.addEventListener("focus", load, { once: true });
