// Every page. The shortcuts come last: they leave keys alone that another module has handled.
import "./app/time_zone.js";
import "./app/back_forward_cache.js";
import "./app/clipboard.js";
import "./app/user_links.js";
import "./app/forms.js";
import "./app/connection.js";
import "./app/filter.js";
import "./app/list_swap.js";
import "./app/prefetch.js";
import "./app/rows.js";
import "./app/panes.js";
import "./app/selection.js";
import "./app/popovers.js";
import "./app/print.js";
import "./app/shortcuts.js";
