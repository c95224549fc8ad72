"use strict";

const secure = location.protocol === "https:" ? "; secure" : "";

// The zone that times are shown in. A page made before the server knew it is made again, once.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.cookie.split("; ").includes(`tz=${zone}`)) {
  document.cookie = `tz=${zone}; path=/; max-age=31536000; samesite=lax${secure}`;
  if (document.querySelector("time") && document.cookie.includes(`tz=${zone}`)) location.reload();
}

// A page that the browser kept may be somebody else's by now.
addEventListener("pageshow", (event) => event.persisted && location.reload());

const fields = "input:not([type=checkbox]), textarea, select, [contenteditable]";

const announce = (text) => {
  document.getElementById("announcer").textContent = text;
};

const copy = async (button) => {
  const id = button.dataset.copy || button.closest("[data-thread-id]").dataset.threadId;
  try {
    await navigator.clipboard.writeText(id);
    announce(`Copied ${id}`);
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

// A click that opens nothing elsewhere: no other button, no key held.
const isPlain = (event) => !(event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);

// htmx would listen at each link of the table, which on a page of 100 takes longer than to draw it. One ear is enough.
document.addEventListener("click", (event) => {
  const link = event.target.closest("#threads .user a");
  if (!link || event.defaultPrevented || !isPlain(event)) return;
  event.preventDefault();
  htmx.ajax("GET", link.href, { source: "#main", target: "#browse", swap: "outerHTML show:window:top" });
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
  if (event.target.matches("[data-tick-all]")) {
    for (const each of document.querySelectorAll("#threads .tick")) each.checked = event.target.checked;
  }
});

// What is pasted often brings a space or a line break along.
document.addEventListener("paste", (event) => {
  if (!event.target.matches("[data-trim]")) return;
  const text = event.clipboardData.getData("text");
  if (text === text.trim()) return;
  event.preventDefault();
  event.target.setRangeText(text.trim(), event.target.selectionStart, event.target.selectionEnd, "end");
});

const offline = (is) => {
  document.getElementById("offline").hidden = !is;
};

document.addEventListener("htmx:beforeRequest", () => offline(false));
document.addEventListener("htmx:sendError", () => offline(true));
document.addEventListener("htmx:timeout", () => offline(true));

// What is not the list, from a proxy or from a fault of ours, is not put in its place.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (!document.getElementById("browse") || event.detail.target.id !== "browse") return;
  event.detail.shouldSwap &&= event.detail.serverResponse.includes('id="browse"');
  if (event.detail.shouldSwap) keepTyped();
  else offline(true);
});

// What somebody is typing while a page comes is theirs: the new page's field gets it back.
let typed = null;

const keepTyped = () => {
  const field = document.activeElement;
  typed = ["user", "q"].includes(field?.id) && field.value !== field.defaultValue ? { id: field.id, value: field.value } : null;
};

const isTyping = () => {
  const field = document.activeElement;
  return field.matches(fields) && field.value !== field.defaultValue && field.tagName !== "SELECT";
};

const restoreTyped = () => {
  if (typed) document.getElementById(typed.id).value = typed.value;
  typed = null;
};

document.addEventListener("htmx:afterSwap", restoreTyped);

// Enter in a field of the filter leaves it: what is typed from then on is for the list, and the first row gets the focus
// when it comes, or the field that is wrong.
let entered = false;

document.addEventListener("submit", (event) => {
  entered = event.target.id === "filter" && document.activeElement.matches("#filter input");
  if (entered) document.activeElement.blur();
});

document.addEventListener("htmx:beforeRequest", (event) => {
  if (!["filter", "user"].includes(event.detail.elt.id)) entered = false;
});

// Browsers would empty the box.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.isComposing || !event.target.matches("#filter input[type=search]")) return;
  event.preventDefault();
  event.target.blur();
});

// The focus stays on what has the same id on the new page; where nothing has, it goes to the new content.
const arrived = () => {
  if (entered && document.activeElement === document.body) {
    const wrong = document.querySelector("#filter [aria-invalid]");
    if (wrong) wrong.focus();
    else move(1);
  }
  entered = false;
  const summary = document.getElementById("summary");
  announce(summary?.role === "alert" ? "" : summary ? summary.textContent.replace(/\s+/g, " ").trim() : document.title);
  if (document.activeElement === document.body && summary) summary.focus({ preventScroll: true });
};

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target.id !== "people" && document.getElementById("browse")) arrived();
});

// Next and Previous are fetched when somebody is about to press them, so that the press only has to show what is there.
// What was fetched lives in this page, for ten seconds at most, and is dropped with any other move.
const AHEAD = "#browse a[rel=next], #browse a[rel=prev]";
const KEPT_MS = 10_000;
const HOVER_MS = 50; // a pointer on its way to somewhere else has left by then

const ahead = new Map();
let turning = null;
let hovering;

