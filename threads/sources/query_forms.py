"""What may stand in the address of a list, or of a conversation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

from django import forms
from django.core.validators import ProhibitNullCharactersValidator

from threads.audit import query
from threads.audit.query import TrailQuery
from threads.audit.record import Action, Outcome
from threads.chatkit import MAX_ID, MAX_LIMIT, MAX_USER, is_cursor

from .query import DEFAULT_LIMIT, ITEMS, ItemQuery, ThreadQuery

DAYS_CLASH = "The last day lies before the first. Exchange them, or leave one out."

_CLASH = "An address has either after or before, not both. Remove one of them, or start from the first page."


class _Text(forms.CharField):
    """Opaque text, taken to the letter: a user id may well begin with a space."""

    def __init__(self, what: str, most: int) -> None:
        messages = {
            "max_length": f"{what} has at most {most} characters. This one has %(show_value)d.",
            "null_characters_not_allowed": f"{what} can't have a NUL character in it.",
        }
        super().__init__(required=False, strip=False, max_length=most, empty_value=None, error_messages=messages)

    def to_python(self, value: Any) -> str | None:
        text = super().to_python(value)
        if text is None or self.is_nothing(text):
            return None
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise forms.ValidationError("This is not valid text. Copy it anew from where it came.") from error
        return str(text)

    def is_nothing(self, text: str) -> bool:
        return not text.strip()


class _User(_Text):
    """A user id. A customer's product may give any text but none as one: blank, or with a NUL character."""

    def __init__(self) -> None:
        super().__init__("A user id", MAX_USER)
        self.validators = [each for each in self.validators if not isinstance(each, ProhibitNullCharactersValidator)]

    def is_nothing(self, text: str) -> bool:
        return not text


class _Place(_Text):
    """An id that a page begins at. One with control characters was given by nobody."""

    def to_python(self, value: Any) -> str | None:
        text = super().to_python(value)
        if text is not None and len(text) <= MAX_ID and "\0" not in text and not is_cursor(text):
            raise forms.ValidationError("A place in a list has no control characters in it, such as line breaks.")
        return text


def _row_number() -> forms.Field:
    wrong = "This is no place in the trail. Start from the first page."
    messages = dict.fromkeys(["invalid", "min_value", "max_value"], wrong)
    return forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, error_messages=messages)


FIELDS: dict[str, forms.Field] = {
    "user": _User(),
    "match": forms.ChoiceField(
        required=False,
        choices=[("exact", "The whole id"), ("part", "A part of it")],
        error_messages={"invalid_choice": "Match is exact (the whole user id) or part (a part of it)."},
    ),
    "status": _Text("A status", 100),
    "has_reason": forms.ChoiceField(
        required=False,
        choices=[("yes", "With a reason"), ("no", "Without a reason")],
        error_messages={"invalid_choice": "A reason is there (yes) or not (no)."},
    ),
    "reason": _Text("A reason", 8000),
    "q": _Text("A search", 20_000),
    "hour": forms.RegexField(
        r"\A[0-6]-(?:[01][0-9]|2[0-3])\Z",
        required=False,
        empty_value=None,
        error_messages={"invalid": "An hour of the week is a day from 0 (Monday) to 6 and an hour, such as 0-09."},
    ),
    "from": forms.DateField(
        required=False, input_formats=["%Y-%m-%d"], error_messages={"invalid": "A day is written as in 2026-11-30."}
    ),
    "to": forms.DateField(
        required=False, input_formats=["%Y-%m-%d"], error_messages={"invalid": "A day is written as in 2026-11-30."}
    ),
    "order": forms.ChoiceField(
        required=False,
        choices=[("desc", "Newest first"), ("asc", "Oldest first")],
        error_messages={"invalid_choice": "Order is desc (newest first) or asc (oldest first)."},
    ),
    "limit": forms.IntegerField(
        required=False,
        min_value=0,
        max_value=MAX_LIMIT,
        error_messages=dict.fromkeys(
            ["invalid", "min_value", "max_value"], f"Rows per page is a whole number from 0 to {MAX_LIMIT}."
        ),
    ),
    "after": _Place("A place in the list", MAX_ID),
    "before": _Place("A place in the list", MAX_ID),
    "since": _Place("A place in the list", MAX_ID),
}
"""The parameters of a list, named as the API names them. What is absent or blank takes its default.

Fields without a form around them: a form copies all its fields each time it is made, which costs more than reading
them."""

_UNREADABLE = "This address is not one that Threadkeeper made. Start from the beginning of the conversation."

