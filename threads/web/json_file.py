"""JSON as a download."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse


def json_file(content: dict[str, Any], name: str) -> HttpResponse:
    """`content` as an indented JSON file to download. Times are in ISO 8601, to the microsecond; DjangoJSONEncoder
    would cut them to milliseconds."""
    text = json.dumps(content, indent=2, ensure_ascii=False, default=lambda moment: moment.isoformat())
    response = HttpResponse(text + "\n", content_type="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
