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


class ThreadListForm(forms.Form):
    """The parameters of a list, named as the API names them. What is absent or blank takes its default."""

    user = _Text("A user id", MAX_USER)
    order = forms.ChoiceField(
        required=False,
        choices=[("desc", "Newest first"), ("asc", "Oldest first")],
        error_messages={"invalid_choice": "Order is desc (newest first) or asc (oldest first)."},
    )
    limit = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MAX_LIMIT,
        error_messages=dict.fromkeys(
            ["invalid", "min_value", "max_value"], f"Rows per page is a whole number from 1 to {MAX_LIMIT}."
        ),
    )
    after = _Text("A place in the list", MAX_ID)
    before = _Text("A place in the list", MAX_ID)
    since = _Text("A place in the list", MAX_ID)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("after") and cleaned.get("before"):
            self.add_error(None, _CLASH)
        return cleaned


def read(parameters: Mapping[str, str]) -> tuple[ThreadQuery | None, ThreadListForm]:
    """The query that the address stands for, or None where something in it is wrong: the form then says what."""
    form = ThreadListForm(parameters)
    if not form.is_valid():
        return None, form
    values = form.cleaned_data
    query = ThreadQuery(
        user=values["user"],
        order="asc" if values["order"] == "asc" else "desc",
        limit=values["limit"] or DEFAULT_LIMIT,
        after=values["after"],
        before=values["before"],
        since=values["since"],
    )
    return query, form
