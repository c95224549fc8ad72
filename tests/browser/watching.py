"""Sees what a browser does that it should not: complain on the console, run into the policy, speak to strangers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, WebError

_OURS = re.compile(r"http://127\.0\.0\.1:\d+/")
_REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`Policy violated: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""


@dataclass
class Watch:
    """What went wrong in the browser, but for what the test `expects`, and every request that was made."""

    wrong: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    _expected: list[str] = field(default_factory=list)

    def expect_status(self, *statuses: int) -> None:
        """The browser logs every reply of 400 and above; these are meant."""
        self._expected += [f"the server responded with a status of {status}" for status in statuses]

    def expect_message(self, *parts: str) -> None:
        """A message with this in it is meant."""
        self._expected += parts

    def over(self, context: BrowserContext) -> None:
        context.add_init_script(_REPORT_VIOLATIONS)
        context.on("console", self._heard)
        context.on("weberror", self._failed)
        context.on("request", self._asked)

    def documents(self) -> list[str]:
        """The addresses of all whole pages that were asked for."""
        return [request.url for request in self.requests if request.resource_type == "document"]

    def verdict(self) -> list[str]:
        return [said for said in self.wrong if not any(part in said for part in self._expected)]

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(f"console {message.type}: {message.text}")

    def _failed(self, failure: WebError) -> None:
        self.wrong.append(f"script error: {failure.error}")

    def _asked(self, request: Request) -> None:
        self.requests.append(request)
        if not _OURS.match(request.url):
            self.wrong.append(f"request to a stranger: {request.url}")
