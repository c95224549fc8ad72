"""Benchmark of the archive's pages with a million and with ten thousand threads, on SQLite and PostgreSQL.

`python -m benchmarks archive` measures all four databases, filled by `benchmarks.filling`, and writes archive.md;
`python -m benchmarks.archive --database URL` measures one of them and prints the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from benchmarks.checks import check_page
from benchmarks.filling import DIRECTORY, set_up_django
from benchmarks.load import WrongReplyError
from benchmarks.results_table import ResultRow
from benchmarks.serving import upstream
from benchmarks.stage import Stage

if TYPE_CHECKING:
    from threads.archive.sync.sync import SyncTally
    from threads.chatkit import ChatKitClient
    from threads.sources.query import ThreadQuery

RESULTS = Path(__file__).parent / "archive.md"
SERVER = os.environ.get("BENCH_POSTGRESQL", "postgres://postgres@127.0.0.1:5432")

DATABASES = {
    "SQLite": (f"sqlite:///{DIRECTORY}/10000.sqlite3", f"sqlite:///{DIRECTORY}/1000000.sqlite3"),
    "PostgreSQL": (f"{SERVER}/tkbench_10k", f"{SERVER}/tkbench"),
}

RUNS, WARMUP_RUNS = 30, 6
ZONE = ZoneInfo("America/New_York")


class Figure(NamedTuple):
    """Milliseconds: the median and the 95th percentile of the runs."""

    median: float
    p95: float


def queries() -> Iterator[tuple[str, ThreadQuery]]:
    """Every filter, and every kind of search, as it is first asked for; the words are the emulator's."""
    from django.db.models import Max, Min  # noqa: PLC0415

    from threads.archive.models import ArchivedThread, ArchivedUser, Day, Reason, SearchDoc  # noqa: PLC0415
    from threads.sources.query import ThreadQuery as Query  # noqa: PLC0415

    busiest = ArchivedUser.objects.order_by("-threads", "id").values_list("user_id", flat=True)
    heavy, light = busiest[0], busiest.reverse().filter(threads__gt=0)[0]
    common = Reason.objects.order_by("-threads", "id").values_list("text", flat=True)[0]
    rare = Reason.objects.filter(threads=1).order_by("id").values_list("text", flat=True)[0]
    days = Day.objects.aggregate(first=Min("day"), last=Max("day"))
    first, last = (date(1970, 1, 1) + timedelta(days=days[name]) for name in ("first", "last"))
    week = timedelta(days=6)
    middle = ArchivedThread.objects.order_by("number")[SearchDoc.objects.count() // 3]
    word = max(SearchDoc.objects.get(pk=middle.pk).words.split(), key=lambda each: (each.isdigit(), len(each)))

    yield "no filter", Query()
    yield "no filter, oldest first", Query(order="asc")
    yield "no filter, 100 rows", Query(limit=100)
    for status in ("active", "locked", "closed", "no such"):
        yield f"status {status}", Query(status=status)
    yield "locked without a reason", Query(status="locked", has_reason=False)
    yield "closed with a reason", Query(status="closed", has_reason=True)
    yield "any status with a reason", Query(has_reason=True)
    yield "the busiest user", Query(user=heavy)
    yield "a user of one thread or a few", Query(user=light)
    yield "the busiest user, closed without a reason", Query(user=heavy, status="closed", has_reason=False)
    yield "user by a part that thousands have", Query(user="user", match="part")
    yield "user by a part that thousands have, closed", Query(user="user", match="part", status="closed")
    yield "user by a part that tens have", Query(user="garcia", match="part")
    yield "user by a part that one has", Query(user=heavy[3:], match="part")
    yield "user by a part that nobody has", Query(user="zyzzyva", match="part")
    yield "the last seven days", Query(begin=last - week, end=last)
    yield "seven days long ago", Query(begin=first + week, end=first + 2 * week)
    yield "a whole year", Query(begin=last - timedelta(days=365), end=last)
    yield (
        "seven days long ago, closed without a reason",
        Query(begin=first + week, end=first + 2 * week, status="closed", has_reason=False),
    )
    yield "a busy hour of the week", Query(hour="1-10")
    yield "a quiet hour of the week", Query(hour="6-03")
    yield "a quiet hour of the week, the busiest user", Query(hour="6-03", user=heavy)
    yield "the commonest reason", Query(reason=common)
    yield "a reason of one thread", Query(reason=rare)
    yield (
        "everything at once",
        Query(
            q="card", user="user", match="part", status="closed", has_reason=True, hour="1-10", begin=first, end=last
        ),
    )
    yield "word of most threads (the)", Query(q="the")
    yield "word of one in six (refund)", Query(q="refund")
    yield "word of one thread (a number)", Query(q=word)
    yield "word that is nowhere", Query(q="zyzzyva")
    yield "part of very many words (ing)", Query(q="ing")
    yield "part of very many numbers (123)", Query(q="123")
    yield "one CJK character", Query(q="款")
    yield "CJK word", Query(q="退款")
    yield "two common words that meet", Query(q="order card")
    yield "two common words that never meet", Query(q="where change")
    yield "two common words that never meet, oldest first", Query(q="once send", order="asc")
    yield "three parts of words", Query(q="ing tion ref")
    yield "phrase that is common", Query(q='"the refund"')
    yield "phrase of common words that never stand so", Query(q='"is the refund the"')
    yield "phrase that is rare", Query(q='"thank you"')
    yield "word, closed without a reason", Query(q="refund", status="closed", has_reason=False)
    yield "word, the busiest user", Query(q="refund", user=heavy)
    yield "word, a user of one thread or a few", Query(q="refund", user=light)
    yield "word, user by a part that thousands have", Query(q="refund", user="user", match="part")
    yield "word, seven days long ago", Query(q="refund", begin=first + week, end=first + 2 * week)
    yield "word that is nowhere, a whole year", Query(q="zyzzyva", begin=last - timedelta(days=365), end=last)
    yield "two that never meet, closed", Query(q="where change", status="closed")
    yield "word, a busy hour of the week", Query(q="refund", hour="1-10")
    yield "two that never meet, a busy hour of the week", Query(q="where change", hour="1-10")


DEEP = (
    "no filter", "status closed", "closed with a reason", "any status with a reason",
    "user by a part that thousands have", "a busy hour of the week", "the commonest reason",
    "word of most threads (the)", "word of one in six (refund)", "part of very many words (ing)",
    "part of very many numbers (123)", "CJK word", "two common words that meet", "two common words that never meet",
    "phrase that is common", "phrase of common words that never stand so", "word, closed without a reason",
)  # fmt: skip


def everything() -> Iterator[tuple[str, Callable[[], object]]]:
    """Yields the benchmarks as (name, call). Raises `WrongReplyError` if a page has the wrong rows."""
    from threads.archive.models import ArchivedThread, SearchDoc  # noqa: PLC0415
    from threads.archive.report import archive_report  # noqa: PLC0415

    threads = SearchDoc.objects.count()
    deep = ArchivedThread.objects.order_by("number").values_list("thread_id", flat=True)[threads // 10]
    for name, query in queries():
        check_page(name, query, ZONE)
        yield name, lambda query=query: page(query)  # type: ignore[misc]
        if name in DEEP:
            further, beyond = f"{name}, at nine tenths", replace(query, after=deep)
            check_page(further, beyond, ZONE)
            yield further, lambda query=beyond: page(query)  # type: ignore[misc]

    yield "the report of the command", lambda: len(archive_report().by_day)
    if _reports(None) != threads:
        raise WrongReplyError(f"the reports counts {_reports(None):,} threads instead of {threads:,}")
    yield "the reports, everything", lambda: _reports(None)
    for days in (7, 30, 365):
        yield f"the reports, {days} days", lambda days=days: _reports(days)  # type: ignore[misc]


def _reports(days: int | None) -> int:
    from threads.archive.statistics import archive_totals, period_statistics  # noqa: PLC0415

    now = archive_totals(ZONE)
    assert now.first is not None
    assert now.last is not None
    begin = now.first if days is None else now.last - timedelta(days=days - 1)
    return period_statistics(begin, now.last, ZONE, now).threads


def page(query: ThreadQuery) -> int:
    """Runs all queries of a list page. Returns the number of rows."""
    from threads.archive import thread_info  # noqa: PLC0415
    from threads.archive.search.source import ArchiveSource  # noqa: PLC0415

    source = ArchiveSource(ZONE)
    window = source.list_threads(query)
    thread_info.by_id([row.id for row in window.rows if row.id], query.q)
    source.counts(query)
    thread_info.search_gaps()
    return len(window.rows)


def measured(call: Callable[[], object], runs: int = RUNS, warmup: int = WARMUP_RUNS) -> Figure:
    times = []
    for run in range(warmup + runs):
        start = time.perf_counter()
        call()
        took = 1000 * (time.perf_counter() - start)
        if run >= warmup:
            times.append(took)
        elif took > 2000:  # too slow to repeat
            return Figure(took, took)
    times.sort()
    return Figure(times[len(times) // 2], times[int(len(times) * 0.95)])


# Sync


def walked(threads: int, latency_ms: float, *, with_items: bool) -> dict[str, list[float]]:
    """Seconds of a sync into an empty database and of a bare loop over the same pages with the same concurrency, in one
    run; and the memory in MB before and after."""
    from django.core.management import call_command  # noqa: PLC0415

    from threads.archive.sync.sync import Sync  # noqa: PLC0415
    from threads.chatkit import ApiConfig, ChatKitClient  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    with upstream(latency_ms, threads) as base_url:
        client = ChatKitClient(ApiConfig("sk-bench", base_url))
        bare_loop(client, with_items=with_items)  # warms the cache of replies in the upstream
        loops = [bare_loop(client, with_items=with_items)]
        memory: list[float] = []

        def watch(tally: SyncTally) -> None:
            if tally.pages % 50 == 10 or tally.threads_read % 2000 == 1000:
                memory.append(_resident())

        start = time.perf_counter()
        Sync(client, with_items=with_items, watch=watch).run()
        took = time.perf_counter() - start
        loops.append(bare_loop(client, with_items=with_items))
        client.close()
    return {"copy": [took], "loop": loops, "memory": memory[:1] + memory[-1:]}


def bare_loop(client: ChatKitClient, *, with_items: bool) -> float:
    """Seconds for fetching and decoding every page without storing it."""
    start = time.perf_counter()
    after: str | None = None
    ids: list[str] = []
    while True:
        page = client.list_threads(order="asc", limit=100, after=after)
        if with_items:
            ids += [each.id for each in page.rows if each.id]
        if not page.has_more:
            break
        after = page.last_id
    with ThreadPoolExecutor(4) as pool:
        for _ in pool.map(lambda each: _conversation(client, each), ids):
            pass
    return time.perf_counter() - start


def _conversation(client: ChatKitClient, thread_id: str) -> None:
    after: str | None = None
    while (page := client.list_items(thread_id, order="asc", limit=100, after=after)).has_more:
        after = page.last_id


def _resident() -> float:
    status = Path("/proc/self/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


def _print(url: str, only: str) -> None:
    """Measures one database and prints a line of JSON per figure."""
    set_up_django(url)
    for name, call in everything():
        if re.search(only, name):
            print(json.dumps([name, *measured(call), call()]), flush=True)


def _ran(*arguments: str) -> list[str]:
    command = [sys.executable, "-m", "benchmarks.archive", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()


def _of(url: str) -> dict[str, Figure]:
    return {name: Figure(median, p95) for name, median, p95, _ in map(json.loads, _ran("--database", url))}


# On disk

_PARTS = {
    "threads": ("archivedthread", "archive_by", "archive_un", "archive_gone", "archive_failing", "archive_due"),
    "items": ("archiveditem", "archive_item_by"),
    "search": ("searchdoc", "archive_word", "archive_parts"),
}
"""Substrings in the names of the tables and indexes of each part; all others are the rest."""


def sizes() -> dict[str, int]:
    """Bytes on disk by part, indexes included."""
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, sum(pgsize) FROM dbstat GROUP BY name"
            if connection.vendor == "sqlite"
            else "SELECT relname, pg_relation_size(oid) + CASE WHEN reltoastrelid > 0 THEN "
            "pg_total_relation_size(reltoastrelid) ELSE 0 END FROM pg_class WHERE relname LIKE 'archive%%' "
            "AND relkind IN ('r', 'i')"
        )
        found = dict(cursor.fetchall())
    sums = dict.fromkeys([*_PARTS, "the rest"], 0)
    for name, size in found.items():
        part = next((part for part, names in _PARTS.items() if any(each in name for each in names)), "the rest")
        sums[part] += int(size)
    return sums


# The table


def archive(_stage: Stage) -> Iterator[ResultRow]:
    """Measures everything and writes archive.md. Yields the slowest page of each database."""
    lines = [*_HEAD]
    measured_of = {name: tuple(map(_of, urls)) for name, urls in DATABASES.items()}
    for name in next(iter(measured_of.values()))[0]:
        cells = [name]
        for small, large in measured_of.values():
            cells += [
                _formatted(small[name]),
                _formatted(large[name]),
                f"{large[name].median / small[name].median:.1f}",
            ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "| on disk, bytes | of a thread | of an item | of a thread, for the search | the rest |"]
    lines += ["|---|---|---|---|---|"]
    for database, (_, url) in DATABASES.items():
        size = json.loads(_ran("--database", url, "--sizes")[0])
        threads, items = size["of threads"], size["of items"]
        each = [size["threads"] / threads, size["items"] / items, size["search"] / threads, size["the rest"] / threads]
        lines.append(f"| {database} | {' | '.join(f'{value:,.0f}' for value in each)} |")
    RESULTS.write_text("\n".join([*lines, ""]), encoding="utf-8")
    for database, (small, large) in measured_of.items():
        slowest = max(
            (name for name in large if not name.startswith(("the reports", "the report"))),
            key=lambda name: large[name].p95,
        )
        yield ResultRow(
            f"{database}: the slowest page of a million threads beside ten thousand ({slowest})", "ms",
            [large[slowest].p95], [small[slowest].p95], large[slowest].p95 / small[slowest].p95, "p95 under 100 ms",
        )  # fmt: skip


_HEAD = """# The archive at a million threads

Milliseconds of a page's queries in one warm process, the middle of 30 runs and the nineteenth of twenty, at ten
thousand threads and at a million; then how many times longer the middle one of the second is. This file is written by
`make bench PARTS=archive`, from databases that `benchmarks.filling` made. "At nine tenths" is the page behind a thread
that has nine tenths of all before it.

| page | SQLite, 10,000 | SQLite, 1,000,000 | times | PostgreSQL, 10,000 | PostgreSQL, 1,000,000 | times |
|---|---|---|---|---|---|---|""".splitlines()


def _formatted(figure: Figure) -> str:
    return f"{figure.median:,.1f} / {figure.p95:,.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True)
    parser.add_argument("--only", default="", help="regular expression for the names of the benchmarks")
    parser.add_argument("--sizes", action="store_true", help="print bytes on disk instead")
    parser.add_argument(
        "--walk", type=int, metavar="THREADS", help="sync this many threads into the database, which must be empty"
    )
    parser.add_argument("--items", action="store_true", help="with items")
    parser.add_argument("--latency-ms", type=float, default=0)
    options = parser.parse_args()
    if options.walk:
        set_up_django(options.database)
        print(json.dumps(walked(options.walk, options.latency_ms, with_items=options.items)))
        return
    if options.sizes:
        set_up_django(options.database)
        from threads.archive.models import Progress, SearchDoc  # noqa: PLC0415

        numbers = {"of threads": SearchDoc.objects.count(), "of items": Progress.objects.get().items}
        print(json.dumps(sizes() | numbers))
        return
    _print(options.database, options.only)


if __name__ == "__main__":
    main()
