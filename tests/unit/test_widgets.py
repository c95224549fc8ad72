"""Widgets drawn for somebody who only looks, whatever they are made of."""

import json
import time
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import pytest
from django.template import engines
from hypothesis import given
from hypothesis import strategies as st

from threads.rendering.widgets import draw

Json = dict[str, Any]

COMPONENTS = (
    "Badge Basic Box Button Caption Card Chart Checkbox Col DatePicker Divider Form Icon Image Input Label ListView "
    "ListViewItem Markdown RadioGroup Row Select Spacer Text Textarea Title Transition"
).split()


class Drawn:
    """A widget as a browser would take it: strictly parsed, and held to what every widget must be."""

    def __init__(self, text: str) -> None:
        widget = draw(text)
        assert widget is not None
        self.html = str(engines["jinja2"].env.get_template("threads/items/_widget.html").module.widget(widget))  # type: ignore[attr-defined]
        parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
        self.root: Element = parser.parseFragment(self.html)
        for each in self.root.iter():
            each.tag = each.tag.rpartition("}")[2]  # an svg comes with its namespace
            self._check(each)

    def all(self, tag: str, css: str = "") -> list[Element]:
        return [each for each in self.root.iter(tag) if css in (each.get("class") or "")]

    def one(self, tag: str, css: str = "") -> Element:
        found = self.all(tag, css)
        assert len(found) == 1, f"{len(found)} <{tag} class={css}> in {self.html}"
        return found[0]

    @property
    def said(self) -> str:
        return _said(self.root)

    def _check(self, each: Element) -> None:
        names = {name.lower() for name in each.keys()}  # noqa: SIM118
        assert each.tag not in {"script", "style", "form", "img", "iframe", "object", "embed", "link", "use"}
        assert not {name for name in names if name.startswith("on") or name in {"style", "src", "srcset", "name", "id"}}
        assert (each.get("href") or "https:").startswith(("https:", "http:", "mailto:"))
        if each.tag in {"button", "select"} or each.get("type") in {"checkbox", "radio"}:
            assert "disabled" in names
        if each.tag == "textarea" or each.get("type") == "text":
            assert "readonly" in names
        if each.tag in {"select", "textarea"} or each.get("type") == "text":
            assert (each.get("aria-label") or "").strip()
        if each.tag in {"button", "label"}:
            named = [icon.get("aria-label") or "" for icon in each.iter("span")]
            assert _said(each) or any(named)


