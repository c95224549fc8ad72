// Form fields that do something at once: submit the form, trim a pasted text.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

// Copied text often has a space or a line break around it.
document.addEventListener("paste", (event) => {
  if (!event.target.matches("[data-trim]")) return;
  const text = event.clipboardData.getData("text");
  if (text === text.trim()) return;
  event.preventDefault();
  event.target.setRangeText(text.trim(), event.target.selectionStart, event.target.selectionEnd, "end");
});