ITEM_FIELDS: dict[str, forms.Field] = {
    "limit": forms.IntegerField(required=False, min_value=1, max_value=MAX_LIMIT),
    "after": _Place("A place in the conversation", MAX_ID),
    "before": _Place("A place in the conversation", MAX_ID),
    "at": _Place("A place in the conversation", MAX_ID),
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
"""The parameters of a conversation."""

THREAD_ID = _Text("A thread id", MAX_ID)

TRAIL_FIELDS: dict[str, forms.Field] = {
    "who": _Text("The name of an account", 150),
    "action": forms.ChoiceField(
        required=False,
        choices=[(each.value, each.value) for each in Action],
        error_messages={"invalid_choice": f"What was done is one of: {', '.join(Action)}."},
    ),
    "outcome": forms.ChoiceField(
        required=False,
        choices=[(each.value, each.value) for each in Outcome],
        error_messages={"invalid_choice": f"How it ended is one of: {', '.join(Outcome)}."},
    ),
    "thread": THREAD_ID,
    "customer": _Text("A user id", MAX_USER),
    "address": _Text("A network address", 64),
    "request_id": _Text("A request id", 64),
    "from": FIELDS["from"],
    "to": FIELDS["to"],
    "order": FIELDS["order"],
    "limit": forms.IntegerField(
        required=False,
        min_value=1,
        max_value=query.MAX_LIMIT,
        error_messages=dict.fromkeys(
            ["invalid", "min_value", "max_value"], f"Rows per page is a whole number from 1 to {query.MAX_LIMIT}."
        ),
    ),
    "after": _row_number(),
    "before": _row_number(),
}
"""The parameters of the trail."""

Errors = dict[str, list[str]]


_WHOLE_IDS = "Your account sees user ids shortened, and finds users by their whole id only. Leave this out."
"""Else an id could be guessed from its beginning, one character after the other."""

BOX = "find"
"""Stands beside a `user` that comes from the box: the whole id, percent-encoded, that the box was filled with, or
nothing. What was typed there may be any part of an id, or something else; `user` alone is one to the letter."""


def read(parameters: Mapping[str, str], *, masked: bool) -> tuple[ThreadQuery | None, Errors]:
    """The query that an address stands for; or None, and what is wrong, by field, in sentences. `masked` is for an
    account that may not see user ids: it can ask for a whole one, and no reply may depend on a part of one."""
    values, errors = _listed(FIELDS, {**parameters, "user": _user(parameters)})
    values["match"] = "part" if values.get("match") == "part" and values.get("user") is not None else "exact"
    if masked and values["match"] == "part":
        errors["match"] = [_WHOLE_IDS]
    if errors:
        return None, errors
    values["has_reason"] = {"yes": True, "no": False}.get(values["has_reason"])
    values["limit"] = DEFAULT_LIMIT if values["limit"] is None else values["limit"]
    return ThreadQuery(**values, guess=is_typed(parameters) and not masked and values["match"] == "exact"), {}


def is_typed(parameters: Mapping[str, str]) -> bool:
    """Whether `user` is what somebody typed into the box: any part of an id, or an address, or what not."""
    filled = unquote(parameters.get(BOX, ""))
    return BOX in parameters and not (filled and boxed(filled) == boxed(parameters.get("user", "")))


def _user(parameters: Mapping[str, str]) -> str:
    user = parameters.get("user", "")
    if is_typed(parameters):
        return user if user.strip() else ""  # a blank in the box is an empty box
    return unquote(parameters.get(BOX, "")) or user


def boxed(user: str) -> str:
    """A user id as a browser sends it back from a field that was filled with it."""
    return user.replace("\0", "\ufffd").replace("\r", "").replace("\n", "")


def unboxed(user: str) -> str:
    """What stands beside the box for an id that it is filled with."""
    return quote(user, safe="")


def read_items(parameters: Mapping[str, str]) -> tuple[ItemQuery | None, Errors]:
    """The place in a conversation that an address stands for; or None, and what is wrong."""
    values, errors = _cleaned(ITEM_FIELDS, parameters)
    if sum(values.get(name) is not None for name in ("after", "before", "at")) > 1:
        errors["place"] = [_UNREADABLE]
    if errors:
        return None, errors
    values["limit"] = values["limit"] or ITEMS
    if not (values["after"] or values["before"] or values["at"]):
        values["count"] = 0
    return ItemQuery(**values), {}


def read_trail(parameters: Mapping[str, str]) -> tuple[TrailQuery | None, Errors]:
    """The place in the trail that an address stands for; or None, and what is wrong, by field, in sentences."""
    values, errors = _listed(TRAIL_FIELDS, parameters)
    if errors:
        return None, errors
    values["action"], values["outcome"] = values["action"] or None, values["outcome"] or None
    values["limit"] = values["limit"] or query.DEFAULT_LIMIT
    return TrailQuery(**values), {}


def is_day(value: str) -> bool:
    """Whether a field for a day can hold this."""
    try:
        return FIELDS["from"].clean(value) is not None
    except forms.ValidationError:
        return False


def _listed(fields: Mapping[str, forms.Field], parameters: Mapping[str, str]) -> tuple[dict[str, Any], Errors]:
    """What lists have in common: a place, days, and an order."""
    values, errors = _cleaned(fields, parameters)
    if values.get("after") and values.get("before"):
        errors["place"] = [_CLASH]
    if values.get("from") and values.get("to") and values["from"] > values["to"]:
        errors["to"] = [DAYS_CLASH]
    if not errors:
        values["order"] = "asc" if values["order"] == "asc" else "desc"
        values["begin"], values["end"] = values.pop("from"), values.pop("to")
    return values, errors


def _cleaned(fields: Mapping[str, forms.Field], parameters: Mapping[str, str]) -> tuple[dict[str, Any], Errors]:
    values: dict[str, Any] = {}
    errors: Errors = {}
    for name, field in fields.items():
        try:
            values[name] = field.clean(parameters.get(name))
        except forms.ValidationError as error:
            errors[name] = error.messages
    return values, errors
