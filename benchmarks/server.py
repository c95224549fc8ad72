"""The server: pages a second, latency under many clients, memory, depth; beside the baseline in the same run."""

from __future__ import annotations

import itertools
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from threads.chatkit import Account, ChatKitClient
from threads.emulator import Emulator

from .load import load
from .serving import ROOT, baseline, desk, memory_mb, upstream
from .table import Row

ROUNDS = 3
LONG = 7
"""The place of the long conversation among the newest threads of the showcase."""
SDK = """
import statistics, sys, time
from openai import OpenAI
client, limit = OpenAI(), int(sys.argv[1])
times = []
for _ in range(120):
    started = time.perf_counter()
    client.beta.chatkit.threads.list(limit=limit)
    times.append((time.perf_counter() - started) * 1000)
print(statistics.median(times[20:]))
"""


def throughput(data: Path) -> Iterator[Row]:
    """Upstream at 0 ms: what the server itself takes."""
    with upstream(0) as base_url, desk(base_url, data) as ours, baseline(base_url, data) as other:
        for limit in (20, 100):
            query = f"limit={limit}"
            runs = [
                (load(ours, query, clients=50, seconds=4), load(other, query, clients=50, seconds=4))
                for _ in range(ROUNDS)
            ]
            rates = [each.rate for each, _ in runs], [each.rate for _, each in runs]
            ratio = statistics.median(rates[0]) / statistics.median(rates[1])
            yield Row(f"the part, {limit} rows, 50 clients", "pages/s", *rates, ratio, "≥ 5")
        runs = [(load(ours, clients=1, seconds=3), load(other, clients=1, seconds=3)) for _ in range(ROUNDS)]
        times = [each.p50 for each, _ in runs], [each.p50 for _, each in runs]
        ratio = statistics.median(times[0]) / statistics.median(times[1])
        yield Row("the part, 20 rows, one client", "ms", *times, ratio, "≤ 0.3")
        for limit in (20, 100):
            pages = [load(ours, f"limit={limit}", clients=1, seconds=2, part=False).p50 for _ in range(ROUNDS)]
            bare = [_bare_sdk(base_url, limit) for _ in range(ROUNDS)]
            ratio = statistics.median(pages) / statistics.median(bare)
            yield Row(f"the whole page, {limit} rows, beside the bare SDK call", "ms", pages, bare, ratio, "< 1")
        size = [load(ours, f"limit={limit}", clients=1, seconds=1) for limit in (20, 100)]
        per_row = (size[1].bytes / size[1].requests - size[0].bytes / size[0].requests) / 80
        yield Row("a row over the wire", "bytes", [per_row], target="≤ 120")


def crowds(data: Path) -> Iterator[Row]:
    """Upstream at 300 ms: what a crowd adds to it."""
    with upstream(300) as base_url, desk(base_url, data) as ours:
        load(ours, clients=200, seconds=2)
        runs = [load(ours, clients=200, seconds=6) for _ in range(ROUNDS)]
        p95 = [run.p95 for run in runs]
        yield Row("200 clients without a pause, p95", "ms", p95, [300.0], statistics.median(p95) / 300, "≤ 1.25")
        runs.append(load(ours, clients=500, seconds=20, think=True))
        p95 = [runs[-1].p95]
        yield Row("500 agents who look for 0.5 to 3.5 s, p95", "ms", p95, [300.0], p95[0] / 300, "≤ 1.2")
        yield Row("failed requests in these", "", [sum(run.errors for run in runs)], target="0")
        yield Row("memory of both workers afterwards (PSS)", "MB", [memory_mb(ours.pid)], target="< 300")


def endurance(data: Path, pages: int = 100_000) -> Iterator[Row]:
    """Memory after a tenth of many pages, and after all."""
    with upstream(0) as base_url, desk(base_url, data) as ours:
        done, early = 0, 0.0
        while done < pages:
            done += load(ours, clients=50, seconds=10).requests
            early = early or memory_mb(ours.pid)
        late = memory_mb(ours.pid)
        yield Row(
            f"memory after {done:,} pages, beside the first ten seconds'", "MB", [late], [early], late / early, "flat"
        )


def depth(data: Path) -> Iterator[Row]:
    """Page one, and page ten thousand."""
    emulator = Emulator(threads=1_000_000, seed=7, now=1_790_000_000.0)
    deep = next(each for number, each in enumerate(emulator.thread_ids()) if number == 200_000)
    with upstream(0) as base_url, desk(base_url, data) as ours:
        runs = [
            (load(ours, f"after={deep}", clients=1, seconds=2).p50, load(ours, clients=1, seconds=2).p50)
            for _ in range(ROUNDS)
        ]
    times = [each for each, _ in runs], [each for _, each in runs]
    ratio = statistics.median(times[0]) / statistics.median(times[1])
    yield Row("page 10,001, beside page one", "ms", *times, ratio, "1")


def conversation(data: Path) -> Iterator[Row]:
    """A page of 100 items, from the first and from the last of 10,000, as htmx asks for them."""
    emulator = Emulator(threads=5000, seed=7, now=1_790_000_000.0, showcase=True)
    thread = list(itertools.islice(emulator.thread_ids(), LONG + 1))[LONG]
    with upstream(0, 5000) as base_url, desk(base_url, data) as ours:
        client = ChatKitClient(Account("sk-bench", base_url))
        page = client.list_items(thread, order="asc", limit=100)
        first, last = page.last_id, page.last_id
        while page.has_more:
            page = client.list_items(thread, order="asc", limit=100, after=last)
            last = page.last_id if page.has_more and len(page.rows) == 100 else last
        client.close()
        path = f"/threads/{thread}/"
        runs = [
            (
                load(ours, f"after={last}&limit=100", path=path, clients=1, seconds=2).p50,
                load(ours, f"after={first}&limit=100", path=path, clients=1, seconds=2).p50,
            )
            for _ in range(ROUNDS)
        ]
        opened = [load(ours, path=path, clients=1, seconds=2, part=False).p50 for _ in range(ROUNDS)]
    times = [each for each, _ in runs], [each for _, each in runs]
    ratio = statistics.median(times[0]) / statistics.median(times[1])
    yield Row("the last 100 of 10,000 items, beside the second 100", "ms", *times, ratio, "1")
    yield Row("a conversation opened, 50 items", "ms", opened)


def _bare_sdk(base_url: str, limit: int) -> float:
    environment = {"OPENAI_API_KEY": "sk-bench", "OPENAI_BASE_URL": base_url, "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-c", SDK, str(limit)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=True)
    return float(done.stdout)
