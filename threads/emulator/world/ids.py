"""Authenticated ids: they look random, decode to a number and cannot be forged.

An id is the hex of a keyed hash (the tag) of the value, followed by the value masked with a hash of the tag. Decoding
unmasks the value and checks the tag. So the emulator finds one of a million threads by id without an index.
"""

from hashlib import blake2b

_TAG_BYTES = 16
_VALUE_BYTES = 8
_MAX_ITEMS_PER_THREAD = 1 << 24


class Ids:
    """Encodes and decodes ids of the form `prefix` and 48 hex digits.

    `seed` is the key: ids of one world are unknown in another.
    """

    def __init__(self, prefix: str, seed: int) -> None:
        self._prefix = prefix
        self._key = f"{prefix}{seed}".encode()[:64]

    def _tag(self, value: bytes) -> bytes:
        return blake2b(value, digest_size=_TAG_BYTES, key=self._key, person=b"tag").digest()

    def _mask(self, tag: bytes, value: bytes) -> bytes:
        mask = blake2b(tag, digest_size=_VALUE_BYTES, key=self._key, person=b"mask").digest()
        return bytes(a ^ b for a, b in zip(value, mask, strict=True))

    def encode(self, value: int) -> str:
        """The id of `value`, an integer from 0 to 2**64 - 1."""
        plain = value.to_bytes(_VALUE_BYTES)
        tag = self._tag(plain)
        return self._prefix + (tag + self._mask(tag, plain)).hex()

    def decode(self, text: str) -> int | None:
        """The value of an id; None for text that is no valid id."""
        digits = text.removeprefix(self._prefix)
        if len(digits) != 2 * (_TAG_BYTES + _VALUE_BYTES) or self._prefix + digits != text:
            return None
        try:
            raw = bytes.fromhex(digits)
        except ValueError:
            return None
        if raw.hex() != digits:  # fromhex accepts capitals and spaces; ids have neither
            return None
        plain = self._mask(raw[:_TAG_BYTES], raw[_TAG_BYTES:])
        return int.from_bytes(plain) if self._tag(plain) == raw[:_TAG_BYTES] else None


def join_place(thread: int, position: int) -> int:
    """Packs a thread index and an item position into one number."""
    return thread * _MAX_ITEMS_PER_THREAD + position


def split_place(place: int) -> tuple[int, int]:
    """Unpacks a number of `join_place` into (thread index, position)."""
    return divmod(place, _MAX_ITEMS_PER_THREAD)
