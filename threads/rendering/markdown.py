"""Renders untrusted Markdown as HTML that runs no code and loads no resource."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup

from .escape import in_blocks, visible
from .safe_links import SCHEMES, link

LONGEST = 20_000
"""Characters. A longer text is shown as plain text."""

LONGEST_PLAIN = 100_000
"""Characters of plain text. A longer one is cut, with a note; the download has all of it."""

_MAX_BRACKETS, _MAX_MARKS, _MAX_CELLS = 500, 3_000, 20_000
"""The parser's time grows faster than linearly with these; beyond them a text is shown as plain text."""

_MAX_GROWTH, _MAX_HTML = 20, 100_000
"""A text whose HTML is more than this many times as long, and longer than this many characters, is shown as plain
text."""

_TAGS = set(
    "p br hr strong em s code pre blockquote ul ol li table thead tbody tr th td a span h3 h4 h5 h6 div i".split()
)
_ATTRIBUTES = {
    "a": {"href", "target", "rel", "class"},
    "span": {"class", "title"},
    "ol": {"start"},
    "th": {"class"},
    "td": {"class"},
    "i": {"class"},
    "div": {"class", "tabindex", "role", "aria-label"},
}


class _Renderer(RendererHTML):
    """markdown-it's renderer, except: links show their host, an image becomes a link to it, headings rank below those
    of the page, and hidden characters are marked."""

    def text(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return str(_shown(tokens[idx].content))

    def code_inline(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return f"<code>{_shown(tokens[idx].content)}</code>"

    def code_block(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return f"<pre><code>{_shown(tokens[idx].content)}</code></pre>\n"

    fence = code_block

    def image(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        token = tokens[idx]
        linked = env.get("links") and env["links"][-1] is not None
        return str(_image(str(token.attrs.get("src", "")), token.content, linked=bool(linked)))

    def link_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        address = str(tokens[idx].attrs.get("href", ""))
        target = link(address)
        env.setdefault("links", []).append(target)
        env.setdefault("addresses", []).append(address)
        # A link without text would have no accessible name.
        words = visible(address) if tokens[idx + 1].type == "link_close" else Markup("")
        return str((_OPEN.format(target.href) if target else Markup("")) + words)

    def link_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        target, address = env["links"].pop(), env["addresses"].pop()
        return str(_CLOSE.format(target.host) if target else _DEAD.format(visible(address)))

    def heading_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return f"<{_lowered(tokens[idx].tag)}>"

    def heading_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return f"</{_lowered(tokens[idx].tag)}>\n"

    def table_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return '<div class="scroll" tabindex="0" role="region" aria-label="Table"><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return "</table></div>\n"

    def th_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return _cell("th", tokens[idx].attrs)

    def td_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return _cell("td", tokens[idx].attrs)


_OPEN = Markup('<a href="{}" target="_blank" rel="noopener noreferrer nofollow">')
_CLOSE = Markup('</a><span class="host"> ({})</span>')
_DEAD = Markup('<span class="host"> (not a link: {})</span>')
_IMAGE = Markup(
    '<a class="remote" href="{}" target="_blank" rel="noopener noreferrer nofollow">Image: {}</a>'
    '<span class="host"> ({})</span>'
)
_LINKED_IMAGE = Markup('<span class="remote">Image: {}</span>')
_NO_IMAGE = Markup('<span class="remote">Image: {}</span><span class="host"> (not a link: {})</span>')


def _image(address: str, alt: str, *, linked: bool) -> Markup:
    """A link to the image; inside a link only its description, since links can't be nested."""
    target = link(address)
    name = visible(alt.strip() or "no description")
    if linked:
        return _LINKED_IMAGE.format(name)
    return _IMAGE.format(target.href, name, target.host) if target else _NO_IMAGE.format(name, visible(address))


def _lowered(tag: str) -> str:
    """A heading two levels lower: h1 and h2 belong to the page."""
    return f"h{min(6, int(tag[1]) + 2)}"


def _cell(tag: str, attributes: Mapping[str, Any]) -> str:
    side = str(attributes.get("style", "")).removeprefix("text-align:")
    return f'<{tag} class="{side}">' if side in {"left", "right", "center"} else f"<{tag}>"


# Line breaks are kept, as ChatKit can show them and customers saw them: see docs/adr/0007.
_PARSER = MarkdownIt("commonmark", {"html": False, "maxNesting": 20, "breaks": True}, renderer_cls=_Renderer)
_PARSER.enable(["table", "strikethrough"])
# markdown-it would leave an unsafe link as source text; the renderer shows it, marked as no link.
_PARSER.validateLink = lambda url: True  # type: ignore[method-assign]
_PARSER.normalizeLink = lambda url: url  # type: ignore[method-assign]


def markdown(text: str) -> Markup:
    """`text` as HTML. A text that is too long, slow to parse, or grows too much is shown as plain text."""
    if _is_cheap(text):
        rendered: str = _PARSER.render(text, {})
        if len(rendered) <= max(_MAX_HTML, _MAX_GROWTH * len(text)):
            clean = nh3.clean(rendered, tags=_TAGS, attributes=_ATTRIBUTES, link_rel=None, url_schemes=set(SCHEMES))
            return Markup(clean)  # noqa: S704  # sanitised the line before
    return plain(text)


def plain_text(text: str) -> str:
    """The words of a Markdown text without its markup and without link addresses, one line per block. A text that
    `markdown` shows as plain text is returned as it is."""
    if not _is_cheap(text):
        return text
    blocks = []
    for token in _PARSER.parse(text):
        if token.type == "inline":
            blocks.append("".join("\n" if each.type in _BREAKS else each.content for each in token.children or ()))
        elif token.type in {"fence", "code_block"}:
            blocks.append(token.content.rstrip("\n"))
    return "\n".join(blocks)


_BREAKS = {"softbreak", "hardbreak"}
_PLAIN = Markup('<div class="plain">{}</div>')


def plain(text: str) -> Markup:
    """`text` as HTML without interpreting Markdown."""
    return _PLAIN.format(_shown(text))


def _shown(text: str) -> Markup:
    return in_blocks(text, LONGEST_PLAIN)


def _is_cheap(text: str) -> bool:
    if len(text) > LONGEST or text.count("[") > _MAX_BRACKETS:
        return False
    if sum(map(text.count, "*_~`<&!\\")) > _MAX_MARKS:
        return False
    lines = text.split("\n")
    return len(lines) * max(line.count("|") for line in lines) <= _MAX_CELLS
