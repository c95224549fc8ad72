"""What may stand in the address of a list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from .chatkit import MAX_ID, MAX_LIMIT, MAX_USER
from .query import DEFAULT_LIMIT, ThreadQuery

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
        if text is None or not text.strip():
            return None
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise forms.ValidationError("This is not valid text. Copy it anew from where it came.") from error
        return str(text)


FIELDS: dict[str, forms.Field] = {
    "user": _Text("A user id", MAX_USER),
    "order": forms.ChoiceField(
        required=False,
        choices=[("desc", "Newest first"), ("asc", "Oldest first")],
        error_messages={"invalid_choice": "Order is desc (newest first) or asc (oldest first)."},
    ),
    "limit": forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MAX_LIMIT,
        error_messages=dict.fromkeys(
            ["invalid", "min_value", "max_value"], f"Rows per page is a whole number from 1 to {MAX_LIMIT}."
        ),
    ),
    "after": _Text("A place in the list", MAX_ID),
    "before": _Text("A place in the list", MAX_ID),
    "since": _Text("A place in the list", MAX_ID),
}
"""The parameters of a list, named as the API names them. What is absent or blank takes its default.

Fields without a form around them: a form copies all its fields each time it is made, which costs more than reading
them."""

Errors = dict[str, list[str]]


def read(parameters: Mapping[str, str]) -> tuple[ThreadQuery | None, Errors]:
    """The query that an address stands for; or None, and what is wrong, by field, in sentences."""
    values: dict[str, Any] = {}
    errors: Errors = {}
    for name, field in FIELDS.items():
        try:
            values[name] = field.clean(parameters.get(name))
        except forms.ValidationError as error:
            errors[name] = error.messages
    if values.get("after") and values.get("before"):
        errors["place"] = [_CLASH]
    if errors:
        return None, errors
    values["order"] = "asc" if values["order"] == "asc" else "desc"
    values["limit"] = values["limit"] or DEFAULT_LIMIT
    return ThreadQuery(**values), {}
