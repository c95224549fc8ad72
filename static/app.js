"use strict";

// The zone that times are shown in. A page made before the server knew it is made again, once.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.cookie.split("; ").includes(`tz=${zone}`)) {
  document.cookie = `tz=${zone}; path=/; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
  if (document.querySelector("time") && document.cookie.includes(`tz=${zone}`)) location.reload();
}

// A page that the browser kept may be somebody else's by now.
addEventListener("pageshow", (event) => event.persisted && location.reload());

const announce = (text) => {
  document.getElementById("announcer").textContent = text;
};

const copy = async (button) => {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    announce(`Copied ${button.dataset.copy}`);
    button.classList.add("done");
    setTimeout(() => button.classList.remove("done"), 1500);
  } catch {
    // Without https there is no clipboard: the id is left selected, for the keyboard to copy.
    getSelection().selectAllChildren(button.previousElementSibling);
    announce("The id is selected. Copy it with the keyboard.");
  }
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

// What is pasted often brings a space or a line break along.
document.addEventListener("paste", (event) => {
  if (!event.target.matches("[data-trim]")) return;
  const text = event.clipboardData.getData("text");
  if (text === text.trim()) return;
  event.preventDefault();
  event.target.setRangeText(text.trim(), event.target.selectionStart, event.target.selectionEnd, "end");
});

document.addEventListener("htmx:beforeRequest", () => {
  document.getElementById("offline").hidden = true;
});

for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, () => {
    document.getElementById("offline").hidden = false;
  });
}

// htmx gives the focus back to what has the same id on the new page; where nothing has, it goes to the new content.
document.addEventListener("htmx:afterSettle", () => {
  const summary = document.getElementById("summary");
  announce(summary?.role === "alert" ? "" : summary ? summary.textContent.replace(/\s+/g, " ").trim() : document.title);
  if (document.activeElement === document.body && summary) summary.focus({ preventScroll: true });
});
