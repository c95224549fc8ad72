"""The generated data of a seed does not change: tests, benchmarks and links to demo threads rely on it."""

from hashlib import sha256
from urllib.parse import quote

from threads.emulator import Emulator

EXPECTED = "520509383da35f11c755326a763adbf1ae64e7cf06d5066209289b1c09953fb6"
HEADERS = {"Authorization": "Bearer sk-test", "OpenAI-Beta": "chatkit_beta=v1"}


def test_the_data_of_a_seed_does_not_change() -> None:
    emulator = Emulator(300, now=1_790_000_000, showcase=True)
    digest = sha256()
    for thread_id in emulator.thread_ids():
        path = f"/v1/chatkit/threads/{quote(thread_id)}"
        digest.update(emulator.handle("GET", path, "", HEADERS).body)
        digest.update(emulator.handle("GET", f"{path}/items", "limit=100", HEADERS).body)
    assert digest.hexdigest() == EXPECTED
