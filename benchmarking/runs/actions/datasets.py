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

    from governance.inventory.actions.artifacts import Spooled

MOST_ARRAYS = 16
LARGEST_PIECE_BYTES = 1_000_000  # a table of some ten thousand entries
LONGEST_HEADER_BYTES = 10_000
DESCRIBED = re.compile(rb"""['"]descr['"]: *['"]([^'"]*)['"]""")
NUMBERS = re.compile(rb"[<>|=]?[biufc][0-9]{1,2}")


def register(*, name: str, upload: "File[bytes] | Spooled", by: User, now: datetime) -> Dataset:
    """Keep an `.npz` file with arrays x and y; the same content again is the same data set."""
    check_act_for_any_team(person_of(by))
    if not name.strip():
        raise Invalid("Give the data set a name.", field="name")
    kept = artifacts.keep(upload=upload, by=by, now=now, inspect=_inspect)
    with transaction.atomic():
        dataset, is_new = Dataset.objects.get_or_create(
            digest=kept.digest,
            defaults={
                "name": name[:120],
                "size_bytes": kept.size_bytes,
                "stored_as": kept.stored_as,
                "registered_by": by,
                "registered_at": now,
            },
        )
        if is_new:
            audit.record(
                kind="dataset.registered", by=by, subject=("dataset", kept.digest), details={"name": name}, now=now
            )
    return dataset


def _inspect(path: Path) -> None:
    """Only the archive's table of contents and two headers are read: arrays of numbers, never pickled objects.

    Raises Invalid for other archives, and for those that would not unpack into what a run may use.
    """
    try:
        with path.open("rb") as file, zipfile.ZipFile(_Sips(file)) as archive:
            entries = archive.infolist()
            _check_entries(entries)
            for name in ("x.npy", "y.npy"):
                _check_header(archive, name)
    except Invalid:
        raise
    except Exception as error:  # whatever broken archives make the library raise
        raise Invalid("The data must be an .npz file, as numpy.savez writes it.", field="file") from error


class _Sips(io.RawIOBase):
    """A file that is never read in large pieces, as a table of contents of millions of entries would have to be."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int | None = -1) -> bytes:
        wanted = LARGEST_PIECE_BYTES + 1
        piece = self._file.read(wanted if size is None or size < 0 else min(size, wanted))
        if len(piece) == wanted:
            raise Invalid("The .npz file holds too many entries; it must hold the arrays x and y.", field="file")
        return piece


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    names = [entry.filename for entry in entries]
    if not {"x.npy", "y.npy"} <= set(names):
        raise Invalid("The .npz file must hold an array x (inputs) and an array y (labels).", field="file")
    if len(names) > MOST_ARRAYS or len(set(names)) < len(names):
        text = f"The .npz file must hold each array once, and at most {MOST_ARRAYS}; keep only x and y."
        raise Invalid(text, field="file")
    limit_mb = settings.WEIGHBRIDGE["RUN_MEMORY_MB"]
    if sum(entry.file_size for entry in entries) > limit_mb * 1_000_000:
        text = f"The arrays unpack to more than the {limit_mb} MB a run may use; send fewer rows."
        raise Invalid(text, field="file")


def _check_header(archive: zipfile.ZipFile, name: str) -> None:
    """The format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html."""
    with archive.open(name) as stream:
        start = stream.read(LONGEST_HEADER_BYTES)
    described = DESCRIBED.search(start) if start.startswith(b"\x93NUMPY") else None
    if described is None or not NUMBERS.fullmatch(described[1]):
        text = f"The array {name[:-4]} does not hold plain numbers; what else it holds may run code when it is read."
        raise Invalid(text, field="file")
