"""A bounded folder of files by digest. A file is used only if its bytes have the digest that is asked for."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from weighbridge.core.canonical import DIGEST_PREFIX, is_digest
from weighbridge.core.errors import Invalid, Refused, WrongState
from weighbridge.measure.conditions.model_file import digest_of_file

PARTIAL, LOCK, RUN = ".part", ".lock", "run-"
CHUNK_BYTES = 1 << 20


class MachineFault(Refused):
    """This machine cannot do a run; another one may."""

    default_code = "machine_fault"


class FileCache:
    """Files of at most `bytes_max` in total; the least recently used go first. One program uses a folder at a time."""

    def __init__(self, folder: Path, *, bytes_max: int) -> None:
        """Open the folder, and clear what a killed worker left; raise WrongState while another worker uses it."""
        self.folder, self.bytes_max = folder, bytes_max
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = (folder / LOCK).open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise WrongState(f"Another worker uses the folder {folder}; give this one its own.") from error
        for left in folder.glob(f"{RUN}*"):
            shutil.rmtree(left, ignore_errors=True)

    def close(self) -> None:
        """Let another worker use the folder."""
        self._lock.close()

    def find(self, digest: str) -> Path | None:
        """The file with this digest, hashed again; a file that was changed is deleted."""
        path, partial = self._path(digest), self.partial(digest)
        if partial.exists() and digest_of_file(partial) == digest:
            partial.replace(path)
        if not path.exists():
            return None
        if digest_of_file(path) != digest:
            path.unlink()
            return None
        os.utime(path)
        return path

    def partial(self, digest: str) -> Path:
        """Where the bytes of a download are kept until it is complete."""
        return self._path(digest).with_suffix(PARTIAL)

    def keep(self, digest: str) -> Path:
        """Keep a complete download; raise MachineFault, and delete its bytes, if they have another digest."""
        partial = self.partial(digest)
        actual = digest_of_file(partial)
        if actual != digest:
            partial.unlink()
            raise MachineFault(f"The download has the digest {actual} instead of {digest}; it was deleted.")
        return partial.replace(self._path(digest))

    def copy(self, digest: str, target: Path) -> Path:
        """Copy a kept file to `target`, hashed on the way; raise MachineFault if its bytes have changed."""
        hasher = hashlib.sha256()
        with self._path(digest).open("rb") as source, target.open("xb") as copy:
            while chunk := source.read(CHUNK_BYTES):
                hasher.update(chunk)
                copy.write(chunk)
        if f"{DIGEST_PREFIX}{hasher.hexdigest()}" != digest:
            target.unlink()
            raise MachineFault(f"The kept file {digest} was changed on this machine.")
        return target

    def trim(self) -> None:
        """Delete the least recently used files until the rest fits."""
        total = 0
        for path in sorted(self._files(), key=lambda path: path.stat().st_mtime_ns, reverse=True):
            total += path.stat().st_size
            if total > self.bytes_max:
                path.unlink()

    def _path(self, digest: str) -> Path:
        if not is_digest(digest):
            raise Invalid(f"{digest!r} is not a digest.", code="digest", field="digest")
        return self.folder / digest.removeprefix(DIGEST_PREFIX)

    def _files(self) -> Iterator[Path]:
        return (path for path in self.folder.iterdir() if path.is_file() and path.name != LOCK)
