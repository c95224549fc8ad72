"""Widgets of the showcase conversation, which together use every component."""

from typing import Any

Json = dict[str, Any]


def _part(kind: str, *children: Json, **own: Any) -> Json:
    return {"type": kind, **own, **({"children": list(children)} if children else {})}


def _action(kind: str, **payload: Any) -> Json:
    return {"type": kind, "payload": payload}


def _line(label: str, value: str) -> Json:
    return _part(
        "Row",
        _part("Text", value=label, color="secondary", size="sm"),
        _part("Spacer"),
        _part("Text", value=value, size="sm", weight="medium"),
        align="center",
    )


ORDER = _part(
    "Card",
    _part(
        "Row",
        _part(
            "Image",
            src="https://shop.example/img/walnut-desk-lamp.jpg",
            alt="A desk lamp of walnut and brass",
            size=56,
            radius="md",
            fit="cover",
        ),
        _part(
            "Col",
            _part("Title", value="Walnut desk lamp", size="sm"),
            _part("Caption", value="Order 481 207 · one piece · brass"),
            gap=1,
            flex=1,
        ),
        _part("Badge", label="Late", color="warning", variant="soft", pill=True),
        gap=3,
        align="center",
    ),
    _part("Divider", flush=True),
    _line("Sent", "Monday, 08:14"),
    _line("Promised", "Wednesday"),
    _line("Paid", "€129.00"),
    size="md",
    status={"text": "Shop orders", "icon": "cube"},
    confirm={"label": "Track the parcel", "action": _action("order.track", order="481207")},
    cancel={"label": "Not this one", "action": _action("order.other")},
)

STOPS = _part(
    "ListView",
    *(
        _part(
            "ListViewItem",
            _part("Icon", name=icon, color=color, size="lg"),
            _part(
                "Col",
                _part("Text", value=place, weight="semibold"),
                _part("Caption", value=what, size="sm"),
            ),
            gap=3,
            align="center",
            onClickAction=_action("stop.show", place=place),
        )
        for icon, color, place, what in (
            ("check-circle", "success", "Leipzig", "Monday, 21:40 · handed over by the shop"),
            ("check-circle", "success", "Hannover", "Tuesday, 03:12 · sorted"),
            ("circle-question", "warning", "Bremen", "Tuesday, 09:55 · expected, never scanned"),
            ("empty-circle", "tertiary", "Oldenburg", "Delivery was planned for Wednesday"),
        )
    ),
    limit=3,
    status={"text": "Parcel 00340434161094", "favicon": "https://carrier.example/favicon.ico"},
)

FORM = _part(
    "Card",
    _part("Title", value="Send a replacement"),
    _part(
        "Form",
        _part("Label", value="Who takes the parcel?", fieldName="receiver"),
        _part("Input", name="receiver", placeholder="Full name", defaultValue="Ines Albers", required=True),
        _part("Label", value="E-mail for the tracking link", fieldName="email"),
        _part("Input", name="email", inputType="email", placeholder="you@example.com"),
        _part("Label", value="Where to?", fieldName="address"),
        _part("Textarea", name="address", rows=3, defaultValue="Lindenallee 7\n26122 Oldenburg\nGermany"),
        _part("Label", value="Finish", fieldName="finish"),
        _part(
            "Select",
            name="finish",
            placeholder="Choose",
            defaultValue="brass",
            options=[
                {"value": "brass", "label": "Brass", "description": "As ordered"},
                {"value": "steel", "label": "Brushed steel"},
                {"value": "copper", "label": "Copper", "disabled": True},
            ],
        ),
        _part("Label", value="Not before", fieldName="day"),
        _part("DatePicker", name="day", placeholder="Pick a day", min="2026-09-21T00:00:00Z", clearable=True),
        _part(
            "RadioGroup",
            name="speed",
            ariaLabel="How fast?",
            defaultValue="express",
            direction="col",
            options=[
                {"value": "express", "label": "Express, tomorrow by noon"},
                {"value": "standard", "label": "Standard, two to three days"},
                {"value": "pickup", "label": "Pick up in the shop", "disabled": True},
            ],
        ),
        _part("Checkbox", name="neighbour", label="A neighbour may take it", defaultChecked=True),
        _part(
            "Row",
            _part("Button", label="Send it", submit=True, style="primary", iconStart="check"),
            _part("Button", label="Rather a refund", variant="ghost", onClickAction=_action("refund.ask")),
            gap=2,
            justify="end",
        ),
        direction="col",
        gap=3,
        onSubmitAction=_action("replacement.send", order="481207"),
    ),
    asForm=True,
    size="lg",
)

_DAYS = [
    {"day": day, "parcels": parcels, "late": late, "hours": hours}
    for day, parcels, late, hours in (
        ("Mon", 412, 9, 21.5),
        ("Tue", 388, 31, 26.0),
        ("Wed", 405, 58, 33.5),
        ("Thu", 397, 22, 27.0),
        ("Fri", 441, 11, 22.5),
    )
]

CHARTS = _part(
    "Card",
    _part("Title", value="Deliveries around Bremen this week"),
    _part("Markdown", value="A **strike** at the Bremen hub on Tuesday and Wednesday. Since Thursday it *eases*."),
    _part(
        "Chart",
        data=_DAYS,
        xAxis="day",
        showYAxis=True,
        showLegend=True,
        series=[
            {"type": "bar", "label": "Parcels", "dataKey": "parcels", "color": "blue"},
            {"type": "bar", "label": "Late", "dataKey": "late", "color": "orange"},
        ],
    ),
    _part(
        "Chart",
        data=_DAYS,
        xAxis={"dataKey": "day", "labels": {"Wed": "Strike"}},
        series=[
            {"type": "line", "label": "Hours on the way", "dataKey": "hours", "curveType": "monotone"},
            {"type": "area", "label": "Late", "dataKey": "late", "curveType": "natural", "color": "red"},
        ],
    ),
    size="full",
)

BASICS = _part(
    "Basic",
    _part(
        "Box",
        # A transition has one component as its child, not a list.
        {"type": "Transition", "children": _part("Text", value="Found in Bremen, damaged by water.", italic=True)},
        _part("Text", value="Expected on Wednesday", lineThrough=True, color="tertiary"),
        padding=4,
        radius="lg",
        background="surface-secondary",
    ),
)

UNHEARD_OF = _part(
    "Card",
    _part("Text", value="How it went, from the first message to the last:"),
    _part("StarRating", name="rating", value=4, max=5, label="Four of five stars"),
    _part("Map", latitude=53.0793, longitude=8.8017, zoom=11, label="Bremen hub"),
    size="sm",
)

NOT_JSON = '{"type": "Card", "children": [{"type": "Text", "value": "This card was cut off in the mid'
