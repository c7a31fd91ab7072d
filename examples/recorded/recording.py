"""The recording: a backup of the demo's installation in one compressed file, without what pages do not need."""

import json
import lzma
import tarfile
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

FILE = Path(__file__).with_name("recording.tar.xz")
LIST = "backup.json"  # as in governance.operations.management.backup_format, which needs a running Django
MOST_PACKED_BYTES = 2_000_000
"""Artifacts that are larger when they are compressed are left out; a step that needs one says that it is missing."""
AGAIN = "Record it anew: python -m examples.recorded record"


def read_list(file: Path = FILE) -> dict[str, Any]:
    """The list of the recording: its time, its digests, its migrations, what was left out."""
    with tarfile.open(file) as archive:
        member = archive.extractfile(LIST)
        if member is None:
            raise SystemExit(f"{file} is no recording. {AGAIN}")
        listed: dict[str, Any] = json.load(member)
        return listed


def unknown_migrations(listed: dict[str, Any]) -> list[str]:
    """The migrations of the recording that this version does not have. Later ones are applied when it is loaded."""
    from django.db.migrations.loader import MigrationLoader

    known = {".".join(key) for key in MigrationLoader(None).disk_migrations}
    return sorted(set(listed["migrations"]) - known)


def check(listed: dict[str, Any]) -> None:
    """Raise SystemExit unless this version can load the recording."""
    if unknown := unknown_migrations(listed):
        raise SystemExit(f"The recording has migrations that this version has not: {', '.join(unknown)}. {AGAIN}")


def write(*, at: datetime, file: Path = FILE) -> list[str]:
    """Record the installation of the present settings. Returns the names of the artifacts that were left out."""
    from django.db import connection
    from django.db.migrations.recorder import MigrationRecorder

    from governance.operations.management import backup_format as keeping

    with TemporaryDirectory() as name:
        folder = Path(name)
        keeping.dump(folder / keeping.DUMP, compression="none")  # the whole archive is compressed
        for place, source in keeping.folders(with_keys=True).items():
            keeping.copy(source, folder / place)
        (folder / "keys" / "django").unlink()  # sessions of others; each load makes one of its own
        left_out = _leave_out(folder)
        migrations = sorted(".".join(key) for key in MigrationRecorder(connection).applied_migrations())
        keeping.write_list(folder, at=at, migrations=migrations, left_out=left_out)
        with tarfile.open(file, "w:xz", preset=9) as archive:
            for path in sorted(folder.iterdir()):
                archive.add(path, path.name, filter=_without_owner)
    return left_out


def unpack(folder: Path) -> None:
    """Unpack the recording into an empty folder; it is a backup then."""
    with tarfile.open(FILE) as archive:
        # Before Python 3.11.4 an archive has no filter; this one is a file of the project.
        archive.extraction_filter = getattr(tarfile, "data_filter", _unfiltered)
        archive.extractall(folder)  # noqa: S202 -- as said above


def _unfiltered(entry: tarfile.TarInfo, _: str) -> tarfile.TarInfo:
    return entry


def _leave_out(folder: Path) -> list[str]:
    files = [path for path in (folder / "artifacts").rglob("*") if path.is_file()]
    large = [path for path in files if len(lzma.compress(path.read_bytes())) > MOST_PACKED_BYTES]
    for path in large:
        path.unlink()
    return sorted(path.name for path in large)


def _without_owner(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry
