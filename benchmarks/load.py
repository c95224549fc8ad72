"""Load from wrk, another process in C: `apt-get install wrk`."""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True, slots=True)
class Load:
    """What a run came to: pages a second, milliseconds at the median and at the 95th percentile, failed requests."""

    rate: float
    p50: float
    p95: float
    errors: int
    requests: int
    bytes: int


def load(
    served: Served,
    query: str = "",
    *,
    path: str = "/threads/",
    clients: int,
    seconds: float,
    think: bool = False,
    part: bool = True,
) -> Load:
    """`clients` ask for one page over and over, without a pause, or as people who look at it for 0.5 to 3.5 s."""
    script = SCRIPT % {
        "cookie": served.cookie,
        "htmx": "true" if part else "false",
        "delay": THINK if think else "",
    }
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        Path(file.name).write_text(script, encoding="ascii")
        address = f"{served.url}{path}" + (f"?{query}" if query else "")
        command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "20s", "-s", file.name, address]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", said)
    if not found:
        raise RuntimeError(said)
    requests, duration, errors, p50, p95, size = map(int, found.groups())
    return Load(requests / (duration / 1e6), p50 / 1000, p95 / 1000, errors, requests, size)
