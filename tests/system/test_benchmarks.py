"""Every benchmark in a small run: it measures the intended page, and fails for any other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import archive, filling
from benchmarks.__main__ import PARTS
from benchmarks.checks import check_page
from benchmarks.load import MeasuredPage, WrongReplyError, check, load
from benchmarks.serving import Served
from benchmarks.stage import Stage
from tests.support.servers import binary
from tests.support.serving import static_files
from threads.archive.search.source import ArchiveSource
from threads.sources.query import ThreadQuery

pytestmark = pytest.mark.timeout(300)


def test_each_part_measures_what_it_says(tmp_path: Path) -> None:
    """One test, so that the servers start once."""
    binary("wrk")
    with Stage(tmp_path, small=True) as stage:
        with static_files(tmp_path), stage.upstream(0) as base_url, stage.desk(base_url) as served:
            pass  # both stay until the end
        another_page_than_the_one_meant_is_no_figure(stage, served)
        ids = stage.ids(20)
        found = load(served, MeasuredPage(ids), clients=4, seconds=1)
        assert found.requests
        assert found.size > 500
        for name, part in PARTS.items():
            rows = list(part(stage))
            assert rows, name
            for row in rows:
                assert row.ours, row.what
                assert all(each > 0 for each in row.other), row.what
                assert all(each >= 0 for each in row.ours), row.what


def another_page_than_the_one_meant_is_no_figure(stage: Stage, served: Served) -> None:
    ids = stage.ids(20)
    check(served, MeasuredPage(ids))
    for other in (
        MeasuredPage(ids[::-1]),
        MeasuredPage(ids[:19]),
        MeasuredPage([]),
        MeasuredPage(ids, "limit=50"),
        MeasuredPage(ids, path="/no/"),
    ):
        with pytest.raises(WrongReplyError):
            check(served, other)
    nobody = replace(served, cookie="")
    with pytest.raises(WrongReplyError, match="status 302"):
        check(nobody, MeasuredPage(ids, part=False))
    with pytest.raises(WrongReplyError):
        load(nobody, MeasuredPage(ids), clients=1, seconds=1)


@pytest.mark.django_db
def test_every_page_of_the_archive_that_is_measured_is_the_one_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    made = filling._generated(400, 0, 400)
    filling._progress(filling._store(made), sum(len(each.items) for each in made))
    figures = {name: archive.measured(call, runs=1, warmup=0) for name, call in archive.everything()}
    assert len(figures) > 60
    listed = ArchiveSource.list_threads
    monkeypatch.setattr(ArchiveSource, "list_threads", lambda self, _query: listed(self, ThreadQuery()))
    with pytest.raises(WrongReplyError, match="do not fit"):
        check_page("status locked", ThreadQuery(status="locked"), archive.ZONE)
    with pytest.raises(WrongReplyError, match="20 rows"):
        check_page("status no such", ThreadQuery(status="no such"), archive.ZONE)
