"""Load on a server, and the proof that what was measured is the page that was meant: its status and its rows.

The load comes from wrk, another process in C (`apt-get install wrk`).
"""

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

from .serving import Served

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

_ROWS = re.compile(r'<tr data-thread-id="([^"]+)"|<li class="item [^"]*" id="item-([^"]+)"')
_OFF = 0.05
"""The part by which the replies under load may be larger or smaller than the one that was looked at: each has another
token and other ages in it, and is compressed. A page that says no is a quarter of the size."""


class WrongReplyError(Exception):
    """What came back is not what was to be measured."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A page, or with `part` what htmx receives of it, and the ids of the rows that are in it, in their order."""

    ids: Sequence[str]
    query: str = ""
    path: str = "/threads/"
    part: bool = True

    @property
    def address(self) -> str:
        return self.path + (f"?{self.query}" if self.query else "")


@dataclass(frozen=True, slots=True)
class Load:
    """What a run came to: pages a second, milliseconds at the median and at the 95th percentile, bytes of a reply with
    its headers."""

    rate: float
    p50: float
    p95: float
    requests: int
    size: float


def check(served: Served, asked: Asked) -> tuple[int, float]:
    """Asks once. Returns the bytes of the reply and how many milliseconds it took. Raises `WrongReplyError` where the
    status is not 200 or the rows are not those expected."""
    connection = http.client.HTTPConnection(urlsplit(served.url).netloc, timeout=60)
    htmx = "true" if asked.part else "false"
    began = time.perf_counter()
    connection.request(
        "GET", asked.address, headers={"Cookie": served.cookie, "HX-Request": htmx, "Accept-Encoding": "gzip"}
    )
    response = connection.getresponse()
    body = response.read()
    took = 1000 * (time.perf_counter() - began)
    connection.close()
    size = len(body) + sum(len(name) + len(value) + 4 for name, value in response.getheaders()) + 19
    if response.status != 200:
        raise WrongReplyError(f"{asked.address}: status {response.status} instead of 200")
    text = (gzip.decompress(body) if response.getheader("Content-Encoding") == "gzip" else body).decode()
    found = [first or second for first, second in _ROWS.findall(text)]
    if found != list(asked.ids):
        raise WrongReplyError(
            f"{asked.address}: {len(found)} rows instead of {len(asked.ids)}, or others: {found[:3]} …, not "
            f"{list(asked.ids[:3])} …"
        )
    return size, took


def load(served: Served, asked: Asked, *, clients: int, seconds: float, think: bool = False) -> Load:
    """`clients` ask for one page over and over, without a pause, or as people who look at it for 0.5 to 3.5 s. Raises
    `WrongReplyError` where any reply is not that page."""
    before, _ = check(served, asked)
    script = SCRIPT % {
        "cookie": served.cookie,
        "htmx": "true" if asked.part else "false",
        "delay": THINK if think else "",
    }
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        Path(file.name).write_text(script, encoding="ascii")
        command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "20s", "-s", file.name]
        said = subprocess.run([*command, served.url + asked.address], capture_output=True, text=True, check=True).stdout
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", said)
    if not found:
        raise RuntimeError(said)
    requests, duration, errors, p50, p95, size = map(int, found.groups())
    if errors or not requests:
        raise WrongReplyError(f"{asked.address}: {errors:,} of {requests:,} requests failed")
    # wrk counts no redirect as an error, and knows nothing of rows.
    expected = (before + check(served, asked)[0]) / 2
    if abs(size / requests - expected) > _OFF * expected:
        raise WrongReplyError(f"{asked.address}: {size / requests:,.0f} bytes a reply instead of {expected:,.0f}")
    return Load(requests / (duration / 1e6), p50 / 1000, p95 / 1000, requests, size / requests)


def few(served: Served, asked: Asked, requests: int = 3) -> Load:
    """The same figures from a few requests, one after the other."""
    sizes, times = zip(*(check(served, asked) for _ in range(requests)), strict=True)
    return Load(1000 * requests / sum(times), statistics.median(times), max(times), requests, sum(sizes) / requests)
