"""Checks the desk's pages against the emulator's data from before its retirement."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

import requests

from tests.support.desk import Browser
from tests.support.page import Page
from tests.system.rehearsal.checks import CheckFailedError, require, wait_for
from tests.system.rehearsal.comparison import Conversation, Conversations, Json, items_of

WORD = "barograph"
"""A word in the added messages only."""

ROWS, ITEMS = 20, 50
"""Rows on a page of the list; items on the first page of a conversation."""

_EXPORT_TIMEOUT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Retirement:
    """A retirement of the upstream at `at`. `banner` is the expected start of the banner on pages, `failure` expected
    text in the report; both may be empty."""

    at: datetime
    banner: str = ""
    failure: str = ""


class Pages:
    """Checks of the pages that `browser` loads. `expected` is the expected content of the archive."""

    def __init__(self, browser: Browser, expected: Conversations) -> None:
        self._browser = browser
        self._expected = expected
        self._newest_first = list(expected)[::-1]

    def checks(self, retired: Retirement | None) -> Iterator[tuple[str, Callable[[], str]]]:
        """Yields the checks as (name, check). `retired` is None while the upstream answers."""
        yield "List, pages one and two", self._list
        yield f"Search for “{WORD}”", self._search
        longest = max(self._expected.values(), key=lambda each: len(each.items))
        for name, each in (("the first that is found", self._with_word()[0]), ("the longest", longest)):
            yield f"Conversation, {name}", partial(self._conversation, each)
            yield f"Conversation as JSON, {name}", partial(self._json, each)
        yield "List as CSV", lambda: self._csv("live" if retired is None else "archive")
        yield "Reports", self._reports
        yield "Banner", lambda: self._banner(retired)
        yield "Report", lambda: self._report(retired)

    def report(self) -> Json:
        """The current report of the archive."""
        found: Json = self._get("/sync/report/").json()
        return found

    def _with_word(self) -> list[Conversation]:
        """Conversations with the word, newest first."""
        return [self._expected[each] for each in self._newest_first if WORD in str(self._expected[each].items)]

    def _list(self) -> str:
        first = self._page("/threads/")
        _same("Page one", first.thread_ids, self._newest_first[:ROWS])
        onward = first.link("next")
        if onward is None:
            raise CheckFailedError("Page one has no link to page two.")
        second = self._page(onward)
        _same("Page two", second.thread_ids, self._newest_first[ROWS : 2 * ROWS])
        return f"{len(first.thread_ids)} and {len(second.thread_ids)} rows, in order"

    def _search(self) -> str:
        page = self._page(f"/threads/?{urlencode({'q': WORD})}")
        _same("The search", page.thread_ids, [each.thread["id"] for each in self._with_word()])
        shown = [each for each in page.all("p", class_="said hit") if WORD in page.said(each)]
        require(len(shown) == len(page.thread_ids), f"{len(shown)} rows show the sentence with the word.")
        return f"{len(page.thread_ids)} threads, each with its sentence"

    def _conversation(self, expected: Conversation) -> str:
        address: str | None = f"{_address(expected)}?from=beginning"
        ids = [each["id"] for each in expected.items]
        shown = 0
        for number in range(1, 3 if len(ids) > ITEMS else 2):
            require(address, f"Page {number - 1} of the conversation has no link to the next items.")
            page = self._page(str(address))
            _same("The page's thread", [page.one("section", id="pane").get("data-thread-id")], [expected.thread["id"]])
            items = [each.get("id") for each in page.all("li") if (each.get("class") or "").startswith("item ")]
            require(len(items) >= min(ITEMS, len(ids) - shown), f"Page {number} has only {len(items)} items.")
            _same("The conversation", items, [f"item-{each}" for each in ids[shown : shown + len(items)]])
            shown += len(items)
            address = page.link("next")
        return f"{shown:,} of {len(ids):,} items on {number} page{'s' if number > 1 else ''}, in order"

    def _json(self, expected: Conversation) -> str:
        response = self._posted(_address(expected), format="json")
        found = response.json()
        require(found["complete"] is True, f"The file says that it is not complete: {found.get('error')}")
        require("PARTIAL" not in response.headers["Content-Disposition"], "The file's name says PARTIAL.")
        require(found["thread"] == expected.thread, "The thread differs.")
        require(found["items"] == expected.items, "The items differ.")
        return f"complete, {found['count']:,} items, 0 differ"

    def _csv(self, source: str) -> str:
        response = self._exported("/exports/list/", format="csv")
        rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
        require("PARTIAL" not in response.headers["Content-Disposition"], "The file's name says PARTIAL.")
        _same("The file", [row["id"] for row in rows], self._newest_first)
        sources = {row["source"] for row in rows}
        require(sources == {source}, f"The rows are from {', '.join(sorted(sources))}.")
        gone = sum(bool(row["gone"]) for row in rows)
        require(not gone, f"{gone:,} rows say that the thread is gone.")
        return f"{len(rows):,} rows, in order, source “{source}”"

    def _reports(self) -> str:
        days = sorted(each.thread["created_at"] for each in self._expected.values())
        begin, end = (datetime.fromtimestamp(each, UTC).date() for each in (days[0], days[-1]))
        page = self._page(f"/reports/?{urlencode({'from': begin, 'to': end})}")
        number = page.said(page.all("dd")[0])
        require(number == f"{len(days):,}", f"It counts {number} threads in place of {len(days):,}.")
        return f"{number} threads from {begin} to {end}"

    def _banner(self, retired: Retirement | None) -> str:
        pages = {"list": self._page("/threads/"), "conversation": self._page(_address(self._with_word()[0]))}
        quiet = "OpenAI is not asked"
        if retired is None or not retired.banner:
            for name, page in pages.items():
                require(not page.all("div", id="outage"), f"The {name} has the banner of an outage.")
                require((quiet in page.said()) is (retired is not None), f"“{quiet}” is not as it should be: {name}.")
            return "none, as it should be" if retired is None else f"none; “{quiet}” on both pages"
        since = {_since(name, page, retired) for name, page in pages.items()}
        return f"“{retired.banner}”, no live answer since {' and '.join(sorted(since))}"

    def _report(self, retired: Retirement | None) -> str:
        found = self.report()
        as_of = found["complete"]["as_of"]
        require(as_of, f"It is not complete: {found['complete']['lacking']}")
        require(found["gone"] == 0, f"{found['gone']:,} threads are marked as deleted.")
        require(found["breaker"] is None and not found["withheld"], f"Deletions are withheld: {found['breaker']}")
        counts = found["threads"], found["items"]
        expected = len(self._expected), items_of(self._expected)
        require(counts == expected, f"It counts {counts} threads and items in place of {expected}.")
        said = f"{counts[0]:,} threads, {counts[1]:,} items, 0 gone, complete as of {as_of[:19]}"
        if retired is None:
            return said
        require(datetime.fromisoformat(as_of) <= retired.at, f"It is complete as of {as_of}, after the retirement.")
        if not retired.failure:
            return said
        failure = str(found["failure"])
        require(retired.failure in failure, f"It says of the last sync: {failure}")
        require(datetime.fromisoformat(found["failed_at"]) > retired.at, f"The failure is of {found['failed_at']}.")
        return f"{said}; last sync: {failure}"

    def _page(self, path: str) -> Page:
        response = self._get(path)
        return Page(response.text, response.headers)

    def _get(self, path: str) -> requests.Response:
        response = self._browser.get(path)
        require(response.status_code == 200, f"{path} answers {response.status_code}: {response.text[:300]}")
        return response

    def _posted(self, path: str, **form: str) -> requests.Response:
        response = self._browser.post(path, **form)
        require(response.status_code == 200, f"{path} answers {response.status_code}: {response.text[:300]}")
        return response

    def _exported(self, path: str, **form: str) -> requests.Response:
        """The file of an export, waiting for it if it is made in the background."""
        response = self._browser.post(path, **form)
        if response.status_code != 302:
            require(response.status_code == 200, f"{path} answers {response.status_code}: {response.text[:300]}")
            return response
        address = response.headers["Location"]

        def ready() -> str | None:
            page = self._page(address)
            forms = [each.get("action") for each in page.all("form") if each.get("action", "").endswith("/file/")]
            return forms[0] if forms else None

        return self._posted(wait_for("the export to be ready", ready, _EXPORT_TIMEOUT_SECONDS))


def _address(conversation: Conversation) -> str:
    return f"/threads/{quote(conversation.thread['id'], safe='')}/"


def _same(what: str, found: Sequence[object], expected: Sequence[object]) -> None:
    if list(found) != list(expected):
        pairs: list[tuple[Any, Any]] = list(zip(found, expected, strict=False))
        at = next((number for number, (one, other) in enumerate(pairs) if one != other), len(pairs))
        raise CheckFailedError(
            f"{what} has {len(found):,} ids in place of {len(expected):,}, and differs at number {at}."
        )


def _since(name: str, page: Page, retired: Retirement) -> str:
    """The start of the outage according to the banner."""
    said = page.said(page.one("div", id="outage"))
    require(said.startswith(retired.banner), f"The banner of the {name} says: {said}")
    found = re.search(r"no live answer since (\d+ \w+ \d{4}, \d\d:\d\d)", said)
    if found is None:
        raise CheckFailedError(f"The banner of the {name} does not say since when: {said}")
    moment = datetime.strptime(found[1], "%d %b %Y, %H:%M").replace(tzinfo=UTC)
    # The banner shows minutes.
    require(
        retired.at - timedelta(minutes=1) < moment <= datetime.now(UTC),
        f"The banner of the {name} says since {found[1]}.",
    )
    return found[1]
