"""One address, rendered as a page, or as its changing part for htmx."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse


def is_part(request: HttpRequest) -> bool:
    """Whether htmx asks for the part. Going back, it needs the whole page."""
    return request.headers.get("HX-Request") == "true" and "HX-History-Restore-Request" not in request.headers


def place(request: HttpRequest, response: HttpResponse, address: str) -> None:
    """Tells htmx the address that a part stands at."""
    here = urlsplit(request.headers.get("HX-Current-URL", ""))
    # Trying again is not another place to go back to.
    again = address == (f"{here.path}?{here.query}" if here.query else here.path)
    response.headers["HX-Replace-Url" if again else "HX-Push-Url"] = address
