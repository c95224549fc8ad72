"""Random values for the placeholders in texts, such as `{order}` or `{city}`, fixed for each conversation."""

from collections.abc import Callable, Mapping
from zlib import crc32

from .seeded_random import SeededRandom

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


def _amount(rng: SeededRandom) -> str:
    return f"{rng.pick('€$£')}{rng.between(4, 900)}.{rng.pick(('00', '50', '90', '95', '99'))}"


_GENERATORS: Mapping[str, Callable[[SeededRandom], str]] = {
    "amount": _amount,
    "order": lambda rng: str(rng.between(30_000, 989_999)),
    "case": lambda rng: str(rng.between(10_000, 99_999)),
    "days": lambda rng: str(rng.between(2, 9)),
    "number": lambda rng: str(rng.between(2, 60)),
    "percent": lambda rng: str(rng.between(10, 95)),
    "last4": lambda rng: f"{rng.below(10_000):04}",
    "flight": lambda rng: f"{rng.pick(('NW', 'BK', 'AX'))} {rng.between(120, 2980)}",
    "booking": lambda rng: "".join(rng.pick("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(6)),
    "seat": lambda rng: f"{rng.between(4, 38)}{rng.pick('ABCDEF')}",
    "time": lambda rng: f"{rng.between(6, 22):02}:{rng.pick(('00', '05', '15', '20', '35', '40', '55'))}",
    "date": lambda rng: f"{rng.between(1, 28)} {rng.pick(_POOLS['month'])}",
    "domain": lambda rng: (
        f"{rng.pick(('northside', 'pinecone', 'studio', 'cafe', 'kita'))}-"
        f"{rng.pick(('books', 'bikes', 'nine', 'lab', 'garden'))}.example"
    ),
    "ip": lambda rng: f"203.0.113.{rng.between(1, 254)}",
    "hash": lambda rng: f"{rng.bits():016x}"[:10],
}


class Facts(dict[str, str]):
    """Maps placeholder names to values, generated on first use from `seed`.

    `{city}` and `{city2}` are two values of one kind. A value does not depend on the order of use, so a title alone
    has the same values as the whole conversation.
    """

    def __init__(self, *seed: int) -> None:
        super().__init__()
        self._seed = seed

    def __missing__(self, name: str) -> str:
        rng = SeededRandom(*self._seed, crc32(name.encode()))
        kind = name.rstrip("0123456789") if name != "last4" else name
        generator = _GENERATORS.get(kind)
        self[name] = fact = generator(rng) if generator else rng.pick(_POOLS[kind])
        return fact


def fill(template: object, facts: Facts) -> object:
    """Returns `template` with all placeholders filled in, also in nested lists and dicts."""
    match template:
        case str():
            return template.format_map(facts)
        case dict():
            return {key: fill(value, facts) for key, value in template.items()}
        case list():
            return [fill(value, facts) for value in template]
        case _:
            return template
