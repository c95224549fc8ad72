"""The server's own log, in the same lines as ours."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger

from dashboard import env

from .logs import formatter


class ServerLog(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's, but for what a line looks like."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        ours = formatter(env.choice("LOG_FORMAT", "line", ["line", "json"]))()
        for log in (self.error_log, self.access_log):
            for handler in log.handlers:
                handler.setFormatter(ours)
