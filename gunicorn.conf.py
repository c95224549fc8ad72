"""The server: `gunicorn -c gunicorn.conf.py dashboard.wsgi`. Reads PORT, HOST, WEB_CONCURRENCY and
WORKER_CONNECTIONS. Why gevent: docs/adr/0005."""

import gc
import multiprocessing
import os
from pathlib import Path
from typing import Any

from dashboard import env
from dashboard.monitoring import metric_files
from dashboard.monitoring.gunicorn_logger import ServerLog

os.umask(0o077)  # what it makes is for its own account alone

_host = env.text("HOST", "127.0.0.1")
bind = f"{f'[{_host}]' if ':' in _host else _host}:{env.whole('PORT', 8000, least=1, most=65535)}"
# The embedded emulator lives in the process that serves it, so there is only one of them.
workers = (
    env.whole("WEB_CONCURRENCY", 2, least=1, most=64) if env.secret("OPENAI_API_KEY") or env.flag("ARCHIVE_ONLY") else 1
)
worker_class = "gevent"
# A page may wait more than once for a locked SQLite file.
os.environ.setdefault("SQLITE_WAIT", "2")
worker_connections = env.whole("WORKER_CONNECTIONS", 1000, least=1, most=10_000)
# A worker's main loop must answer within this; a request may take as long as CHATKIT_DEADLINE allows it.
timeout = 30
graceful_timeout = 25
# A worker that is told to stop waits for connections that are kept alive, so they are not kept for long.
keepalive = 5
# Heartbeat files on a real disk can block a worker; memory cannot.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: PTH112, S108
# A user id may have 512 characters, each of which may be twelve in an address.
limit_request_line = 8190
# Whether a proxy is to be believed is for the settings to say (BEHIND_PROXY), not for the server to assume.
secure_scheme_headers: dict[str, str] = {}
accesslog = env.text("ACCESS_LOG")
# Who did it is in the address's query, so the access log leaves the query out.
access_log_format = '%(h)s %(t)s "%(m)s %(U)s %(H)s" %(s)s %(b)s %(M)sms %({x-request-id}o)s %({x-client-request-id}o)s'
logger_class = ServerLog
control_socket_disable = True
if env.flag("METRICS"):
    _counted = Path(env.text("DATA_DIR", str(Path(__file__).resolve().parent / "var"))) / "metrics"
    metric_files.clean(_counted)
    metric_files.share(_counted)


def _gather() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    import django  # noqa: PLC0415

    django.setup()
    from dashboard.collect_static import gather  # noqa: PLC0415

    gather()


def on_starting(_server: Any) -> None:
    """Static files need no step of their own: they are gathered and compressed here, if anything in them changed. In a
    process of its own, so that what a reload starts anew finds nothing of the old code."""
    process = multiprocessing.get_context("fork").Process(target=_gather)
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(process.exitcode)


on_reload = on_starting


def child_exit(_server: Any, worker: Any) -> None:
    """What it was at is under way no more."""
    metric_files.died(worker.pid)


def post_worker_init(_worker: Any) -> None:
    """What is loaded now stays. A page makes some thousand objects and lets them go again without the garbage
    collector, which by default would look through them ten times meanwhile."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