def _said(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def part(kind: Any, *children: Any, **props: Any) -> Json:
    return {"type": kind, **props} | ({"children": list(children)} if children else {})


def drawn(kind: Any, *children: Any, **props: Any) -> Drawn:
    return Drawn(json.dumps(part(kind, *children, **props)))


@pytest.mark.parametrize(
    "text", ["", "null", "[]", '"Card"', "1", '{"type":', "[" * 100_000, '{"a":' * 100_000, '{"a":' + "1" * 5_000 + "}"]
)
def test_what_is_no_widget_is_not_drawn(text: str) -> None:
    assert draw(text) is None


@pytest.mark.parametrize("kind", COMPONENTS)
def test_every_component_is_known_and_needs_nothing(kind: str) -> None:
    assert "w-unknown" not in drawn(kind).html


@pytest.mark.parametrize(
    "kind", ["Basic", "Box", "Card", "Col", "Form", "ListView", "ListViewItem", "Row", "Transition"]
)
@pytest.mark.parametrize("children", [part("Text", value="inside"), [part("Text", value="inside")], "inside"])
def test_children_may_be_a_list_or_one_thing(kind: str, children: Any) -> None:
    assert drawn(kind, children=children).said == "inside"


def test_a_component_that_is_not_known_shows_its_name_and_its_children() -> None:
    shown = drawn("Wizard", part("Text", value="inside"), part(None), part({"a": 1}))
    assert shown.said.startswith("Unknown part: Wizard inside")
    assert shown.said.count("A part that does not say what it is") == 2


@pytest.mark.parametrize("kind", ["Text", "Title", "Caption", "Label"])
def test_words_are_shown_whole_and_styled_by_tokens_alone(kind: str) -> None:
    value = "word " * 2_000
    shown = drawn(
        kind, value=value, size="lg", weight="bold", color="danger", textAlign="end", maxLines=1, truncate=True, width=1
    )
    paragraph = shown.one("p")
    assert _said(paragraph) == value.strip()
    assert set((paragraph.get("class") or "").split()) == {
        f"w-{kind.lower()}", "w-size-lg", "w-weight-bold", "w-color-danger", "w-textAlign-end"
    }  # fmt: skip


@pytest.mark.parametrize("color", ["red-100", "url(https://a.example)", "x w-card", {"dark": "red"}, ["danger"], 3])
def test_colours_that_are_no_tokens_are_ignored(color: Any) -> None:
    assert drawn("Text", value="x", color=color, size=color).one("p").get("class") == "w-text"
    assert drawn("Box", background=color, gap=color if color != 3 else None).all("div")[1].get("class") == "w-box w-col"


@pytest.mark.parametrize(
    ("gap", "step"),
    [(0, 0), (1.6, 2), (99, 8), (-4, 0), (1e999, None), (True, None), ("3px", None), (10**400, None)],
)
def test_gaps_are_steps(gap: Any, step: int | None) -> None:
    names = (drawn("Row", gap=gap).all("div")[1].get("class") or "").split()
    assert [name for name in names if "gap" in name] == ([] if step is None else [f"w-gap-{step}"])


def test_layout() -> None:
    shown = drawn("Box", direction="row", align="center", justify="between", wrap="wrap", radius="md", flex=1)
    names = "w-box w-row w-align-center w-justify-between w-wrap-wrap w-round w-flex"
    assert shown.all("div")[1].get("class") == names
    assert "w-round" not in drawn("Box", radius="none").html


def test_a_card_has_a_header_and_a_footer() -> None:
    shown = drawn(
        "Card",
        part("Text", value="body"),
        status={"text": "Shop", "icon": "cube"},
        confirm={"label": "Yes", "action": {"type": "buy", "payload": {"secret": 1}}},
        cancel={"label": "No"},
        collapsed=True,
    )
    assert shown.said == "❒\ufe0e Shop The customer saw it collapsed body No Yes"
    assert [_said(each) for each in shown.all("button")] == ["No", "Yes"]


def test_a_list_shows_all_and_says_what_was_seen_first() -> None:
    items = [part("ListViewItem", part("Text", value=f"item {number}")) for number in range(5)]
    shown = drawn("ListView", *items, limit=2, status={"text": "Orders", "favicon": "https://shop.example/f.ico"})
    assert len(shown.all("li")) == 5
    assert "The customer first saw 2 of these 5 items" in shown.said
    assert shown.one("a").get("href") == "https://shop.example/f.ico"
    for limit in ("auto", 5, 0, -1, True, None, float("nan")):
        assert "first saw" not in drawn("ListView", *items, limit=limit).said


def test_an_image_is_a_link_that_says_where_it_leads() -> None:
    shown = drawn("Image", src="https://img.example/a.png", alt="A lamp")
    link = shown.one("a")
    assert link.get("href") == "https://img.example/a.png"
    assert link.get("target") == "_blank"
    assert "noopener" in (link.get("rel") or "")
    assert shown.said == "Image: A lamp img.example"


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "//a.example/", "mailto:a@b.example", "x"]
)
def test_an_image_from_elsewhere_is_words(address: str) -> None:
    shown = drawn("Image", src=address)
    assert not shown.all("a")
    assert shown.said == f"Image: no description {address}"


