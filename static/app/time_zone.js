// Tells the server the browser's time zone. A page rendered before the server knew it is reloaded, once.
import { hasCookie, setCookie } from "./cookies.js";

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !hasCookie("tz", zone)) {
  setCookie("tz", zone);
  if (document.querySelector("time") && document.cookie.includes(`tz=${zone}`)) location.reload();
}
