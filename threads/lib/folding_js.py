"""Generates `static/folding.js`, the rules of `folding` for the browser: `python -m threads.lib.folding_js`.

A browser has Unicode's normal forms, lower case and categories itself; the rest comes from `folding.RULES`.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from .folding import DROPPED, RULES

FILE = Path(__file__).parents[2] / "static" / "folding.js"

_SCRIPT = """\
"use strict";

// Written by threads/lib/folding_js.py. Folds text as the search index does: see threads/lib/folding.py.
const folding = (() => {{
  const DROPPED = /{dropped}/gu;
  const CONTINUES = /^(?:\\p{{M}}|[\\u1160-\\u11ff\\ud7b0-\\ud7fb])/u;

  // Characters that become others than their small letters, each with those.
  const OTHERS = new Map(
    "{others}"
      .split(" ")
      .map((each) => {{
        const [from, ...to] = each;
        return [from, to.join("")];
      }}),
  );

  // Unlike in Unicode's data, these symbols are no words.
  const BLANK = /[\\u2800\\ufffc\\ufffd]/u;

  const rule = (character) => {{
    const other = OTHERS.get(character);
    if (other !== undefined) return other;
    if (/[\\p{{L}}\\p{{N}}\\p{{M}}]/u.test(character)) return character.toLowerCase();
    return /\\p{{So}}/u.test(character) && !BLANK.test(character) ? ` ${{character}} ` : " ";
  }};

  const rules = new Map();
  const mapped = (character) => {{
    if (!rules.has(character)) rules.set(character, rule(character));
    return rules.get(character);
  }};

  const spaced = (text) => {{
    let made = "";
    for (const each of text.replace(DROPPED, "").normalize("NFKD").replace(DROPPED, "")) made += mapped(each);
    return made.normalize("NFC");
  }};

  const folded = (text) => spaced(text).replace(/ +/g, " ").trim();

  const continues = new Map();
  const belongs = (character) => {{
    if (!continues.has(character)) {{
      continues.set(character, CONTINUES.test(character.normalize("NFKD")) || spaced(character) === "");
    }}
    return continues.get(character);
  }};

  // The folded text, with a space for each sign between words, and for each of its places the begin and the end in
  // `text` of the character that it came from, with its marks.
  const places = (text) => {{
    if (/^[\\0-\\x7f]*$/.test(text)) {{
      const plain = text.toLowerCase().replace(/[^0-9a-z]/g, " ");
      return {{ plain, begin: (at) => at, end: (at) => at + 1 }};
    }}
    let plain = "";
    const begins = [];
    const ends = [];
    const add = (begin, end) => {{
      const made = spaced(text.slice(begin, end));
      for (let place = 0; place < made.length; place += 1) {{
        begins.push(begin);
        ends.push(end);
      }}
      plain += made;
    }};
    let begin = 0;
    let place = 0;
    let last = "";
    for (const each of text) {{
      if (place && !belongs(each) && !(last === "\\u200d" && /\\p{{So}}/u.test(each))) {{
        add(begin, place);
        begin = place;
      }}
      place += each.length;
      last = each;
    }}
    add(begin, place);
    return {{ plain, begin: (at) => begins[at], end: (at) => ends[at] }};
  }};

  return {{ folded, places }};
}})();
"""


def script() -> str:
    """The content of the file, for the Unicode version of this Python."""
    dropped = "".join(each if each in "[]-" else _escaped(each) for each in DROPPED)
    return _SCRIPT.format(dropped=dropped, others=" ".join(_others()))


def _others() -> Iterator[str]:
    for character in map(chr, (code for code in range(0x110000) if not 0xD800 <= code < 0xE000)):
        made = RULES[ord(character)]
        if made.strip() != made or made in {"", character.lower()}:
            continue
        if unicodedata.normalize("NFKD", character) == character:
            yield character + made


def _escaped(character: str) -> str:
    return f"\\u{{{ord(character):x}}}"


if __name__ == "__main__":
    sys.stdout.write(str(FILE.write_text(script(), encoding="utf-8")) + "\n")
