"""Form fields for URL parameters, and their validation without a `Form`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms


class OpaqueTextField(forms.CharField):
    """Opaque text, not stripped: a user id may begin with a space. Blank text counts as None.

    `what` names the field in error messages; `most` is the maximum length in characters.
    """

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
        """Whether a text counts as absent."""
        return not text.strip()


DAYS_CLASH = "The last day lies before the first. Exchange them, or leave one out."


_PLACES_CLASH = "An address has either after or before, not both. Remove one of them, or start from the first page."


Errors = dict[str, list[str]]
"""Error messages by field."""


def clean_list_fields(
    fields: Mapping[str, forms.Field], parameters: Mapping[str, str]
) -> tuple[dict[str, Any], Errors]:
    """Cleaned values and errors of a list's parameters. Checks in addition that at most one cursor is set and that the
    days are in order; renames `from` and `to` to `begin` and `end`."""
    values, errors = clean_fields(fields, parameters)
    if values.get("after") and values.get("before"):
        errors["place"] = [_PLACES_CLASH]
    if values.get("from") and values.get("to") and values["from"] > values["to"]:
        errors["to"] = [DAYS_CLASH]
    if not errors:
        values["order"] = "asc" if values["order"] == "asc" else "desc"
        values["begin"], values["end"] = values.pop("from"), values.pop("to")
    return values, errors


def clean_fields(fields: Mapping[str, forms.Field], parameters: Mapping[str, str]) -> tuple[dict[str, Any], Errors]:
    """Cleaned values and errors, by field."""
    values: dict[str, Any] = {}
    errors: Errors = {}
    for name, field in fields.items():
        try:
            values[name] = field.clean(parameters.get(name))
        except forms.ValidationError as error:
            errors[name] = error.messages
    return values, errors


def day() -> forms.DateField:
    """Field for a day, as a browser's date input sends it: "2026-11-30"."""
    wrong = "A day is written as in 2026-11-30."
    return forms.DateField(required=False, input_formats=["%Y-%m-%d"], error_messages={"invalid": wrong})


def is_valid_day(value: str) -> bool:
    """Whether this is a valid day for `day()`."""
    try:
        return day().clean(value) is not None
    except forms.ValidationError:
        return False


def order() -> forms.ChoiceField:
    """Field for the order of a list; "" is the default."""
    return forms.ChoiceField(
        required=False,
        choices=[("desc", "Newest first"), ("asc", "Oldest first")],
        error_messages={"invalid_choice": "Order is desc (newest first) or asc (oldest first)."},
    )


def rows_per_page(least: int, most: int) -> forms.IntegerField:
    """Field for the number of rows per page; None where it is absent."""
    wrong = f"Rows per page is a whole number from {least} to {most}."
    messages = dict.fromkeys(["invalid", "min_value", "max_value"], wrong)
    return forms.IntegerField(required=False, min_value=least, max_value=most, error_messages=messages)
