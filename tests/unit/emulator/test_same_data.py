"""The generated data stays the same, byte for byte: tests, benchmarks and links to threads rely on it."""

from hashlib import sha256

from threads.emulator import Emulator

from .calls import NOW, call, items_of

EXPECTED = "520509383da35f11c755326a763adbf1ae64e7cf06d5066209289b1c09953fb6"


def test_the_data_of_a_seed_does_not_change() -> None:
    emulator = Emulator(300, now=NOW, showcase=True)
    digest = sha256()
    for thread_id in emulator.thread_ids():
        digest.update(call(emulator, f"/{thread_id}").body)
        digest.update(call(emulator, items_of(thread_id), limit=100).body)
    assert digest.hexdigest() == EXPECTED
