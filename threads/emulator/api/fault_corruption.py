"""Faults that corrupt the reply of the API."""

import json
import zlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import cycle, islice
from typing import Any

from threads.emulator.faults import CONNECTION_FAULTS, Fault
from threads.emulator.world.state import as_bytes

from .replies import EmulatorReply

BOMB_BYTES = 200_000_000
MIN_EXCESS_ROWS = 250
_DEPTH = 200_000
_BAD_CHARACTERS = "\ud800\x00"
# Keys of free text in threads and items.
_TEXT_KEYS = ("title", "user", "reason", "text", "heading", "summary", "widget", "arguments")


@lru_cache(maxsize=1)
def gzip_bomb() -> bytes:
    """A page with 200 MB of blanks, about 200 kB of gzip. The uncompressed body is never in memory."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    blanks = b" " * 1_000_000
    parts = [packer.compress(b'{"object":"list","data":[')]
    parts += [packer.compress(blanks) for _ in range(BOMB_BYTES // len(blanks))]
    parts += [packer.compress(b'],"first_id":null,"last_id":null,"has_more":false}'), packer.flush()]
    return b"".join(parts)


def _with_bad_characters(value: Any) -> Any:
    match value:
        case list():
            return [_with_bad_characters(part) for part in value]
        case dict():
            return {
                key: part + _BAD_CHARACTERS
                if key in _TEXT_KEYS and isinstance(part, str)
                else _with_bad_characters(part)
                for key, part in value.items()
            }
        case _:
            return value


def _rows(answer: Any) -> list[Any]:
    """The rows of a page, or the single thread of the reply."""
    data = answer.get("data", [answer])
    return data if isinstance(data, list) else []


def _with_created_at(answer: Any, *values: Any) -> Any:
    for row, value in zip(_rows(answer), values, strict=False):
        row["created_at"] = value
    return answer


def _bad_rows(answer: Any) -> Any:
    if "data" not in answer:
        return {**answer, "title": ["not", "a", "title"], "status": "active", "created_at": "yesterday"}
    model = answer["data"][0] if answer["data"] else {"id": "cthr_0", "object": "chatkit.thread", "created_at": 0}
    without_id = {key: value for key, value in model.items() if key != "id"}
    changes: list[dict[str, Any]] = [
        {"id": 12345},
        {"title": ["not", "a", "title"], "content": "not a list"},
        {"status": "active"},
        {"status": {"type": "archived"}, "type": "chatkit.hologram"},
        {"created_at": "2026-01-01T00:00:00Z"},
        {"created_at": 10**18},
    ]
    broken = [{**model, "id": f"{model['id']}{number}", **change} for number, change in enumerate(changes)]
    return {**answer, "data": [*answer["data"], "a bare string", None, without_id, *broken, model]}


def _sparse(answer: Any) -> Any:
    def reduced(row: Any) -> Any:
        kept = ("id", "object", "title", "type", "content")
        return {key: row[key] for key in kept if key in row}

    if "data" not in answer:
        return reduced(answer)
    return {"object": "list", "data": [reduced(row) for row in answer["data"]], "has_more": answer["has_more"]}


def _too_many(answer: Any) -> Any:
    if rows := answer.get("data"):
        answer["data"] = list(islice(cycle(rows), max(len(rows), MIN_EXCESS_ROWS)))
        answer["last_id"] = answer["data"][-1]["id"]
    return answer


def _on_pages(**changes: Any) -> Callable[[Any], Any]:
    return lambda answer: {**answer, **changes} if "data" in answer else answer


_CORRUPT_JSON: Mapping[Fault, Callable[[Any], Any]] = {
    Fault.DATA_NULL: lambda answer: {**answer, "data": None} if "data" in answer else None,
    Fault.NAN: lambda answer: _with_created_at(answer, float("nan"), float("inf"), float("-inf")),
    Fault.SURROGATES: _with_bad_characters,
    Fault.TOO_MANY_ROWS: _too_many,
    Fault.EMPTY_HAS_MORE: _on_pages(data=[], first_id=None, last_id=None, has_more=True),
    Fault.LOOP: _on_pages(has_more=True),
    Fault.BAD_ROWS: _bad_rows,
    Fault.SPARSE_ROWS: _sparse,
}


def _with_huge_number(body: bytes) -> bytes:
    marked = as_bytes(_with_created_at(json.loads(body), "HUGE"))
    return marked.replace(b'"HUGE"', b"9" * 5000)


_CORRUPT_BODY: Mapping[Fault, Callable[[bytes], bytes]] = {
    Fault.NOT_JSON: lambda body: b"upstream connect error or disconnect/reset before headers" + body[:40],
    Fault.DEEP_NESTING: lambda _: b"[" * _DEPTH + b"]" * _DEPTH,
    Fault.HUGE_NUMBER: _with_huge_number,
}


def corrupt(fault: Fault, reply: EmulatorReply) -> EmulatorReply:
    """Applies `fault` to a reply and returns it. Error replies stay as they are, except for connection faults."""
    if fault in CONNECTION_FAULTS:
        reply.wire = fault
    elif reply.status != 200:
        pass
    elif fault is Fault.GZIP_BOMB:
        reply.body = gzip_bomb()
        reply.headers["content-encoding"] = "gzip"
    elif fault in _CORRUPT_BODY:
        reply.body = _CORRUPT_BODY[fault](reply.body)
    elif fault in _CORRUPT_JSON:
        reply.body = as_bytes(_CORRUPT_JSON[fault](json.loads(reply.body)))
    return reply
