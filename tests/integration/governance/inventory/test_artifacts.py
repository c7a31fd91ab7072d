"""Kept files: streamed, capped while they stream, stored once under the name of their content, whoever sends them."""

import hashlib
import os
import stat
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from errno import ENOSPC
from functools import partial
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from pytest_django import Settings

from governance.audit.models import AuditEvent
from governance.inventory.actions import artifacts
from governance.inventory.actions.artifacts import StoredFile
from tests.threads import together
from weighbridge.core.errors import Invalid, TooLarge

NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)
CONTENT = b"weights" * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
NAME = f"sha256/{DIGEST[:2]}/{DIGEST}"


def keep(content: bytes = CONTENT, name: str = "model.onnx") -> StoredFile:
    return artifacts.store(upload=ContentFile(content, name=name), by=None, now=NOW)


def files(installation: Path) -> list[str]:
    """Everything stored, and everything left behind while storing."""
    return sorted(
        str(path.relative_to(installation))
        for folder in ("artifacts", "uploads")
        for path in (installation / folder).rglob("*")
        if path.is_file()
    )


def test_a_file_is_stored_under_the_name_of_its_content(db: None, installation: Path) -> None:
    assert keep() == StoredFile(f"sha256:{DIGEST}", 7000, NAME)
    with storages["artifacts"].open(NAME) as stored:
        assert stored.read() == CONTENT
    assert files(installation) == [f"artifacts/{NAME}"]
    event = AuditEvent.objects.get()
    assert (event.kind, event.subject) == ("artifact.kept", f"sha256:{DIGEST}")
    assert event.details == {"size_bytes": 7000, "name": "model.onnx"}


def test_the_same_content_is_stored_once(db: None, installation: Path) -> None:
    assert keep() == keep(name="other.onnx")
    assert files(installation) == [f"artifacts/{NAME}"]
    assert [event.details["name"] for event in AuditEvent.objects.all()] == ["model.onnx", "other.onnx"]


def test_a_disk_that_is_full_leaves_no_part_of_a_file(
    db: None, installation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", lambda file: fail(ENOSPC, "No space left on device"))
        with pytest.raises(OSError, match="No space left"):
            keep()
    assert files(installation) == []
    assert keep().stored_as == NAME


def fail(number: int, reason: str) -> None:
    raise OSError(number, reason)


@pytest.mark.parametrize("before", [None, b"", CONTENT[:100]])
def test_readers_see_a_file_whole_or_not_at_all(
    db: None, installation: Path, monkeypatch: pytest.MonkeyPatch, before: bytes | None
) -> None:
    path, seen = installation / "artifacts" / NAME, []
    if before is not None:
        path.parent.mkdir(parents=True)
        path.write_bytes(before)

    def look(file: int) -> None:
        if stat.S_ISREG(os.fstat(file).st_mode):
            seen.append((os.fstat(file).st_size, path.read_bytes() if path.exists() else None))

    monkeypatch.setattr(os, "fsync", look)
    keep()
    assert seen == [(len(CONTENT), before)]
    assert path.read_bytes() == CONTENT
    assert files(installation) == [f"artifacts/{NAME}"]


def test_what_a_killed_writer_left_is_removed_after_a_day(db: None, installation: Path) -> None:
    folder = installation / "artifacts" / NAME[:9]
    folder.mkdir(parents=True)
    for name, age_s in (("old.part", 90_000), ("fresh.part", 80_000), ("old", 90_000)):
        (folder / name).touch()
        os.utime(folder / name, (time.time() - age_s,) * 2)
    keep()
    assert files(installation) == sorted(
        f"artifacts/{name}" for name in (NAME, f"{NAME[:9]}/fresh.part", f"{NAME[:9]}/old")
    )


@pytest.mark.parametrize(("size", "is_accepted"), [(999_999, True), (1_000_000, True), (1_000_001, False)])
def test_the_cap(db: None, installation: Path, settings: Settings, size: int, is_accepted: bool) -> None:
    settings.UPLOAD_LIMIT_BYTES = 1_000_000
    if is_accepted:
        assert keep(b"x" * size).size_bytes == size
        return
    with pytest.raises(TooLarge, match="The file is larger than the 1 MB allowed") as refusal:
        keep(b"x" * size)
    assert (refusal.value.field, refusal.value.code, refusal.value.status) == ("file", "too_large", 413)
    assert files(installation) == []
    assert not AuditEvent.objects.exists()


def test_the_cap_stops_an_endless_stream(db: None, installation: Path, settings: Settings) -> None:
    settings.UPLOAD_LIMIT_BYTES = 1_000_000
    read: list[int] = []

    class Endless(ContentFile):
        def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
            while True:
                read.append(1)
                yield b"x" * 100_000

    with pytest.raises(TooLarge):
        artifacts.store(upload=Endless(b""), by=None, now=NOW)
    assert len(read) == 11
    assert files(installation) == []


def test_an_empty_file_is_refused(db: None, installation: Path) -> None:
    with pytest.raises(Invalid, match=r"The file is empty\. Choose another") as refusal:
        artifacts.store(upload=ContentFile(b"", name="m.onnx"), by=None, now=NOW)
    assert refusal.value.field == "file"
    assert (files(installation), AuditEvent.objects.count()) == ([], 0)


def test_what_the_inspection_refuses_is_not_stored(db: None, installation: Path) -> None:
    def look(path: Path) -> None:
        assert path.read_bytes() == CONTENT
        raise Invalid("I do not like it.", field="file")

    with pytest.raises(Invalid, match="I do not like it"):
        artifacts.store(upload=ContentFile(CONTENT, name="m"), by=None, now=NOW, inspect=look)
    assert (files(installation), AuditEvent.objects.count()) == ([], 0)


def test_a_long_name_is_cut_in_the_trail(db: None) -> None:
    keep(name="n" * 500)
    assert AuditEvent.objects.get().details["name"] == "n" * 160


@pytest.mark.django_db(transaction=True)
def test_many_who_send_the_same_file_store_it_once(installation: Path) -> None:
    found = together([partial(keep, CONTENT, f"{number}.onnx") for number in range(6)])
    assert found == [StoredFile(f"sha256:{DIGEST}", 7000, NAME)] * 6
    with storages["artifacts"].open(NAME) as stored:
        assert stored.read() == CONTENT
    assert files(installation) == [f"artifacts/{NAME}"]
    assert AuditEvent.objects.count() == 6
