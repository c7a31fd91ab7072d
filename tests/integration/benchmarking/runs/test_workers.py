"""The register of workers: two people, a key that never returns, and the pages of the fleet."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from benchmarking.runs.actions import runs, workers
from benchmarking.runs.models import Worker
from benchmarking.runs.queries.workers import fleet
from governance.audit.models import AuditEvent
from governance.inventory.models import ModelVersion
from governance.jobs.models import Pulse
from governance.people.actions import people
from governance.people.approvals import actions as approvals
from governance.people.approvals.models import Change
from governance.people.domain.roles import Role
from tests.factories.people import Cast, make_person
from tests.factories.workers import REASON, Elsewhere, make_worker, new_worker
from tests.pages import html_of
from tests.standstill import everything, refused
from weighbridge.core import attestation
from weighbridge.core.errors import Invalid, NotAllowed, WrongState

FORM = {"name": "rack-7", "queue": "cpu", "machine": "EPYC 9354", "reason": REASON}


@pytest.fixture
def account(cast: Cast) -> User:
    return User.objects.create_user("worker-7", password=None)


@pytest.fixture
def key_pem() -> str:
    return attestation.new_key_pem()


@pytest.fixture
def rack(cast: Cast, now: datetime) -> Elsewhere:
    return make_worker(cast=cast, now=now)


def test_two_people_register_a_worker(cast: Cast, account: User, key_pem: str, now: datetime) -> None:
    around = f"<b>mine</b>\n{attestation.public_pem(key_pem)}\nand more"
    entry = new_worker(account, key_pem, public_key=around)
    change = workers.propose(entry=entry, reason=REASON, by=cast.approver, now=now)
    assert not Worker.objects.exists()
    with refused(NotAllowed, match="You proposed this change"):
        approvals.confirm(change=change, by=cast.approver, now=now)
    approvals.confirm(change=change, by=cast.admin, now=now)
    row = Worker.objects.get()
    assert (row.name, row.account, row.registered_by, row.queue) == ("rack-7", account, cast.admin, "cpu")
    assert row.public_key == attestation.public_pem(key_pem)
    assert row.key_id == attestation.key_id(row.public_key)
    event = AuditEvent.objects.get(kind="worker.registered")
    assert (event.subject, event.details["key_id"], event.details["account"]) == ("rack-7", row.key_id, "worker-7")


def test_who_may_propose_and_retire(cast: Cast, rack: Elsewhere, account: User, key_pem: str, now: datetime) -> None:
    entry = new_worker(account, key_pem, name="rack-8")
    for person in cast.everybody():
        if person in (cast.approver, cast.admin):
            continue
        with refused(NotAllowed, match="Only a platform lead or an administrator may register and retire workers"):
            workers.propose(entry=entry, reason=REASON, by=person, now=now)
        with refused(NotAllowed):
            workers.retire(worker=rack.worker, reason=REASON, by=person, now=now)


def test_nobody_confirms_a_worker_that_uses_their_own_account(
    cast: Cast, account: User, key_pem: str, now: datetime
) -> None:
    change = workers.propose(entry=new_worker(account, key_pem), reason=REASON, by=cast.approver, now=now)
    people.grant_role(user=account, role=Role.ADMIN, by=None, now=now)
    with refused(NotAllowed, match="This worker would use your account"):
        approvals.confirm(change=change, by=account, now=now)
    with refused(Invalid, field="account"):
        approvals.confirm(change=change, by=cast.admin, now=now)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "rack 7"}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"queue": "tpu"}, "queue"),
        ({"machine": " "}, "machine"),
        ({"machine": "x" * 201}, "machine"),
        ({"machine": "a\x00b"}, "machine"),
        ({"public_key": "ssh-ed25519 AAAA"}, "public_key"),
        ({"public_key": "x" * 3_000}, "public_key"),
    ],
)
def test_a_wrong_field_is_named(
    cast: Cast, account: User, key_pem: str, now: datetime, fields: dict[str, Any], field: str
) -> None:
    with refused(Invalid, field=field):
        workers.propose(entry=new_worker(account, key_pem, **fields), reason=REASON, by=cast.approver, now=now)


def test_a_private_key_is_no_public_key(cast: Cast, account: User, key_pem: str, now: datetime) -> None:
    with refused(Invalid, field="public_key", match="Give the .pub file"):
        entry = new_worker(account, key_pem, public_key=key_pem)
        workers.propose(entry=entry, reason=REASON, by=cast.approver, now=now)


@pytest.mark.parametrize("whose", ["author", "staff", "superuser", "closed", "nobody"])
def test_an_account_with_rights_is_no_worker(
    cast: Cast, account: User, key_pem: str, now: datetime, whose: str
) -> None:
    if whose == "author":
        account = cast.author
    elif whose == "nobody":
        account = User(username="nobody")
    else:
        named = {"staff": "is_staff", "superuser": "is_superuser"}.get(whose, "is_active")
        User.objects.filter(pk=account.pk).update(**{named: whose != "closed"})
    with refused(Invalid, field="account"):
        workers.propose(entry=new_worker(account, key_pem), reason=REASON, by=cast.approver, now=now)


def test_name_account_and_key_are_of_one_worker_and_a_retired_key_never_returns(
    cast: Cast, rack: Elsewhere, account: User, key_pem: str, now: datetime
) -> None:
    for entry in (
        new_worker(account, key_pem),
        new_worker(rack.account, key_pem, name="rack-8"),
        new_worker(account, rack.key_pem, name="rack-8"),
    ):
        with refused(WrongState, code="worker_taken"):
            workers.propose(entry=entry, reason=REASON, by=cast.approver, now=now)
    workers.retire(worker=rack.worker, reason=REASON, by=cast.admin, now=now)
    with refused(WrongState, match="already retired"):
        workers.retire(worker=rack.worker, reason=REASON, by=cast.admin, now=now)
    with refused(WrongState, code="worker_taken"):
        entry = new_worker(account, rack.key_pem, name="rack-8")
        workers.propose(entry=entry, reason=REASON, by=cast.approver, now=now)
    again = workers.propose(entry=new_worker(rack.account, key_pem), reason=REASON, by=cast.approver, now=now)
    approvals.confirm(change=again, by=cast.admin, now=now)
    assert list(Worker.objects.order_by("pk").values_list("name", "retired_by")) == [
        ("rack-7", cast.admin.pk),
        ("rack-7", None),
    ]


def test_two_proposals_with_one_key_give_one_worker(cast: Cast, account: User, key_pem: str, now: datetime) -> None:
    other = User.objects.create_user("worker-8", password=None)
    entries = (new_worker(account, key_pem), new_worker(other, key_pem, name="rack-8"))
    first, second = [workers.propose(entry=entry, reason=REASON, by=cast.approver, now=now) for entry in entries]
    approvals.confirm(change=first, by=cast.admin, now=now)
    with refused(WrongState, code="worker_taken"):
        approvals.confirm(change=second, by=cast.admin, now=now)


def test_a_race_of_two_confirmations_is_refused_by_the_database(
    cast: Cast, account: User, key_pem: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = User.objects.create_user("worker-8", password=None)
    entries = (new_worker(account, key_pem), new_worker(other, key_pem, name="rack-8"))
    first, second = [workers.propose(entry=entry, reason=REASON, by=cast.approver, now=now) for entry in entries]
    approvals.confirm(change=first, by=cast.admin, now=now)
    monkeypatch.setattr(workers, "_check_free", lambda _: None)
    with refused(WrongState, match="was registered just now"):
        approvals.confirm(change=second, by=cast.admin, now=now)


def test_the_database_keeps_a_worker_as_two_people_registered_it(cast: Cast, rack: Elsewhere, now: datetime) -> None:
    own = attestation.public_pem(attestation.new_key_pem())
    for change in (
        lambda: Worker.objects.update(public_key=own),
        lambda: Worker.objects.update(machine="another"),
        lambda: Worker.objects.all().delete(),
        lambda: Worker.objects.create(
            name="rack-9",
            account=cast.author,
            queue="cpu",
            machine="mine",
            public_key=own,
            key_id=attestation.key_id(own),
            registered_by=cast.admin,
            registered_at=now,
        ),
    ):
        with pytest.raises(DatabaseError, match="two people register a worker"), transaction.atomic():
            change()
    workers.retire(worker=rack.worker, reason=REASON, by=cast.admin, now=now)
    with pytest.raises(DatabaseError, match="retired once"), transaction.atomic():
        Worker.objects.update(retired_at=None, retired_by=None)


def test_a_sign_of_life_is_kept_every_five_seconds(rack: Elsewhere, now: datetime) -> None:
    for seconds, seen in ((0, 0), (4, 0), (6, 6)):
        rack.worker.show_sign(now=now + timedelta(seconds=seconds))
        rack.worker.refresh_from_db()
        assert rack.worker.last_seen_at == now + timedelta(seconds=seen)


def test_the_fleet_says_who_holds_what(
    cast: Cast, rack: Elsewhere, version: ModelVersion, now: datetime, as_: Callable[[User], Client]
) -> None:
    plan = {"scenario": "SingleStream", "min_samples": 700}
    run = runs.queue(key="r", version=version, dataset=None, plan=plan, asked_for="", by=cast.author, now=now)
    gone = make_worker(cast=cast, now=now, name="old")
    workers.retire(worker=gone.worker, reason=REASON, by=cast.admin, now=now)
    rack.order(at=timezone.now())
    Pulse.record(name="queue:bench.cpu", at=now)
    assert [(each.name, each.run, each.retired_at is None) for each in fleet(now=timezone.now())] == [
        ("rack-7", run.pk, True),
        ("old", None, False),
    ]
    page = html_of(as_(cast.author).get("/workers/"))
    for words in ("rack-7", "EPYC 9354, 64 GB", rack.worker.key_id, f"Run {run.pk}", "retired", "Queue cpu"):
        assert words in page
    assert "Register a worker" not in page
    assert "Register a worker" in html_of(as_(cast.approver).get("/workers/"))
    assert rack.worker.public_key in as_(cast.author).get(f"/workers/{rack.worker.pk}/").content.decode()
    shown = html_of(as_(cast.author).get(f"/runs/{run.pk}/"))
    assert f'<a href="/workers/{rack.worker.pk}/">rack-7</a>' in shown
    assert as_(cast.author).get("/workers/999/").status_code == 404


def test_a_worker_is_proposed_and_retired_on_pages(
    cast: Cast, account: User, key_pem: str, as_: Callable[[User], Client]
) -> None:
    lead, public = as_(cast.approver), attestation.public_pem(key_pem)
    assert lead.get("/workers/new/").status_code == 200
    assert lead.post("/workers/new/", FORM).status_code == 400
    wrong = lead.post("/workers/new/", FORM | {"account": "author", "public_key": public})
    assert (wrong.status_code, "has a role or is staff" in html_of(wrong)) == (400, True)
    done = lead.post("/workers/new/", FORM | {"account": "worker-7", "public_key": public})
    change = Change.objects.get()
    assert (done.status_code, done["Location"]) == (302, f"/changes/{change.pk}/")
    assert "Results that this worker signs would count as measured" in html_of(lead.get(done["Location"]))
    assert change.description in html_of(lead.get("/workers/"))
    as_(cast.admin).post(f"/changes/{change.pk}/confirm/")
    row = Worker.objects.get()
    assert lead.post(f"/workers/{row.pk}/retire/", {"reason": "x"}).status_code == 400
    assert lead.post(f"/workers/{row.pk}/retire/", {"reason": REASON}).status_code == 302
    row.refresh_from_db()
    assert row.retired_by == cast.approver
    assert "Its calls are refused" in html_of(lead.get(f"/workers/{row.pk}/"))


def test_whoever_may_not_is_told_so_before_anything_else(
    cast: Cast, rack: Elsewhere, as_: Callable[[User], Client]
) -> None:
    before = everything()
    browser = as_(cast.author)
    for path in ("/workers/new/", f"/workers/{rack.worker.pk}/retire/"):
        assert browser.post(path, {}).status_code == 403
    assert browser.get("/workers/new/").status_code == 403
    changed = {name for name, value in everything().items() if before[name] != value}
    assert changed <= {"django_session", "auth_user"}


def test_the_api_of_the_register(
    cast: Cast, account: User, key_pem: str, now: datetime, api: Callable[[User | None], APIClient]
) -> None:
    lead, body = api(cast.approver), vars(new_worker(account, key_pem)) | {"reason": REASON}
    assert api(cast.author).post("/api/v1/workers/", {}, format="json").status_code == 403
    assert lead.post("/api/v1/workers/", body | {"queue": "tpu"}, format="json").status_code == 400
    answer = lead.post("/api/v1/workers/", body, format="json")
    assert (answer.status_code, answer.json()["can_be_confirmed_by"]) == (202, ["admin"])
    second = make_person("second.lead", Role.PLATFORM_LEAD, now=now)
    approvals.confirm(change=Change.objects.get(), by=second, now=now)
    (row,) = lead.get("/api/v1/workers/").json()
    assert (row["name"], row["account"], row["run"], row["retired_at"]) == ("rack-7", "worker-7", None, None)
    assert lead.post(f"/api/v1/workers/{row['id']}/retire/", {"reason": "no"}, format="json").status_code == 400
    retired = lead.post(f"/api/v1/workers/{row['id']}/retire/", {"reason": REASON}, format="json").json()
    assert retired["retired_at"] is not None
