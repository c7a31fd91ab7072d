"""Writes of evaluation data."""

import io
import re
import zipfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from benchmarking.runs.models import Dataset
from governance.audit.actions import record as audit
from governance.inventory.actions import artifacts
from governance.people.queries.people import person_of
from governance.people.rules import check_act_for_any_team
from weighbridge.core.errors import Invalid

if TYPE_CHECKING:
    from django.core.files import File

    from governance.inventory.actions.artifacts import SpooledUpload

ARRAYS_MAX = 16
READ_BYTES_MAX = 1_000_000  # a table of contents of about ten thousand entries
HEADER_BYTES_MAX = 10_000
DTYPE = re.compile(rb"""['"]descr['"]: *['"]([^'"]*)['"]""")
NUMERIC_DTYPE = re.compile(rb"[<>|=]?[biufc][0-9]{1,2}")


def register(*, name: str, upload: "File[bytes] | SpooledUpload", by: User, now: datetime) -> Dataset:
    """Store an `.npz` file with arrays x and y. Idempotent: the same content is the same data set."""
    check_act_for_any_team(person_of(by))
    if not name.strip():
        raise Invalid("Enter a name for the data set.", field="name")
    artifact = artifacts.store(upload=upload, by=by, now=now, inspect=_inspect)
    with transaction.atomic():
        dataset, is_new = Dataset.objects.get_or_create(
            digest=artifact.digest,
            defaults={
                "name": name[:120],
                "size_bytes": artifact.size_bytes,
                "stored_as": artifact.stored_as,
                "registered_by": by,
                "registered_at": now,
            },
        )
        if is_new:
            audit.record(
                kind="dataset.registered", by=by, subject=("dataset", artifact.digest), details={"name": name}, now=now
            )
    return dataset


def _inspect(path: Path) -> None:
    """Check that an archive has numeric arrays x and y, never pickled objects, and fits into the memory of a run.

    Reads only the table of contents and two headers. Raises Invalid for other archives.
    """
    try:
        with path.open("rb") as file, zipfile.ZipFile(_BoundedReads(file)) as archive:
            entries = archive.infolist()
            _check_entries(entries)
            for name in ("x.npy", "y.npy"):
                _check_header(archive, name)
    except Invalid:
        raise
    except Exception as error:  # a broken archive can make the library raise any exception
        raise Invalid("The data must be an .npz file as written by numpy.savez.", field="file") from error


class _BoundedReads(io.RawIOBase):
    """A file that refuses large reads, such as a table of contents with millions of entries."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int | None = -1) -> bytes:
        limit = READ_BYTES_MAX + 1
        content = self._file.read(limit if size is None or size < 0 else min(size, limit))
        if len(content) == limit:
            raise Invalid("The .npz file has too many entries; it must contain the arrays x and y.", field="file")
        return content


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    names = [entry.filename for entry in entries]
    if not {"x.npy", "y.npy"} <= set(names):
        raise Invalid("The .npz file must contain an array x (inputs) and an array y (labels).", field="file")
    if len(names) > ARRAYS_MAX or len(set(names)) < len(names):
        text = f"The .npz file must contain at most {ARRAYS_MAX} arrays, each once; keep only x and y."
        raise Invalid(text, field="file")
    limit_mb = settings.WEIGHBRIDGE["RUN_MEMORY_MB"]
    if sum(entry.file_size for entry in entries) > limit_mb * 1_000_000:
        text = f"The unpacked arrays exceed {limit_mb} MB, the memory limit of a run; send fewer rows."
        raise Invalid(text, field="file")


def _check_header(archive: zipfile.ZipFile, name: str) -> None:
    """Check the dtype. Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html."""
    with archive.open(name) as stream:
        header = stream.read(HEADER_BYTES_MAX)
    dtype = DTYPE.search(header) if header.startswith(b"\x93NUMPY") else None
    if dtype is None or not NUMERIC_DTYPE.fullmatch(dtype[1]):
        text = f"The array {name[:-4]} must contain only numbers; other content could run code when it is read."
        raise Invalid(text, field="file")
