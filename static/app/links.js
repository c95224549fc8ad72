// Helpers for links and their addresses.

// True for a click that opens the link here: main button, no modifier key.
export const isPlainClick = (event) => !(event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);

// decodeURIComponent, but a malformed text comes back unchanged.
export const decoded = (text) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};
