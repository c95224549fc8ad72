"""Addresses that strangers wrote: which of them may become a link, and where each really leads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import quote, urlsplit, urlunsplit

_LONGEST = 4_000
_ODD = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\\]")
"""What browsers drop or turn round inside an address: it would not lead where it seems to."""

_HOST = re.compile(r"(?=.*[a-z])(?!0x)[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?|\d{1,3}(\.\d{1,3}){3}")
"""A name with a letter in it, or an address as people write it: browsers take 2130706433 and 0x7f.1 for 127.0.0.1, and
%2e for a dot."""

_SAFE = "%/:=&?~+!$,;'@()*[]"


@dataclass(frozen=True, slots=True)
class Link:
    """An address that can be followed. `host` is where it leads: a host name in its ASCII form, so that no letter
    passes for another, or the e-mail address."""

    href: str
    host: str


def link(address: str) -> Link | None:
    """The link to `address`; None unless it is http, https or mailto, whole, and leads to a host without a user name
    before it: what stands there is read as the host."""
    if len(address) > _LONGEST or _ODD.search(address):
        return None
    try:
        parts = urlsplit(address)
        if parts.scheme == "mailto":
            return _mail(parts.path)
        if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
            return None
        name = _ascii(parts.hostname)
        if ":" in name:
            name = f"[{ip_address(name)}]"
        elif not _HOST.fullmatch(name):
            return None
        host = name if parts.port is None else f"{name}:{parts.port}"
    except ValueError:
        return None
    rest = (quote(part, safe=_SAFE) for part in parts[2:])
    return Link(urlunsplit((parts.scheme, host, *rest)), host)


def _mail(address: str) -> Link | None:
    person, _, host = address.rpartition("@")
    name = _ascii(host.lower())
    if not person or not person.isascii() or not _HOST.fullmatch(name):
        return None
    return Link(f"mailto:{quote(person, safe=_SAFE)}@{name}", f"{person}@{name}")


def _ascii(host: str) -> str:
    return host if host.isascii() else host.encode("idna").decode()
