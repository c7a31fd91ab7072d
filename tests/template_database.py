"""The test database is a copy of a template, which is migrated once for each state of the migrations.

To migrate an empty database takes 20 seconds of processor time, a copy a quarter of a second. The template stays on
the server between runs, and another is made when a migration changes, or what a migration imports.
"""

import ast
import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import django
from django.core.management import call_command
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.migrations.loader import MigrationLoader

OURS = {"config", "governance", "benchmarking", "reviews", "weighbridge"}
PREFIX = "weighbridge_template_"
LOCK = 7_041_966
"""One process of the server at a time makes templates."""
UNUSED = timedelta(days=7)
"""After that, the templates of other states are dropped."""


def imported(paths: Iterable[Path]) -> set[Path]:
    """The files, and the files of our packages that they import, directly or by others."""
    found, waiting = set(), list(paths)
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += [file for name in _names(path) if (file := _file_of(name)) is not None]
    return found


def _names(path: Path) -> set[str]:
    """The modules that a file may import: `from a import b` names a and a.b."""
    names = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        match node:
            case ast.Import():
                names |= {alias.name for alias in node.names}
            case ast.ImportFrom(module=str(module)):
                names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return names


def _file_of(name: str) -> Path | None:
    if name.partition(".")[0] not in OURS:
        return None
    try:
        spec = find_spec(name)
    except ModuleNotFoundError:  # a name inside a module
        return None
    return Path(spec.origin) if spec is not None and spec.origin else None


def name_of(migrations: Iterable[Path]) -> str:
    """The name of the template for these migrations, whose files are read."""
    digest = hashlib.sha256(repr(django.VERSION).encode())
    for path in sorted(imported(migrations)):
        digest.update(f"{path}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return PREFIX + digest.hexdigest()[:16]


def present_migrations() -> list[Path]:
    """The files of all migrations of the installed applications."""
    modules = [type(one).__module__ for one in MigrationLoader(None).disk_migrations.values()]
    return [Path(spec.origin) for name in modules if (spec := find_spec(name)) is not None and spec.origin]


def prepared(connection: BaseDatabaseWrapper, name: str, *, now: datetime) -> str:
    """The template of this name, made if the server has none. Others that nobody used for a week are dropped."""
    with connection._nodb_cursor() as server:
        server.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if server.fetchone() is None:
            _make(connection, server, name)
        server.execute(f"COMMENT ON DATABASE \"{name}\" IS '{now.isoformat()}'")
        _drop_unused(server, name, now=now)
    return name


def _make(connection: BaseDatabaseWrapper, server: CursorWrapper, name: str) -> None:
    """Migrate under another name first: a template is whole."""
    unfinished, usual = f"{name}_unfinished", connection.settings_dict["NAME"]
    server.execute(f'DROP DATABASE IF EXISTS "{unfinished}" WITH (FORCE)')
    server.execute(f'CREATE DATABASE "{unfinished}"')
    connection.close()
    connection.settings_dict["NAME"] = unfinished
    try:
        call_command("migrate", verbosity=0, interactive=False, database=connection.alias, run_syncdb=True)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual
    server.execute(f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"')
    server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')  # a copy needs a template that nobody uses


def _drop_unused(server: CursorWrapper, name: str, *, now: datetime) -> None:
    server.execute(
        "SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database "
        "WHERE datname LIKE %s AND datname <> %s AND datdba = current_user::regrole",
        [f"{PREFIX}%", name],
    )
    for other, used_at in server.fetchall():
        if used_at is None or datetime.fromisoformat(used_at) < now - UNUSED:
            server.execute(f'DROP DATABASE IF EXISTS "{other}" WITH (FORCE)')
