"""Parameters of the audit log's page."""

from __future__ import annotations

from collections.abc import Mapping

from django import forms

from threads.chatkit import MAX_ID, MAX_USER
from threads.lib.form_fields import Errors, OpaqueTextField, clean_list_fields, day, order, rows_per_page

from .query import DEFAULT_LIMIT, MAX_LIMIT, PARAMETERS, AuditQuery
from .record import Action, Outcome


def _row_number() -> forms.Field:
    wrong = "This page of the audit log does not exist. Start from the first page."
    messages = dict.fromkeys(["invalid", "min_value", "max_value"], wrong)
    return forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, error_messages=messages)


FIELDS: dict[str, forms.Field] = {
    "account": OpaqueTextField("The name of an account", 150),
    "action": forms.ChoiceField(
        required=False,
        choices=[(each.value, each.value) for each in Action],
        error_messages={"invalid_choice": f"Event is one of: {', '.join(Action)}."},
    ),
    "outcome": forms.ChoiceField(
        required=False,
        choices=[(each.value, each.value) for each in Outcome],
        error_messages={"invalid_choice": f"Result is one of: {', '.join(Outcome)}."},
    ),
    "thread": OpaqueTextField("A thread id", MAX_ID),
    "customer": OpaqueTextField("A customer", MAX_USER),
    "address": OpaqueTextField("A network address", 64),
    "request_id": OpaqueTextField("A request id", 64),
    "from": day(),
    "to": day(),
    "order": order(),
    "limit": rows_per_page(1, MAX_LIMIT),
    "after": _row_number(),
    "before": _row_number(),
}
"""The fields of the query string."""


def read(parameters: Mapping[str, str]) -> tuple[AuditQuery | None, Errors]:
    """The query in a query string; or None, and the errors by field, in sentences."""
    values, errors = clean_list_fields(FIELDS, parameters)
    if errors:
        return None, errors
    values["action"], values["outcome"] = values["action"] or None, values["outcome"] or None
    values["limit"] = values["limit"] or DEFAULT_LIMIT
    values |= {name: values.pop(parameter) for name, parameter in PARAMETERS.items()}
    return AuditQuery(**values), {}
