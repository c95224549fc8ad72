"""Load generation with wrk (`apt-get install wrk`), with checks of the status and rows of the measured page."""

from __future__ import annotations

import gzip
import http.client
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.serving import Served

SCRIPT = """
wrk.headers["Cookie"] = "%(cookie)s"
wrk.headers["HX-Request"] = "%(htmx)s"
wrk.headers["Accept-Encoding"] = "gzip"
%(delay)s
function done(summary, latency, requests)
  local errors = summary.errors.connect + summary.errors.read + summary.errors.write
    + summary.errors.status + summary.errors.timeout
  io.write(string.format("RESULT %%d %%d %%d %%d %%d %%d\\n", summary.requests, summary.duration, errors,
    latency:percentile(50), latency:percentile(95), summary.bytes))
end
"""
THINK = "math.randomseed(os.time())\nfunction delay() return 500 + math.random(3000) end"

_ROWS = re.compile(r'<tr [^>]*data-thread-id="([^"]+)"|<li class="item [^"]*" id="item-([^"]+)"')
_SIZE_TOLERANCE = 0.05
"""Relative difference in size between replies under load and the checked one: tokens and ages in them differ, and they
are compressed. An error page has a quarter of the size."""


class WrongReplyError(Exception):
    """A reply is not the page to measure."""


@dataclass(frozen=True, slots=True)
class MeasuredPage:
    """A page, or with `part` its htmx partial, and the expected ids of its rows, in order."""

    ids: Sequence[str]
    query: str = ""
    path: str = "/threads/"
    part: bool = True

    @property
    def address(self) -> str:
        return self.path + (f"?{self.query}" if self.query else "")


@dataclass(frozen=True, slots=True)
class Load:
    """Figures of a run: pages per second, milliseconds at p50 and p95, bytes of a whole reply."""

    rate: float
    p50: float
    p95: float
    requests: int
    size: float


def check(served: Served, request: MeasuredPage) -> tuple[int, float]:
    """Sends one request. Returns the size of the reply in bytes and its duration in milliseconds. Raises
    `WrongReplyError` if the status is not 200 or the rows are not the expected ones."""
    connection = http.client.HTTPConnection(urlsplit(served.url).netloc, timeout=60)
    htmx = "true" if request.part else "false"
    began = time.perf_counter()
    connection.request(
        "GET", request.address, headers={"Cookie": served.cookie, "HX-Request": htmx, "Accept-Encoding": "gzip"}
    )
    response = connection.getresponse()
    body = response.read()
    took = 1000 * (time.perf_counter() - began)
    connection.close()
    size = len(body) + sum(len(name) + len(value) + 4 for name, value in response.getheaders()) + 19
    if response.status != 200:
        raise WrongReplyError(f"{request.address}: status {response.status} instead of 200")
    text = (gzip.decompress(body) if response.getheader("Content-Encoding") == "gzip" else body).decode()
    found = [first or second for first, second in _ROWS.findall(text)]
    if found != list(request.ids):
        raise WrongReplyError(
            f"{request.address}: {len(found)} rows instead of {len(request.ids)}, or others: {found[:3]} …, not "
            f"{list(request.ids[:3])} …"
        )
    return size, took


def load(served: Served, request: MeasuredPage, *, clients: int, seconds: float, think: bool = False) -> Load:
    """Loads one page repeatedly from `clients` connections, with `think` after pauses of 0.5 to 3.5 s. Raises
    `WrongReplyError` if any reply is not that page."""
    before, _ = check(served, request)
    script = SCRIPT % {
        "cookie": served.cookie,
        "htmx": "true" if request.part else "false",
        "delay": THINK if think else "",
    }
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        Path(file.name).write_text(script, encoding="ascii")
        command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "20s", "-s", file.name]
        said = subprocess.run(
            [*command, served.url + request.address], capture_output=True, text=True, check=True
        ).stdout
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", said)
    if not found:
        raise RuntimeError(said)
    requests, duration, errors, p50, p95, size = map(int, found.groups())
    if errors or not requests:
        raise WrongReplyError(f"{request.address}: {errors:,} of {requests:,} requests failed")
    # wrk does not count redirects as errors, and does not check rows.
    expected = (before + check(served, request)[0]) / 2
    if abs(size / requests - expected) > _SIZE_TOLERANCE * expected:
        raise WrongReplyError(f"{request.address}: {size / requests:,.0f} bytes a reply instead of {expected:,.0f}")
    return Load(requests / (duration / 1e6), p50 / 1000, p95 / 1000, requests, size / requests)


def few(served: Served, request: MeasuredPage, requests: int = 3) -> Load:
    """The same figures from a few sequential requests."""
    sizes, times = zip(*(check(served, request) for _ in range(requests)), strict=True)
    return Load(1000 * requests / sum(times), statistics.median(times), max(times), requests, sum(sizes) / requests)
