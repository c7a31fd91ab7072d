"""Webhooks: who may have them, what they get, how it is signed, what is logged, and what can never be called."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import jsonschema
import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from governance import secrets
from governance.audit.models import AuditEvent
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from governance.notifications.actions import webhooks as actions
from governance.notifications.domain.flavors import WebhookFlavor
from governance.notifications.domain.hours import WINDOW
from governance.notifications.domain.signatures import OVERLAP
from governance.notifications.models import Dispatch, Notification, TeamWebhook, WebhookAttempt
from governance.notifications.outbox.dispatches import CALLS_MAX, LOG_MAX, dispatch_due
from governance.notifications.outbox.notices import notify
from governance.people.models import Team
from tests.factories.people import Cast
from tests.factories.snapshots import snapshot
from tests.integration.governance.notifications.conftest import Receiver, deliver_all, happened
from tests.pages import html_of
from tests.unit.governance.notifications.test_messages import SLACK, TEAMS, verified
from weighbridge.core.errors import Invalid, NotAllowed, Refused, WrongState

As = Callable[[User], Client]
Api = Callable[[User | None], APIClient]
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
HOURS = {"pace": "at_once", "time_zone": "UTC", "digest_hour": "8", "quiet_from": "0", "quiet_to": "0"}
PUBLIC = "https://hooks.example.org/services/T0/B0/x"


@pytest.fixture
def team(cast: Cast) -> Team:
    return Team.objects.get(slug="search")


@pytest.fixture(autouse=True)
def _names_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests look up no name of another machine."""
    known = {"hooks.example.org": ["93.184.215.14"], "inside.example.org": ["10.0.0.7"], "localhost": ["127.0.0.1"]}
    name = "governance.notifications.queries.webhooks.resolve_addresses"
    monkeypatch.setattr(name, lambda host: known.get(host, []))


def add(
    team: Team,
    by: User,
    address: str = PUBLIC,
    flavor: WebhookFlavor = WebhookFlavor.SIGNED,
    kinds: tuple[str, ...] = ("decided",),
    name: str = "",
) -> tuple[TeamWebhook, str]:
    name = name or f"Channel {TeamWebhook.objects.count()}"
    return actions.add_webhook(team=team, flavor=flavor, name=name, address=address, kinds=kinds, by=by, now=NOON)


def test_who_may_manage_and_read(cast: Cast, team: Team, as_: As, api: Api) -> None:
    managing, reading = {cast.approver, cast.admin}, {cast.approver, cast.admin, cast.auditor}
    form = {"team": "search", "flavor": "slack", "name": "A", "address": PUBLIC, "kinds": ["decided"]} | HOURS
    for person in cast.everybody():
        before = TeamWebhook.objects.count()
        posted = as_(person).post("/webhooks/", form | {"name": person.username}).status_code
        assert posted == (302 if person in managing else 403), person
        assert TeamWebhook.objects.count() - before == (person in managing)
        expected = 200 if person in reading else 403
        assert as_(person).get("/webhooks/").status_code == expected
        assert api(person).get("/api/v1/webhooks/").status_code == expected
    row = TeamWebhook.objects.first()
    assert row is not None
    dispatch = Dispatch.objects.create(key="x", webhook=row, kind="decided", made_at=NOON)
    others = set(cast.everybody()) - managing
    browsers, clients = {one: as_(one) for one in others}, {one: api(one) for one in others}
    kept, by_button = snapshot(), {"test/", "remove/", f"messages/{dispatch.pk}/replay/"}
    for person in others:
        for path in ("rotate/", "", *by_button):
            answer = browsers[person].post(f"/webhooks/{row.pk}/{path}", form, follow=True)
            is_told = person == cast.auditor and path in by_button
            assert (answer.status_code, bool(answer.redirect_chain)) == (200 if is_told else 403, is_told), path
            assert "administrator may manage webhooks." in html_of(answer) or person not in reading
        for path in ("test/", f"messages/{dispatch.pk}/replay/"):
            assert clients[person].post(f"/api/v1/webhooks/{row.pk}/{path}").status_code == 403
        with pytest.raises(NotAllowed):
            actions.remove_webhook(webhook=row, by=person, now=NOON)
    assert snapshot() == kept


