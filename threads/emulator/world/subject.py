"""The subject of one thread: topic, placeholder values, title and status."""

from dataclasses import dataclass
from typing import Literal

from .content import PRODUCTS, TONGUES, Opening, Topic
from .content.reasons import CLOSED, LOCKED
from .placeholders import Facts
from .seeded_random import SeededRandom

StatusType = Literal["active", "locked", "closed"]
TitleKind = Literal["null", "new", "long", "emoji", "html", "plain"]

_TITLE_KINDS: tuple[tuple[int, TitleKind], ...] = (
    (120, "null"),
    (200, "new"),
    (218, "long"),
    (250, "emoji"),
    (254, "html"),
    (1000, "plain"),
)
_EMOJI = ("😡 {}", "🙏 {}", "{} 🚚", "{} ❗", "✈️ {}", "{} 💳", "👋🏽 {}", "{} 👨‍👩‍👧")
_HTML = ("<b>{}</b>", "{} <script>alert(1)</script>", "Page shows <b>undefined</b> – {}", "{} &amp; more <i>…")
_ASIDES = (
    "and the reply I got from {person} on {day} did not help",
    "although I was told in {month} that this would be sorted out within {days} days",
    "please read the whole conversation before answering, I have explained it {number} times",
    "reference {case}, earlier reference {case2}, order {order}",
    "I need an answer before {date} because I am travelling to {city}",
    "my colleague in {city2} has the very same problem",
)
# The newest threads, on the first page, show every kind of title and status. Keys are distances from the newest.
_SHOWN_TITLES: dict[int, TitleKind] = {
    **dict.fromkeys((0, 1, 2, 4, 5, 7, 9), "plain"),
    3: "null",
    6: "new",
    10: "long",
    13: "emoji",
}
_SHOWN_STATUS: dict[int, tuple[StatusType, bool]] = {
    0: ("active", False),
    2: ("locked", True),
    5: ("closed", True),
    8: ("locked", False),
    9: ("locked", True),
    15: ("closed", False),
    17: ("closed", True),
}


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of one thread.

    `topic` is the first topic of the conversation, `product` all topics that may follow. `last_words` is the text of
    the closing message, or None.
    """

    product: tuple[Topic, ...]
    topic: Topic
    opening: Opening
    facts: Facts
    title: str | None
    status: StatusType
    reason: str | None
    last_words: str | None


def _long_title(title: str, rng: SeededRandom) -> str:
    start = rng.below(len(_ASIDES))
    asides = [_ASIDES[(start + step) % len(_ASIDES)] for step in range(rng.between(3, 5))]
    return "; ".join([title, *asides])


def _title_kind(rng: SeededRandom, from_newest: int) -> TitleKind:
    roll = rng.below(1000)
    kind = next(kind for below, kind in _TITLE_KINDS if roll < below)
    return _SHOWN_TITLES.get(from_newest, kind)


def _title(opening: Opening, facts: Facts, rng: SeededRandom, from_newest: int) -> str | None:
    kind = _title_kind(rng, from_newest)
    title = rng.pick(opening.titles).format_map(facts)
    title = title[:1].upper() + title[1:]
    match kind:
        case "null":
            return None
        case "new":
            return "New thread"
        case "long":
            return _long_title(title, rng).format_map(facts)
        case "emoji":
            return rng.pick(_EMOJI).format(title)
        case "html":
            return rng.pick(_HTML).format(title)
        case "plain":
            return title


def _status(rng: SeededRandom, from_newest: int) -> tuple[StatusType, bool]:
    """The status, and whether it has a reason. Added threads are active."""
    roll, reasoned = rng.below(100), not rng.odds(12)
    if from_newest < 0:
        return "active", False
    kind: StatusType = "active" if roll < 84 else "locked" if roll < 93 else "closed"
    return _SHOWN_STATUS.get(from_newest, (kind, reasoned))


def subject(seed: int, index: int, from_newest: int) -> Subject:
    """The subject of the thread `index` in the world of `seed`.

    `from_newest` is 0 for the newest initial thread, 1 for the next older one, and negative for added threads.
    """
    rng = SeededRandom(seed, 31, index)
    facts = Facts(seed, 32, index)
    product = rng.pick(TONGUES if rng.odds(9) else PRODUCTS)
    topic = rng.pick(product)
    opening = rng.pick(topic.openings)
    title = _title(opening, facts, rng, from_newest)
    status, reasoned = _status(rng, from_newest)
    reason: str | None = None
    last_words: str | None = None
    if status != "active" and reasoned:
        reason, last_words = rng.pick(LOCKED if status == "locked" else CLOSED)
        reason = reason.format_map(facts)
        last_words = last_words and last_words.format_map(facts)
    return Subject(product, topic, opening, facts, title, status, reason, last_words)
