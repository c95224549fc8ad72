// Where a text stands in an item, by the rules of the search index.
import { folded, places } from "../folding.js";

export const MAX_MATCHES = 2000;

const LABELS = ".who, .divider, .host, .error, .hidden-character"; // ours, not part of the conversation

const cache = new WeakMap();

// The text of an item, as it stands and folded, and the nodes that hold it.
const textOf = (item) => {
  if (cache.has(item)) return cache.get(item);
  const walker = document.createTreeWalker(item, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT, (node) => {
    if (node.nodeType === Node.TEXT_NODE) return NodeFilter.FILTER_ACCEPT;
    return node.matches(LABELS) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_SKIP;
  });
  const nodes = [];
  let text = "";
  while (walker.nextNode()) {
    nodes.push({ node: walker.currentNode, start: text.length });
    text += walker.currentNode.data;
  }
  cache.set(item, { nodes, text, ...places(text) });
  return cache.get(item);
};

const rangeAt = (nodes, start, end) => {
  const range = new Range();
  const nodeAt = (offset) => nodes.findLast((candidate) => candidate.start <= offset);
  const first = nodeAt(start);
  const last = nodeAt(end - 1);
  range.setStart(first.node, Math.min(start - first.start, first.node.length));
  range.setEnd(last.node, Math.min(end - last.start, last.node.length));
  return range;
};

// The ranges of a text in an item, `limit` at most. A text without letter, digit or emoji has to stand there literally.
export const matchesIn = (item, wanted, limit = MAX_MATCHES) => {
  const { nodes, text, plain, begin, end } = textOf(item);
  const words = folded(wanted);
  const pattern = words ? words.replaceAll(" ", " +") : wanted.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const ranges = [];
  for (const match of (words ? plain : text).matchAll(new RegExp(pattern, "g"))) {
    if (ranges.length >= limit) break;
    const last = match.index + match[0].length - 1;
    ranges.push(words ? rangeAt(nodes, begin(match.index), end(last)) : rangeAt(nodes, match.index, last + 1));
  }
  return ranges;
};
