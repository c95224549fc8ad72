// Text that the user is typing in a filter while the list is replaced: the field of the new page gets it back.
export const FIELDS = "input:not([type=checkbox]), textarea, select, [contenteditable]";

let saved = null;

export const saveTyping = () => {
  const field = document.activeElement;
  const popover = field?.closest("#filters [data-pop]");
  saved = popover && isTyping() ? { id: field.id, popover: popover.id, value: field.value } : null;
};

export const restoreTyping = () => {
  const field = saved && document.getElementById(saved.id);
  if (field) {
    document.getElementById(saved.popover).open = true;
    field.value = saved.value;
    field.focus();
  }
  saved = null;
};

// Whether the focused field holds text that has not been submitted.
export const isTyping = () => {
  const field = document.activeElement;
  return field.matches(FIELDS) && field.value !== field.defaultValue && field.tagName !== "SELECT";
};
