"""A folder in which a file appears whole or not at all, however many processes write the same one."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.core.files.storage import FileSystemStorage

PART = ".part"
ABANDONED_S = 86_400


class ArtifactFolder(FileSystemStorage):
    """The files of a folder, by name. A file of the same name is replaced."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """The name itself."""
        return name

    def _save(self, name: str, content: Any) -> str:
        part = Path(self.path(f"{name}.{uuid4().hex}{PART}"))
        try:
            super()._save(os.path.relpath(part, self.location), content)  # type: ignore[misc]  # not in django-stubs
            _flush(part)  # a full disk of another host is first told here
            self._remove_abandoned(beside=part)
            part.replace(self.path(name))
            for folder in (part.parent, part.parent.parent):
                _flush(folder)  # a row may name the file from now on
        finally:
            part.unlink(missing_ok=True)
        return name

    @staticmethod
    def _remove_abandoned(*, beside: Path) -> None:
        """Remove what killed processes left in the folder of a part, by the clock of the disk."""
        newest = beside.stat().st_mtime
        for other in beside.parent.glob(f"*{PART}"):
            with suppress(FileNotFoundError):
                if other.stat().st_mtime < newest - ABANDONED_S:
                    other.unlink()


def _flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
