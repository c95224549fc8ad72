"""The command `threadkeeper`, and what `manage.py` shares with it: where the data is, and the secret key.

Imports nothing of the project: in an installed wheel the whole tree lies under `threadkeeper/`, and `main` puts that on
the import path first."""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

_USAGE = """\
threadkeeper             serve on http://127.0.0.1:8000 (PORT); made-up data unless OPENAI_API_KEY is set
threadkeeper doctor      check the settings, the database, the queue and the API, and say what to do
threadkeeper COMMAND     any other management command: createsuperuser, archive, audit, erasures, ...
threadkeeper help        list them

The data is in {data} (DATA_DIR).
"""


def main() -> None:
    """Entry point. Without arguments applies migrations and serves until stopped; else runs a management command."""
    sys.path.insert(0, str(ROOT))
    arguments = sys.argv[1:]
    if arguments in (["-h"], ["--help"]):
        sys.stdout.write(_USAGE.format(data=_data_dir()))
        return
    if arguments:
        manage(arguments)
        return
    prepare(make_key=True)
    manage(["migrate", "--verbosity", "0"])
    manage(["serve"])


def manage(arguments: Sequence[str]) -> None:
    """Runs one of Django's management commands in this process."""
    prepare()
    from django.core.management import execute_from_command_line  # noqa: PLC0415  # after `prepare`

    execute_from_command_line([Path(sys.argv[0]).name, *arguments])


def prepare(*, make_key: bool = False) -> None:
    """Sets the umask and the environment variables that are unset: the settings module, DATA_DIR, and SECRET_KEY_FILE
    where there is a key file: in DATA_DIR, or in a checkout's `var`, where `make run` of 0.1 put it whatever DATA_DIR
    said. `make_key` makes one in DATA_DIR where there is neither a file nor SECRET_KEY."""
    os.umask(0o077)  # files of the desk are for its own account alone
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    data = _data_dir()
    os.environ["DATA_DIR"] = str(data)
    if os.environ.get("SECRET_KEY") or os.environ.get("SECRET_KEY_FILE"):
        return
    places = [data / "secret_key", *([ROOT / "var/secret_key"] if _is_checkout() else [])]
    key = next((place for place in places if place.exists()), None)
    if key is None and make_key:
        key = places[0]
        _make_key(key)
    if key is not None:
        os.environ["SECRET_KEY_FILE"] = str(key)


def _data_dir() -> Path:
    """DATA_DIR; without it `var` in a checkout, and the user's data directory for an installed wheel."""
    if named := os.environ.get("DATA_DIR"):
        return Path(named).absolute()  # `serve` starts its processes in another directory
    if _is_checkout():
        return ROOT / "var"
    import platformdirs  # noqa: PLC0415  # only an installed wheel needs it

    return platformdirs.user_data_path("threadkeeper", appauthor=False)


def _is_checkout() -> bool:
    return (ROOT / "pyproject.toml").exists()


def _make_key(path: Path) -> None:
    """Writes a random key for signing sessions. Of several processes that start at once, all take the same one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(50) + "\n")
    try:
        os.link(name, path)
    except FileExistsError:
        pass
    finally:
        Path(name).unlink()


if __name__ == "__main__":
    main()
