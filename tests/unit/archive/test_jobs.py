"""A job whose worker was killed is gone on with at once where that can be seen, and waited for where it can't."""

from __future__ import annotations

import os
import subprocess
from datetime import timedelta

import pytest
from django.utils import timezone

from threads.erasure.models import Erasure
from threads.jobs import job as jobs
from threads.jobs import lease, lease_holder

pytestmark = pytest.mark.django_db


def held(by: str) -> Erasure:
    return Erasure.create_for_actor(
        kind=Erasure.Kind.THREADS, token="t", holder=by, until=timezone.now() + timedelta(seconds=50)
    )


def of(machine: str, pid: int) -> str:
    return f"{machine} {pid} of-this-claim"


def dead() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def this_machine() -> str:
    return lease_holder.new_id().split(" ")[0]


def test_a_dead_process_of_this_machine_is_not_waited_for() -> None:
    job = held(of(this_machine(), dead()))
    assert list(Erasure.to_do()) == [job]
    assert job.claim()
    assert job.holder.split(" ")[1] == str(os.getpid())
    assert not job.claim()


def test_a_living_one_is() -> None:
    assert not held(of(this_machine(), os.getpid())).claim()


def test_so_is_one_of_another_machine_or_of_another_space_of_process_ids() -> None:
    """A container may have the host's name, and sees none of its processes."""
    name, *rest = this_machine().split("/")
    for number, elsewhere in enumerate(["another", name, "/".join([name, *rest[:1], "1"])]):
        job = held(of(elsewhere, dead()))
        assert not job.claim(), elsewhere
        Erasure.objects.filter(pk=job.pk).update(token=number)


def test_a_name_fits_its_column() -> None:
    longest = Erasure._meta.get_field("holder").max_length
    assert longest is not None
    assert len(lease_holder.new_id()) - len(this_machine().split("/")[0]) + 40 <= longest


def test_who_waits_for_the_upstream_is_not_taken_for_dead(settings: object) -> None:
    """Between two signs of life lie two or three calls."""
    deadline = settings.CHATKIT_DEADLINE  # type: ignore[attr-defined]
    assert timedelta(seconds=3 * deadline) <= jobs.LEASE


def test_a_lease_is_held_whatever_deadline_its_holder_has(settings: object) -> None:
    """Processes may differ in it; but one that ends after the longest of all was taken before a clock was put back."""
    longest = 3 * settings.LONGEST_DEADLINE  # type: ignore[attr-defined]
    job = held(of("another", 1))
    for seconds, taken in [(longest, False), (3 * longest, True)]:
        Erasure.objects.filter(pk=job.pk).update(until=lease.end(timedelta(seconds=seconds)))
        assert job.claim() is taken
