"""Starts the servers to measure, each as a process on a free port."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORKERS = 2
_START_TIMEOUT_SECONDS = 120.0

ROLE = "Viewer"
"""Role of the signed-in account. Without a role every page is a 403."""
SESSION = """
import sys
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.contrib.auth import get_user_model, login
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.conf import settings
from importlib import import_module
user, _ = get_user_model().objects.get_or_create(username="agent")
if sys.argv[1:]:
    user.groups.add(Group.objects.get(name=sys.argv[1]))
request = HttpRequest()
request.session = import_module(settings.SESSION_ENGINE).SessionStore()
login(request, user, backend=settings.AUTHENTICATION_BACKENDS[-1])
request.session.save()
print(request.session.session_key)
"""


@dataclass(frozen=True, slots=True)
class Served:
    """A server that is up. `cookie` is the session of somebody who is signed in."""

    url: str
    pid: int
    cookie: str = ""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], environment: dict[str, str], probe: str, cwd: Path = ROOT) -> Iterator[int]:
    """Runs `command` for the duration of the block, which starts once `probe` answers with any status."""
    process = subprocess.Popen(
        command, cwd=cwd, env=_environment(environment), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + _START_TIMEOUT_SECONDS
        while process.poll() is None and time.monotonic() < until:
            try:
                urllib.request.urlopen(probe, timeout=5).close()
                break
            except urllib.error.HTTPError:
                break
            except OSError:
                time.sleep(0.05)
        else:
            raise RuntimeError(f"{command} did not start")
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def upstream(latency_ms: float, threads: int = 1_000_000) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.upstream", "--port", str(port)]
    command += ["--threads", str(threads), "--latency-ms", str(latency_ms)]
    with running(command, {}, f"http://127.0.0.1:{port}/"):
        yield f"http://127.0.0.1:{port}/v1"


@contextmanager
def desk(base_url: str, data: Path, workers: int = WORKERS) -> Iterator[Served]:
    """Threadkeeper, started as for production."""
    port = free_port()
    environment = {
        "DJANGO_SETTINGS_MODULE": "dashboard.settings",
        "OPENAI_API_KEY": "sk-bench",
        "OPENAI_BASE_URL": base_url,
        "SECRET_KEY": "of the benchmark alone",
        "DATA_DIR": str(data),
        "PORT": str(port),
        "WEB_CONCURRENCY": str(workers),
    }
    data.mkdir(parents=True, exist_ok=True)
    cookie = _session(environment, ROLE)
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "dashboard.wsgi"]
    with running(command, environment, f"http://127.0.0.1:{port}/healthz") as pid:
        yield Served(f"http://127.0.0.1:{port}", pid, f"sessionid={cookie}; tz=UTC")


@contextmanager
def baseline(base_url: str, data: Path, workers: int = WORKERS, threads: int = 50) -> Iterator[Served]:
    """The baseline: the official SDK and plain Django on gunicorn, with as many workers and a thread per client."""
    port = free_port()
    environment = {
        "DJANGO_SETTINGS_MODULE": "benchmarks.baseline.settings",
        "OPENAI_API_KEY": "sk-bench",
        "OPENAI_BASE_URL": base_url,
        "BASELINE_DB": str(data / "baseline.sqlite3"),
    }
    data.mkdir(parents=True, exist_ok=True)
    cookie = _session(environment)
    command = [sys.executable, "-m", "gunicorn", "-k", "gthread", "-w", str(workers), "--threads", str(threads)]
    command += ["--keep-alive", "30", "-b", f"127.0.0.1:{port}", "benchmarks.baseline.wsgi"]
    # Not in the root directory, where gunicorn would read Threadkeeper's configuration.
    with running(command, environment, f"http://127.0.0.1:{port}/none", cwd=ROOT / "benchmarks") as pid:
        yield Served(f"http://127.0.0.1:{port}", pid, f"sessionid={cookie}")


def memory_mb(pid: int) -> float:
    """Memory of the workers of `pid` in MB, shared pages counted proportionally (PSS)."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    total = 0
    for child in children:
        for line in Path(f"/proc/{child}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024


def _session(environment: dict[str, str], *role: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SESSION, *role],
        cwd=ROOT, env=_environment(environment), capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return done.stdout.split()[-1]


def _environment(settings: dict[str, str]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return kept | {"PYTHONPATH": str(ROOT)} | settings
