"""User ids in the styles of different products, including ids that need encoding in a URL."""

from uuid import UUID

from .seeded_random import SeededRandom

# User ids that need encoding in a URL, by user number. Each user has several pages of threads.
AWKWARD_USERNAMES = {
    3: "łucja.żółć+vip@example.org",
    6: "ACME Corp/ops team 100% #7",
    9: "用户_4821",
}
_FIRST = (
    "amara anna arjun beatriz ben carlos chen chloe daniel elena emeka emma fatima felix grace hana "
    "hugo ines ivan jamal jonas julia kenji lars leila linh lucas maria mateo mei mia nadia noah "
    "olga omar paula priya rosa sam sofia tariq thomas viktor yara zoe"
).split()
_LAST = (
    "adeyemi ahmed andersson bauer becker brown costa dubois evans fernandez garcia gruber haddad "
    "ivanova jensen johnson kaya khan kim kowalski kumar laurent lee lopez martin mbeki meyer moreau "
    "nguyen novak okafor olsen park patel petrov rossi sato schmidt silva singh smith tanaka weber"
).split()
_DOMAINS = ("example.com", "example.org", "example.net", "mail.example", "post.example")


def _email(rng: SeededRandom, number: int) -> str:
    return f"{rng.pick(_FIRST)}.{rng.pick(_LAST)}{number}@{rng.pick(_DOMAINS)}"


def _login(rng: SeededRandom, number: int) -> str:
    return f"{rng.pick(_FIRST)}_{rng.pick(_LAST)[:3]}{number}"


def username(seed: int, number: int) -> str:
    """The unique id of user `number` in the world of `seed`."""
    if number in AWKWARD_USERNAMES:
        return AWKWARD_USERNAMES[number]
    rng = SeededRandom(seed, 21, number)
    style = rng.below(100)
    if style < 34:
        return f"user_{rng.bits():016x}"
    if style < 54:
        return _email(rng, number)
    if style < 70:
        return f"cus_{rng.bits():016x}"
    if style < 82:
        return str(UUID(int=rng.bits() << 64 | rng.bits(), version=4))
    if style < 92:
        return f"auth0|{rng.bits():016x}{rng.below(2**32):08x}"
    return _login(rng, number) if style < 97 else str(1_000_000 + number)
