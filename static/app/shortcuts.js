// Keyboard shortcuts, and the dialog that lists them. They are off while a field has the focus, and can be switched off:
// speech input would trigger single letters by accident (WCAG 2.1.4).
import { hasCookie, setCookie } from "./cookies.js";
import { moveFocus, toggleRow } from "./rows.js";
import { FIELDS } from "./typing.js";

const help = document.getElementById("help");
const enabled = document.getElementById("keys-on");

const click = (id) => document.getElementById(id)?.click();

const SHORTCUTS = {
  "/": () => {
    const field = document.getElementById("needle") ?? document.getElementById("search");
    field?.focus();
    field?.select();
  },
  f: () => {
    const customer = document.getElementById("customer");
    if (!customer) return;
    customer.open = true;
    document.getElementById("user").focus();
    document.getElementById("user").select();
  },
  j: () => moveFocus(1),
  k: () => moveFocus(-1),
  x: toggleRow,
  u: () => click("back"),
  Escape: () => click("back"),
  "[": () => click("previous-thread"),
  "]": () => click("next-thread"),
  "?": () => help.showModal(),
};

// Adds the keys of a page.
export const addShortcuts = (shortcuts) => Object.assign(SHORTCUTS, shortcuts);

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
    if (event.shiftKey && event.key.length > 1) return; // selects text
    if (help.open || !enabled.checked || event.target.matches(FIELDS)) return;
    event.preventDefault();
    act();
  });
}
