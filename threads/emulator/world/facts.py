"""The facts of one conversation: its order number, its city, its amount – the same wherever told."""

from collections.abc import Callable, Mapping
from zlib import crc32

from .chance import Draw

_POOLS: Mapping[str, tuple[str, ...]] = {
    "item": (
        "rain jacket",
        "standing desk",
        "coffee machine",
        "pair of running shoes",
        "phone case",
        "desk lamp",
        "ceramic planter",
        "wool blanket",
        "bike helmet",
        "hiking backpack",
        "cast-iron pan",
        "bookshelf",
        "pair of headphones",
        "gift card",
        "tea set",
        "mechanical keyboard",
    ),
    "colour": ("black", "navy", "sand", "forest green", "rust", "light grey"),
    "size": ("S", "M", "L", "XL", "42", "38.5"),
    "city": (
        "Lisbon",
        "Oslo",
        "Toronto",
        "Nairobi",
        "Kraków",
        "Singapore",
        "Chicago",
        "Madrid",
        "Dublin",
        "Osaka",
        "Istanbul",
        "Montréal",
        "Berlin",
        "São Paulo",
        "Melbourne",
        "Tallinn",
    ),
    "day": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "month": ("January", "February", "March", "April", "May", "June", "July", "September", "October"),
    "carrier": ("DHL", "UPS", "FedEx", "GLS", "DPD"),
    "person": ("Alex", "Mina", "Jonas", "Priya", "Samuel", "Leïla", "Grace", "Tom", "Yuki", "Carla"),
    "plan": ("Starter", "Team", "Business", "Enterprise"),
    "merchant": ("a streaming service", "a petrol station", "an online shop", "a hotel in Prague", "a gym"),
    "region": ("eu-west-1", "eu-central-1", "us-east-2", "ap-south-1"),
    "tool": ("Slack", "Jira", "HubSpot", "Google Sheets", "Salesforce", "Notion", "Zapier"),
    "error": ("502 Bad Gateway", "ERR_CONNECTION_RESET", "403 Forbidden", "SQLSTATE[HY000] [2002]", "timeout"),
    "lang": ("Python 3.12", "Node 22", "PHP 8.3", "Ruby 3.4", "Go 1.23"),
}


def _amount(draw: Draw) -> str:
    return f"{draw.pick('€$£')}{draw.between(4, 900)}.{draw.pick(('00', '50', '90', '95', '99'))}"


_MAKERS: Mapping[str, Callable[[Draw], str]] = {
    "amount": _amount,
    "order": lambda draw: str(draw.between(30_000, 989_999)),
    "case": lambda draw: str(draw.between(10_000, 99_999)),
    "days": lambda draw: str(draw.between(2, 9)),
    "number": lambda draw: str(draw.between(2, 60)),
    "percent": lambda draw: str(draw.between(10, 95)),
    "last4": lambda draw: f"{draw.below(10_000):04}",
    "flight": lambda draw: f"{draw.pick(('NW', 'BK', 'AX'))} {draw.between(120, 2980)}",
    "booking": lambda draw: "".join(draw.pick("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(6)),
    "seat": lambda draw: f"{draw.between(4, 38)}{draw.pick('ABCDEF')}",
    "time": lambda draw: f"{draw.between(6, 22):02}:{draw.pick(('00', '05', '15', '20', '35', '40', '55'))}",
    "date": lambda draw: f"{draw.between(1, 28)} {draw.pick(_POOLS['month'])}",
    "domain": lambda draw: (
        f"{draw.pick(('northside', 'pinecone', 'studio', 'cafe', 'kita'))}-"
        f"{draw.pick(('books', 'bikes', 'nine', 'lab', 'garden'))}.example"
    ),
    "ip": lambda draw: f"203.0.113.{draw.between(1, 254)}",
    "hash": lambda draw: f"{draw.bits():016x}"[:10],
}


class Facts(dict[str, str]):
    """Draws each fact when it is first asked for, from the seed and the thread it belongs to.

    `{city}` and `{city2}` are two facts of one kind. A fact does not depend on which were asked
    for before it, so a title alone tells the same as the whole conversation.
    """

    def __init__(self, *seed: int) -> None:
        super().__init__()
        self._seed = seed

    def __missing__(self, name: str) -> str:
        draw = Draw(*self._seed, crc32(name.encode()))
        kind = name.rstrip("0123456789") if name != "last4" else name
        maker = _MAKERS.get(kind)
        self[name] = fact = maker(draw) if maker else draw.pick(_POOLS[kind])
        return fact


def fill(template: object, facts: Facts) -> object:
    """`template` with every `{fact}` in its texts filled in; lists and dicts are walked through."""
    match template:
        case str():
            return template.format_map(facts)
        case dict():
            return {key: fill(value, facts) for key, value in template.items()}
        case list():
            return [fill(value, facts) for value in template]
        case _:
            return template