def test_icons_say_their_name() -> None:
    shown = drawn("Row", part("Icon", name="calendar"), part("Icon", name="lucide:clock"), part("Icon", name="odd"))
    assert [each.get("aria-label") for each in shown.all("span", "w-icon")] == [
        "Icon: calendar", "Icon: clock", "Icon: odd"
    ]  # fmt: skip


def test_a_badge_and_a_divider() -> None:
    badge = drawn("Badge", label="Late", color="warning", variant="soft", pill=True).one("span")
    assert badge.get("class") == "w-badge w-color-warning w-variant-soft w-pill"
    assert drawn("Divider", color="strong", spacing=3).one("hr").get("class") == "w-divider w-color-strong w-spacing-3"


def test_buttons_show_their_looks_and_nothing_of_their_action() -> None:
    shown = drawn("Button", label="Pay", style="primary", iconStart="check", onClickAction={"type": "pay"}, submit=True)
    button = shown.one("button")
    assert button.get("class") == "w-button w-style-primary"
    assert button.get("type") == "button"
    assert _said(button) == "✓\ufe0e Pay"
    assert "pay" not in shown.html
    assert "Icon: plus" in drawn("Button", iconStart="plus").html


def test_fields_are_named_by_label_then_placeholder_then_name() -> None:
    shown = drawn(
        "Form",
        part("Label", value="Your name", fieldName="a"),
        part("Input", name="a", placeholder="Ada", defaultValue="Grace"),
        part("Input", name="b", placeholder="Ada"),
        part("Textarea", name="c", defaultValue="\nTwo\nlines"),
        part("DatePicker", defaultValue="2026-01-02"),
    )
    fields = shown.all("input") + shown.all("textarea")
    assert [each.get("aria-label") for each in fields] == ["Your name", "Ada", "Date", "c"]
    assert [each.get("value") for each in fields] == ["Grace", "", "2026-01-02", None]
    assert shown.one("textarea").text == "\nTwo\nlines"


def test_a_number_field_shows_what_is_no_number() -> None:
    assert drawn("Input", inputType="number", defaultValue="12,50 €").one("input").get("type") == "text"


def test_a_password_is_not_shown() -> None:
    shown = drawn("Input", inputType="password", defaultValue="hunter2")
    assert shown.one("input").get("value") == "••••"
    assert "hunter2" not in shown.html
    assert drawn("Input", inputType="password").one("input").get("value") == ""


_OPTIONS = [{"value": "s", "label": "Small"}, {"value": "m", "label": "Medium", "description": "for most"}]


def test_a_select_shows_what_is_chosen_and_lists_the_options() -> None:
    shown = drawn("Select", name="size", options=_OPTIONS, defaultValue="m")
    assert [(each.text, "selected" in each.keys()) for each in shown.all("option")] == [  # noqa: SIM118
        ("Small", False), ("Medium", True)
    ]  # fmt: skip
    assert _said(shown.one("details")) == "2 options Small Medium for most (chosen)"
    assert shown.one("select").get("aria-label") == "size"


@pytest.mark.parametrize(
    ("props", "first"), [({"placeholder": "Pick"}, "Pick"), ({"defaultValue": "xl"}, "xl"), ({}, "Nothing chosen")]
)
def test_a_select_without_a_choice_shows_what_it_showed(props: Json, first: str) -> None:
    shown = drawn("Select", options=_OPTIONS, **props)
    assert [each.text for each in shown.all("option") if "selected" in each.keys()] == [first]  # noqa: SIM118


def test_radios_and_checkboxes() -> None:
    shown = drawn("RadioGroup", name="r", ariaLabel="Size", options=_OPTIONS, defaultValue="s", direction="row")
    assert _said(shown.one("legend")) == "Size"
    assert ["checked" in each.keys() for each in shown.all("input")] == [True, False]  # noqa: SIM118
    shown = drawn("Checkbox", name="agree", label="I agree", defaultChecked=True)
    assert "checked" in shown.one("input").keys()  # noqa: SIM118
    assert _said(shown.one("label")) == "I agree"
    assert _said(drawn("Checkbox", name="agree").one("label")) == "agree"


