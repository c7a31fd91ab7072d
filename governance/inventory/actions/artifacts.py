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
from weighbridge.core.errors import Invalid, TooLarge

Upload: TypeAlias = "File[bytes] | SpooledUpload"


@dataclass(frozen=True)
class StoredFile:
    """A stored file: digest, size in bytes, and name in the artifact storage."""

    digest: str
    size_bytes: int
    stored_as: str


@dataclass(frozen=True)
class SpooledUpload:
    """A received upload in a temporary file, with its SHA-256 (hexadecimal) and size. It is not stored yet."""

    path: Path
    name: str
    hash: str
    size_bytes: int

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


def store(
    *, upload: Upload, by: User | None, now: datetime, inspect: Callable[[Path], None] | None = None
) -> StoredFile:
    """Store an upload; equal content is stored only once. `inspect` may refuse it before it is stored."""
    with SpooledUpload.read(upload) as spooled:
        if inspect is not None:
            inspect(spooled.path)
        name = f"sha256/{spooled.hash[:2]}/{spooled.hash}"
        with transaction.atomic():
            _store(spooled.path, name, spooled.size_bytes)
            stored = StoredFile(f"sha256:{spooled.hash}", spooled.size_bytes, name)
            details = {"size_bytes": spooled.size_bytes, "name": spooled.name[:160]}
            audit.record(kind="artifact.kept", by=by, subject=("artifact", stored.digest), details=details, now=now)
        return stored


def _store(path: Path, name: str, size: int) -> None:
    storage = storages["artifacts"]
    if storage.exists(name):
        if storage.size(name) == size:
            return
        storage.delete(name)  # a writer crashed before it finished
    try:
        with path.open("rb") as content:
            stored = storage.save(name, File(content))
    except OSError:
        if storage.exists(name) and storage.size(name) != size:
            storage.delete(name)  # a part of a file, on a disk that is full
        raise
    if stored != name:  # another process stored the same content at the same time
        storage.delete(stored)