const fetchAhead = (link) => {
  const known = ahead.get(link.href);
  if (known && performance.now() < known.until) return;
  const entry = { until: Infinity };
  const load = async () => {
    const response = await fetch(link.href, { headers: { "HX-Request": "true" }, cache: "no-store" });
    const address = response.headers.get("HX-Push-Url");
    if (!response.ok || !address) throw new Error(`${response.status}`);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (!page.getElementById("browse")) throw new Error("not the list");
    entry.until = performance.now() + KEPT_MS;
    return { address, page };
  };
  entry.part = load();
  entry.part.catch(() => ahead.delete(link.href)); // the press will ask again, and show what is wrong
  ahead.set(link.href, entry);
};

const turn = async (entry, ask) => {
  const main = document.getElementById("main");
  htmx.trigger(main, "htmx:abort");
  turning = entry;
  main.classList.add("htmx-request");
  const part = await entry.part.catch(() => null);
  ahead.clear();
  if (turning !== entry) return;
  turning = null;
  entered = false;
  main.classList.remove("htmx-request");
  if (!part) {
    ask(true);
    return;
  }
  offline(false);
  keepTyped();
  history.replaceState({ htmx: true }, "");
  history.pushState({ htmx: true }, "", part.address);
  show(part.page);
};

// What htmx does with a reply, in a third of the time: it tells every element of the old page that it goes, and the browser
// lays both pages out to take the focus from what is removed.
const show = (page) => {
  const browse = page.getElementById("browse");
  const focused = document.activeElement.id;
  document.activeElement.blur();
  document.getElementById("browse").replaceWith(browse);
  document.title = page.title;
  htmx.process(browse);
  restoreTyped();
  document.getElementById(focused)?.focus({ preventScroll: true });
  scrollTo(0, 0);
  arrived();
};

document.addEventListener("htmx:confirm", (event) => {
  if (event.detail.path === "/live/" && isTyping()) event.preventDefault(); // a page that comes anew would forget it
  if (event.detail.elt.id === "user" || event.detail.path === "/live/") return; // asks for something beside the page
  const entry = ahead.get(event.detail.elt.href);
  if (!entry || performance.now() > entry.until) {
    ahead.clear();
    turning = null;
    return;
  }
  event.preventDefault();
  if (entry !== turning) turn(entry, event.detail.issueRequest);
});

const intended = (event) => event.target.closest?.(AHEAD);

document.addEventListener("pointerdown", (event) => intended(event) && fetchAhead(intended(event)));

// A focus that shows is the keyboard's. One that a mouse left behind is no intent.
document.addEventListener("focusin", (event) => {
  if (intended(event) && event.target.matches(":focus-visible")) fetchAhead(event.target);
});

document.addEventListener("pointerover", (event) => {
  clearTimeout(hovering);
  const link = intended(event);
  if (link) hovering = setTimeout(fetchAhead, HOVER_MS, link);
});

addEventListener("pagehide", () => ahead.clear());

// The row that one left for its conversation has the focus again on the way back, by whatever way that is.
// A row has one place for the keys: its title, not the link of its hit, too.
const rowLinks = () => [...document.querySelectorAll("#threads .thread a:not(.hit a)")];
const idOf = (link) => link.closest("tr").dataset.threadId;

document.addEventListener("click", (event) => {
  const link = event.target.closest("#threads .thread a");
  if (link) history.replaceState({ ...history.state, row: idOf(link) }, "");
});

// What is percent-encoded, or the text as it is where nobody encoded it.
const decoded = (text) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

const returnToRow = () => {
  const named = location.hash.startsWith("#thread-") ? decoded(location.hash.slice(8)) : history.state?.row;
  const link = named && rowLinks().find((each) => idOf(each) === named);
  if (link) {
    link.focus({ preventScroll: true });
    link.closest("tr").scrollIntoView({ block: "center" });
  }
};

addEventListener("load", returnToRow);

// Keys. None works while somebody types, and all can be switched off: who speaks to a computer would press them unawares.
const help = document.getElementById("help");
const keysOn = document.getElementById("keys-on");

const move = (by) => {
  const links = document.getElementById("items") ? [...document.querySelectorAll("#items .item")] : rowLinks();
  const now = links.findIndex((each) => each.contains(document.activeElement) || each.closest("tr")?.contains(document.activeElement));
  const next = links[now < 0 ? 0 : Math.min(Math.max(now + by, 0), links.length - 1)];
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: "nearest" });
};

const press = (id) => document.getElementById(id)?.click();

const KEYS = {
  "/": () => {
    const field = document.getElementById("needle") ?? document.getElementById("user");
    field?.focus();
    field?.select();
  },
  j: () => move(1),
  k: () => move(-1),
  u: () => press("back"),
  Escape: () => press("back"),
  "[": () => press("previous-thread"),
  "]": () => press("next-thread"),
  "?": () => help.showModal(),
};

if (help) {
  keysOn.checked = !document.cookie.split("; ").includes("keys=off");
  keysOn.addEventListener("change", () => {
    document.cookie = `keys=${keysOn.checked ? "on" : "off"}; path=/; max-age=31536000; samesite=lax${secure}`;
  });
  document.querySelector("[data-help]").addEventListener("click", () => help.showModal());
  document.addEventListener("keydown", (event) => {
    const act = KEYS[event.key];
    const busy = event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat && event.key === "Escape";
    if (!act || busy || help.open || !keysOn.checked || event.target.matches(fields)) return;
    event.preventDefault();
    act();
  });
}
