"""Who waits for a look at a password holds up nobody else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher, check_password
from django.test import override_settings

from dashboard.accounts.hashers import ThreadedPasswordHasher

ROOT = Path(__file__).resolve().parents[2]

UNDER_GEVENT = """
from gevent import monkey; monkey.patch_all()
import gevent, threading
import django; django.setup()
from dashboard.accounts import hashers
main, seen, ticks = threading.get_native_id(), set(), 0
encode = hashers.PBKDF2PasswordHasher.encode
def watched(*arguments):
    seen.add(threading.get_native_id())
    return encode(*arguments)
hashers.PBKDF2PasswordHasher.encode = watched
looks = [gevent.spawn(hashers.ThreadedPasswordHasher().encode, "secret", "salt", 300_000) for _ in range(4)]
while not all(look.ready() for look in looks):
    gevent.sleep(0.001)
    ticks += 1
assert len({look.get() for look in looks}) == 1
assert main not in seen and len(seen) == 1, (main, seen)
assert ticks > 10, ticks
"""


@pytest.mark.slow
def test_others_are_answered_meanwhile_and_one_thread_looks(tmp_path: Path) -> None:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    settings = {"DJANGO_SETTINGS_MODULE": "dashboard.settings", "DATA_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", UNDER_GEVENT],
        cwd=ROOT, env=kept | settings, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_it_is_django_s_own_otherwise() -> None:
    theirs = PBKDF2PasswordHasher().encode("secret", "saltsaltsaltsaltsaltsalt", 1000)
    assert ThreadedPasswordHasher().encode("secret", "saltsaltsaltsaltsaltsalt", 1000) == theirs
    with override_settings(PASSWORD_HASHERS=["dashboard.accounts.hashers.ThreadedPasswordHasher"]):
        assert check_password("secret", theirs)
        assert not check_password("another", theirs)