def test_address_and_secrets_are_stored_encrypted_and_shown_once(cast: Cast, team: Team, as_: As) -> None:
    form = {
        "team": "search",
        "flavor": "signed",
        "name": "A",
        "address": PUBLIC,
        "kinds": ["decided", "failed"],
    } | HOURS
    text = as_(cast.admin).post("/webhooks/", form).content.decode()
    row = TeamWebhook.objects.get()
    secret = secrets.decrypt(row.secret or b"")
    assert secret in text
    assert secrets.decrypt(row.address) == PUBLIC
    assert PUBLIC.encode() not in bytes(row.address)
    for path in (f"/webhooks/{row.pk}/", "/webhooks/"):
        page = as_(cast.admin).get(path).content.decode()
        assert secret not in page
        assert "/services/" not in page
    trail = json.dumps(list(AuditEvent.objects.values_list("details", flat=True)))
    assert secret not in trail
    assert "/services/" not in trail


@pytest.mark.parametrize(
    "address",
    [
        "http://hooks.example.org/",
        "https://inside.example.org/",
        "https://unknown.example.org/",
        "https://169.254.169.254/latest/",
        "file:///etc/passwd",
    ],
)
def test_an_address_inside_is_refused(cast: Cast, team: Team, as_: As, address: str) -> None:
    with pytest.raises(Refused) as refused:
        add(team, cast.admin, address)
    assert refused.value.field == "address"
    form = {"team": "search", "flavor": "slack", "name": "A", "address": address, "kinds": ["decided"]} | HOURS
    assert as_(cast.admin).post("/webhooks/", form).status_code in {400, 403}
    assert not TeamWebhook.objects.exists()


def test_production_does_not_call_itself(cast: Cast, team: Team, settings: Settings) -> None:
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"ALLOWS_LOCAL_WEBHOOKS": False}
    for address in ("http://localhost:8000/", "https://localhost/"):
        with pytest.raises(Refused):
            add(team, cast.admin, address)
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"WEBHOOK_NETWORKS": ["inside.example.org=10.0.0.0/8"]}
    assert add(team, cast.admin, "https://inside.example.org/")[0].host == "inside.example.org"


@pytest.mark.parametrize(("name", "kinds"), [("", ("decided",)), ("x" * 81, ("decided",)), ("A", ()), ("A", ("gone",))])
def test_odd_names_and_kinds_are_refused(cast: Cast, team: Team, name: str, kinds: tuple[str, ...]) -> None:
    with pytest.raises(Invalid):
        actions.add_webhook(
            team=team, flavor=WebhookFlavor.SLACK, name=name, address=PUBLIC, kinds=kinds, by=cast.admin, now=NOON
        )
    assert not TeamWebhook.objects.exists()


def test_a_second_rotation_waits_for_the_first_unless_the_secret_leaked(
    cast: Cast, team: Team, receiver: Receiver, as_: As, api: Api, now: datetime
) -> None:
    """A recipient who knows the first secret alone is not cut off by a second rotation, such as a refresh."""
    row, first = add(team, cast.admin, receiver.url)
    second = actions.rotate_secret(webhook=row, by=cast.admin, now=now)
    kept = TeamWebhook.objects.get()
    assert as_(cast.admin).post(f"/webhooks/{row.pk}/rotate/").status_code == 409
    assert api(cast.admin).post(f"/api/v1/webhooks/{row.pk}/rotate/").json()["code"] == "rotated"
    with pytest.raises(WrongState):
        actions.rotate_secret(webhook=row, by=cast.admin, now=now + OVERLAP - timedelta(seconds=1))
    same = TeamWebhook.objects.get()
    assert (same.secret, same.previous_secret) == (kept.secret, kept.previous_secret)
    shown = as_(cast.admin).post(f"/webhooks/{row.pk}/rotate/", {"is_leaked": "on"})
    assert (shown.status_code, "previous secret" in shown.content.decode()) == (200, False)
    answer = api(cast.admin).post(f"/api/v1/webhooks/{row.pk}/rotate/", {"is_leaked": True}, format="json")
    last = answer.json()["secret"]
    notify(event=happened(team="search"), people=[], now=now)
    dispatch_due(now=now)
    deliver_all(now)
    lower = {name.lower(): value for name, value in receiver.headers[0].items()}
    assert [verified(receiver.bodies[0], lower, one) for one in (first, second, last)] == [False, False, True]
    rotated = AuditEvent.objects.filter(kind="webhook.rotated").order_by("position")
    assert [event.details["is_leaked"] for event in rotated] == [False, True, True]
    third = actions.rotate_secret(webhook=row, by=cast.admin, now=now)
    assert third != actions.rotate_secret(webhook=row, by=cast.admin, now=now + OVERLAP)


