// Messages for screen readers, in the live region of base.html.
export const announce = (text) => {
  document.getElementById("announcer").textContent = text;
};
