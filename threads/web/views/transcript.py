"""A conversation as a download, in Markdown or JSON."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import chain

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from threads import service
from threads.audit.record import Action, Actor, NotRecordedError, Outcome, acting_as, actor, record, record_or_raise
from threads.chatkit import ChatKitError
from threads.exports import filenames, transcript
from threads.exports.spool import CountedPages
from threads.web.error_page import not_recorded, problem_page
from threads.web.presenters import errors
from threads.web.request import now_and_zone

KINDS = {"md": "text/markdown; charset=utf-8", "json": "application/json"}

BY_BUTTON = (
    "An address alone downloads nothing, so that no other site can make your browser do it. Open the conversation and "
    "press Markdown or JSON there."
)

AHEAD, _MAX_AHEAD = 2.0, 2**22
"""Seconds and bytes up to which a file is buffered before the reply begins, so that its name can say whether it is
complete."""


def download(request: HttpRequest, thread_id: str, kind: str) -> HttpResponseBase:
    """The whole conversation. The name of a short file says if it is partial; a long one is streamed as the upstream
    sends it. An error before the first page of items becomes an error page, a later one is noted at the end of the
    file. 400 if `kind` is not in `KINDS`, 503 if the audit log can't be written."""
    if kind not in KINDS:
        return problem_page(
            request, 400, "This is no format", f"A conversation is downloaded as one of: {', '.join(KINDS)}."
        )
    about = {"format": kind}
    try:
        record_or_raise(Action.EXPORT, Outcome.INTENT, thread_id=thread_id, detail=about)
    except NotRecordedError:
        return not_recorded(request)
    now, zone = now_and_zone(request)
    try:
        thread, pages = service.read_whole_thread(thread_id)
    except ChatKitError as error:
        record(Action.EXPORT, Outcome.FAILED, thread_id=thread_id, detail=about | {"reason": error.detail})
        why = errors.of_thread(error, now, zone)
        return problem_page(request, why.status, why.title, f"{why.text} {why.advice}")
    watched = CountedPages(pages)
    if kind == "json":
        written = transcript.as_json(thread, watched.first())
    else:
        written = transcript.as_markdown(thread, watched.first(), now, zone)
    recorded = _recorded(written, watched, actor(), {"thread_id": thread_id, "user_id": thread.user or ""}, about)
    response = StreamingHttpResponse(_ahead(recorded), content_type=KINDS[kind])
    partial = "-PARTIAL" if watched.why else ""
    response.headers["Content-Disposition"] = filenames.content_disposition(
        f"{filenames.transcript_stem(thread_id)}{partial}.{kind}"
    )
    return response


def _ahead(parts: Iterator[bytes]) -> Iterator[bytes]:
    """The same parts, the first of them read already: as many as arrive within `AHEAD` seconds."""
    buffered, size = [], 0
    until = time.monotonic() + AHEAD
    for part in parts:
        buffered.append(part)
        size += len(part)
        if size > _MAX_AHEAD or time.monotonic() > until:
            break
    return chain(buffered, parts)


def _recorded(
    parts: Iterator[str], watched: CountedPages, who: Actor, whose: dict[str, str], about: dict[str, str]
) -> Iterator[bytes]:
    """The parts as bytes; after the last, or when the reader disconnects, records how many items were sent."""
    ended = False
    try:
        while not ended:
            # Only for this step: between two steps, the context is that of the server's loop.
            with acting_as(who):
                part = next(parts, None)
            if part is None:
                ended = True
            else:
                yield part.encode("utf-8", "replace")
    finally:
        why = watched.why if ended else "the download was broken off"
        detail = about | {"items": watched.items} | ({"reason": why} if why else {})
        with acting_as(who):
            record(Action.EXPORT, Outcome.PARTIAL if why else Outcome.DONE, **whose, detail=detail)
