"""The showcase is as published too, hostile texts and all; only its unknown type is not."""

from itertools import islice

import pytest
from jsonschema import Draft202012Validator
from openai import DefaultHttpxClient, OpenAI

from tests.contract import schemas
from tests.support.calls import NOW, get, items_at, thread_at
from threads.emulator import Emulator, EmulatorServer
from threads.emulator.world.showcase import SHOWCASE

PLACES = [scene.place for scene in SHOWCASE]


@pytest.fixture(scope="module")
def emulator() -> Emulator:
    return Emulator(40, now=NOW, showcase=True)


def test_the_threads_are_as_published(emulator: Emulator) -> None:
    Draft202012Validator(schemas.THREAD_PAGE).validate(get(emulator))


@pytest.mark.parametrize("place", PLACES)
def test_the_items_are_as_published(emulator: Emulator, place: int) -> None:
    validator = Draft202012Validator(schemas.ITEM)
    strangers = set()
    for item in items_at(emulator, place)[:500]:
        if item["type"].endswith("structured_input"):
            strangers.add(item["type"])
        else:
            validator.validate(item)
    assert len(strangers) == (place in PLACES[:2])


@pytest.mark.parametrize("place", PLACES)
def test_the_official_client_reads_them(emulator: Emulator, place: int) -> None:
    expected = items_at(emulator, place)[:300]
    http = DefaultHttpxClient(trust_env=False)
    with (
        EmulatorServer(emulator) as server,
        OpenAI(base_url=server.base_url, api_key="sk-x", http_client=http, max_retries=0) as client,
    ):
        threads = client.beta.chatkit.threads
        found = list(islice(threads.list_items(thread_at(emulator, place), limit=100, order="asc"), 300))
    assert [item.id for item in found] == [item["id"] for item in expected]
    for item, raw in zip(found, expected, strict=True):
        assert item.type == raw["type"]
        if raw["type"] == "chatkit.user_message":
            assert item.content[0].text == raw["content"][0]["text"]  # type: ignore[union-attr]
