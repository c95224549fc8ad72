"""Validation of the URL parameters of a list and of a conversation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, unquote

from django import forms
from django.core.validators import ProhibitNullCharactersValidator

from threads.chatkit import MAX_ID, MAX_LIMIT, MAX_USER, is_cursor
from threads.lib.form_fields import Errors, OpaqueTextField, clean_fields, clean_list_fields, day, order, rows_per_page

from .query import DEFAULT_ITEM_LIMIT, DEFAULT_LIMIT, ItemQuery, ThreadQuery


class _User(OpaqueTextField):
    """A user id: any text but the empty one. It may be blank or hold a NUL character, as the API allows."""

    def __init__(self) -> None:
        super().__init__("A user id", MAX_USER)
        self.validators = [each for each in self.validators if not isinstance(each, ProhibitNullCharactersValidator)]

    def is_nothing(self, text: str) -> bool:
        return not text


class _Cursor(OpaqueTextField):
    """The id of the row that a page begins at. The API gives no id with control characters."""

    def to_python(self, value: Any) -> str | None:
        text = super().to_python(value)
        if text is not None and len(text) <= MAX_ID and "\0" not in text and not is_cursor(text):
            raise forms.ValidationError("A place in a list has no control characters in it, such as line breaks.")
        return text


FIELDS: dict[str, forms.Field] = {
    "user": _User(),
    "match": forms.ChoiceField(
        required=False,
        choices=[("exact", "The whole id"), ("part", "A part of it")],
        error_messages={"invalid_choice": "Match is exact (the whole user id) or part (a part of it)."},
    ),
    "status": OpaqueTextField("A status", 100),
    "has_reason": forms.ChoiceField(
        required=False,
        choices=[("yes", "With a reason"), ("no", "Without a reason")],
        error_messages={"invalid_choice": "A reason is there (yes) or not (no)."},
    ),
    "reason": OpaqueTextField("A reason", 8000),
    "q": OpaqueTextField("A search", 20_000),
    "hour": forms.RegexField(
        r"\A[0-6]-(?:[01][0-9]|2[0-3])\Z",
        required=False,
        empty_value=None,
        error_messages={"invalid": "An hour of the week is a day from 0 (Monday) to 6 and an hour, such as 0-09."},
    ),
    "from": day(),
    "to": day(),
    "in": forms.ChoiceField(
        required=False,
        choices=[("today", "Today"), ("7d", "Last 7 days"), ("30d", "Last 30 days")],
        error_messages={"invalid_choice": "The days of the last message are today, 7d or 30d."},
    ),
    "order": order(),
    "sort": forms.ChoiceField(
        required=False,
        choices=[("created", "Created"), ("latest", "Latest activity"), ("best", "Best match")],
        error_messages={"invalid_choice": "Sort is created, latest (latest activity) or best (best match)."},
    ),
    "limit": rows_per_page(0, MAX_LIMIT),
    "after": _Cursor("A place in the list", MAX_ID),
    "before": _Cursor("A place in the list", MAX_ID),
    "since": _Cursor("A place in the list", MAX_ID),
}
"""URL parameters of a list, with the API's names. An absent or blank one takes its default.