def test_markdown_is_rendered_without_what_loads() -> None:
    shown = drawn("Markdown", value="**bold** ![x](https://a.example/x.png) <img src=x> [l](javascript:x)")
    assert shown.one("strong").text == "bold"


def _chart(data: Any, *series: Json, **props: Any) -> Drawn:
    return drawn("Chart", **{"data": data, "series": list(series), "xAxis": "x"} | props)


def test_a_chart_is_drawn_and_told() -> None:
    data = [{"x": "Jan", "a": 1, "b": -2}, {"x": "Feb", "a": 3}, {"x": "Mar", "a": "much", "b": 4}]
    shown = _chart(
        data,
        {"type": "bar", "dataKey": "a", "label": "Sales", "stack": "s"},
        {"type": "line", "dataKey": "b", "color": "red"},
        {"type": "area", "dataKey": "a", "color": "#fff"},
        xAxis={"dataKey": "x", "labels": {"Jan": "January"}},
        showYAxis=True,
    )
    picture = shown.one("svg")
    assert picture.get("role") == "img"
    assert picture.get("aria-label") == (
        "Bar and line and area chart of Sales, b, a: 3 rows, January to Mar. A table with the same data follows."
    )
    assert [each.get("class") for each in shown.all("path")] == [
        "w-bar w-blue",
        "w-line w-red",
        "w-area w-orange",
        "w-zero",
    ]
    assert [each.text for each in picture.iter("text")] == ["January", "Feb", "Mar", "4", "-2", "0"]
    assert [_said(row) for row in shown.all("tr")] == [
        "x Sales b a", "January 1 -2 1", "Feb 3 – 3", "Mar much 4 much"
    ]  # fmt: skip
    assert [_said(each) for each in shown.one("ul", "w-legend")] == ["Sales", "b", "a"]


def test_bars_of_one_stack_stand_upon_each_other() -> None:
    def bottoms(stack: str | None) -> list[str]:
        bars = [{"type": "bar", "dataKey": key, "stack": stack} for key in "ab"]
        paths = _chart([{"a": 1, "b": 1}], *bars).all("path", "w-bar")
        return [(each.get("d") or "").split()[1].split("V")[0] for each in paths]

    assert bottoms(None) == ["150", "150"]
    assert bottoms("s") == ["150", "79"]


def test_a_line_is_broken_where_a_value_is_missing() -> None:
    path = _chart([{"a": value} for value in (1, 2, None, 3)], {"type": "line", "dataKey": "a"}).one("path", "w-line")
    assert (path.get("d") or "").count("M") == 2


@pytest.mark.parametrize("kind", ["bar", "line", "area"])
def test_charts_take_any_number(kind: str) -> None:
    values = [
        float("nan"),
        float("inf"),
        -float("inf"),
        1.7e308,
        1.7e308,
        -1.7e308,
        5e-324,
        10**400,
        0,
        None,
        True,
        "7",
    ]
    bars = [{"type": kind, "dataKey": "a", "stack": "s"}] * 3
    shown = _chart([{"x": number, "a": value} for number, value in enumerate(values)], *bars, showYAxis=True)
    drawing = " ".join(each.get("d") or "" for each in shown.all("path"))
    assert "nan" not in drawing
    assert "inf" not in drawing
    assert "1.7e+308" in shown.said


def test_a_chart_without_end_is_cut_and_says_so() -> None:
    series = [{"type": "bar", "dataKey": f"s{number}"} for number in range(15)]
    shown = _chart([{"x": number} for number in range(300)], *series)
    assert len(shown.all("tr")) == 167
    assert "… 134 more rows are not drawn; they are in the JSON below" in shown.said
    assert "… 3 more series are not drawn" in shown.said


def test_more_parts_than_a_person_reads_are_counted() -> None:
    shown = drawn("Col", *(part("Text", value="x") for _ in range(2_311)))
    assert len(shown.all("p", "w-text")) == 1_999
    assert "… 312 more parts are not drawn; they are in the JSON below" in shown.said


