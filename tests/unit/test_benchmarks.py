"""Each part of the benchmarks, run small: it measures the page that it says, and anything else ends it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from benchmarks import archive, filling
from benchmarks.__main__ import PARTS
from benchmarks.load import Asked, WrongReplyError, check, load
from benchmarks.proof import prove
from benchmarks.stage import Stage
from tests.browser.serving import static_files
from tests.faults.servers import binary
from threads.archive.source import ArchiveSource
from threads.query import ThreadQuery


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    data = tmp_path_factory.mktemp("benchmarks")
    with Stage(data, small=True) as made:
        with static_files(data), made.upstream(0) as base_url, made.desk(base_url):
            pass  # both are there until all parts have been measured
        yield made


@pytest.mark.parametrize("part", PARTS)
def test_a_part_measures_what_it_says(stage: Stage, part: str) -> None:
    rows = list(PARTS[part](stage))
    assert rows
    for row in rows:
        assert row.ours
        assert all(each > 0 for each in row.other)
        assert all(each >= 0 for each in row.ours)


def test_another_page_than_the_one_meant_is_no_figure(stage: Stage) -> None:
    ids = stage.ids(20)
    with stage.upstream(0) as base_url, stage.desk(base_url) as served:
        check(served, Asked(ids))
        for other in (Asked(ids[::-1]), Asked(ids[:19]), Asked([]), Asked(ids, "limit=50"), Asked(ids, path="/no/")):
            with pytest.raises(WrongReplyError):
                check(served, other)
        nobody = replace(served, cookie="")
        with pytest.raises(WrongReplyError, match="status 302"):
            check(nobody, Asked(ids, part=False))
        with pytest.raises(WrongReplyError):
            check(nobody, Asked(ids))


@pytest.mark.django_db
def test_every_page_of_the_archive_that_is_measured_is_the_one_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    made = filling._made(400, 0, 400)
    filling._progress(filling._kept(made), sum(len(each.items) for each in made))
    figures = {name: archive.measured(call, runs=1, warming=0) for name, call in archive.everything()}
    assert len(figures) > 60
    listed = ArchiveSource.list_threads
    monkeypatch.setattr(ArchiveSource, "list_threads", lambda self, _query: listed(self, ThreadQuery()))
    with pytest.raises(WrongReplyError, match="do not fit"):
        prove("status locked", ThreadQuery(status="locked"), archive.ZONE)
    with pytest.raises(WrongReplyError, match="20 rows"):
        prove("status no such", ThreadQuery(status="no such"), archive.ZONE)


def test_a_second_of_real_load(stage: Stage) -> None:
    binary("wrk")
    with stage.upstream(0) as base_url, stage.desk(base_url) as served:
        found = load(served, Asked(stage.ids(20)), clients=4, seconds=1)
    assert found.requests
    assert found.size > 500
