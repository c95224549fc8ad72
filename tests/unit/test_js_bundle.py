"""Modules of static/ become one file per entry script, which imports from earlier bundles what they have."""

import re
from pathlib import Path
from posixpath import dirname, join, normpath

import pytest
from django.conf import settings

from dashboard.js_bundle import bundle

STATIC = Path(settings.BASE_DIR) / "static"


def test_a_module_is_in_the_first_bundle_that_needs_it() -> None:
    sources = {
        "app.js": 'import "./app/one.js";\nimport "./app/two.js";\n',
        "app/one.js": 'import { two } from "./two.js";\n\nconst own = 1;\nglobalThis.log = [two + own];\n',
        "app/two.js": "// Comment.\nexport const two = 2;\n  // Another.\n",
        "page.js": 'import { three } from "./page/three.js";\n\nglobalThis.log.push(three);\n',
        "page/three.js": 'import { two } from "../app/two.js";\n\nconst own = 1;\nexport const three = two + own;\n',
    }
    bundles, modules = bundle(["app.js", "page.js"], sources.__getitem__)
    assert modules == set(sources)
    assert bundles["app.js"].count("two = 2") == 1
    assert "omment" not in bundles["app.js"]
    assert "nother" not in bundles["app.js"]
    assert bundles["app.js"].endswith("\nexport { two };\n")
    assert bundles["page.js"].startswith('import { two } from "./app.js";\n')
    assert "two = 2" not in bundles["page.js"]
    assert bundles["page.js"].index("const three") < bundles["page.js"].index("log.push")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('import "./b.js";\n', "Circular import: a.js → b.js → a.js"),
        ("export default 1;\n", "export default 1;"),
        ('import * as all from "./c.js";\n', "import \\* as all"),
    ],
)
def test_what_cannot_be_bundled_is_an_error(source: str, message: str) -> None:
    sources = {"a.js": source, "b.js": 'import "./a.js";\n', "c.js": "export const c = 1;\n"}
    with pytest.raises(ValueError, match=message):
        bundle(["a.js"], sources.__getitem__)


def test_every_script_is_in_a_bundle_and_every_imported_name_is_exported() -> None:
    sources = {str(path.relative_to(STATIC)): path.read_text(encoding="utf-8") for path in STATIC.rglob("*.js")}
    _, modules = bundle(["app.js", "conversation.js", "find.js"], sources.__getitem__)
    assert modules == set(sources)
    for name, source in sources.items():
        for names, path in re.findall(r'^import \{ (.+) \} from "(.+)";$', source, re.MULTILINE):
            target = sources[normpath(join(dirname(name), path))]
            assert set(names.split(", ")) <= set(re.findall(r"^export const (\w+)", target, re.MULTILINE)), name
