"""A shuffle of any size that can be asked both ways and takes no memory."""

from .chance import mix

_ROUNDS = 4


class Shuffle:
    """A seeded permutation of the numbers 0 … `size` - 1.

    A Feistel network permutes a power of four that is large enough; a result that falls outside
    is permuted again until it falls inside, which keeps the whole a permutation.
    """

    def __init__(self, size: int, seed: int) -> None:
        self._size = size
        self._half = max(1, ((size - 1).bit_length() + 1) // 2)
        self._mask = (1 << self._half) - 1
        self._keys = [mix(seed, size, number) for number in range(_ROUNDS)]

    def there(self, place: int) -> int:
        """Where `place` goes."""
        place = self._once(place)
        while place >= self._size:
            place = self._once(place)
        return place

    def back(self, place: int) -> int:
        """What comes to `place`."""
        place = self._undo(place)
        while place >= self._size:
            place = self._undo(place)
        return place

    def _once(self, place: int) -> int:
        left, right = place >> self._half, place & self._mask
        for key in self._keys:
            left, right = right, left ^ (mix(key, right) & self._mask)
        return left << self._half | right

    def _undo(self, place: int) -> int:
        left, right = place >> self._half, place & self._mask
        for key in reversed(self._keys):
            left, right = right ^ (mix(key, left) & self._mask), left
        return left << self._half | right
