"""Opens stored files: every read is a private copy whose bytes have the digest that the caller expects.

The copy is hashed while it is made, from one open descriptor, so nobody can exchange the file between the check and the
use. A file that is missing or has other bytes is refused and becomes a finding; no other module reads the storage.
"""

import hashlib
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, Protocol

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.storage import FileSystemStorage, storages

from governance.findings import actions as findings
from governance.findings.actions import Sighting
from governance.findings.enums import FindingState, Severity
from governance.findings.models import Finding
from governance.people.domain.roles import Role
from governance.people.queries.people import people_with
from weighbridge.core.canonical import DIGEST_PREFIX, digest_of
from weighbridge.core.errors import WrongState

KIND = "artifact.damaged"
CHUNK_BYTES = 1_048_576
REPAIR_DAYS = 7
UNUSED = "Nothing was measured, printed, sent or signed with it."
RESTORE = "Find out who or what changed it, restore it from a backup or upload the same file again, then close this."


class Frozen(Protocol):
    """A row with a document that was frozen under a digest."""

    document: Any
    document_digest: str


class DamagedFile(WrongState):
    """A stored file is missing, or its bytes are not the ones that were stored."""

    default_code = "file_damaged"


def name_of(digest: str) -> str:
    """Return the name in the artifact storage of the file with this digest."""
    digits = digest.removeprefix(DIGEST_PREFIX)
    return f"sha256/{digits[:2]}/{digits}"


def in_bucket() -> bool:
    """Whether files are kept in a bucket of an object storage."""
    return not isinstance(storages["artifacts"], FileSystemStorage)


def opened(*, digest: str, by: User | None = None, now: datetime) -> IO[bytes]:
    """Return a private, nameless copy of a stored file, at its start; the caller closes it. Raises DamagedFile."""
    copy = tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR)  # noqa: SIM115 -- the caller closes it
    try:
        _copy(digest, copy, by, now)
    except BaseException:
        copy.close()
        raise
    copy.seek(0)
    return copy


def fetch(*, digest: str, target: Path, by: User | None = None, now: datetime) -> Path:
    """Copy a stored file to `target`, which must not exist yet. Raises DamagedFile and leaves no file."""
    with target.open("xb") as copy:
        try:
            _copy(digest, copy, by, now)
        except BaseException:
            target.unlink()
            raise
    return target


def check(*, digest: str, by: User | None = None, now: datetime) -> None:
    """Raise DamagedFile unless the stored file has this digest now."""
    _copy(digest, None, by, now)


def check_frozen(*, packet: Frozen, by: User | None = None, now: datetime) -> None:
    """Raise DamagedFile unless the document of a packet still has the digest it was frozen with."""
    actual = digest_of(packet.document)
    if actual != packet.document_digest:
        wrong = f"The document of {packet} was changed after it was frozen: its digest is now {actual}."
        report(subject=str(packet), problem=wrong, by=by, now=now)
        raise DamagedFile(f"{wrong} {UNUSED} Tell an administrator.")


def report(*, subject: str, problem: str, by: User | None = None, now: datetime) -> Finding:
    """Raise a finding about a damaged file, owned by an administrator; an open one about the same file stays the one.

    Call it outside a transaction that the refusal rolls back.
    """
    closed = Finding.objects.filter(kind=KIND, subject=subject, state=FindingState.CLOSED).count()
    sighting = Sighting(
        kind=KIND,
        subject=subject,
        text=f"{problem} {UNUSED} {RESTORE}",
        severity=Severity.HIGH,
        source="the artifact storage",
        key=f"{KIND}:{subject}:{closed}",
        owner=next(iter(people_with(Role.ADMIN)), None),
        due_on=now.date() + timedelta(days=REPAIR_DAYS),
    )
    return findings.raise_once(sighting=sighting, by=by, now=now)


def problem_of(digest: str) -> str:
    """What is wrong with the stored file of this digest, as a sentence; "" if its bytes have the digest."""
    return _problem(digest, _digest_of(_chunks(digest)))


def _digest_of(chunks: Iterator[bytes], copy: IO[bytes] | None = None) -> str:
    """Return the digest of the chunks, written to `copy` on the way; "" if the file is missing."""
    hasher = hashlib.sha256()
    try:
        for chunk in chunks:
            hasher.update(chunk)
            if copy is not None:
                copy.write(chunk)
    except FileNotFoundError:
        return ""
    return f"{DIGEST_PREFIX}{hasher.hexdigest()}"


def _chunks(digest: str) -> Iterator[bytes]:
    with storages["artifacts"].open(name_of(digest), "rb") as source:
        yield from source.chunks(CHUNK_BYTES)


def _copy(digest: str, copy: IO[bytes] | None, by: User | None, now: datetime) -> None:
    problem = _problem(digest, _digest_of(_chunks(digest), copy))
    if problem:
        report(subject=digest, problem=problem, by=by, now=now)
        raise DamagedFile(f"{problem} {UNUSED} Tell an administrator, or upload the same file again.")


def _problem(digest: str, actual: str) -> str:
    if actual == digest:
        return ""
    if not actual:
        return f"The stored file {digest} is missing from the artifact storage."
    return f"The stored file {digest} was changed after it was stored: its bytes now have the digest {actual}."
