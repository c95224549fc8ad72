"""Bundles ES modules: each entry script and the modules it imports become one file.

The sources keep one concern per file, and a first load of the list still takes five requests: served apart, its modules
would make 20. There is no build tool: this reads the few forms of import and export that `static/` uses, which are
`import { name } from "./module.js";`, `import "./module.js";` and `export const name`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from posixpath import dirname, join, normpath

_IMPORT = re.compile(r'^import (?:\{(?P<names>[\w\s,]+)\} from )?"(?P<path>\.[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=const (\w+))", re.MULTILINE)
_COMMENT = re.compile(r"^ *//.*\n", re.MULTILINE)
_OTHER_FORM = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


def bundle(entries: Iterable[str], read: Callable[[str], str]) -> tuple[dict[str, str], set[str]]:
    """Returns the text of each entry's bundle, and the names of all modules in them, the entries included.

    `read` gives the source of a module by its name. A module is in the first bundle that needs it; later bundles import
    it from there, so that it runs once. Lines that are comments are left out. Raises ValueError for circular imports
    and other forms of import or export.
    """
    owners: dict[str, str] = {}
    return {entry: _Bundle(entry, read, owners).text() for entry in entries}, set(owners)


class _Bundle:
    def __init__(self, entry: str, read: Callable[[str], str], owners: dict[str, str]) -> None:
        self._entry = entry
        self._read = read
        self._owners = owners
        self._imports: dict[str, set[str]] = {}
        self._exports: list[str] = []
        self._modules: list[str] = []
        self._add(entry, [])

    def text(self) -> str:
        depth = "../" * self._entry.count("/") or "./"
        imports = [
            f'import {{ {", ".join(sorted(names))} }} from "{depth}{owner}";' for owner, names in self._imports.items()
        ]
        exports = [f"export {{ {', '.join(self._exports)} }};"] if self._exports else []
        return "\n".join([*imports, *self._modules, *exports]) + "\n"

    def _add(self, module: str, importers: list[str]) -> None:
        self._owners[module] = self._entry
        source = self._read(module)
        for found in _IMPORT.finditer(source):
            imported = normpath(join(dirname(module), found["path"]))
            if imported in [*importers, module]:
                raise ValueError(f"Circular import: {' → '.join([*importers, module, imported])}")
            if imported not in self._owners:
                self._add(imported, [*importers, module])
            if (owner := self._owners[imported]) != self._entry and found["names"]:
                self._imports.setdefault(owner, set()).update(re.findall(r"\w+", found["names"]))
        body = _COMMENT.sub("", _IMPORT.sub("", source))
        if body.strip():
            self._modules.append(self._scoped(module, body))

    def _scoped(self, module: str, body: str) -> str:
        """Wraps a module in a function, since each has a scope of its own."""
        names = _EXPORT.findall(body)
        body = _EXPORT.sub("", body)
        if other := _OTHER_FORM.search(body):
            raise ValueError(f"{module}: {other[0]!r} is not a form of import or export that can be bundled.")
        self._exports += names
        if not names:
            return f"(() => {{\n{body}}})();"
        listed = ", ".join(names)
        return f"const {{ {listed} }} = (() => {{\n{body}return {{ {listed} }};\n}})();"
