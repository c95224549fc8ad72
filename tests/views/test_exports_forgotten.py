"""No export is left that holds what was erased."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.support.exporting import busiest, finished, later, own_place, stored, zipped
from tests.support.reader import Get
from tests.support.syncing import sync
from threads import service
from threads.emulator import Emulator
from threads.exports import storage, tasks
from threads.exports.after_erasure import remove_for_erased
from threads.exports.models import Export, ExportOutcome
from threads.web.views import exports as views

__all__ = ["finished", "own_place"]

pytestmark = pytest.mark.django_db


class TestForgetting:
    def test_a_list_goes_whoever_is_erased(self, finished: Export, agent: Client, get: Get) -> None:
        assert remove_for_erased(["cthr_x"], "somebody") == 1
        assert not list(storage.on_disk())
        assert "threads that it may have held were erased" in get(f"/exports/{finished.pk}/").said()
        assert agent.post(f"/exports/{finished.pk}/file/").status_code == 404
        assert remove_for_erased(["cthr_x"], "somebody") == 0

    def test_a_user_of_whom_none_is_erased_keeps_theirs(self, agent: Client, emulator: Emulator) -> None:
        user, ids = busiest(emulator)
        export = later(agent, user)
        tasks.work()
        assert remove_for_erased(["cthr_x"], "another") == 0
        zipped(export).close()
        assert remove_for_erased(ids[:1], user) == 1

    @stored
    def test_a_part_of_an_id_is_nobodys_id(
        self, agent: Client, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A list of whoever has that in their id holds the threads of whoever is erased."""
        user, ids = busiest(emulator)
        sync(emulator)
        monkeypatch.setattr(views, "AT_ONCE", -1)
        agent.post(f"/exports/list/?user={user[:-1]}&match=part", {"format": "csv"})
        tasks.work()
        assert Export.objects.get().done >= len(ids)
        assert remove_for_erased(ids, user) == 1

    def test_a_part_of_an_id_is_nobodys_id_while_its_first_page_is_read(
        self, agent: Client, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user, ids = busiest(emulator)
        sync(emulator)
        asked = service.list_for_export

        def erased_meanwhile(*arguments: Any, **how: Any) -> Any:
            found = asked(*arguments, **how)
            assert remove_for_erased(ids, user) == 1
            return found

        monkeypatch.setattr(service, "list_for_export", erased_meanwhile)
        response = agent.post(f"/exports/list/?user={user[:-1]}&match=part", {"format": "csv"})
        assert response.headers["Location"] == f"/exports/{Export.objects.get().pk}/"
        assert Export.objects.get().outcome == ExportOutcome.REMOVED
        assert not list(storage.on_disk())

    def test_the_row_tells_no_more_whose_it_was(self, agent: Client, emulator: Emulator) -> None:
        user, ids = busiest(emulator)
        later(agent, user)
        tasks.work()
        remove_for_erased(ids, user)
        row = str(Export.objects.values().get())
        assert user not in row
        assert not [each for each in ids if each in row]

    def test_without_a_name_all_go(self, agent: Client, emulator: Emulator) -> None:
        later(agent, busiest(emulator)[0])
        assert remove_for_erased(["cthr_x"], None) == 1
        tasks.work()
        assert not list(storage.on_disk())

    def test_whoever_is_at_it_stops(self, agent: Client, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
        user, ids = busiest(emulator)
        export = later(agent, user)
        whole = service.read_whole_thread

        def erased_meanwhile(thread_id: str) -> Any:
            found = whole(thread_id)
            if thread_id == ids[1]:
                assert remove_for_erased(ids, user) == 1
            return found

        monkeypatch.setattr(service, "read_whole_thread", erased_meanwhile)
        tasks.work()
        tasks.expire()
        export.refresh_from_db()
        assert export.outcome == ExportOutcome.REMOVED
        assert not list(storage.on_disk())
