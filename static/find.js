// Find in a conversation, loaded when it is used: see conversation/find_box.js.
import "./conversation/find.js";
