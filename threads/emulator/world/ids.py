"""Ids that look random, can be turned back into what they name, and cannot be made up.

An id is a keyed tag of the value followed by the value under a mask made from that tag, in hex.
Turning it back unmasks the value and checks the tag, so an invented id names nothing. That is
what lets the emulator know a million threads by id without holding a row for each.
"""

from hashlib import blake2b

_TAG = 16
_VALUE = 8
_PLACES = 1 << 24


class Ids:
    """Ids of one kind: `prefix`, then 48 hex digits.

    `seed` keys them: ids of one world mean nothing in another.
    """

    def __init__(self, prefix: str, seed: int) -> None:
        self._prefix = prefix
        self._key = f"{prefix}{seed}".encode()[:64]

    def _tag(self, value: bytes) -> bytes:
        return blake2b(value, digest_size=_TAG, key=self._key, person=b"tag").digest()

    def _mask(self, tag: bytes, value: bytes) -> bytes:
        mask = blake2b(tag, digest_size=_VALUE, key=self._key, person=b"mask").digest()
        return bytes(a ^ b for a, b in zip(value, mask, strict=True))

    def encode(self, value: int) -> str:
        """The id of `value`, a whole number from 0 to 2**64 - 1."""
        plain = value.to_bytes(_VALUE)
        tag = self._tag(plain)
        return self._prefix + (tag + self._mask(tag, plain)).hex()

    def decode(self, text: str) -> int | None:
        """The value that `text` is the id of; None when it is the id of nothing."""
        digits = text.removeprefix(self._prefix)
        if len(digits) != 2 * (_TAG + _VALUE) or self._prefix + digits != text:
            return None
        try:
            raw = bytes.fromhex(digits)
        except ValueError:
            return None
        if raw.hex() != digits:  # capitals and spaces pass fromhex, but name nothing
            return None
        plain = self._mask(raw[:_TAG], raw[_TAG:])
        return int.from_bytes(plain) if self._tag(plain) == raw[:_TAG] else None


def join_place(thread: int, position: int) -> int:
    """One number for the item at `position` of the thread with index `thread`."""
    return thread * _PLACES + position


def split_place(place: int) -> tuple[int, int]:
    """The (thread index, position) that `join_place` joined."""
    return divmod(place, _PLACES)
