"""Artifacts in a bucket: stored, read, repaired and restored as in a folder, and an outage is told as one."""

import errno
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management.base import CommandError
from django.db import connection
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from config.artifact_storage import storage_of
from config.artifact_storage.bucket import ArtifactBucket
from governance.audit.locking import CHAIN_LOCK
from governance.bills.actions import bills
from governance.bills.models import Bill
from governance.findings.models import Finding
from governance.inventory.actions import artifacts, stored_files
from governance.inventory.actions.stored_files import DamagedFile
from governance.jobs import actions as jobs
from governance.jobs.kinds import kind_of
from governance.operations.management import backup_format
from tests.factories.bills import csv_bytes
from tests.factories.models import make_version
from tests.factories.people import Cast
from tests.standins.object_storage import BUCKET, KEY, ObjectStorage, object_storage
from tests.standstill import everything
from weighbridge.measure.conditions import memory

HOUR = timedelta(hours=1)
NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)
CONTENT = b"weights" * 1000
MEGABYTE = 1_000_000
Api = Callable[[User | None], APIClient]


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectStorage]:
    with object_storage() as found:
        yield found


@pytest.fixture
def bucket(
    server: ObjectStorage, settings: Settings, installation: Path, monkeypatch: pytest.MonkeyPatch
) -> ObjectStorage:
    """The installation keeps its artifacts there; nothing else is in it."""
    for name in server.contents():
        server.client.delete_object(Bucket=BUCKET, Key=name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY["aws_access_key_id"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY["aws_secret_access_key"])
    at(server.address, settings, installation)
    return server


def at(address: str, settings: Settings, installation: Path) -> None:
    settings.STORAGES = settings.STORAGES | {"artifacts": storage_of(address, folder=installation / "artifacts")}


def keep(content: bytes = CONTENT) -> str:
    return artifacts.store(upload=ContentFile(content, name="model.onnx"), by=None, now=NOW).digest


def test_a_file_is_stored_once_and_read_again(db: None, bucket: ObjectStorage, installation: Path) -> None:
    digest = keep()
    assert keep() == digest
    assert bucket.contents() == {f"models/{stored_files.name_of(digest)}": CONTENT}
    with stored_files.opened(digest=digest, now=NOW) as copy:
        assert copy.read() == CONTENT
    assert stored_files.fetch(digest=digest, target=installation / "copy", now=NOW).read_bytes() == CONTENT
    assert list((installation / "artifacts").rglob("*")) == []


def test_an_empty_name_of_certificates_is_none(
    db: None, bucket: ObjectStorage, settings: Settings, installation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", "")  # as Compose sets it
    at(bucket.address, settings, installation)
    stored_files.check(digest=keep(), now=NOW)


@pytest.mark.parametrize("content", [None, b"W" * len(CONTENT)], ids=["missing", "changed"])
def test_what_another_changed_in_the_bucket_is_refused_and_repaired(
    db: None, bucket: ObjectStorage, content: bytes | None
) -> None:
    digest = keep()
    name = f"models/{stored_files.name_of(digest)}"
    if content is None:
        bucket.client.delete_object(Bucket=BUCKET, Key=name)
    else:
        bucket.client.put_object(Bucket=BUCKET, Key=name, Body=content)
    with pytest.raises(DamagedFile, match="is missing from" if content is None else "was changed after it was stored"):
        stored_files.opened(digest=digest, now=NOW)
    assert Finding.objects.get().subject == digest
    assert keep() == digest
    assert bucket.contents() == {name: CONTENT}


def test_a_large_file_is_streamed(db: None, bucket: ObjectStorage) -> None:
    digest = keep(bytes(60 * MEGABYTE))
    memory.reset_peak()
    before = memory.peak_bytes()
    stored_files.check(digest=digest, now=NOW)
    assert memory.peak_bytes() - before < 90 * MEGABYTE  # the stand-in, in this process, holds the file once more


def test_a_storage_that_is_away_is_an_outage_and_nothing_is_lost(
    bucket: ObjectStorage,
    settings: Settings,
    installation: Path,
    api: Callable[[User | None], APIClient],
    finance: User,
) -> None:
    digest = keep()
    at(bucket.address.replace(bucket.endpoint, "http://127.0.0.1:9"), settings, installation)
    client = api(finance)
    client.get("/api/v1/bills/")
    client.raise_request_exception = False
    before = everything()
    with pytest.raises(OSError, match=r"127\.0\.0\.1:9") as away:
        stored_files.opened(digest=digest, now=NOW)
    assert away.value.errno == errno.EREMOTEIO
    upload = SimpleUploadedFile("bill.csv", csv_bytes())
    answer = client.post("/api/v1/bills/", {"file": upload}, format="multipart")
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert answer.json()["detail"].startswith(
        "The storage of the artifacts does not respond, or it refuses. Nothing was changed."
    )
    assert everything() == before
    assert Finding.objects.count() == 0


def test_a_bucket_that_does_not_exist_is_not_a_missing_file(
    db: None, bucket: ObjectStorage, settings: Settings, installation: Path
) -> None:
    at(bucket.address.replace(BUCKET, "no-such-bucket"), settings, installation)
    for act in (keep, lambda: stored_files.opened(digest=f"sha256:{'0' * 64}", now=NOW)):
        with pytest.raises(OSError, match="NoSuchBucket") as refusal:
            act()
        assert refusal.value.errno == errno.EREMOTEIO
    assert Finding.objects.count() == 0


def test_artifacts_of_a_backup_are_put_into_the_bucket(db: None, bucket: ObjectStorage, tmp_path: Path) -> None:
    assert list(backup_format.folders(with_keys=False)) == ["files"]
    (tmp_path / "kept" / "sha256" / "ab").mkdir(parents=True)
    (tmp_path / "kept" / "sha256" / "ab" / "abcd").write_bytes(CONTENT)
    backup_format.upload(tmp_path / "kept")
    backup_format.upload(tmp_path / "nothing")
    assert bucket.contents() == {"models/sha256/ab/abcd": CONTENT}
    assert storages["artifacts"].size("sha256/ab/abcd") == len(CONTENT)
    with storages["artifacts"].open("sha256/ab/abcd") as found:
        assert found.read() == CONTENT


def test_a_job_waits_for_the_storage_and_loses_no_attempt(db: None, bucket: ObjectStorage, finance: User) -> None:
    bill = bills.receive(
        upload=SimpleUploadedFile("bill.csv", csv_bytes()), delivery=bills.Delivery(), by=finance, now=NOW
    )
    for number in range(1, 6):
        held = jobs.claim(model=Bill, pk=bill.pk, now=NOW + number * HOUR)
        assert held is not None
        assert jobs.put_back(row=held, error=OSError(errno.EREMOTEIO, "https://minio.test"), now=NOW + number * HOUR)
    bill.refresh_from_db()
    assert (bill.state, bill.attempts, bill.max_attempts) == ("queued", 5, held.max_attempts + 1)
    assert bill.max_attempts - bill.attempts == kind_of(Bill).max_attempts
    assert bill.error == "The storage of the artifacts does not respond, or it refuses. This is repeated until it does."
    assert jobs.claim(model=Bill, pk=bill.pk, now=NOW + 5 * HOUR) is None


def test_a_bucket_that_does_not_answer_delays_work_and_leaves_pages_in_service(
    db: None, bucket: ObjectStorage, settings: Settings, installation: Path, client: Client
) -> None:
    def checks(path: str) -> tuple[int, dict[str, str]]:
        answer = client.get(path)
        return answer.status_code, {each["name"]: each["state"] for each in answer.json()["checks"]}

    assert checks("/workz")[1]["bucket"] == "ok"
    assert bucket.contents() == {}
    for address in (bucket.address.replace(BUCKET, "no-such-bucket"), f"s3://{BUCKET}?endpoint=http://127.0.0.1:9"):
        at(address, settings, installation)
        assert checks("/readyz")[0] == 200
        status, found = checks("/workz")
        assert (status, found["bucket"], "artifacts" in found) == (503, "delayed", False)
        with pytest.raises(CommandError, match=r"The bucket cannot be used: .*\. Check WEIGHBRIDGE_ARTIFACTS"):
            backup_format.check_bucket()


def test_the_head_of_the_trail_is_free_while_a_file_is_put(
    transactional_db: None, bucket: ObjectStorage, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = []
    save = ArtifactBucket._save

    def saved(self: ArtifactBucket, name: str, content: object) -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND objid = %s", [CHAIN_LOCK])
            held.append(cursor.fetchone())
        return save(self, name, content)

    monkeypatch.setattr(ArtifactBucket, "_save", saved)
    version = make_version(by=cast.author, now=now)
    assert bucket.contents().keys() == {f"models/{stored_files.name_of(version.digest)}"}
    assert held == [(0,)]
