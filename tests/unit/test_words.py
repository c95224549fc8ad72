"""Words that pages no longer use, each with the word in its place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)

ABANDONED = {
    r"\btrails?\b": "audit log",
    r"\boverviews?\b": "reports",
    r"\bcop(?:ying|ied)\b": "syncing, synced",
    r"\bcopy now\b": "sync now",
    r"\bconfirmed (?:\d|just now)": "checked",
    r"\bfor good\b": "permanently",
    r"\bkeep (?:it|them)\b": "cancel",
    r"\btype it here\b": "type … to confirm",
    r"\bt(?:ake|aken|ook)\b.{0,20}\balong\b": "export",
    r"\bbegan\b|\bbegun\b": "created, started",
    r"\bcommonest\b": "top",
    r"\bbusiest\b": "most",
    r"\babout to be done\b": "started",
    r"\btick(?:ed|s)?\b": "select, selected",
    r"\blast look\b": "final check",
    r"\bnot for your account\b": "you don't have access",
    r"\bnone at present\b": "no … yet",
    r"\bgone upstream\b": "deleted at OpenAI",
    r"\bput right\b": "correct",
    r"\basked for by\b": "requested by",
}
"""In everything that pages, commands and documents say."""

ON_PAGES = {
    r"\busers?\b(?! name)": "customer",
    r"\bupstream\b": "OpenAI",
    r"\bwalk(?:s|ed|ing)?\b": "sync",
    r"\bkept\b": "synced, stored",
    r"\bworkers?\b": "left out",
    r"\berasures\b": "erasure requests",
}
"""In templates."""

EXCEPTIONS = {
    ("templates/sync/_sync.html", "worker"): "the page of those who run Threadkeeper",
    ("threads/audit/descriptions.py", "trail"): "a key of stored events",
}
"""Files that may say a word, and why."""

OF_THREADS = ("templates/threads/", "templates/exports/_downloads.html", "templates/erasure/_ways.html")
"""The list and the conversation have words of their own."""

SAYING = (
    "threads/web", "threads/audit/descriptions.py", "threads/audit/forms.py", "threads/audit/management",
    "threads/audit/archiving.py", "threads/erasure/receipt.py", "threads/erasure/preview.py", "threads/roles.py",
    "threads/archive/completeness.py", "threads/archive/report.py", "dashboard/views.py",
    "dashboard/database_errors.py", "dashboard/accounts", "dashboard/monitoring", "threads/exports/runner.py",
    "dashboard/jinja.py",
)  # fmt: skip
"""Modules whose strings readers see."""

_SAID_BY_TAGS = re.compile(r'(?:aria-label|title|placeholder|alt)="([^"]*)"')


def said_by_template(source: str) -> str:
    """The text of a template, with its strings and the attributes that are read out."""
    source = re.sub(r"\{#.*?#\}", "", source, flags=re.DOTALL)
    source = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", lambda found: " ".join(_strings(found[0])), source, flags=re.DOTALL)
    return re.sub(r"<[^>]*>", lambda tag: " ".join([" ", *_SAID_BY_TAGS.findall(tag[0]), " "]), source)


def _strings(expression: str) -> list[str]:
    """String literals that are words for readers: they have a space or begin with a capital letter."""
    return [each for each in re.findall(r'"([^"]*)"', expression) if " " in each or each[:1].isupper()]


def said_by_module(source: str) -> str:
    """The strings of a module, without its docstrings and identifiers."""
    tree = ast.parse(source)
    docs = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}
    constants = (each for each in ast.walk(tree) if isinstance(each, ast.Constant) and id(each) not in docs)
    strings = (each.value for each in constants if isinstance(each.value, str))
    return "\n".join(each for each in strings if not each.isidentifier())


def _templates() -> Iterator[Path]:
    yield from (ROOT / "templates").rglob("*.html")
    yield from (ROOT / "dashboard").rglob("*.html")


def _modules() -> Iterator[Path]:
    for each in SAYING:
        yield from (ROOT / each).rglob("*.py") if (ROOT / each).is_dir() else [ROOT / each]


def _documents() -> Iterator[Path]:
    yield from [ROOT / "README.md", ROOT / "SECURITY.md", ROOT / "docs" / "roles.md", ROOT / "docs" / "architecture.md"]


def found(text: str, path: str, words: dict[str, str]) -> list[str]:
    return [
        f"{path}: “{match[0]}”, say {instead}"
        for pattern, instead in words.items()
        for match in re.finditer(pattern, text, re.IGNORECASE)
        if not any(path.startswith(file) and word in match[0].lower() for file, word in EXCEPTIONS)
    ]


@pytest.mark.parametrize("path", [str(each.relative_to(ROOT)) for each in _templates()])
def test_templates(path: str) -> None:
    if path.startswith(OF_THREADS):
        return
    text = said_by_template((ROOT / path).read_text(encoding="utf-8"))
    assert not found(text, path, ABANDONED | ON_PAGES)


@pytest.mark.parametrize("path", [str(each.relative_to(ROOT)) for each in _modules()])
def test_modules(path: str) -> None:
    assert not found(said_by_module((ROOT / path).read_text(encoding="utf-8")), path, ABANDONED)


@pytest.mark.parametrize("path", [str(each.relative_to(ROOT)) for each in _documents()])
def test_documents(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert not found(text, path, {r"\btrails?\b": "audit log", r"(?<!/)\boverviews?\b": "reports"})


def test_what_is_looked_through_is_what_readers_see() -> None:
    template = '{# trail #}<p class="trail" title="a Trail">{{ trail }} {{ "The trail" if x else y }}</p>{% if trail %}'
    assert said_by_template(template).split() == ["a", "Trail", "The", "trail"]
    module = '"""trail"""\nx = "trail"\ny = {"trail": f"the trail of {x}"}\n"""trail"""\n'
    assert said_by_module(module) == "the trail of "
