// The banner shown while Threadkeeper cannot be reached.
export const showOffline = (offline) => {
  document.getElementById("offline").hidden = !offline;
};

document.addEventListener("htmx:beforeRequest", () => showOffline(false));
document.addEventListener("htmx:sendError", () => showOffline(true));
document.addEventListener("htmx:timeout", () => showOffline(true));