def test_what_lies_too_deep_is_counted() -> None:
    nested: Json = part("Text", value="the bottom")
    for _ in range(400):
        nested = part("Box", nested)
    shown = Drawn(json.dumps(nested))
    assert len(shown.all("div", "w-box")) == 30
    assert "… 371 more parts are not drawn" in shown.said


def test_a_long_text_is_cut_and_says_so() -> None:
    shown = drawn("Text", value="x" * 30_000)
    assert shown.said.startswith("x" * 20_000 + " … (the first 20,000 of 30,000 characters")


def test_hidden_characters_are_named_in_words_and_in_fields() -> None:
    assert "\u202e" not in drawn("Text", value="a\u202eb").html
    field = drawn("Input", name="a\u200bb", defaultValue="a\u202eb", placeholder='"><b>\ud800').one("input")
    assert field.get("value") == "aU+202Eb"
    assert field.get("placeholder") == '"><b>\ufffd'


_BOMBS = {
    "children": part("Col", *([part("Row", *[part("Text", value="x")] * 300)] * 300)),
    "options": part("Select", options=[{"value": "x"}] * 100_000),
    "charts": part("Col", *[part("Chart", data=[{}] * 200, series=[{"dataKey": "a"}] * 12)] * 200),
    "texts": part("Col", *[part("Text", value="<" * 20_000)] * 100),
    "names": part("Col", part("Label", fieldName="a", value="n" * 20_000), *[part("Input", name="a")] * 1_900),
    "lists": part("Col", children=[[[]] * 100_000]),
    "marks": part("Col", *[part("Text", value="\u202e" * 300)] * 1_900),
    "key": part("Chart", data=[{}] * 200, series=[{"dataKey": "k" * 20_000}] * 12, xAxis="x" * 20_000),
}


@pytest.mark.parametrize("name", _BOMBS)
def test_bombs_are_drawn_fast_and_small(name: str) -> None:
    text = json.dumps(_BOMBS[name])
    start = time.process_time()
    widget = draw(text)
    assert widget
    html = engines["jinja2"].env.get_template("threads/items/_widget.html").module.widget(widget)  # type: ignore[attr-defined]
    assert time.process_time() - start < 5
    assert len(html) < 7_000_000


_HOSTILE = (
    '"><script>alert(1)</script>', "javascript:alert(1)", "' onload='x", "https://a.example/", "w-card", "\ud800", "row"
)  # fmt: skip
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(_HOSTILE)
_ANYTHING = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)
_PROPS = (
    "align ariaLabel background border cancel children collapsed color confirm data defaultChecked defaultValue "
    "direction editable favicon fieldName flex gap icon iconEnd iconStart inputType justify label labels limit name "
    "onClickAction options placeholder radius series showLegend showYAxis size spacing src alt stack status style "
    "text textAlign theme type value variant wrap xAxis dataKey"
).split()
_OBJECTS = st.dictionaries(st.sampled_from(_PROPS), _ANYTHING, max_size=5)
_FILLED = st.dictionaries(st.sampled_from(_PROPS), _ANYTHING | _OBJECTS | st.lists(_OBJECTS, max_size=3), max_size=10)
_PARTS = st.builds(lambda kind, props: {**props, "type": kind}, st.sampled_from(COMPONENTS), _FILLED)


@pytest.mark.slow
@given(_PARTS, st.lists(_PARTS, max_size=3))
def test_any_value_may_be_any_property(root: Json, children: list[Json]) -> None:
    text = json.dumps(root | {"children": children} if children else root)
    assert len(Drawn(text).html) < 20_000 + 200 * len(text)


@given(_ANYTHING)
def test_any_json_is_drawn_or_is_not_a_widget(value: Any) -> None:
    text = json.dumps(value)
    assert (draw(text) is None) != isinstance(value, dict)
