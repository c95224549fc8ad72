"""A conversation as a download."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from threads import service
from threads.audit.record import Action, Actor, NotRecordedError, Outcome, acting, actor, must, record
from threads.chatkit import ChatKitError
from threads.exports import filenames, transcript
from threads.exports.spool import Watched
from threads.lib import times
from threads.web.error_page import problem as page
from threads.web.presenters import errors

KINDS = {"md": "text/markdown; charset=utf-8", "json": "application/json"}

BY_BUTTON = (
    "An address alone downloads nothing, so that no other site can make your browser do it. Open the conversation and "
    "press Markdown or JSON there."
)

AHEAD, _MOST_AHEAD = 2.0, 2**22
"""Seconds, and characters, that a file is made ahead, so that its name can say whether it is whole."""


def download(request: HttpRequest, thread_id: str, kind: str) -> HttpResponseBase:
    """The whole conversation. A short one has a name that says where it is partial; a long one is sent as it comes from
    the upstream. What fails before the first page is a page that says so; what fails later is said at the end of the
    file. 400 where `kind` is none of `KINDS`, 503 where the trail can't be written."""
    if kind not in KINDS:
        return page(request, 400, "This is no format", f"A conversation is downloaded as one of: {', '.join(KINDS)}.")
    about = {"format": kind}
    try:
        must(Action.EXPORT, Outcome.INTENT, thread=thread_id, detail=about)
    except NotRecordedError:
        return not_recorded(request)
    now, zone = datetime.now(UTC), times.zone(request.COOKIES.get("tz"))
    try:
        thread, pages = service.whole(thread_id)
    except ChatKitError as error:
        record(Action.EXPORT, Outcome.FAILED, thread=thread_id, detail=about | {"reason": error.detail})
        problem = errors.of_thread(error, now, zone)
        context = {"title": problem.title, "text": f"{problem.text} {problem.advice}"}
        return render(request, "problem.html", context, status=problem.status)
    watched = Watched(pages)
    if kind == "json":
        written = transcript.as_json(thread, watched.first())
    else:
        written = transcript.as_markdown(thread, watched.first(), now, zone)
    recorded = _recorded(written, watched, actor(), {"thread": thread_id, "customer": thread.user or ""}, about)
    response = StreamingHttpResponse(_ahead(recorded), content_type=KINDS[kind])
    partial = "-PARTIAL" if watched.why else ""
    response.headers["Content-Disposition"] = filenames.attached(
        f"{filenames.clean(thread_id, 'thread')}{partial}.{kind}"
    )
    return response


def not_recorded(request: HttpRequest) -> HttpResponseBase:
    """The page for what is not exported because the trail can't be written."""
    text = (
        "Nothing was exported, because it could not be recorded. Try again in a moment; if it stays, someone who runs "
        "Threadkeeper has to look at its database."
    )
    return page(request, 503, "Nothing was exported", text)


def _ahead(parts: Iterator[bytes]) -> Iterator[bytes]:
    """The same parts, of which those that come soon have come when this returns."""
    begun, size = [], 0
    until = time.monotonic() + AHEAD
    for part in parts:
        begun.append(part)
        size += len(part)
        if size > _MOST_AHEAD or time.monotonic() > until:
            break
    return chain(begun, parts)


def _recorded(
    parts: Iterator[str], watched: Watched, who: Actor, whose: dict[str, str], about: dict[str, str]
) -> Iterator[bytes]:
    """The parts as bytes; when the last has gone, or who asked for them has, the trail says how far it came."""
    ended = False
    try:
        while not ended:
            # Only for the step: between two steps the context is whoever's sends the reply.
            with acting(who):
                part = next(parts, None)
            if part is None:
                ended = True
            else:
                yield part.encode("utf-8", "replace")
    finally:
        why = watched.why if ended else "the download was broken off"
        detail = about | {"items": watched.items} | ({"reason": why} if why else {})
        with acting(who):
            record(Action.EXPORT, Outcome.PARTIAL if why else Outcome.DONE, **whose, detail=detail)
