"""The schemas themselves: they are schemas, and they notice what is not as published."""

import copy
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from tests.contract import schemas
from tests.contract.conftest import validator_for
from tests.support.calls import THREADS, call, get, items_of
from threads.emulator import Emulator, Fault


def test_the_schemas_are_schemas() -> None:
    for schema in (schemas.THREAD_PAGE, schemas.ITEM_PAGE, schemas.THREAD, schemas.DELETED, schemas.ERROR):
        Draft202012Validator.check_schema(schema)


def test_every_reply_is_as_published(emulator: Emulator) -> None:
    for thread_id in list(emulator.thread_ids())[:60]:
        for tail in (f"/{thread_id}", items_of(thread_id)):
            reply = call(emulator, tail)
            validator_for("GET", THREADS + tail, reply.status).validate(json.loads(reply.body))
    for parameters in ({"limit": 0}, {"user": "nobody"}, {"limit": 100, "order": "asc"}):
        validator_for("GET", THREADS, 200).validate(get(emulator, **parameters))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("items", []),
        ("created_at", "2026-01-01"),
        ("created_at", 1.5),
        ("title", 7),
        ("status", {"type": "archived"}),
        ("status", {"type": "active", "reason": None}),
        ("status", {"type": "locked"}),
        ("user", ""),
        ("object", "thread"),
    ],
)
def test_a_wrong_thread_is_noticed(emulator: Emulator, name: str, value: Any) -> None:
    thread = get(emulator)["data"][0]
    with pytest.raises(ValidationError):
        Draft202012Validator(schemas.THREAD).validate({**thread, name: value})
    with pytest.raises(ValidationError):
        Draft202012Validator(schemas.THREAD).validate({key: thread[key] for key in thread if key != name} | {"x": 1})


def test_a_wrong_item_is_noticed(emulator: Emulator) -> None:
    page = get(emulator, items_of(next(emulator.thread_ids())))
    for name in ("id", "created_at", "thread_id", "type", "object"):
        wrong = copy.deepcopy(page)
        del wrong["data"][0][name]
        with pytest.raises(ValidationError):
            Draft202012Validator(schemas.ITEM_PAGE).validate(wrong)


@pytest.mark.parametrize(
    "fault",
    [Fault.ERROR_200, Fault.DATA_NULL, Fault.TOO_MANY_ROWS, Fault.BAD_ROWS, Fault.SPARSE_ROWS],
)
def test_spoilt_pages_are_noticed(emulator: Emulator, fault: Fault) -> None:
    emulator.fault = fault
    with pytest.raises(ValidationError):
        Draft202012Validator(schemas.THREAD_PAGE).validate(json.loads(call(emulator).body))
