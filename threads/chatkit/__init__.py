"""Speaks to a ChatKit upstream. Knows nothing of Django, of a database, or of who is asking."""

from .client import BETA, Account, ChatKitClient, Exchange, Observer
from .errors import (
    ChatKitError,
    Garbled,
    NotFound,
    NotSignedIn,
    RateLimited,
    Refused,
    Retired,
    ScopesMissing,
    TimedOut,
    Unavailable,
)
from .transport import Limits
from .types import MAX_LIMIT, MAX_USER, Deletion, Order, Page, Status, Thread, ThreadItem
from .values import MAX_ID

__all__ = [
    "BETA",
    "MAX_ID",
    "MAX_LIMIT",
    "MAX_USER",
    "Account",
    "ChatKitClient",
    "ChatKitError",
    "Deletion",
    "Exchange",
    "Garbled",
    "Limits",
    "NotFound",
    "NotSignedIn",
    "Observer",
    "Order",
    "Page",
    "RateLimited",
    "Refused",
    "Retired",
    "ScopesMissing",
    "Status",
    "Thread",
    "ThreadItem",
    "TimedOut",
    "Unavailable",
]
