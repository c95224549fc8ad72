"""Client for OpenAI's hosted ChatKit threads API. Uses neither Django nor a database."""

from .client import BETA, ApiConfig, ChatKitClient, Exchange, Observer
from .errors import (
    PERMANENT_ERRORS,
    ChatKitError,
    CursorGone,
    Garbled,
    NotFound,
    NotSignedIn,
    OtherProject,
    RateLimited,
    Refused,
    Retired,
    ScopesMissing,
    TimedOut,
    TooLarge,
    Unavailable,
)
from .pages import pages
from .transport import Limits
from .types import MAX_LIMIT, MAX_USER, Deletion, LeftOut, Order, Page, Status, Thread, ThreadItem
from .values import MAX_ID, is_cursor, is_identifier

__all__ = [
    "BETA",
    "MAX_ID",
    "MAX_LIMIT",
    "MAX_USER",
    "PERMANENT_ERRORS",
    "ApiConfig",
    "ChatKitClient",
    "ChatKitError",
    "CursorGone",
    "Deletion",
    "Exchange",
    "Garbled",
    "LeftOut",
    "Limits",
    "NotFound",
    "NotSignedIn",
    "Observer",
    "Order",
    "OtherProject",
    "Page",
    "RateLimited",
    "Refused",
    "Retired",
    "ScopesMissing",
    "Status",
    "Thread",
    "ThreadItem",
    "TimedOut",
    "TooLarge",
    "Unavailable",
    "is_cursor",
    "is_identifier",
    "pages",
]
