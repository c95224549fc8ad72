"""Showcase conversation about a lost parcel: three days, every kind of item."""

from .showcase_items import (
    Json,
    assistant,
    attachment,
    file,
    options,
    output,
    quoted,
    task,
    task_group,
    tool_call,
    url,
    user,
    widget,
)
from .showcase_widgets import BASICS, CHARTS, FORM, NOT_JSON, ORDER, STOPS, UNHEARD_OF

_MINUTE = 60
_HOUR = 3600
_DAY = 24 * _HOUR

_FOUND = """\
# Parcel 00340434161094

I found your order, Ines. It left our warehouse **on Monday**, and the last scan is from *Hannover*. Since \
then it has been ~~on its way~~ ***missing***.

## What happened so far

| When | Where | What | Weight |
|:---|:---|:---:|---:|
| Mon 08:14 | Leipzig | packed | 2.41 kg |
| Mon 21:40 | Leipzig | handed over | 2.41 kg |
| Tue 03:12 | Hannover | sorted | 2.39 kg |
| Tue 09:55 | Bremen | *never scanned* | – |

## What you can do

1. Ask your neighbours. Drivers sometimes
   - leave parcels next door
     - without a card, or
     - with one in the wrong letter box
   - or bring them to a shop nearby
2. Look at [the carrier's own page](https://carrier.example/track/00340434161094)
3. Wait for me: I am asking the carrier now

> A parcel that has not been scanned for 48 hours counts as lost.
> You need not prove anything.

---

You can follow this under `Account → Orders → 481 207`."""

_REQUEST = """\
This is the request I filed. The reference is in the last line, in case you call them yourself:

```json
{
  "parcel": "00340434161094",
  "claim": "missing",
  "note": "Last scan in Hannover on Tuesday at 03:12, expected in Bremen at 09:55; two more parcels of that tour are \
missing as well, so that the whole roll cage may have been left behind",
  "reference": "MX-77120-B"
}
```

Or from a terminal: `curl https://carrier.example/claims/MX-77120-B`."""

_HUB = """\
The carrier's hub in Bremen, as of this morning:

![A hall with conveyor belts](https://carrier.example/hubs/bremen.jpg "Bremen")

### In short

- [x] strike over
- [ ] backlog sorted, *Friday at the latest*
- [ ] your parcel scanned

Three addresses that help:\\
Carrier: <https://carrier.example/contact>\\
Shop: <help@shop.example>\\
Arbitration: <https://arbitration.example>"""

_LETTER = """\
Dear Ines,\x20\x20
here is what we agreed on:\x20\x20
a new lamp, by express, free of charge.

If the old one turns up after all, simply **refuse** it, or keep it until the driver comes by again.

Kind regards\x20\x20
The shop's assistant"""

_CONVERSATION: tuple[tuple[int, tuple[Json, ...]], ...] = (
    (0, (user("Hello! My lamp (order 481207) should have been here on Wednesday. Where is it?"),)),
    (4, (task("Looking for order 481207", "Found: one walnut desk lamp, sent on Monday"),)),
    (
        3,
        (
            tool_call(
                "get_shipment",
                {"order": "481207", "with": ["scans", "weight"], "locale": "en"},
                {"parcel": "00340434161094", "carrier": "Example Parcel", "scans": 3, "eta": None, "insured": True},
            ),
        ),
    ),
    (2, (task("Thinking about the scans", "The weight fell by 20 g: the label was replaced?", "thought"),)),
    (
        9,
        (
            assistant(
                output(
                    _FOUND,
                    url("https://carrier.example/track/00340434161094"),
                    file("delivery-promise.pdf"),
                )
            ),
            widget(ORDER),
        ),
    ),
    (2 * _MINUTE, (user("Thank you. I asked both neighbours, they have nothing."),)),
    (
        11 * _MINUTE,
        (
            user(
                "This card was in my letter box, and this is our front door. The invoice is attached too.",
                attachments=(
                    attachment("card-from-driver.jpg", "image/jpeg", "https://files.example/preview/card.jpg?size=256"),
                    attachment("front door.heic", "image/heic"),
                    attachment("Invoice 481207.pdf", "application/pdf"),
                ),
            ),
        ),
    ),
    (
        6,
        (
            task_group(
                ("custom", "Reading card-from-driver.jpg", "Handwriting: “left w. Nr 17”"),
                ("custom", "Reading the invoice", None),
                ("thought", "There is no number 17", "Lindenallee ends at 15; perhaps another street is meant"),
                ("thought", None, "The date on the card is that of Tuesday"),
                ("custom", None, None),
            ),
            task(None, "The card belongs to another parcel", "thought"),
            task("Comparing the card with the tour plan", None),
            task(None, None),
        ),
    ),
    (
        13,
        (
            assistant(
                "The card is from **another** driver: it names number 17, and your street ends at 15.",
                output("So I still take the parcel for lost between Hannover and Bremen.", file("tour-plan-0342.csv")),
            ),
            widget(STOPS),
        ),
    ),
    (
        5 * _HOUR,
        (
            user(
                quoted("A parcel that has not been scanned for 48 hours counts as lost."),
                "Those 48 hours are over now. Please look it up again, thoroughly this time!",
                options=options("carrier_search", "gpt-5"),
            ),
        ),
    ),
    (5, (tool_call("open_claim", "parcel=00340434161094&claim=missing", "OK MX-77120-B"),)),
    (8, (assistant(_REQUEST),)),
    (
        40,
        (
            user("Is there more on the web about that strike?", options=options("web_search", None)),
            tool_call("search_news", {"q": "Bremen hub strike", "days": 3}, None),
            task_group(),
        ),
    ),
    (
        21,
        (
            assistant(
                output(
                    _HUB,
                    url("https://carrier.example/hubs/bremen"),
                    url("https://news.example/2026/09/strike-at-parcel-hub-ends"),
                )
            ),
            widget(CHARTS),
        ),
    ),
    (
        _DAY + 2 * _HOUR,
        (
            user(
                quoted("backlog sorted, Friday at the latest"),
                quoted("your parcel scanned"),
                "Anything new? 🙏",
                options=options(None, "gpt-5-mini"),
            ),
        ),
    ),
    (7, (widget(BASICS),)),
    (
        3,
        (
            assistant(
                "I'm sorry: it was found, but the lamp is ruined. You can have a new one or your money back.",
                "A new one would be with you tomorrow.",
            ),
            widget(FORM),
        ),
    ),
    (3 * _MINUTE, (user("A new one, please. Filled in!", options=options(None, None)),)),
    (
        2,
        (
            {
                "type": "chatkit.structured_input",
                "form": "replacement",
                "values": {"speed": "express", "finish": "brass"},
            },
            tool_call("order_replacement", {"order": "481207", "speed": "express"}, {"order": "481993", "price": 0}),
        ),
    ),
    (6, (assistant(_LETTER),)),
    (20, (widget(NOT_JSON),)),
    (
        _DAY + 14 * _HOUR,
        (user("It has come, and it is lovely. One thing is left: who pays for the ruined one?"),),
    ),
    (5, (assistant("We do. I'm asking a colleague in logistics to confirm it to you in writing."),)),
    (4, (tool_call("hand_over", {"team": "logistics", "case": "MX-77120-B"}, None, done=False),)),
    (30, (widget(UNHEARD_OF),)),
)


def parcel() -> list[tuple[int, Json]]:
    """The items as (seconds after the first, type-specific fields), in order."""
    timed: list[tuple[int, Json]] = []
    now = 0
    for after, items in _CONVERSATION:
        now += after
        timed += [(now + second, item) for second, item in enumerate(items)]
    return timed
