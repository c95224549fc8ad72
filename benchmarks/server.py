"""Server benchmarks: throughput, latency with many clients, memory, deep pages; with the baseline in the same run."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence

from benchmarks.load import MeasuredPage, WrongReplyError
from benchmarks.results_table import ResultRow
from benchmarks.serving import ROOT, memory_mb
from benchmarks.stage import SOME, Stage
from threads.chatkit import ApiConfig, ChatKitClient, Order

LONG = 7
"""Position in the list of the long conversation of the showcase, and its number of items."""
ITEMS = 10_000
SDK = """
import statistics, sys, time
from openai import OpenAI
client, limit, runs = OpenAI(), int(sys.argv[1]), int(sys.argv[2])
times = []
for _ in range(runs):
    started = time.perf_counter()
    page = client.beta.chatkit.threads.list(limit=limit)
    times.append((time.perf_counter() - started) * 1000)
    assert len(page.data) == limit, len(page.data)
print(statistics.median(times[runs // 6:]))
"""


def throughput(stage: Stage) -> Iterator[ResultRow]:
    """Upstream at 0 ms: the cost of the server itself."""
    pages = {limit: MeasuredPage(stage.ids(limit), f"limit={limit}") for limit in (20, 100)}
    with stage.upstream(0) as base_url, stage.desk(base_url) as ours, stage.baseline(base_url) as other:
        for limit, request in pages.items():
            runs = [
                [stage.load(each, request, clients=50, seconds=4) for each in (ours, other)]
                for _ in range(stage.rounds)
            ]
            rates = [run[0].rate for run in runs], [run[1].rate for run in runs]
            yield ResultRow(f"the part, {limit} rows, 50 clients", "pages/s", *rates, _ratio(*rates), "≥ 5")
        runs = [
            [stage.load(each, pages[20], clients=1, seconds=3) for each in (ours, other)] for _ in range(stage.rounds)
        ]
        times = [run[0].p50 for run in runs], [run[1].p50 for run in runs]
        yield ResultRow("the part, 20 rows, one client", "ms", *times, _ratio(*times), "≤ 0.3")
        for limit in stage.pick((20, 100), (20,)):
            whole = MeasuredPage(pages[limit].ids, f"limit={limit}", part=False)
            loads = [stage.load(ours, whole, clients=1, seconds=2).p50 for _ in range(stage.rounds)]
            bare = [_bare_sdk(base_url, limit, stage.pick(120, 6)) for _ in range(stage.rounds)]
            what = f"the whole page, {limit} rows, beside the bare SDK call"
            yield ResultRow(what, "ms", loads, bare, _ratio(loads, bare), "< 1")
        size = {limit: stage.load(ours, request, clients=1, seconds=1).size for limit, request in pages.items()}
        per_row = (size[100] - size[20]) / 80
        if per_row <= 0:
            raise WrongReplyError(f"a row of {per_row:.2f} bytes")
        yield ResultRow("a row over the wire", "bytes", [per_row], target="≤ 120")


def crowds(stage: Stage) -> Iterator[ResultRow]:
    """Upstream at 300 ms: the latency that many clients add. A failed request ends the run."""
    request = MeasuredPage(stage.ids(20))
    with stage.upstream(300) as base_url, stage.desk(base_url) as ours:
        stage.load(ours, request, clients=200, seconds=2)
        p95 = [stage.load(ours, request, clients=200, seconds=6).p95 for _ in range(stage.rounds)]
        yield ResultRow("200 clients without a pause, p95", "ms", p95, [300.0], statistics.median(p95) / 300, "≤ 1.25")
        p95 = [stage.load(ours, request, clients=500, seconds=20, think=True).p95]
        yield ResultRow("500 agents who look for 0.5 to 3.5 s, p95", "ms", p95, [300.0], p95[0] / 300, "≤ 1.2")
        yield ResultRow("memory of both workers afterwards (PSS)", "MB", [memory_mb(ours.pid)], target="< 300")


def endurance(stage: Stage) -> Iterator[ResultRow]:
    """Memory after the first ten seconds, and after 100,000 pages."""
    request = MeasuredPage(stage.ids(20))
    with stage.upstream(0) as base_url, stage.desk(base_url) as ours:
        done, early = 0, 0.0
        while done < stage.pick(100_000, 6):
            done += stage.load(ours, request, clients=50, seconds=10).requests
            early = early or memory_mb(ours.pid)
        late = memory_mb(ours.pid)
        yield ResultRow(
            f"memory after {done:,} pages, beside the first ten seconds'", "MB", [late], [early], late / early, "flat"
        )


def depth(stage: Stage) -> Iterator[ResultRow]:
    """Page one and page ten thousand."""
    before = stage.pick(200_000, 200)
    after, *ids = stage.ids(21, begin=before - 1)
    both = MeasuredPage(ids, f"after={after}"), MeasuredPage(stage.ids(20))
    with stage.upstream(0) as base_url, stage.desk(base_url) as ours:
        runs = [[stage.load(ours, each, clients=1, seconds=2).p50 for each in both] for _ in range(stage.rounds)]
    times = [run[0] for run in runs], [run[1] for run in runs]
    yield ResultRow(f"page {before // 20 + 1:,}, beside page one", "ms", *times, _ratio(*times), "1")


def conversation(stage: Stage) -> Iterator[ResultRow]:
    """A page of 100 items near the start and at the end of 10,000, as htmx loads them."""
    (thread,) = stage.ids(1, SOME, begin=LONG)
    with stage.upstream(0, SOME) as base_url, stage.desk(base_url) as ours:
        client = ChatKitClient(ApiConfig("sk-bench", base_url))
        first = _item_ids(client, thread, order="asc")
        second = _item_ids(client, thread, order="asc", after=first[-1])
        last = _item_ids(client, thread, order="desc")[::-1]
        (before,) = _item_ids(client, thread, order="desc", after=last[0], limit=1)
        client.close()
        path = f"/threads/{thread}/"
        parts = [
            MeasuredPage(ids, f"after={after}&limit=100", path) for ids, after in ((last, before), (second, first[-1]))
        ]
        runs = [[stage.load(ours, each, clients=1, seconds=2).p50 for each in parts] for _ in range(stage.rounds)]
        whole = MeasuredPage(last[-50:], path=path, part=False)
        opened = [stage.load(ours, whole, clients=1, seconds=2).p50 for _ in range(stage.rounds)]
    times = [run[0] for run in runs], [run[1] for run in runs]
    yield ResultRow(f"the last 100 of {ITEMS:,} items, beside the second 100", "ms", *times, _ratio(*times), "1")
    yield ResultRow("a conversation opened, 50 items", "ms", opened)


def _item_ids(
    client: ChatKitClient, thread: str, *, order: Order, after: str | None = None, limit: int = 100
) -> list[str]:
    page = client.list_items(thread, order=order, limit=limit, after=after)
    ids = [row.id for row in page.rows if row.id]
    if len(ids) != limit:
        raise WrongReplyError(f"{len(ids)} items instead of {limit}")
    return ids


def _ratio(ours: Sequence[float], other: Sequence[float]) -> float:
    return statistics.median(ours) / statistics.median(other)


def _bare_sdk(base_url: str, limit: int, runs: int) -> float:
    environment = {"OPENAI_API_KEY": "sk-bench", "OPENAI_BASE_URL": base_url, "PATH": os.environ["PATH"]}
    command = [sys.executable, "-c", SDK, str(limit), str(runs)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=True)
    return float(done.stdout)
