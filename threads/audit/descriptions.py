"""Descriptions of audit events in sentences, for the page and the CSV file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from django.http import QueryDict

from .models import AuditEvent
from .record import Action, Outcome

ACTIONS: dict[str, str] = {
    Action.SIGN_IN: "Signed in",
    Action.SIGN_OUT: "Signed out",
    Action.ACCOUNT: "Account created or changed",
    Action.ROLES: "Roles changed",
    Action.READ: "Read a conversation",
    Action.SEARCH: "Searched threads",
    Action.EXPORT: "Exported threads",
    Action.DELETE: "Deleted a thread",
    Action.ERASURE: "Erased threads",
    Action.ARCHIVE: "Synced threads",
    Action.PURGE: "Removed the copy of a thread deleted at OpenAI",
    Action.AUDIT: "Read the audit log",
}
"""The actions for a choice, and for events without a better description."""

OUTCOMES: dict[str, str] = {
    Outcome.DONE: "Done",
    Outcome.REFUSED: "Refused",
    Outcome.FAILED: "Failed",
    Outcome.INTENT: "Started",
    Outcome.UNKNOWN: "Unknown",
    Outcome.GONE: "Already gone",
    Outcome.PARTIAL: "Partly done",
}

SEARCH_WORDS = "Search words"

_NAMES = {
    "threads": "Threads shown",
    "items": "Items shown",
    "events": "Events shown",
    "rows": "Rows in the file",
    "from": "Answered by",
    "account": "Account",
    "roles": "Roles",
    "role": "Role",
    "rights": "Rights",
    "typed": "Typed",
    "users": "Customers shown",
    "pages": "Pages of the list",
    "threads_seen": "Threads seen",
    "refusals": "Times rate-limited",
    "run": "Synced",
    "asked": "Requested",
    "words": SEARCH_WORDS,
    "step": "Went on to",
    "locked": "Locked",
    "minutes": "For minutes",
    "archived": "File",
}
_FILTERS = {
    "user": "Customer",
    "match": "Match",
    "status": "Status",
    "has_reason": "With a reason",
    "reason": "Reason",
    "q": "Words",
    "hour": "Hour of the week",
    "from": "From day",
    "to": "To day",
    "sort": "Sorted by",
    "order": "Order",
    "limit": "Rows per page",
    "after": "After",
    "before": "Before",
    "at": "From item",
    "account": "Account",
    "who": "Account",
    "action": "Event",
    "outcome": "Result",
    "thread": "Thread",
    "customer": "Customer",
    "address": "Network address",
    "request_id": "Request id",
}
ENCODED = ("list", "items", "log", "trail", "download", "query")
"""Details that hold a query string. Earlier versions stored "trail" for "log", and "who" for "account" in it."""

_NOT_SHOWN = ("shown", "change", "beside", "count", "since")


def describe(event: AuditEvent) -> str:
    """What was done, such as "Gave ada the role Auditor"."""
    specific = _DESCRIBE.get(event.action)
    text = specific(event, event.detail if isinstance(event.detail, dict) else {}) if specific else None
    return text or ACTIONS.get(event.action, event.action)


def details(event: AuditEvent) -> Iterator[tuple[str, str]]:
    """Names and values of further details."""
    detail = event.detail if isinstance(event.detail, dict) else {"detail": event.detail}
    for name, value in detail.items():
        if name in ENCODED and isinstance(value, str):
            query = QueryDict(value)
            yield from ((_FILTERS.get(each, each), query[each]) for each in query if each not in _NOT_SHOWN)
        elif name == "fields" and isinstance(value, dict):
            yield "Changed", "; ".join(_changed(*each) for each in value.items())
        elif name not in _NOT_SHOWN:
            yield _NAMES.get(name, name.replace("_", " ").capitalize()), _plain(value)
    if event.request_id:
        yield "Request id", event.request_id
    if event.upstream_request_id:
        yield "OpenAI request id", event.upstream_request_id


def _changed(name: str, values: Any) -> str:
    field = {"is_active": "may sign in", "is_superuser": "superuser", "is_staff": "staff"}.get(name, name)
    if name == "password" or not isinstance(values, list) or len(values) != 2:
        return f"{field} changed"
    return f"{field} from {_plain(values[0]) or 'nothing'} to {_plain(values[1]) or 'nothing'}"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _sign_in(event: AuditEvent, detail: dict[str, Any]) -> str | None:
    if event.outcome != Outcome.REFUSED:
        return None
    account = _plain(detail.get("account", "somebody"))
    if "attempts_refused" in detail:
        return f"Went on trying to sign in as {account} while it was locked"
    return f"Tried to sign in as {account}"


def _account(_event: AuditEvent, detail: dict[str, Any]) -> str | None:
    verb = {"made": "Created", "changed": "Changed", "deleted": "Deleted"}.get(str(detail.get("change")))
    return f"{verb} the account {_plain(detail.get('account', ''))}" if verb else None


def _roles(_event: AuditEvent, detail: dict[str, Any]) -> str | None:
    change, held = detail.get("change"), _plain(detail.get("roles", []))
    if "role" in detail and change == "deleted":
        return f"Deleted the role {_plain(detail['role'])}"
    if "role" in detail:
        return f"Changed what the role {_plain(detail['role'])} may do"
    account = _plain(detail.get("account", ""))
    if change == "given":
        return f"Gave {account} the role{_s(detail)} {held}"
    return f"Took the role{_s(detail)} {held} from {account}" if held else f"Took all roles from {account}"


def _s(detail: dict[str, Any]) -> str:
    held = detail.get("roles")
    return "s" if isinstance(held, list) and len(held) > 1 else ""


def _read(_event: AuditEvent, detail: dict[str, Any]) -> str | None:
    return "Read on in a conversation" if "items" in detail else None


def _search(event: AuditEvent, detail: dict[str, Any]) -> str | None:
    if "typed" in detail:
        return "Was offered customers while typing"
    if detail.get("beside"):
        return "Saw a customer's other threads"
    if "step" in detail:
        return "Stepped through the threads of a list"
    query = QueryDict(str(detail.get("list", "")))
    words = "Searched threads" if "q" in query else "Filtered threads"
    return f"{words} of a customer" if event.user_id else words


def _archive(event: AuditEvent, detail: dict[str, Any]) -> str | None:
    if "adopted" in detail:
        return "Adopted another API for the archive"
    if detail.get("deletions") == "accepted":
        return "Accepted deletions at OpenAI"
    if "deletions" in detail:
        return "Stopped marking deletions at OpenAI"
    return "Requested a full sync" if detail.get("asked") else None


def _audit(_event: AuditEvent, detail: dict[str, Any]) -> str | None:
    if "archived" in detail:
        return "Archived old events of the audit log"
    if "receipt" in detail:
        return f"{'Read' if detail.get('shown') else 'Downloaded'} the receipt of an erasure"
    if "erasures" in detail:
        return "Read the list of erasure requests"
    return "Downloaded the audit log" if "download" in detail else None


_DESCRIBE: dict[str, Callable[[AuditEvent, dict[str, Any]], str | None]] = {
    Action.SIGN_IN: _sign_in,
    Action.ACCOUNT: _account,
    Action.ROLES: _roles,
    Action.READ: _read,
    Action.SEARCH: _search,
    Action.ARCHIVE: _archive,
    Action.AUDIT: _audit,
}
