"""`python -m tests.on_postgresql`: runs once more, on PostgreSQL, the tests whose SQL differs between the databases.

Search, storing and syncing, leases and jobs, the audit log's triggers, erasure, the queries of exports and of the list;
and what is marked `database("postgresql")`. TEST_POSTGRES names the server. Without one these tests are left out, and
with CI=true that is a failure.
"""

from __future__ import annotations

import os
import sys

import psycopg
import pytest

SERVER = os.environ.get("TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres")
TESTS = [
    *(f"tests/unit/archive/test_{name}.py" for name in (
        "activity", "last_message", "sync", "sync_requests", "finding", "ranking", "search_forms", "reindex",
        "statistics", "jobs", "erasing", "erasures_file", "retention", "audit_archive", "scrub", "upgrade", "whose",
        "keeping_up",
    )),
    "--deselect=tests/unit/archive/test_audit_archive.py::test_processes_that_are_killed_at_one_step_after_the_other",
    "tests/unit/faults/test_erasers.py", "tests/unit/test_database_errors.py",
    *(f"tests/views/test_{name}.py" for name in (
        "archive_list", "audit_page", "erasure", "exports", "exports_kept", "ready", "saved_views", "search_bounds",
        "signing_in", "audit_events", "best_match",
        "user_ids",
    )),
    "tests/views/faults/test_audit_log.py", "tests/system/archive/test_clocks.py",
    "tests/system/archive/test_erasing_two.py::test_who_stores_and_who_erases_wait_for_each_other",
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
