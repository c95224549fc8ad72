// Text that the user is typing while the list is replaced: the field of the new page gets it back.
export const FIELDS = "input:not([type=checkbox]), textarea, select, [contenteditable]";

let saved = null;

export const saveTyping = () => {
  const field = document.activeElement;
  saved = ["user", "q"].includes(field?.id) && field.value !== field.defaultValue ? { id: field.id, value: field.value } : null;
};

export const restoreTyping = () => {
  if (saved) document.getElementById(saved.id).value = saved.value;
  saved = null;
};

// Whether the focused field holds text that has not been submitted.
export const isTyping = () => {
  const field = document.activeElement;
  return field.matches(FIELDS) && field.value !== field.defaultValue && field.tagName !== "SELECT";
};
