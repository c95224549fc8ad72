// Keyboard shortcuts, and the dialog that lists them. They are off while a field has the focus, and can be switched off:
// speech input would trigger single letters by accident (WCAG 2.1.4).
import { hasCookie, setCookie } from "./cookies.js";
import { moveFocus } from "./rows.js";
import { FIELDS } from "./typing.js";

const help = document.getElementById("help");
const enabled = document.getElementById("keys-on");

const click = (id) => document.getElementById(id)?.click();

const SHORTCUTS = {
  "/": () => {
    const field = document.getElementById("needle") ?? document.getElementById("user");
    field?.focus();
    field?.select();
  },
  j: () => moveFocus(1),
  k: () => moveFocus(-1),
  u: () => click("back"),
  Escape: () => click("back"),
  "[": () => click("previous-thread"),
  "]": () => click("next-thread"),
  "?": () => help.showModal(),
};

if (help) {
  enabled.checked = !hasCookie("keys", "off");
  enabled.addEventListener("change", () => setCookie("keys", enabled.checked ? "on" : "off"));
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-help]")) help.showModal();
  });
  document.addEventListener("keydown", (event) => {
    const act = SHORTCUTS[event.key];
    const hasModifier = event.ctrlKey || event.metaKey || event.altKey;
    const isHeld = event.repeat && event.key === "Escape";
    if (!act || event.defaultPrevented || hasModifier || event.isComposing || isHeld) return;
    if (help.open || !enabled.checked || event.target.matches(FIELDS)) return;
    event.preventDefault();
    act();
  });
}