Bare fields without a `Form`, which copies all its fields for each request: 171 µs against 15 µs measured."""

_UNREADABLE = "This address is not one that Threadkeeper made. Open the conversation by its own address."

ITEM_FIELDS: dict[str, forms.Field] = {
    "limit": forms.IntegerField(required=False, min_value=1, max_value=MAX_LIMIT),
    "from": forms.ChoiceField(
        required=False, choices=[("beginning", "The beginning")], error_messages={"invalid_choice": _UNREADABLE}
    ),
    "after": _Cursor("A place in the conversation", MAX_ID),
    "before": _Cursor("A place in the conversation", MAX_ID),
    "at": _Cursor("A place in the conversation", MAX_ID),
    "count": forms.IntegerField(
        required=False,
        min_value=0,
        max_value=10**9,
        error_messages=dict.fromkeys(["invalid", "min_value", "max_value"], _UNREADABLE),
    ),
    "since": forms.IntegerField(
        required=False,
        min_value=-(10**12),
        max_value=10**12,
        error_messages=dict.fromkeys(["invalid", "min_value", "max_value"], _UNREADABLE),
    ),
}
"""URL parameters of a conversation."""

THREAD_ID = OpaqueTextField("A thread id", MAX_ID)
"""Field for a whole thread id."""

_WHOLE_IDS = "Your account sees user ids shortened, and finds users by their whole id only. Leave this out."
"""A search by a part would let a masked account find an id one character at a time."""

_NO_WORDS = "Best match needs words to search for. Type some, or choose another order."

# Parameters of the page's form, beside those of a list:
#
# - `find`, the search box: a user id, a thread's id or address, or words. The service decides which.
# - `was`, sent beside `user`: the percent-encoded user id that the customer field was filled with. Where the two agree,
#   the field was not edited, and the id is taken from here, since inputs drop some characters.


def parse_thread_query(parameters: Mapping[str, str], *, masked: bool) -> tuple[ThreadQuery | None, Errors]:
    """The query in the URL parameters of a list; or None, and sentences about the errors by field.

    `masked` is for an account that may not see user ids: it may filter by a whole id, and never by a part of one.
    """
    values, errors = clean_list_fields(FIELDS, {**parameters, "user": _user(parameters)})
    values["match"] = "part" if values.get("match") == "part" and values.get("user") is not None else "exact"
    if masked and values["match"] == "part":
        errors["match"] = [_WHOLE_IDS]
    if values.get("sort") == "best" and values.get("q") is None and "q" not in errors:
        errors["sort"] = [_NO_WORDS]
    if errors:
        return None, errors
    values["has_reason"] = {"yes": True, "no": False}.get(values["has_reason"])
    values["within"], values["sort"] = values.pop("in") or None, values["sort"] or None
    values["limit"] = DEFAULT_LIMIT if values["limit"] is None else values["limit"]
    if values["sort"] == "best":
        values["order"] = "desc"  # a ranking has one direction
    elif values["sort"] is None and parameters.get("order") == "desc":
        values["sort"] = "created"  # by name, the API's order
    query = ThreadQuery(**values)
    return (replace(query, sort=None) if query.sort == query.default_sort else query), {}


def without_invalid(parameters: Mapping[str, str], errors: Errors) -> dict[str, str]:
    """The parameters but for those with an error."""
    wrong = {*errors} | ({"after", "before", "since"} if "place" in errors else set())
    return {name: value for name, value in parameters.items() if name not in wrong}


def box_text(parameters: Mapping[str, str]) -> str | None:
    """The text that was typed into the search box; None where there is none, or where the box still holds the words
    of the list."""
    typed = parameters.get("find", "")
    is_unchanged = as_input_value(typed) == as_input_value(parameters.get("q", ""))
    return None if is_unchanged or not typed.strip() else typed


def _user(parameters: Mapping[str, str]) -> str:
    """The user id or the typed text; "" for none."""
    user = parameters.get("user", "")
    if "was" not in parameters:
        return user
    filled = unquote(parameters["was"])
    if filled and as_input_value(filled) == as_input_value(user):
        return filled
    return user if user.strip() else ""  # a blank field counts as empty


def as_input_value(text: str) -> str:
    """A text as a browser sends it back from an input that was filled with it."""
    return text.replace("\0", "\ufffd").replace("\r", "").replace("\n", "")


def was_value(user: str) -> str:
    """The value of `was` for a user id that the customer field is filled with."""
    return quote(user, safe="")


def parse_item_query(parameters: Mapping[str, str]) -> tuple[ItemQuery | None, Errors]:
    """The query in the URL parameters of a conversation; or None, and sentences about the errors by field."""
    values, errors = clean_fields(ITEM_FIELDS, parameters)
    if sum(bool(values.get(name)) for name in ("from", "after", "before", "at")) > 1:
        errors["place"] = [_UNREADABLE]
    if errors:
        return None, errors
    values["limit"] = values["limit"] or DEFAULT_ITEM_LIMIT
    values["from_beginning"] = values.pop("from") == "beginning"
    if not (values["after"] or values["before"] or values["at"]):
        values["count"] = 0
    return ItemQuery(**values), {}
