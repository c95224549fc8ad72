"""gunicorn's logger with the desk's log format."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger

from dashboard import env

from .logs import formatter


class GunicornLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Formats error log and access log as LOG_FORMAT says."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        desk_formatter = formatter(env.choice("LOG_FORMAT", "line", ["line", "json"]))()
        for log in (self.error_log, self.access_log):
            for handler in log.handlers:
                handler.setFormatter(desk_formatter)
