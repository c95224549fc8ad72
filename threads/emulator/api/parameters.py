"""Query parameters of the lists, with the API's errors for invalid ones."""

import re
from collections.abc import Callable, Mapping

from .paging import PageRequest
from .replies import ApiError

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
MAX_USER_LENGTH = 512


def _limit(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        message = f"Invalid type for 'limit': expected an integer, but got {text[:40]!r} instead."
        raise ApiError(400, message, "limit", "invalid_type")
    value = int(text)
    for wrong, side, code, bound in (
        (value > MAX_LIMIT, "above maximum", "integer_above_max_value", f"<= {MAX_LIMIT}"),
        (value < 0, "below minimum", "integer_below_min_value", ">= 0"),
    ):
        if wrong:
            message = f"Invalid 'limit': integer {side} value. Expected a value {bound}, but got {value} instead."
            raise ApiError(400, message, "limit", code)
    return value


def _descending(text: str) -> bool:
    if text not in ("asc", "desc"):
        message = f"Invalid value: {text[:40]!r}. Supported values are: 'asc' and 'desc'."
        raise ApiError(400, message, "order", "invalid_value")
    return text == "desc"


def user_filter(parameters: Mapping[str, str]) -> str | None:
    """The user to filter by, or None. Raises ApiError for an empty or too long one."""
    user = parameters.get("user")
    if user == "":
        message = (
            "Invalid 'user': empty string. Expected a string with minimum length 1, but got an empty string instead."
        )
        raise ApiError(400, message, "user", "empty_string")
    if user is not None and len(user) > MAX_USER_LENGTH:
        message = (
            f"Invalid 'user': string too long. Expected a string with maximum length {MAX_USER_LENGTH}, "
            f"but got a string with length {len(user)} instead."
        )
        raise ApiError(400, message, "user", "string_above_max_length")
    return user


def check_names(parameters: Mapping[str, str], known: frozenset[str]) -> None:
    """Raises ApiError for an unknown parameter."""
    for name in parameters:
        if name not in known:
            raise ApiError(400, f"Unknown parameter: {name[:40]!r}.", name[:40], "unknown_parameter")


def _unknown_cursor(name: str, row_id: str, status: int) -> ApiError:
    if status == 400:
        return ApiError(400, "Invalid cursor.", name, "invalid_cursor")
    return ApiError(404, f"No row found with id '{row_id}'.", name, "not_found")


def page_request(
    parameters: Mapping[str, str], find: Callable[[str], int | None], gone_cursor_status: int = 404
) -> PageRequest:
    """The requested page. `find` returns the row of a cursor's id, or None.

    Raises ApiError for an invalid parameter; for a cursor without a row, with the status `gone_cursor_status`.
    """

    def cursor(name: str) -> int | None:
        if name not in parameters:
            return None
        row = find(parameters[name])
        if row is None:
            raise _unknown_cursor(name, parameters[name], gone_cursor_status)
        return row

    limit = _limit(parameters["limit"]) if "limit" in parameters else DEFAULT_LIMIT
    descending = _descending(parameters.get("order", "desc"))
    return PageRequest(limit, descending, cursor("after"), cursor("before"))
