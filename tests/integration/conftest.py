"""What database tests share: an installation of their own, its rulebook, and named people."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django.utils.module_loading import autodiscover_modules
from pytest_django import Settings
from rest_framework.test import APIClient

from governance.inventory.models import ModelVersion
from governance.people.actions import people
from governance.people.models import Team
from governance.rulebook.models import ChecklistVersion, PolicyVersion
from reviews.requests.models import ReviewRequest
from tests.factories import requests as walks
from tests.factories.models import make_version
from tests.factories.people import Cast, make_cast
from tests.factories.policies import FULL, LEAN, publish_checklist, publish_policy
from tests.factories.rich import make_rich
from tests.remembered import begin
from weighbridge.core import attestation

RECENTLY = timedelta(minutes=15)
"""How long tests go on with the time that one of them read. What asks how long ago something was done asks for more
than that, or for a time that the test states."""
RECENT: list[datetime] = []


@pytest.fixture(scope="session", autouse=True)
def _tasks() -> None:
    """The tasks of every subject are known, as they are to a worker and to the tick."""
    autodiscover_modules("tasks")


@pytest.fixture(scope="session")
def signing_key_pem() -> str:
    return attestation.new_key_pem()


@pytest.fixture(autouse=True)
def installation(settings: Settings, tmp_path: Path, signing_key_pem: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Artifacts, spooled uploads and the signing key lie in a folder of this test alone."""
    key = tmp_path / "signing.pem"
    key.write_text(signing_key_pem)
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    artifacts = settings.STORAGES["artifacts"] | {"OPTIONS": {"location": tmp_path / "artifacts"}}
    settings.STORAGES = settings.STORAGES | {"artifacts": artifacts}
    settings.FILE_UPLOAD_TEMP_DIR = uploads
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"SIGNING_KEY": key, "BASE_URL": "https://weighbridge.test"}
    begin(tmp_path, monkeypatch)
    return tmp_path


@pytest.fixture
def with_mail(settings: Settings) -> None:
    """Mail is set up."""
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"HAS_MAIL": True}


@pytest.fixture
def now() -> datetime:
    """The real time, because pages and API read the clock; the same for some time of a day, so that walks are
    remembered."""
    read = timezone.now()
    if not RECENT or not timedelta(0) <= read - RECENT[0] < RECENTLY or read.date() != RECENT[0].date():
        RECENT[:] = [read]
    return RECENT[0]


@pytest.fixture
def cast(db: None, now: datetime) -> Cast:
    """Everybody, each with one role."""
    return make_cast(now=now)


@pytest.fixture
def author(cast: Cast) -> User:
    return cast.author


@pytest.fixture
def reviewer_one(cast: Cast) -> User:
    return cast.reviewer_one


@pytest.fixture
def reviewer_two(cast: Cast) -> User:
    return cast.reviewer_two


@pytest.fixture
def approver(cast: Cast) -> User:
    """The platform lead."""
    return cast.approver


@pytest.fixture
def finance(cast: Cast) -> User:
    return cast.finance


@pytest.fixture
def admin(cast: Cast) -> User:
    return cast.admin


@pytest.fixture
def auditor(cast: Cast) -> User:
    return cast.auditor


@pytest.fixture
def outsider(cast: Cast) -> User:
    """A requester of another team."""
    return cast.outsider


@pytest.fixture
def team(cast: Cast) -> Team:
    """The author's team."""
    return Team.objects.get(slug="search")


@pytest.fixture
def checklist(db: None, now: datetime) -> ChecklistVersion:
    """The standard checklist, in force."""
    return publish_checklist(now=now)


@pytest.fixture
def policy(checklist: ChecklistVersion, now: datetime) -> PolicyVersion:
    """The default policy without cheaper variants, in force, with its checklist."""
    return publish_policy(source=LEAN, now=now)


@pytest.fixture
def version(author: User, now: datetime) -> ModelVersion:
    """The author's registered ONNX file."""
    return make_version(by=author, now=now)


@pytest.fixture
def draft(author: User, now: datetime) -> ReviewRequest:
    return walks.make_draft(by=author, now=now)


@pytest.fixture
def submitted(policy: PolicyVersion, author: User, now: datetime) -> ReviewRequest:
    """In evidence, one benchmark queued."""
    return walks.make_submitted(by=author, now=now)


@pytest.fixture
def ready(policy: PolicyVersion, author: User, now: datetime) -> ReviewRequest:
    """In evidence with nothing missing; the team has no budget yet."""
    return walks.make_ready(by=author, now=now)


@pytest.fixture
def in_review(policy: PolicyVersion, cast: Cast, now: datetime) -> ReviewRequest:
    return walks.make_in_review(cast=cast, now=now)


@pytest.fixture
def decided(policy: PolicyVersion, cast: Cast, now: datetime) -> ReviewRequest:
    """Approved without conditions."""
    return walks.make_decided(cast=cast, now=now)


@pytest.fixture
def rich(checklist: ChecklistVersion, cast: Cast, now: datetime) -> ReviewRequest:
    """Approved with conditions, and everything a request can have before that."""
    publish_policy(source=FULL, now=now)
    return make_rich(cast=cast, now=now)


@pytest.fixture
def api(db: None, now: datetime) -> Callable[[User | None], APIClient]:
    """A client that sends the person's token, as a program would; nobody's for None."""

    def client(user: User | None) -> APIClient:
        client = APIClient()
        if user is not None:
            token = people.create_token(user=user, valid_days=1, by=None, now=now)
            client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
        return client

    return client


@pytest.fixture
def as_(db: None) -> Callable[[User], Client]:
    """A browser in which the person is logged in."""

    def client(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return client
