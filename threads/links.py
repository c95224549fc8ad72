"""Addresses that strangers wrote: which of them may become a link, and where each really leads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

_LONGEST = 4_000
_ODD = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\\]")
"""What browsers drop or turn round inside an address: it would not lead where it seems to."""

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
        if parts.scheme == "mailto" and parts.path:
            return Link(f"mailto:{quote(parts.path, safe=_SAFE)}", parts.path)
        if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
            return None
        name = parts.hostname if parts.hostname.isascii() else parts.hostname.encode("idna").decode()
        host = f"[{name}]" if ":" in name else name
        host += f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    rest = (quote(part, safe=_SAFE) for part in parts[2:])
    return Link(urlunsplit((parts.scheme, host, *rest)), host)
