"""The server: `gunicorn -c gunicorn.conf.py dashboard.wsgi`. Reads PORT, HOST, WEB_CONCURRENCY and SERVER_THREADS."""

import os
from typing import Any

from dashboard import env

bind = f"{env.text('HOST', '127.0.0.1')}:{env.whole('PORT', 8000, least=1, most=65535)}"
# The embedded emulator lives in the process that serves it, so there is only one of them.
workers = env.whole("WEB_CONCURRENCY", 2, least=1, most=64) if env.secret("OPENAI_API_KEY") else 1
worker_class = "gthread"
threads = env.whole("SERVER_THREADS", 16, least=1, most=512)
# A worker's main loop must answer within this; a request may take as long as CHATKIT_DEADLINE allows it.
timeout = 30
graceful_timeout = 25
keepalive = 30
# Heartbeat files on a real disk can block a worker; memory cannot.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: PTH112, S108
accesslog = env.text("ACCESS_LOG")
# Who did it is in the address's query, so the access log leaves the query out.
access_log_format = '%(h)s %(t)s "%(m)s %(U)s %(H)s" %(s)s %(b)s %(M)sms'
control_socket_disable = True


def on_starting(_server: Any) -> None:
    """Static files need no step of their own: they are gathered and compressed here, if anything in them changed."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    import django  # noqa: PLC0415

    django.setup()
    from dashboard.static import gather  # noqa: PLC0415

    gather()


on_reload = on_starting
