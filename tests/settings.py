"""The product's settings, free of what the environment says, with what only a test may have."""

import os
import re
from pathlib import Path

_SOURCE = (Path(__file__).resolve().parent.parent / "dashboard" / "settings.py").read_text(encoding="utf-8")

for _name in re.findall(r'env\.\w+\(\s*"(\w+)"', _SOURCE):
    os.environ.pop(_name, None)
    os.environ.pop(f"{_name}_FILE", None)

# Where the same tests are run on another database than SQLite.
if _database := os.environ.get("TEST_DATABASE_URL"):
    os.environ["DATABASE_URL"] = _database

from dashboard.settings import *  # noqa: E402, F403

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
if _database:
    # A pool keeps connections open, and a database that is to be dropped must have none.
    DATABASES["default"]["OPTIONS"].pop("pool")  # noqa: F405
    # Nothing of a test has to outlive the machine.
    DATABASES["default"]["OPTIONS"]["options"] = "-c synchronous_commit=off"  # noqa: F405
STATIC_ROOT = STATICFILES_DIRS[0]  # noqa: F405  # any directory that is there
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# What a test erases is no concern of another's.
ERASURES_FILE = None
