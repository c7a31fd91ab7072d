"""Stores uploaded files: streamed, hashed, limited in size, and named by their digest."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files import File
from django.core.files.storage import storages
from django.db import transaction

from governance.audit.actions import record as audit
from governance.inventory.actions import stored_files
from weighbridge.core.errors import Invalid, TooLarge

Upload: TypeAlias = "File[bytes] | SpooledUpload"


@dataclass(frozen=True)
class StoredFile:
    """A stored file: digest, size in bytes, and name in the artifact storage."""

    digest: str
    size_bytes: int
    stored_as: str


@dataclass
class SpooledUpload:
    """A received upload in a temporary file, with its SHA-256 (hexadecimal) and size. `stored` is where it was put."""

    path: Path
    name: str
    hash: str
    size_bytes: int
    stored: StoredFile | None = None

    @classmethod
    @contextmanager
    def read(cls, upload: Upload, *, field: str = "file") -> Iterator["SpooledUpload"]:
        """Receive and hash an upload before taking any lock. The temporary file is deleted after the block."""
        if isinstance(upload, SpooledUpload):
            yield upload
            return
        digest, size = hashlib.sha256(), 0
        with tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR) as folder:
            path = Path(folder) / "upload"
            with path.open("wb") as spool:
                for chunk in upload.chunks():
                    size += len(chunk)
                    if size > (limit := settings.UPLOAD_LIMIT_BYTES):
                        raise TooLarge(f"The file is larger than the {limit // 1_000_000} MB allowed.", field=field)
                    digest.update(chunk)
                    spool.write(chunk)
            if size == 0:
                raise Invalid("The file is empty. Choose another file.", field=field)
            yield cls(path, str(upload.name), digest.hexdigest(), size)

    def put(self, *, by: User | None, now: datetime) -> StoredFile:
        """Put the bytes into the artifact storage, unless that was done: before any lock, because it can take minutes.

        Bytes that no row names are harmless. `store` says in the audit trail that they are kept.
        """
        if self.stored is None:
            digest = f"sha256:{self.hash}"
            wanted = StoredFile(digest, self.size_bytes, stored_files.name_of(digest))
            _put(self.path, wanted, by, now)
            self.stored = wanted
        return self.stored


def store(
    *, upload: Upload, by: User | None, now: datetime, inspect: Callable[[Path], None] | None = None
) -> StoredFile:
    """Store an upload; equal content is stored only once. `inspect` may refuse it before it is stored.

    A stored file of the same digest is hashed again: if it is damaged, it is replaced and becomes a finding.
    """
    with SpooledUpload.read(upload) as spooled:
        if inspect is not None:
            inspect(spooled.path)
        stored = spooled.put(by=by, now=now)
        with transaction.atomic():
            details = {"size_bytes": spooled.size_bytes, "name": spooled.name[:160]}
            audit.record(kind="artifact.kept", by=by, subject=("artifact", stored.digest), details=details, now=now)
        return stored


def _put(path: Path, wanted: StoredFile, by: User | None, now: datetime) -> None:
    storage, problem = storages["artifacts"], ""
    if storage.exists(wanted.stored_as):
        problem = stored_files.problem_of(wanted.digest)
        if not problem:
            return
    with path.open("rb") as content:
        storage.save(wanted.stored_as, File(content))  # whole or not at all, in place of what is there
    if problem:
        repaired = f"{problem} An upload of the same file replaced it."
        stored_files.report(subject=wanted.digest, problem=repaired, by=by, now=now)
