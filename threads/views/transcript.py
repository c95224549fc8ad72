"""A conversation as a download."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from .. import problems, services, transcript, when
from ..chatkit import ChatKitError

KINDS = {"md": "text/markdown; charset=utf-8", "json": "application/json"}


def download(request: HttpRequest, thread_id: str, kind: str) -> HttpResponseBase:
    """The whole conversation, sent as it comes from the upstream. What fails before the first page is a page that says
    so; what fails later is said at the end of the file."""
    now, zone = datetime.now(UTC), when.zone(request.COOKIES.get("tz"))
    try:
        thread, pages = services.whole(thread_id)
    except ChatKitError as error:
        problem = problems.of_thread(error, now, zone)
        context = {"title": problem.title, "text": f"{problem.text} {problem.advice}"}
        return render(request, "problem.html", context, status=problem.status)
    written = transcript.as_json(thread, pages) if kind == "json" else transcript.as_markdown(thread, pages, now, zone)
    response = StreamingHttpResponse(_encoded(written), content_type=KINDS[kind])
    response.headers["Content-Disposition"] = f'attachment; filename="{_file_name(thread_id)}.{kind}"'
    return response


def _encoded(parts: Iterator[str]) -> Iterator[bytes]:
    return (part.encode("utf-8", "replace") for part in parts)


def _file_name(thread_id: str) -> str:
    """The id where it can be a file's name on every system, else what of it can."""
    return re.sub(r"[^\w-]", "_", thread_id, flags=re.ASCII)[:80].strip("_") or "thread"
