"""PostgreSQL, Redis and PgBouncer servers that a test starts and stops."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.services import absent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def binary(name: str) -> str:
    """The path of the program; skips the test if it is not installed. Debian keeps PostgreSQL's out of PATH."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") or (str(versions[-1]) if versions else None)
    if found is None:
        absent(f"there is no {name} here: apt-get install postgresql redis-server pgbouncer wrk")
    return str(found)


class Postgres:
    """A server with its data in `folder`. It refuses to run as root, so root runs it as `nobody`."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(folder, self._user)
        self._run("initdb", "--auth=trust", "--username=postgres", "--no-sync", f"--pgdata={folder}/data")

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        options = (
            f"-p {self._port} -c listen_addresses=127.0.0.1 -c fsync=off -c unix_socket_directories={self._folder}"
        )
        self._run("pg_ctl", "start", "-w", f"-D{self._folder}/data", f"-l{self._folder}/log", f"-o{options}")

    def stop(self, mode: str = "fast") -> None:
        self._run("pg_ctl", "stop", "-w", f"-D{self._folder}/data", "-m", mode)

    def _run(self, name: str, *arguments: str) -> None:
        subprocess.run(
            [binary(name), *arguments], check=True, timeout=60, cwd=self._folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=self._user,
        )  # fmt: skip


class Redis:
    """A server that keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        options = ["--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [binary("redis-server"), *options],
            cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for(self._port)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def wait_for(port: int) -> None:
    """Waits until the port accepts connections."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"nothing listens at port {port}")


POOL_SIZE = 2

_PGBOUNCER = """
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 200
query_wait_timeout = 5
logfile = {folder}/log
"""


@contextmanager
def pgbouncer(url: str) -> Iterator[tuple[str, Path]]:
    """A PgBouncer in transaction mode in front of the database at `url`, with POOL_SIZE server connections: its URL and
    its log file. It refuses to run as root."""
    program, port, server = binary("pgbouncer"), free_port(), urlsplit(url)
    user = "nobody" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="threadkeeper-") as name:
        folder = Path(name)
        if user:
            shutil.chown(folder, user)
        folder.chmod(0o755)
        (folder / "users").write_text(f'"{server.username}" ""\n', encoding="ascii")
        (folder / "ini").write_text(
            _PGBOUNCER.format(host=server.hostname, port=server.port, own=port, folder=folder, size=POOL_SIZE),
            encoding="ascii",
        )
        process = subprocess.Popen(
            [program, "-q", f"{folder}/ini"], user=user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            wait_for(port)
            yield f"postgres://{server.username}@127.0.0.1:{port}{server.path}", folder / "log"
        finally:
            process.kill()
            process.wait()


@contextmanager
def servers() -> Iterator[tuple[Postgres, Redis]]:
    """PostgreSQL and Redis, started."""
    # Not pytest's own directory: another account than root's has to reach it.
    with tempfile.TemporaryDirectory(prefix="threadkeeper-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "postgres").mkdir()
        postgres, redis = Postgres(folder / "postgres"), Redis(folder)
        postgres.start()
        redis.start()
        try:
            yield postgres, redis
        finally:
            redis.kill()
            try:
                postgres.stop("immediate")
            except subprocess.CalledProcessError:
                pass  # it was not running
