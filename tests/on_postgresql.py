"""`python -m tests.on_postgresql`: runs once more, on PostgreSQL, the tests whose SQL differs between the databases.

TEST_POSTGRES names the server. Without one these tests are left out, but for CI, where there has to be one.
"""

from __future__ import annotations

import os
import sys

import psycopg
import pytest

SERVER = os.environ.get("TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres")
TESTS = [
    "tests/unit/archive", "tests/unit/faults", "tests/views",
    "--ignore=tests/unit/archive/test_beside.py",
    "--deselect=tests/unit/archive/test_audit_archive.py::test_processes_that_are_killed_at_one_step_after_the_other",
    # These are about pages and headers, and ask no database anything of their own.
    "--ignore=tests/views/faults",
    *(f"--ignore=tests/views/test_{name}.py" for name in (
        "headers", "masking", "metrics", "roles", "sso", "fetch_metadata", "fresh_rights", "guessing", "access",
        "account", "admin", "conversation", "list", "origin", "pages_that_vanish", "transcripts_recorded",
    )),
]  # fmt: skip


def main() -> int:
    try:
        psycopg.connect(SERVER, connect_timeout=3).close()
    except psycopg.OperationalError:
        print("No tests on PostgreSQL: there is none. Install it (apt-get install postgresql) or set TEST_POSTGRES.")
        return int(os.environ.get("CI") == "true")
    os.environ["TEST_DATABASE_URL"] = SERVER
    return pytest.main(["-n", "auto", "--dist", "worksteal", *TESTS])


if __name__ == "__main__":
    sys.exit(main())
