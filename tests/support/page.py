"""A page parsed strictly as HTML, and checked for what every page must have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

import html5lib

_FIELDS = {"input", "select", "textarea"}


class Page:
    """The parsed HTML of a response. Fails on invalid HTML, duplicate ids, a field without a label, a broken link
    within the page, and inline script or style."""

    def __init__(self, text: str, headers: Mapping[str, str]) -> None:
        self.text, self.headers = text, headers
        self.whole = self.text.lstrip().startswith("<!doctype html>")
        parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
        self.root: Element = parser.parse(self.text) if self.whole else parser.parseFragment(self.text)
        self._check()

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """The elements of this tag with these attributes; `_` in a name stands for `-`."""
        wanted = {name.strip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [each for each in self.root.iter(tag) if all(each.get(name) == value for name, value in wanted.items())]

    def one(self, tag: str, **attributes: str) -> Element:
        found = self.all(tag, **attributes)
        assert len(found) == 1, f"{len(found)} <{tag}> with {attributes}"
        return found[0]

    def said(self, element: Element | None = None) -> str:
        """The text of an element, or of the whole page, with white space collapsed."""
        return " ".join("".join((self.root if element is None else element).itertext()).split())

    @property
    def thread_ids(self) -> list[str]:
        return [row.get("data-thread-id", "") for row in self.all("tr") if row.get("data-thread-id")]

    def link(self, rel: str) -> str | None:
        found = self.all("a", rel=rel)
        assert len(found) <= 1
        return found[0].get("href") if found else None

    def _check(self) -> None:
        elements = [each for each in self.root.iter() if isinstance(each.tag, str)]
        ids = Counter(each.get("id") for each in elements if each.get("id"))
        assert not [name for name, count in ids.items() if count > 1], "an id stands twice"
        labels = [each for each in elements if each.tag == "label"]
        named = {each.get("for") for each in labels}
        within = {field for label in labels for field in label.iter()}
        for each in elements:
            self._check_element(each, ids)
            if each.tag in _FIELDS and each.get("type") != "hidden":
                labelled = each.get("id") in named or each in within or each.get("aria-label")
                assert labelled, f"no label for {each.get('name') or each.get('id')}"
        if self.whole:
            assert len(self.all("h1")) == 1
            assert self.said(self.one("title"))
            assert len(self.all("main")) == 1

    def _check_element(self, each: Element, ids: Counter[Any]) -> None:
        assert each.tag not in {"style", "iframe", "object", "embed"}
        assert not [name for name in each.keys() if name == "style" or name.startswith("on")]  # noqa: SIM118
        if each.tag == "script":
            assert (each.get("src") or "").startswith("/static/")
            assert not each.text
        described = (each.get("aria-describedby") or "").split()
        assert all(name in ids for name in described)
        href = each.get("href") or ""
        if self.whole and href.startswith("#"):
            assert href[1:] in ids, f"{href} leads nowhere"
