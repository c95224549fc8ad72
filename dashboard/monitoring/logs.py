"""Log formats: lines for people, JSON for machines. Secrets, query strings, and values that library errors quote are
redacted."""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured, PermissionDenied, SuspiciousOperation

from dashboard import env
from threads.lib.trace import trace

_SECRETS = ("OPENAI_API_KEY", "SECRET_KEY", "SECRET_KEY_FALLBACKS", "METRICS_TOKEN", "OIDC_CLIENT_SECRET")
_URLS_WITH_PASSWORD = ("DATABASE_URL", "QUEUE_URL", "CHATKIT_PROXY")
_MIN_SECRET_LENGTH = 6
"""Secrets with fewer characters are not redacted: they would match in ordinary words."""

_QUERY = re.compile(r"(/[^\s?'\"/]*)\?[^\s'\"]*")
_REQUEST = re.compile(r"^(Invalid request from ip=\S*: [^:'\"]*).*", re.DOTALL)
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_QUOTED = re.compile(r"""(['"]).*?\1""")
_MAX_REASON_LENGTH = 200

_ACCESS = {
    "h": "address",
    "m": "method",
    "U": "path",
    "s": "status",
    "M": "milliseconds",
    "{x-request-id}o": "id",
    "{x-client-request-id}o": "client_id",
}
"""gunicorn's access log atoms, and their field names."""

_OPTIONAL_FIELDS = ("job", "client_request_id")

_EXPECTED = (PermissionDenied, SuspiciousOperation)
"""Deliberate refusals, logged without a stack trace."""


def config(kind: str) -> dict[str, Any]:
    """Django's LOGGING. `kind` is "line" or "json"."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"ours": {"()": f"{__name__}.{formatter(kind).__name__}"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "ours"}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "axes": {"level": "WARNING"},
        },
    }


def formatter(kind: str) -> type[_RedactingFormatter]:
    """The formatter class for LOG_FORMAT, "line" or "json"."""
    return JsonFormatter if kind == "json" else LineFormatter


class _RedactingFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__()
        self._secrets = tuple(
            sorted({each for each in _secrets() if len(each) >= _MIN_SECRET_LENGTH}, key=len, reverse=True)
        )

    def _message(self, record: logging.LogRecord) -> str:
        """The message as one redacted line."""
        message = _REQUEST.sub(r"\1", _QUERY.sub(r"\1?…", _interpolated(record)))
        return self._redact(_CONTROLS.sub(lambda each: ascii(each[0])[1:-1], message))

    def _stack(self, record: logging.LogRecord) -> str:
        """The redacted stack trace; "" for deliberate refusals."""
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if error is None or isinstance(error, _EXPECTED):
            return ""
        return self._redact("".join(_format_chain(error)))

    def _redact(self, text: str) -> str:
        for each in self._secrets:
            text = text.replace(each, "***")
        return text


class LineFormatter(_RedactingFormatter):
    """One line: time in UTC, level, logger, message, and ids of request and job."""

    def format(self, record: logging.LogRecord) -> str:
        stack = self._stack(record)
        ids = " ".join(f"{name}={value}" for name, value in _ids(record).items() if value)
        line = f"{_time(record)} {record.levelname} {record.name} {self._message(record)}"
        return line + (f" [{ids}]" if ids else "") + (f"\n{stack.rstrip()}" if stack else "")


class JsonFormatter(_RedactingFormatter):
    """One JSON object per line, stack trace included."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": self._message(record),
        } | _ids(record)
        if record.name == "gunicorn.access" and isinstance(record.args, dict):
            about = {name: record.args.get(atom) for atom, name in _ACCESS.items()}
            fields["request_id"], fields["client_request_id"] = about.pop("id"), about.pop("client_id")
            fields |= about
        if stack := self._stack(record):
            fields["stack"] = stack
        return json.dumps({name: value for name, value in fields.items() if value or name not in _OPTIONAL_FIELDS})


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ids(record: logging.LogRecord) -> dict[str, str | None]:
    current = trace.get()
    if current is None:
        request = getattr(record, "request", None)
        ids = (getattr(request, name, None) or None for name in ("request_id", "client_request_id"))
        return dict(zip(("request_id", "client_request_id"), ids, strict=True)) | {"job": None}
    return {
        "request_id": current.id or None,
        "client_request_id": current.client_id or None,
        "job": current.job or None,
    }


def _interpolated(record: logging.LogRecord) -> str:
    """The message with its arguments; errors among them are shortened."""
    if not isinstance(record.args, tuple) or not record.args:
        return record.getMessage()
    return str(record.msg) % tuple(
        _short_reason(each) if isinstance(each, BaseException) else each for each in record.args
    )


def _short_reason(error: BaseException) -> str:
    """The first line of an error's text, without quoted values, which may be a user's or a customer's."""
    return _QUOTED.sub(r"\1…\1", (str(error).strip().splitlines() or [""])[0])[:_MAX_REASON_LENGTH]


def _format_chain(error: BaseException) -> Iterator[str]:
    """The stack traces of an error and its causes, with kind and short reason."""
    chain: list[BaseException] = []
    each: BaseException | None = error
    while each is not None and each not in chain:
        chain.append(each)
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
    for number, each in enumerate(reversed(chain)):
        yield "and after that:\n" if number else ""
        yield from traceback.format_tb(each.__traceback__)
        yield f"{type(each).__module__}.{type(each).__qualname__}: {_CONTROLS.sub('?', _short_reason(each))}\n"


def _secrets() -> Iterator[str]:
    """The secrets in the environment."""
    for name in (*_SECRETS, *_URLS_WITH_PASSWORD):
        try:
            value = env.secret(name) or ""
            password = urlsplit(value).password if name in _URLS_WITH_PASSWORD else None
        except (ImproperlyConfigured, ValueError):  # the settings report it
            continue
        if name in _SECRETS:
            yield from value.split()
        elif password:
            yield from (password, unquote(password))
