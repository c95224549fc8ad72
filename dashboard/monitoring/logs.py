"""What a line of the log looks like, for people or for machines, and what is never in one: a secret, the query of an
address, and the values that errors of libraries quote."""

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
_ADDRESSES = ("DATABASE_URL", "QUEUE_URL", "CHATKIT_PROXY")
_SHORTEST = 6
"""Characters that a secret has at the least: a shorter one would be found in every word."""

_QUERY = re.compile(r"(/[^\s?'\"/]*)\?[^\s'\"]*")
_REQUEST = re.compile(r"^(Invalid request from ip=\S*: [^:'\"]*).*", re.DOTALL)
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_QUOTED = re.compile(r"""(['"]).*?\1""")
_LONGEST_REASON = 200

_ACCESS = {
    "h": "address",
    "m": "method",
    "U": "path",
    "s": "status",
    "M": "milliseconds",
    "{x-request-id}o": "id",
    "{x-client-request-id}o": "client_id",
}
"""What gunicorn knows of a request, and what it is called here."""

_WHERE_KNOWN = ("job", "client_request_id")

_EXPECTED = (PermissionDenied, SuspiciousOperation)
"""What was refused was refused on purpose: where in the code tells nothing."""


def config(kind: str) -> dict[str, Any]:
    """Django's LOGGING, with all lines of this `kind`: "line" or "json"."""
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


def formatter(kind: str) -> type[_Safe]:
    return Json if kind == "json" else Line


class _Safe(logging.Formatter):
    def __init__(self) -> None:
        super().__init__()
        self._secrets = tuple(sorted({each for each in _secrets() if len(each) >= _SHORTEST}, key=len, reverse=True))

    def _message(self, record: logging.LogRecord) -> str:
        """One line."""
        said = _REQUEST.sub(r"\1", _QUERY.sub(r"\1?…", _filled_in(record)))
        return self._without_secrets(_CONTROLS.sub(lambda each: ascii(each[0])[1:-1], said))

    def _stack(self, record: logging.LogRecord) -> str:
        """Where an error came from, "" where that is no news."""
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if error is None or isinstance(error, _EXPECTED):
            return ""
        return self._without_secrets("".join(_told(error)))

    def _without_secrets(self, text: str) -> str:
        for each in self._secrets:
            text = text.replace(each, "***")
        return text


class Line(_Safe):
    """For people: the time in UTC, the level, the logger, the message, and whose request or job it was."""

    def format(self, record: logging.LogRecord) -> str:
        stack = self._stack(record)
        whose = " ".join(f"{name}={value}" for name, value in _whose(record).items() if value)
        line = f"{_time(record)} {record.levelname} {record.name} {self._message(record)}"
        return line + (f" [{whose}]" if whose else "") + (f"\n{stack.rstrip()}" if stack else "")


class Json(_Safe):
    """For machines: one object in one line, stack and all."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": self._message(record),
        } | _whose(record)
        if record.name == "gunicorn.access" and isinstance(record.args, dict):
            about = {name: record.args.get(atom) for atom, name in _ACCESS.items()}
            said["request_id"], said["client_request_id"] = about.pop("id"), about.pop("client_id")
            said |= about
        if stack := self._stack(record):
            said["stack"] = stack
        return json.dumps({name: value for name, value in said.items() if value or name not in _WHERE_KNOWN})


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _whose(record: logging.LogRecord) -> dict[str, str | None]:
    known = trace.get()
    if known is None:
        request = getattr(record, "request", None)
        ids = (getattr(request, name, None) or None for name in ("request_id", "client_request_id"))
        return dict(zip(("request_id", "client_request_id"), ids, strict=True)) | {"job": None}
    return {"request_id": known.id or None, "client_request_id": known.client_id or None, "job": known.job or None}


def _filled_in(record: logging.LogRecord) -> str:
    """The message. An error that is named in it says no more than one that is logged."""
    if not isinstance(record.args, tuple) or not record.args:
        return record.getMessage()
    return str(record.msg) % tuple(_reason(each) if isinstance(each, BaseException) else each for each in record.args)


def _reason(error: BaseException) -> str:
    """The text of an error, cut to a line, without what it quotes: a value that somebody typed, or a customer wrote."""
    return _QUOTED.sub(r"\1…\1", (str(error).strip().splitlines() or [""])[0])[:_LONGEST_REASON]


def _told(error: BaseException) -> Iterator[str]:
    """The stack, and those of what it came from: the lines of the code, the kind of the error, and its reason."""
    chain: list[BaseException] = []
    each: BaseException | None = error
    while each is not None and each not in chain:
        chain.append(each)
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
    for number, each in enumerate(reversed(chain)):
        yield "and after that:\n" if number else ""
        yield from traceback.format_tb(each.__traceback__)
        yield f"{type(each).__module__}.{type(each).__qualname__}: {_CONTROLS.sub('?', _reason(each))}\n"


def _secrets() -> Iterator[str]:
    """What the environment holds of them, whoever else has read it."""
    for name in (*_SECRETS, *_ADDRESSES):
        try:
            value = env.secret(name) or ""
            password = urlsplit(value).password if name in _ADDRESSES else None
        except (ImproperlyConfigured, ValueError):  # the settings say so
            continue
        if name in _SECRETS:
            yield from value.split()
        elif password:
            yield from (password, unquote(password))
