"""Rows read in chunks are all the rows, each once, in order."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from threads.archive.models import Word
from threads.lib.db import chunked


class Chunks(TestCase):
    @settings(max_examples=30, deadline=None)
    @given(numbers=st.sets(st.integers(0, 99), max_size=12), size=st.integers(1, 13))
    def test_all_rows_once_in_order(self, numbers: set[int], size: int) -> None:
        Word.objects.bulk_create(Word(word=f"{each:02d}") for each in numbers)
        words = [f"{each:02d}" for each in sorted(numbers)]
        with self.assertNumQueries(len(words) // size + 1):
            assert [each.word for each in chunked(Word.objects.all(), size, by="word")] == words
        assert [each.word for each in chunked(Word.objects.filter(word__gt="50"), size, by="word")] == [
            each for each in words if each > "50"
        ]


@pytest.mark.django_db
def test_no_more_is_read_than_is_taken() -> None:
    Word.objects.bulk_create(Word(word=f"{each:02d}") for each in range(9))
    rows = chunked(Word.objects.all(), 2, by="word")
    assert [next(rows).word, next(rows).word, next(rows).word] == ["00", "01", "02"]
