"""A full disk and a database that does not respond: a status, a sentence, and nothing moved."""

import errno
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, InterfaceError, OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from governance.inventory.actions import artifacts
from governance.site.web.outages import NO_DATABASE, NO_SPACE, TOO_LONG, Outage, StorageFull, outage_in
from tests.factories.people import PASSWORD
from tests.standstill import everything

Api = Callable[[User | None], APIClient]
MEGABYTE = 1_000_000
WORDS = "No space left|too large"


def caused(error: Exception, by: Exception) -> Exception:
    error.__cause__ = by
    return error


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG])
def test_a_disk_that_takes_nothing_is_an_outage(number: int) -> None:
    for error in (OSError(number, "x"), caused(RuntimeError(), OSError(number, "x"))):
        outage = outage_in(error)
        assert type(outage) is StorageFull
        assert (outage.status, outage.code, outage.reason) == (507, "storage_full", NO_SPACE)


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (OperationalError(), "unavailable", NO_DATABASE),
        (InterfaceError(), "unavailable", NO_DATABASE),
        (caused(OperationalError(), psycopg.errors.AdminShutdown()), "unavailable", NO_DATABASE),
        (caused(OperationalError(), psycopg.errors.QueryCanceled()), "too_long", TOO_LONG),
        (caused(OperationalError(), psycopg.errors.DiskFull()), "storage_full", NO_SPACE),
    ],
)
def test_a_database_that_does_not_work_is_an_outage(error: Exception, code: str, reason: str) -> None:
    outage = outage_in(error)
    assert isinstance(outage, Outage)
    assert (outage.code, outage.reason) == (code, reason)


@pytest.mark.parametrize("error", [None, ZeroDivisionError(), OSError(errno.ENOENT, "x"), IntegrityError()])
def test_anything_else_is_none(error: Exception | None) -> None:
    assert outage_in(error) is None


# a full disk


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """The folder on a disk of one megabyte; where nobody may mount one, no file of this process may be larger."""
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)]
    is_mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    if not is_mounted:
        resource.setrlimit(resource.RLIMIT_FSIZE, (MEGABYTE, limits[1]))
    try:
        yield
        assert [path for path in folder.rglob("*") if path.is_file()] == [], "a part of a file takes up space"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        if is_mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def large() -> SimpleUploadedFile:
    """Four megabytes, which Django receives into a file."""
    return SimpleUploadedFile("bill.csv", b"x" * 4 * MEGABYTE)


def test_an_upload_of_the_api_to_a_full_disk(api: Api, finance: User, installation: Path) -> None:
    client = api(finance)
    client.get("/api/v1/bills/")
    client.raise_request_exception = False
    before = everything()
    with full(installation / "uploads"):
        response = client.post("/api/v1/bills/", {"file": large()}, format="multipart")
    assert (response.status_code, response["Content-Type"]) == (507, "application/problem+json")
    assert (response.json()["code"], response.json()["detail"]) == ("storage_full", NO_SPACE)
    assert response["Retry-After"] == "300"
    assert everything() == before


def test_an_upload_of_a_page_to_a_full_disk(finance: User, installation: Path) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(finance)
    client.get("/bills/")
    before = everything()
    with full(installation / "uploads"):
        response = client.post("/bills/", {"file": large(), "kind": "focus"})
    assert response.status_code == 507
    assert "The disk of the server is full" in " ".join(response.content.decode().split())
    assert everything() == before


def test_a_file_that_cannot_be_stored_leaves_no_part_of_it(db: None, installation: Path) -> None:
    before = everything()
    upload, now = large(), timezone.now()
    with full(installation / "artifacts"), pytest.raises(OSError, match=WORDS):
        artifacts.store(upload=upload, by=None, now=now)
    assert everything() == before


@pytest.fixture
def full_database(db: None) -> None:
    """The disk of the database is full: what the cache writes fails as PostgreSQL would fail."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = '53100'; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON weighbridge_cache EXECUTE FUNCTION refuse()"
        )


def test_a_log_in_while_the_database_takes_nothing_blames_nobody(full_database: None, author: User) -> None:
    client = Client(raise_request_exception=False)
    response = client.post("/accounts/login/", {"login": author.username, "password": PASSWORD})
    assert response.status_code == 503
    assert "The database does not respond" in response.content.decode()


@pytest.mark.parametrize("write", [cache.set, cache.add])
def test_a_counter_that_cannot_be_stored_is_not_ignored(full_database: None, write: Callable[..., object]) -> None:
    with pytest.raises(OperationalError, match="The cache could not be written"):
        write("a", 1)


def test_the_cache_still_says_that_an_entry_exists(db: None) -> None:
    assert cache.add("a", 1) is True
    assert cache.add("a", 2) is False
    assert (cache.touch("b"), cache.touch("a"), cache.get("a")) == (False, True, 1)


# a database that is away


@pytest.fixture
def no_database(db: None) -> Iterator[Callable[[], None]]:
    """Takes the database away."""

    def fail(*_: object, **__: object) -> None:
        raise OperationalError("connection to 10.0.0.7 refused")

    with pytest.MonkeyPatch.context() as patch:
        yield lambda: patch.setattr(BaseDatabaseWrapper, "cursor", fail)


def test_pages_log_in_and_api_say_that_the_database_is_away(
    api: Api, author: User, no_database: Callable[[], None]
) -> None:
    client, program = Client(raise_request_exception=False), api(author)
    client.force_login(author)
    program.raise_request_exception = False
    no_database()
    log_in = {"login": "author", "password": PASSWORD}
    pages = [client.get("/requests/"), client.post("/requests/new/", {}), client.post("/accounts/login/", log_in)]
    for page in (*pages, client.post("/hooks/jira/", {}, content_type="application/json")):
        assert page.status_code == 503
        assert page["Retry-After"] == "30"
        assert page["X-Request-ID"]
        assert "Nothing is lost" in page.content.decode()
        assert "10.0.0.7" not in page.content.decode()
    for answer in (program.get("/api/v1/requests/"), program.post("/api/v1/requests/", {}, format="json")):
        assert (answer.status_code, answer["Retry-After"]) == (503, "30")
        assert (answer.json()["code"], answer.json()["detail"]) == ("unavailable", NO_DATABASE)
    assert client.get("/livez").status_code == 200, "although its cookie names a session"
    checks = {check["name"]: check["state"] for check in client.get("/readyz").json()["checks"]}
    assert checks["database"] == "failed"


def test_an_error_of_ours_stays_a_500(author: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    client = Client(raise_request_exception=False)
    client.force_login(author)
    monkeypatch.setattr("governance.operations.web.integrations.render", fail)
    assert client.get("/integrations/").status_code == 500
