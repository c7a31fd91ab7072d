"""Keeping files: streamed, hashed, capped, and stored under the name of their content."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files import File
from django.core.files.storage import storages
from django.db import transaction

from governance.audit.actions import record as audit
from weighbridge.core.errors import Invalid, TooLarge


@dataclass(frozen=True)
class Kept:
    """A stored file: its digest, its size in bytes, and its name in the artifact storage."""

    digest: str
    size_bytes: int
    stored_as: str


@dataclass(frozen=True)
class Spooled:
    """An upload read to its end: a file of its own, its SHA-256 (hexadecimal) and size. Nothing is stored yet."""

    path: Path
    name: str
    hash: str
    size_bytes: int

    @classmethod
    @contextmanager
    def read(cls, upload: "File[bytes] | Spooled", *, field: str = "file") -> Iterator["Spooled"]:
        """Read, hash and cap an upload before anything is locked for it; the file is gone after the block."""
        if isinstance(upload, Spooled):
            yield upload
            return
        digest, size = hashlib.sha256(), 0
        with tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR) as folder:
            path = Path(folder) / "upload"
            with path.open("wb") as spool:
                for chunk in upload.chunks():
                    size += len(chunk)
                    if size > settings.UPLOAD_LIMIT_BYTES:
                        limit_mb = settings.UPLOAD_LIMIT_BYTES // 1_000_000
                        raise TooLarge(f"The file is larger than the {limit_mb} MB accepted here.", field=field)
                    digest.update(chunk)
                    spool.write(chunk)
            if size == 0:
                raise Invalid("The file is empty; choose another.", field=field)
            yield cls(path, str(upload.name), digest.hexdigest(), size)


def keep(
    *,
    upload: "File[bytes] | Spooled",
    by: User | None,
    now: datetime,
    inspect: Callable[[Path], None] | None = None,
    field: str = "file",
) -> Kept:
    """Store an upload once, whoever sends it again; `inspect` may refuse it before anything is stored."""
    with Spooled.read(upload, field=field) as spooled:
        if inspect is not None:
            inspect(spooled.path)
        name = f"sha256/{spooled.hash[:2]}/{spooled.hash}"
        with transaction.atomic():
            _store(spooled.path, name, spooled.size_bytes)
            kept = Kept(f"sha256:{spooled.hash}", spooled.size_bytes, name)
            details = {"size_bytes": spooled.size_bytes, "name": spooled.name[:160]}
            audit.record(kind="artifact.kept", by=by, subject=("artifact", kept.digest), details=details, now=now)
        return kept


def _store(path: Path, name: str, size: int) -> None:
    storage = storages["artifacts"]
    if storage.exists(name):
        if storage.size(name) == size:
            return
        storage.delete(name)  # a writer died half-way
    with path.open("rb") as content:
        stored = storage.save(name, File(content))
    if stored != name:  # somebody stored the same content in this very moment
        storage.delete(stored)
