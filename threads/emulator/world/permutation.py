"""A seeded, invertible permutation that needs no memory (a Feistel network)."""

from .seeded_random import mix

_ROUNDS = 4


class Permutation:
    """A permutation of the integers 0 … `size` - 1.

    A Feistel network permutes the next power of four. Results outside the range are permuted again until they fall
    inside (cycle walking), which keeps the mapping a permutation.
    """

    def __init__(self, size: int, seed: int) -> None:
        self._size = size
        self._half = max(1, ((size - 1).bit_length() + 1) // 2)
        self._mask = (1 << self._half) - 1
        self._keys = [mix(seed, size, number) for number in range(_ROUNDS)]

    def forward(self, position: int) -> int:
        """The image of `position`."""
        position = self._encrypt(position)
        while position >= self._size:
            position = self._encrypt(position)
        return position

    def inverse(self, position: int) -> int:
        """The preimage of `position`."""
        position = self._decrypt(position)
        while position >= self._size:
            position = self._decrypt(position)
        return position

    def _encrypt(self, position: int) -> int:
        left, right = position >> self._half, position & self._mask
        for key in self._keys:
            left, right = right, left ^ (mix(key, right) & self._mask)
        return left << self._half | right

    def _decrypt(self, position: int) -> int:
        left, right = position >> self._half, position & self._mask
        for key in reversed(self._keys):
            left, right = right ^ (mix(key, left) & self._mask), left
        return left << self._half | right
