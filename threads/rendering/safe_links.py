"""Decides which untrusted addresses may become links, and names the host that each leads to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import quote, urlsplit, urlunsplit

SCHEMES = frozenset({"http", "https", "mailto"})
"""Schemes of addresses that may become links."""

_LONGEST = 4_000
"""Characters of an address that may become a link."""

_REMOVED = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\\]")
"""Characters that browsers remove from an address or replace, so that it would lead elsewhere than it seems."""

_HOST = re.compile(r"(?=.*[a-z])(?!0x)[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?|\d{1,3}(\.\d{1,3}){3}")
"""A host name with a letter in it, or a dotted IPv4 address: browsers read 2130706433 and 0x7f.1 as 127.0.0.1, and %2e
as a dot."""

_SAFE = "%/:=&?~+!$,;'@()*[]"


@dataclass(frozen=True, slots=True)
class Link:
    """An address that may be followed. `host` is where it leads: the e-mail address, or the host name in its ASCII
    form, so that no letter can be mistaken for another."""

    href: str
    host: str


def link(address: str) -> Link | None:
    """The link to `address`; None unless it is a complete http, https or mailto address. A user name before the host is
    refused, since readers take it for the host."""
    if len(address) > _LONGEST or _REMOVED.search(address):
        return None
    try:
        parts = urlsplit(address)
        if parts.scheme == "mailto":
            return _mail(parts.path)
        if parts.scheme not in SCHEMES or not parts.hostname or "@" in parts.netloc:
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
    local, _, host = address.rpartition("@")
    name = _ascii(host.lower())
    if not local or not local.isascii() or not _HOST.fullmatch(name):
        return None
    return Link(f"mailto:{quote(local, safe=_SAFE)}@{name}", f"{local}@{name}")


def _ascii(host: str) -> str:
    return host if host.isascii() else host.encode("idna").decode()
