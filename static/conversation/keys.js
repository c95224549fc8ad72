// Keys of a conversation alone: t opens and closes all steps, Home and End go to its ends.
import { addShortcuts } from "../app/shortcuts.js";
import { openFind } from "./find_box.js";
import { nextPageUrl, previousPageUrl } from "./pages.js";
import { scrollToEnd, scrollToStart } from "./scrolling.js";

const toggleSteps = () => {
  const groups = [...document.querySelectorAll("#items .steps > details")];
  const open = !groups.every((group) => group.open);
  for (const group of groups) group.open = open;
};

addShortcuts({
  "/": () => (document.getElementById("pane") ? openFind() : document.getElementById("search")?.select()),
  t: toggleSteps,
  Home: () => (previousPageUrl() ? document.getElementById("beginning").click() : scrollToStart()),
  End: () => (nextPageUrl() ? document.getElementById("latest").click() : scrollToEnd()),
});