def test_a_team_has_a_limited_number(cast: Cast, team: Team) -> None:
    for _ in range(actions.OF_A_TEAM_MAX):
        add(team, cast.admin)
    with pytest.raises(WrongState):
        add(team, cast.admin)
    assert TeamWebhook.objects.count() == actions.OF_A_TEAM_MAX


def test_a_signed_event_arrives_with_both_secrets(cast: Cast, team: Team, receiver: Receiver, now: datetime) -> None:
    row, first = add(team, cast.admin, receiver.url)
    second = actions.rotate_secret(webhook=row, by=cast.admin, now=now)
    for _ in range(2):
        notify(event=happened(team="search"), people=[], now=now)
    notify(event=happened(key="b", team="ads"), people=[], now=now)
    notify(event=happened(key="c", team="search", kind="failed"), people=[], now=now)
    assert len(dispatch_due(now=now)) == 1
    assert dispatch_due(now=now) == []
    (message,) = deliver_all(now)
    assert message.state == JobState.DONE
    (body,), (headers,) = receiver.bodies, receiver.headers
    assert headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"
    lower = {name.lower(): value for name, value in headers.items()}
    assert verified(body, lower, first)
    assert verified(body, lower, second)
    event = receiver.documents[0]
    assert event["id"] == lower["webhook-id"]
    assert (event["specversion"], event["type"], event["data"]["team"]) == ("1.0", "weighbridge.decided", "search")
    assert event["data"]["url"] == "https://weighbridge.test/somewhere/"
    attempt = WebhookAttempt.objects.get()
    assert (attempt.status, attempt.answer, attempt.dispatch.sent_at is not None) == (200, "ok", True)


def test_the_old_secret_ends(cast: Cast, team: Team, receiver: Receiver) -> None:
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    row, first = add(team, cast.admin, receiver.url)
    second = actions.rotate_secret(webhook=row, by=cast.admin, now=long_ago)
    notify(event=happened(team="search"), people=[], now=NOON)
    dispatch_due(now=NOON)
    deliver_all(NOON)
    lower = {name.lower(): value for name, value in receiver.headers[0].items()}
    assert (verified(receiver.bodies[0], lower, first), verified(receiver.bodies[0], lower, second)) == (False, True)


@pytest.mark.parametrize(("flavor", "schema"), [(WebhookFlavor.SLACK, SLACK), (WebhookFlavor.TEAMS, TEAMS)])
def test_a_chat_gets_collected_messages(
    cast: Cast, team: Team, receiver: Receiver, flavor: WebhookFlavor, schema: dict[str, object]
) -> None:
    add(team, cast.admin, receiver.url, flavor)
    for n in range(30):
        notify(event=happened(key=str(n), team="search"), people=[], now=NOON)
    assert len(dispatch_due(now=NOON)) == 1
    notify(event=happened(key="later", team="search"), people=[], now=NOON)
    assert dispatch_due(now=NOON + timedelta(minutes=1)) == []
    assert len(dispatch_due(now=NOON + WINDOW)) == 1
    deliver_all(NOON + WINDOW)
    for document in receiver.documents:
        jsonschema.validate(document, schema)
    assert len(receiver.documents) == 2
    assert "webhook-signature" not in receiver.headers[0]
    assert "And 10 more." in receiver.bodies[0].decode()


@pytest.mark.parametrize("status", [302, 400, 410, 500])
def test_a_refusal_is_logged_and_retried(cast: Cast, team: Team, receiver: Receiver, status: int) -> None:
    receiver.answer = (status, {"Location": "http://localhost:1/"}, b"no \x00 <b>" + b"x" * 2_000)
    add(team, cast.admin, receiver.url)
    notify(event=happened(team="search"), people=[], now=NOON)
    dispatch_due(now=NOON)
    (message,) = deliver_all(NOON)
    assert (message.state, message.attempts) == (JobState.QUEUED, 1)
    attempt = WebhookAttempt.objects.get()
    assert (attempt.status, len(attempt.answer)) == (status, 999)
    receiver.answer = (204, {}, b"")
    (message,) = deliver_all(NOON + timedelta(hours=2))
    assert message.state == JobState.DONE
    first, second = ({name.lower(): value for name, value in one.items()} for one in receiver.headers)
    assert first["webhook-id"] == second["webhook-id"]
    assert receiver.bodies[0] == receiver.bodies[1]


