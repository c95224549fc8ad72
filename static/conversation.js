// The page of a conversation, on top of app.js.
import "./conversation/item_links.js";
import "./conversation/find_box.js";
import "./conversation/load_all.js";
import "./conversation/keys.js";
import "./conversation/print.js";
