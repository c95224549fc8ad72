// The box "Exact times". A browser that goes back restores the tick, not the class.
const box = document.getElementById("exact");
const apply = () => document.getElementById("items").classList.toggle("exactly", box.checked);

box.addEventListener("change", apply);
apply();