def test_the_secret_of_an_address_is_not_kept_when_a_server_repeats_it(
    cast: Cast, team: Team, receiver: Receiver, as_: As
) -> None:
    add(team, cast.admin, f"{receiver.url}/services/T0123456789/s3cr3t-p%40rt?sig=q1w2e3r4t5&v=1")
    repeated = "services/T0123456789/s3cr3t-p%40rt?sig=q1w2e3r4t5 or s3cr3t-p@rt; password=hunter2hunter2"
    receiver.answer = (
        404,
        {},
        f"Cannot POST /{repeated}".encode() + b" " * 900 + b"/services/T0123456789/s3cr3t-p%40rt",
    )
    notify(event=happened(team="search"), people=[], now=NOON)
    dispatch_due(now=NOON)
    (message,) = deliver_all(NOON)
    answer = WebhookAttempt.objects.get().answer
    assert answer.startswith("Cannot POST /[hidden]/[hidden]/[hidden]?sig=[hidden] or [hidden]; password=[hidden]")
    assert "answered 404: Cannot POST" in message.error
    for secret in ("T0123", "s3cr", "q1w2", "hunter2"):
        assert secret not in answer + message.error


@pytest.mark.parametrize(
    ("wait", "at"),
    [
        ("900", NOON + timedelta(minutes=15)),
        ("Mon, 04 May 2026 12:15:00 GMT", NOON + timedelta(minutes=15)),
        ("99999999999999", NOON + timedelta(hours=1)),
        ("0", NOON + timedelta(seconds=5)),
        ("Mon, 04 May 2026 11:15:00 GMT", NOON + timedelta(seconds=5)),
        ("\xb2", None),
        ("soon", None),
    ],
)
def test_a_receiver_that_asks_for_patience_gets_it(
    cast: Cast, team: Team, receiver: Receiver, wait: str, at: datetime | None
) -> None:
    receiver.answer = (429, {"Retry-After": wait}, b"")
    add(team, cast.admin, receiver.url)
    notify(event=happened(team="search"), people=[], now=NOON)
    dispatch_due(now=NOON)
    with time_machine.travel(NOON, tick=False):
        (message,) = deliver_all(NOON)
    assert WebhookAttempt.objects.get().status == 429
    assert message.state == JobState.QUEUED
    assert message.next_attempt_at == at if at else NOON < message.next_attempt_at < NOON + timedelta(minutes=15)


def test_nobody_answers_and_too_much_is_answered(cast: Cast, team: Team, receiver: Receiver) -> None:
    add(team, cast.admin, "http://localhost:9/")
    receiver.answer = (200, {}, b"x" * 100_000)
    add(team, cast.admin, receiver.url)
    notify(event=happened(team="search"), people=[], now=NOON)
    dispatch_due(now=NOON)
    assert {row.state for row in deliver_all(NOON)} == {JobState.QUEUED}
    answers = sorted(WebhookAttempt.objects.values_list("status", "answer"))
    assert [status for status, _ in answers] == [0, 0]
    assert answers[0][1].startswith("localhost answered more than")
    assert answers[1][1].startswith("localhost does not answer")


