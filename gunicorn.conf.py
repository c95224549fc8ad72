"""gunicorn's configuration: `gunicorn -c gunicorn.conf.py dashboard.wsgi`. Reads PORT, HOST, WEB_CONCURRENCY and
WORKER_CONNECTIONS. Why gevent: docs/adr/0005."""

import gc
import multiprocessing
import os
from pathlib import Path
from typing import Any

from dashboard import env
from dashboard.monitoring import metric_files
from dashboard.monitoring.gunicorn_logger import GunicornLogger

os.umask(0o077)  # files are for this OS account only

_host = env.text("HOST", "127.0.0.1")
bind = f"{f'[{_host}]' if ':' in _host else _host}:{env.integer('PORT', 8000, least=1, most=65535)}"
# The embedded emulator lives in its process, so there is only one.
workers = (
    env.integer("WEB_CONCURRENCY", 2, least=1, most=64)
    if env.secret("OPENAI_API_KEY") or env.flag("ARCHIVE_ONLY")
    else 1
)
worker_class = "gevent"
# Shorter than elsewhere: a page may wait more than once for a locked SQLite file.
os.environ.setdefault("SQLITE_WAIT", "2")
worker_connections = env.integer("WORKER_CONNECTIONS", 1000, least=1, most=10_000)
# The main loop of a process must answer within this; requests have their own deadline, CHATKIT_DEADLINE.
timeout = 30
graceful_timeout = 25
# A stopping process waits for its keep-alive connections, so they are short.
keepalive = 5
# Heartbeat files on a real disk can block a worker; memory cannot.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: PTH112, S108
# A user id may have 512 characters, each of which may be twelve in an address.
limit_request_line = 8190
# Whether to trust a proxy is a setting (BEHIND_PROXY).
secure_scheme_headers: dict[str, str] = {}
accesslog = env.text("ACCESS_LOG")
# The query contains user ids and searches, so the access log leaves it out.
access_log_format = '%(h)s %(t)s "%(m)s %(U)s %(H)s" %(s)s %(b)s %(M)sms %({x-request-id}o)s %({x-client-request-id}o)s'
logger_class = GunicornLogger
control_socket_disable = True
if env.flag("METRICS"):
    _counted = Path(env.text("DATA_DIR", str(Path(__file__).resolve().parent / "var"))) / "metrics"
    metric_files.remove_stale(_counted)
    metric_files.set_directory(_counted)


def _gather() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    import django  # noqa: PLC0415

    django.setup()
    from dashboard.collect_static import collect_if_changed  # noqa: PLC0415

    collect_if_changed()


def on_starting(_server: Any) -> None:
    """Collects and compresses static files if they have changed. Runs in a process of its own, so that a reload finds
    no old code in this one."""
    process = multiprocessing.get_context("fork").Process(target=_gather)
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(process.exitcode)


on_reload = on_starting


def child_exit(_server: Any, worker: Any) -> None:
    """Drops the live gauges of a process that ended."""
    metric_files.forget_process(worker.pid)


def post_worker_init(_worker: Any) -> None:
    """Tunes the garbage collector: freezes what is loaded, and collects less often. A page creates and frees some
    thousand objects, during which the default would collect ten times."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
