"""Stored files: every read is a private copy with the expected bytes; anything else is refused and a finding."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from governance.audit.models import AuditEvent
from governance.findings import actions as findings
from governance.findings.enums import FindingState, Severity
from governance.findings.models import Finding
from governance.inventory.actions import artifacts, stored_files
from governance.inventory.actions.stored_files import DamagedFile
from tests.factories.people import Cast

NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)
CONTENT = b"weights" * 1000
OTHER = b"WEIGHTS" * 1000


def keep(content: bytes = CONTENT) -> str:
    return artifacts.store(upload=ContentFile(content, name="model.onnx"), by=None, now=NOW).digest


def path_of(digest: str) -> Path:
    return Path(storages["artifacts"].path(stored_files.name_of(digest)))


def swap(digest: str, content: bytes = OTHER) -> None:
    """Exchange a stored file for another one of the same size, with the same times."""
    path, stat = path_of(digest), path_of(digest).stat()
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def spooled(installation: Path) -> list[Path]:
    return list((installation / "uploads").rglob("*"))


def test_a_stored_file_opens_as_a_private_copy(db: None, installation: Path) -> None:
    digest = keep()
    with stored_files.opened(digest=digest, now=NOW) as copy:
        swap(digest)
        assert copy.read() == CONTENT, "an exchange after the check changes nothing"
    assert spooled(installation) == []
    assert Finding.objects.count() == 0


def test_a_fetched_copy_is_the_one_that_was_hashed(db: None, installation: Path) -> None:
    digest, target = keep(), installation / "copy"
    assert stored_files.fetch(digest=digest, target=target, now=NOW) == target
    swap(digest)
    assert target.read_bytes() == CONTENT
    with pytest.raises(FileExistsError):
        stored_files.fetch(digest=digest, target=target, now=NOW)


@pytest.mark.parametrize("how", ["swapped", "shorter", "longer", "missing", "another file"])
@pytest.mark.parametrize("read", ["opened", "fetch", "check"])
def test_a_damaged_file_is_refused_and_found(cast: Cast, installation: Path, read: str, how: str) -> None:
    digest, target = keep(), installation / "copy"
    if how == "missing":
        path_of(digest).unlink()
    elif how == "another file":
        path_of(digest).unlink()
        path_of(digest).symlink_to(path_of(keep(OTHER)))
    else:
        swap(digest, {"swapped": OTHER, "shorter": CONTENT[:-1], "longer": CONTENT + b"x"}[how])
    extra = {"target": target} if read == "fetch" else {}
    with pytest.raises(DamagedFile) as refusal:
        getattr(stored_files, read)(digest=digest, now=NOW, **extra)
    assert (refusal.value.status, refusal.value.code) == (409, "file_damaged")
    assert digest in refusal.value.reason
    assert ("missing" in refusal.value.reason) == (how == "missing")
    assert not target.exists()
    assert spooled(installation) == []
    finding = Finding.objects.get()
    assert (finding.kind, finding.subject, finding.severity) == ("artifact.damaged", digest, Severity.HIGH)
    assert (finding.owner, finding.due_on) == (cast.admin, (NOW + timedelta(days=7)).date())
    assert AuditEvent.objects.filter(kind="finding.raised", subject=str(finding)).exists()


def test_a_problem_has_one_open_finding_and_returns_after_it_was_closed(cast: Cast) -> None:
    digest = keep()
    swap(digest)
    for _ in range(2):
        with pytest.raises(DamagedFile):
            stored_files.check(digest=digest, now=NOW)
    findings.close(finding=Finding.objects.get(), note="Restored.", by=cast.admin, now=NOW)
    with pytest.raises(DamagedFile):
        stored_files.check(digest=digest, now=NOW)
    assert sorted(Finding.objects.values_list("state", flat=True)) == [FindingState.CLOSED, FindingState.OPEN]


def test_a_damaged_file_has_a_finding_even_where_nobody_administers(db: None) -> None:
    digest = keep()
    swap(digest)
    with pytest.raises(DamagedFile):
        stored_files.check(digest=digest, now=NOW)
    assert Finding.objects.get().owner is None


def test_an_upload_repairs_a_damaged_file_of_the_right_size(cast: Cast, installation: Path) -> None:
    digest = keep()
    swap(digest)
    assert keep() == digest
    stored_files.check(digest=digest, now=NOW)
    assert path_of(digest).read_bytes() == CONTENT
    finding = Finding.objects.get()
    assert finding.subject == digest
    assert "An upload of the same file replaced it." in finding.text


def test_a_file_that_was_cut_short_is_repaired_too(db: None) -> None:
    digest = keep()
    swap(digest, CONTENT[:100])
    keep()
    stored_files.check(digest=digest, now=NOW)
    assert Finding.objects.get().subject == digest


class Frozen:
    def __init__(self, document: object, digest: str) -> None:
        self.document, self.document_digest = document, digest

    def __str__(self) -> str:
        return "MRR-1 packet 1"


def test_a_changed_document_is_refused_and_found(cast: Cast) -> None:
    digest = stored_files.digest_of({"a": 1})
    stored_files.check_frozen(packet=Frozen({"a": 1}, digest), now=NOW)
    assert Finding.objects.count() == 0
    with pytest.raises(DamagedFile, match="MRR-1 packet 1 was changed after it was frozen"):
        stored_files.check_frozen(packet=Frozen({"a": 2}, digest), now=NOW)
    assert Finding.objects.get().subject == "MRR-1 packet 1"