def test_an_address_that_moves_inside_is_not_called(
    cast: Cast, team: Team, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS may change after the webhook was added; the address is checked again before each call."""
    add(team, cast.admin)
    monkeypatch.setattr("governance.notifications.queries.webhooks.resolve_addresses", lambda _: ["127.0.0.1"])
    notify(event=happened(team="search"), people=[], now=NOON)
    dispatch_due(now=NOON)
    deliver_all(NOON)
    assert "must not be called" in WebhookAttempt.objects.get().answer
    assert receiver.bodies == []


def test_a_test_and_a_repetition_by_hand(cast: Cast, team: Team, receiver: Receiver, as_: As, api: Api) -> None:
    row, _ = add(team, cast.admin, receiver.url)
    assert as_(cast.admin).post(f"/webhooks/{row.pk}/test/").status_code == 302
    now = OutboxMessage.objects.get().created_at
    deliver_all(now)
    assert receiver.documents[0]["type"] == "weighbridge.test"
    message = Dispatch.objects.get()
    for n in range(2):
        path = f"/webhooks/{row.pk}/messages/{message.pk}/replay/"
        answer = api(cast.approver).post(f"/api/v1{path}") if n else as_(cast.approver).post(path)
        assert answer.status_code == (200 if n else 302)
    deliver_all(now + timedelta(days=1))
    assert len({one["id"] for one in receiver.documents}) == 1
    assert len(receiver.documents) == 3
    listed = api(cast.auditor).get(f"/api/v1/webhooks/{row.pk}/messages/").json()["results"]
    assert [attempt["status"] for attempt in listed[0]["attempts"]] == [200, 200, 200]
    assert api(cast.approver).post(f"/api/v1/webhooks/{row.pk}/test/").status_code == 201
    assert api(cast.approver).post(f"/api/v1/webhooks/{row.pk}/messages/99999/replay/").status_code == 404
    assert api(cast.approver).post("/api/v1/webhooks/99999/test/").status_code == 404
    page = as_(cast.auditor).get(f"/webhooks/{row.pk}/").content.decode()
    assert "Send again" not in page
    assert "Test" in page


def test_a_changed_webhook_gets_other_kinds_and_a_removed_one_nothing(
    cast: Cast, team: Team, receiver: Receiver, as_: As
) -> None:
    row, _ = add(team, cast.admin, receiver.url)
    form = {"name": "New name", "kinds": ["failed"]} | HOURS
    assert as_(cast.admin).post(f"/webhooks/{row.pk}/", form).status_code == 302
    assert as_(cast.admin).post(f"/webhooks/{row.pk}/", form | {"kinds": ["x"]}).status_code == 400
    notify(event=happened(team="search"), people=[], now=NOON)
    assert not Notification.objects.exists()
    notify(event=happened(team="search", kind="failed"), people=[], now=NOON)
    dispatch_due(now=NOON)
    assert as_(cast.admin).post(f"/webhooks/{row.pk}/remove/").status_code == 302
    (message,) = deliver_all(NOON)
    assert message.state == JobState.DONE
    assert receiver.bodies == []
    with pytest.raises(WrongState):
        actions.test_webhook(webhook=row, by=cast.admin, now=NOON)
    notify(event=happened(team="search", kind="failed", key="b"), people=[], now=NOON)
    assert dispatch_due(now=NOON + WINDOW) == []


def test_the_api_adds_changes_rotates_and_removes(cast: Cast, team: Team, api: Api) -> None:
    given = {"team": "search", "flavor": "signed", "name": "A", "address": PUBLIC, "kinds": ["decided"]}
    client = api(cast.admin)
    kept = client.post("/api/v1/webhooks/", given, format="json", HTTP_IDEMPOTENCY_KEY="a")
    assert (kept.status_code, TeamWebhook.objects.exists()) == (400, False)
    for wrong in ({"flavor": "x"}, {"kinds": []}, {"kinds": ["x"]}, {"address": "http://a.test/"}, {"team": "x"}):
        assert client.post("/api/v1/webhooks/", given | wrong, format="json").status_code == 400
    assert api(cast.author).post("/api/v1/webhooks/", given, format="json").status_code == 403
    assert api(cast.author).post("/api/v1/webhooks/", {}, format="json").status_code == 403
    assert not TeamWebhook.objects.exists()
    made = client.post("/api/v1/webhooks/", given, format="json").json()
    row = TeamWebhook.objects.get()
    assert made == {"id": row.pk, "secret": secrets.decrypt(row.secret or b"")}
    path = f"/api/v1/webhooks/{row.pk}/"
    assert client.post(path, {"name": "B", "kinds": ["failed"]}, format="json").json() == client.get(path).json()
    shown = client.get(path).json()
    assert (shown["name"], shown["kinds"], shown["team"]) == ("B", ["failed"], "search")
    assert set(shown) & {"secret", "address"} == set()
    assert client.post(f"{path}rotate/", HTTP_IDEMPOTENCY_KEY="b").status_code == 400
    assert api(cast.auditor).post(f"{path}rotate/").status_code == 403
    rotated = client.post(f"{path}rotate/").json()["secret"]
    row.refresh_from_db()
    assert rotated == secrets.decrypt(row.secret or b"") != made["secret"]
    assert client.post(f"{path}remove/").status_code == 204
    assert client.get(path).json()["removed_at"] is not None
    listed = [client.get(f"/api/v1/webhooks/{query}").json()["results"] for query in ("", "?removed=true")]
    assert [[one["id"] for one in rows] for rows in listed] == [[], [row.pk]]


def test_the_log_of_a_removed_webhook_stays_and_nothing_else(
    cast: Cast, team: Team, receiver: Receiver, as_: As, api: Api
) -> None:
    row, _ = add(team, cast.admin, receiver.url)
    message = actions.test_webhook(webhook=row, by=cast.admin, now=NOON)
    deliver_all(NOON)
    actions.remove_webhook(webhook=row, by=cast.admin, now=NOON)
    for person in (cast.admin, cast.auditor):
        assert f'href="/webhooks/{row.pk}/"' in as_(person).get("/webhooks/").content.decode()
        page = as_(person).get(f"/webhooks/{row.pk}/").content.decode()
        assert "this is its log" in page
        assert "200, " in page
        assert "Send again" not in page
        assert "Remove the webhook" not in page
        listed = api(person).get(f"/api/v1/webhooks/{row.pk}/messages/").json()["results"]
        assert [attempt["status"] for attempt in listed[0]["attempts"]] == [200]
    assert as_(cast.author).get(f"/webhooks/{row.pk}/").status_code == 403
    trail = AuditEvent.objects.filter(kind__startswith="webhook.")
    before, form = trail.count(), {"name": "New", "kinds": ["failed"]} | HOURS
    for path in ("rotate/", "test/", "remove/", f"messages/{message.pk}/replay/", ""):
        assert as_(cast.admin).post(f"/webhooks/{row.pk}/{path}", form).status_code in {302, 409}
        given = form if path == "" else {}
        assert api(cast.admin).post(f"/api/v1/webhooks/{row.pk}/{path}", given, format="json").status_code == 409
    row.refresh_from_db()
    assert (row.name, trail.count(), OutboxMessage.objects.count()) == ("Channel 0", before, 1)
    kept = (bytes(row.address), row.secret, row.previous_secret, row.previous_until)
    assert kept == (b"", None, None, None)
    with pytest.raises(IntegrityError, match="removed_webhook_keeps_no_secret"), transaction.atomic():
        TeamWebhook.objects.filter(pk=row.pk).update(secret=b"kept")


def test_a_chat_has_no_secret_to_rotate(cast: Cast, team: Team, as_: As) -> None:
    row, secret = add(team, cast.admin, flavor=WebhookFlavor.TEAMS)
    assert secret == ""
    assert as_(cast.admin).post(f"/webhooks/{row.pk}/rotate/").status_code == 409
    signed, _ = add(team, cast.admin)
    assert "whsec_" in as_(cast.admin).post(f"/webhooks/{signed.pk}/rotate/").content.decode()


def test_many_events_are_called_a_hundred_at_a_tick(cast: Cast, team: Team) -> None:
    add(team, cast.admin)
    for n in range(CALLS_MAX + 5):
        notify(event=happened(key=str(n), team="search"), people=[], now=NOON)
    assert [len(dispatch_due(now=NOON)) for _ in range(3)] == [CALLS_MAX, 5, 0]


def test_the_log_is_bounded(cast: Cast, team: Team, receiver: Receiver, as_: As) -> None:
    row, _ = add(team, cast.admin, receiver.url)
    dispatch = Dispatch.objects.create(key="old", webhook=row, kind="decided", made_at=NOON)
    entry = {"dispatch": dispatch, "at": NOON, "status": 200, "answer": "", "taken_ms": 1}
    WebhookAttempt.objects.bulk_create(WebhookAttempt(**entry) for _ in range(LOG_MAX + 20))
    actions.test_webhook(webhook=row, by=cast.admin, now=NOON)
    deliver_all(NOON)
    assert WebhookAttempt.objects.count() == LOG_MAX
    dispatch.attempts.all().delete()
    assert re.search(r">\s*waits\s*<", as_(cast.admin).get(f"/webhooks/{row.pk}/").content.decode())
    Dispatch.objects.filter(pk=dispatch.pk).update(sent_at=NOON)
    assert not re.search(r">\s*waits\s*<", as_(cast.admin).get(f"/webhooks/{row.pk}/").content.decode())


def test_the_database_refuses_a_signed_webhook_without_a_secret(cast: Cast, team: Team) -> None:
    row, _ = add(team, cast.admin)
    with pytest.raises(IntegrityError, match="signed_webhooks_have_a_secret"):
        TeamWebhook.objects.filter(pk=row.pk).update(secret=None)
