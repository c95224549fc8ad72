"""From a request to a `ThreadQuery`: the one way, so that no view forgets what an account may not ask for."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest, QueryDict

from threads import masking
from threads.lib import form_fields
from threads.roles import account
from threads.sources import query_forms
from threads.sources.query import ThreadQuery


def thread_query(request: HttpRequest, parameters: Mapping[str, str]) -> tuple[ThreadQuery | None, form_fields.Errors]:
    """The list that these parameters of a request stand for; or None, and what is wrong, by field, in sentences. Where
    identities are masked, that is a whole user id or none: no part of one, and no guess."""
    return query_forms.read(parameters, masked=masking.is_due(account(request)))


def encoded_query(request: HttpRequest, encoded: str) -> tuple[ThreadQuery | None, form_fields.Errors]:
    """The same for a list whose address stands in one parameter, as its query part."""
    return thread_query(request, QueryDict(encoded).dict())
