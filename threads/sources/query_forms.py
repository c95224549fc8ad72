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
    "sort": forms.ChoiceField(
        required=False,
        choices=[("created", "Created"), ("best", "Best match"), ("latest", "Latest activity")],
        error_messages={"invalid_choice": "Sort is created, best (best match) or latest (latest activity)."},
    ),
    "order": order(),
    "limit": rows_per_page(0, MAX_LIMIT),
    "after": _Cursor("A place in the list", MAX_ID),
    "before": _Cursor("A place in the list", MAX_ID),
    "since": _Cursor("A place in the list", MAX_ID),
}
"""URL parameters of a list, with the API's names. An absent or blank one takes its default.

Bare fields without a `Form`, which copies all its fields for each request: 171 µs against 15 µs measured."""

_UNREADABLE = "This address is not one that Threadkeeper made. Start from the beginning of the conversation."

ITEM_FIELDS: dict[str, forms.Field] = {
    "limit": forms.IntegerField(required=False, min_value=1, max_value=MAX_LIMIT),
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

BOX_PARAMETER = "find"
"""Parameter that the search box sends beside `user`: the percent-encoded user id that the box was filled with, or "".

Where the two agree, the box was not edited, and the id is taken from here, since inputs drop some characters. Otherwise
`user` was typed: a part of an id, a URL, or anything. Without this parameter `user` is a whole id."""


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
    values["limit"] = DEFAULT_LIMIT if values["limit"] is None else values["limit"]
    values["sort"] = values["sort"] or None
    if values["sort"] == "best":
        values["order"] = "desc"  # a ranking has one direction
    elif values["sort"] is None and parameters.get("order") == "desc":
        values["sort"] = "created"  # by name, the API's order
    query = ThreadQuery(**values, guess=is_typed(parameters) and not masked and values["match"] == "exact")
    return (replace(query, sort=None) if query.sort == query.default_sort else query), {}


def is_typed(parameters: Mapping[str, str]) -> bool:
    """Whether `user` was typed into the search box, other than the id that the box was filled with."""
    filled = unquote(parameters.get(BOX_PARAMETER, ""))
    return BOX_PARAMETER in parameters and not (
        filled and as_input_value(filled) == as_input_value(parameters.get("user", ""))
    )


def _user(parameters: Mapping[str, str]) -> str:
    """The user id or the typed text; "" for none."""
    user = parameters.get("user", "")
    if is_typed(parameters):
        return user if user.strip() else ""  # a blank box counts as empty
    return unquote(parameters.get(BOX_PARAMETER, "")) or user


def as_input_value(user: str) -> str:
    """A user id as a browser sends it back from an input that was filled with it."""
    return user.replace("\0", "\ufffd").replace("\r", "").replace("\n", "")


def box_value(user: str) -> str:
    """The value of the `BOX_PARAMETER` parameter for a user id that the search box is filled with."""
    return quote(user, safe="")


def parse_item_query(parameters: Mapping[str, str]) -> tuple[ItemQuery | None, Errors]:
    """The query in the URL parameters of a conversation; or None, and sentences about the errors by field."""
    values, errors = clean_fields(ITEM_FIELDS, parameters)
    if sum(values.get(name) is not None for name in ("after", "before", "at")) > 1:
        errors["place"] = [_UNREADABLE]
    if errors:
        return None, errors
    values["limit"] = values["limit"] or DEFAULT_ITEM_LIMIT
    if not (values["after"] or values["before"] or values["at"]):
        values["count"] = 0
    return ItemQuery(**values), {}
