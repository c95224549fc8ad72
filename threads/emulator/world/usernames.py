"""What products call their users: whatever they like, which is why clients must encode it."""

from uuid import UUID

from .chance import Draw

# Users with threads enough for several pages whose names need care in a URL, by number.
AWKWARD = {
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


def _email(draw: Draw, number: int) -> str:
    return f"{draw.pick(_FIRST)}.{draw.pick(_LAST)}{number}@{draw.pick(_DOMAINS)}"


def _login(draw: Draw, number: int) -> str:
    return f"{draw.pick(_FIRST)}_{draw.pick(_LAST)[:3]}{number}"


def username(seed: int, number: int) -> str:
    """The name of user `number` in the world of `seed`; no two users share one."""
    if number in AWKWARD:
        return AWKWARD[number]
    draw = Draw(seed, 21, number)
    style = draw.below(100)
    if style < 34:
        return f"user_{draw.bits():016x}"
    if style < 54:
        return _email(draw, number)
    if style < 70:
        return f"cus_{draw.bits():016x}"
    if style < 82:
        return str(UUID(int=draw.bits() << 64 | draw.bits(), version=4))
    if style < 92:
        return f"auth0|{draw.bits():016x}{draw.below(2**32):08x}"
    return _login(draw, number) if style < 97 else str(1_000_000 + number)
