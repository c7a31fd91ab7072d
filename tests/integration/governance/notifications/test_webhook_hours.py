"""The channel of a team is told at its pace and in its hours, as people are."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from rest_framework.test import APIClient

from governance.audit.models import AuditEvent
from governance.jobs.enums import JobState
from governance.notifications.actions import webhooks as actions
from governance.notifications.domain.flavors import WebhookFlavor
from governance.notifications.domain.hours import WINDOW, ChannelTimes, MailHours
from governance.notifications.domain.kinds import NoticePace
from governance.notifications.models import Dispatch, Notification, TeamWebhook, WebhookAttempt
from governance.notifications.outbox.dispatches import dispatch_due
from governance.notifications.outbox.notices import notify
from governance.notifications.tasks import NOT_WANTED
from governance.people.models import Team
from tests.factories.people import Cast
from tests.integration.governance.notifications.conftest import Receiver, deliver_all, happened
from tests.standstill import refused
from weighbridge.core.errors import Invalid

pytestmark = pytest.mark.django_db
As = Callable[[User], Client]
Api = Callable[[User | None], APIClient]
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
NEXT_DIGEST = datetime(2026, 5, 5, 8, tzinfo=UTC)
KINDS = ("decided", "failed", "lapses")
NIGHT = MailHours(time_zone="Europe/Berlin", quiet_from=20, quiet_to=7)
"""In May, from 18:00 to 05:00 UTC."""


@pytest.fixture
def add(cast: Cast, receiver: Receiver) -> Callable[..., TeamWebhook]:
    def made(flavor: WebhookFlavor = WebhookFlavor.SLACK, **when: Any) -> TeamWebhook:
        team, name = Team.objects.get(slug="search"), f"Channel {TeamWebhook.objects.count()}"
        given = {"name": name, "address": receiver.url, "kinds": KINDS, "by": cast.admin, "now": NOON}
        times = ChannelTimes(**when) if when else None
        return actions.add_webhook(team=team, flavor=flavor, times=times, **given)[0]  # type: ignore[arg-type]

    return made


def tell(key: str, at: datetime, kind: str = "decided", **fields: object) -> None:
    notify(event=happened(key=key, kind=kind, team="search", **fields), people=[], now=at)


def keys_of(made: list[Dispatch]) -> list[list[str]]:
    return [sorted(row.notifications.values_list("key", flat=True)) for row in made]


def test_without_a_choice_a_channel_is_told_at_once_at_any_hour(add: Callable[..., TeamWebhook]) -> None:
    row = add()
    assert (row.pace, row.hours) == ("at_once", MailHours())
    tell("a", NOON.replace(hour=3))
    assert keys_of(dispatch_due(now=NOON.replace(hour=3))) == [["a"]]


@pytest.mark.parametrize("flavor", [WebhookFlavor.SLACK, WebhookFlavor.TEAMS])
def test_what_happens_in_quiet_hours_is_one_message_after_them(
    add: Callable[..., TeamWebhook], receiver: Receiver, flavor: WebhookFlavor
) -> None:
    add(flavor, hours=NIGHT)
    night = NOON.replace(hour=18)
    for place, kind in enumerate(KINDS):
        tell(kind, night + place * timedelta(hours=1), kind)
        assert dispatch_due(now=night + place * timedelta(hours=1)) == []
    morning = datetime(2026, 5, 5, 5, tzinfo=UTC)
    assert dispatch_due(now=morning - timedelta(seconds=1)) == []
    made = dispatch_due(now=morning)
    assert keys_of(made) == [["decided", "failed", "lapses"]]
    with time_machine.travel(morning, tick=False):
        deliver_all(morning)
    assert len(receiver.bodies) == 1
    assert dispatch_due(now=morning + WINDOW) == []


@pytest.mark.parametrize("flavor", list(WebhookFlavor))
def test_a_message_that_waits_is_sent_without_the_kinds_taken_away(
    add: Callable[..., TeamWebhook], receiver: Receiver, cast: Cast, flavor: WebhookFlavor
) -> None:
    row = add(flavor)
    for kind in ("decided", "failed"):
        tell(kind, NOON, kind, sentence=f"It is {kind}.")
    made = dispatch_due(now=NOON)
    given = {"webhook": row, "name": row.name, "by": cast.admin, "now": NOON, "times": ChannelTimes()}
    actions.change_webhook(**given, kinds=("failed",))
    with time_machine.travel(NOON, tick=False):
        deliver_all(NOON)
    assert len(receiver.bodies) == 1
    assert b"It is failed." in receiver.bodies[0]
    assert b"It is decided." not in receiver.bodies[0]
    actions.change_webhook(**given, kinds=("lapses",))
    for dispatch in made:
        actions.send_again(webhook=row, dispatch=dispatch, by=cast.admin, now=NOON)
    with time_machine.travel(NOON + timedelta(minutes=1), tick=False):
        deliver_all(NOON + timedelta(minutes=1))
    assert len(receiver.bodies) == 1 + len(made)


def test_a_message_of_which_no_kind_is_wanted_is_not_sent_and_the_log_says_so(
    add: Callable[..., TeamWebhook], receiver: Receiver, cast: Cast
) -> None:
    row = add(WebhookFlavor.SLACK)
    tell("a", NOON)
    dispatch_due(now=NOON)
    given = {"webhook": row, "name": row.name, "by": cast.admin, "now": NOON, "times": ChannelTimes()}
    actions.change_webhook(**given, kinds=("failed",))
    (message,) = deliver_all(NOON)
    assert (message.state, receiver.bodies) == (JobState.DONE, [])
    assert [each.answer for each in WebhookAttempt.objects.all()] == [NOT_WANTED]


def test_signed_events_wait_for_the_end_of_quiet_hours_too(add: Callable[..., TeamWebhook]) -> None:
    add(WebhookFlavor.SIGNED, hours=NIGHT)
    for key in ("a", "b"):
        tell(key, NOON.replace(hour=20))
    assert dispatch_due(now=NOON.replace(hour=23)) == []
    assert keys_of(dispatch_due(now=datetime(2026, 5, 5, 5, tzinfo=UTC))) == [["a"], ["b"]]


def test_the_digest_comes_once_a_day_and_what_lapses_at_once(add: Callable[..., TeamWebhook]) -> None:
    row = add(pace=NoticePace.DIGEST)
    tell("a", NOON)
    tell("b", NOON + timedelta(hours=1), "failed")
    tell("soon", NOON, "lapses")
    assert keys_of(dispatch_due(now=NOON)) == [["soon"]]
    assert dispatch_due(now=NEXT_DIGEST - timedelta(seconds=1)) == []
    made = dispatch_due(now=NEXT_DIGEST)
    assert keys_of(made) == [["a", "b"]]
    assert made[0].key == f"call:{row.pk}:digest:2026-05-05"
    tell("c", NEXT_DIGEST + timedelta(hours=1))
    assert dispatch_due(now=NEXT_DIGEST + timedelta(hours=15)) == []
    assert keys_of(dispatch_due(now=NEXT_DIGEST + timedelta(days=1))) == [["c"]]


def test_a_new_hour_brings_no_second_digest_of_the_day(add: Callable[..., TeamWebhook], cast: Cast) -> None:
    row = add(pace=NoticePace.DIGEST)
    tell("a", NOON)
    assert len(dispatch_due(now=NEXT_DIGEST)) == 1
    tell("b", NEXT_DIGEST)
    later = MailHours(digest_hour=20)
    given = {"webhook": row, "name": row.name, "kinds": KINDS, "by": cast.admin, "now": NEXT_DIGEST}
    actions.change_webhook(**given, times=ChannelTimes(pace=NoticePace.DIGEST, hours=later))
    assert dispatch_due(now=NEXT_DIGEST.replace(hour=21)) == []
    assert keys_of(dispatch_due(now=NEXT_DIGEST.replace(day=6, hour=20))) == [["b"]]


def test_the_digest_and_what_lapses_are_one_message_after_quiet_hours(add: Callable[..., TeamWebhook]) -> None:
    add(pace=NoticePace.DIGEST, hours=MailHours(digest_hour=8, quiet_from=22, quiet_to=9))
    tell("a", NOON)
    tell("soon", NEXT_DIGEST, "lapses")
    tell("over", NEXT_DIGEST, "lapses", until=NEXT_DIGEST + timedelta(minutes=30))
    assert dispatch_due(now=NEXT_DIGEST) == []
    assert keys_of(dispatch_due(now=NEXT_DIGEST + timedelta(hours=1))) == [["a", "soon"]]
    assert Notification.objects.get(key="over").pace == "page"


def test_a_new_pace_is_that_of_what_waits(add: Callable[..., TeamWebhook], cast: Cast) -> None:
    row = add(pace=NoticePace.DIGEST, hours=NIGHT)
    tell("a", NOON)
    given = {"webhook": row, "name": row.name, "kinds": KINDS, "by": cast.admin, "now": NOON}
    actions.change_webhook(**given, times=ChannelTimes(hours=NIGHT))
    row.refresh_from_db()
    assert (row.pace, row.hours) == ("at_once", NIGHT)
    assert keys_of(dispatch_due(now=NOON)) == [["a"]]
    tell("b", NOON)
    tell("soon", NOON, "lapses")
    actions.change_webhook(**given, times=ChannelTimes(pace=NoticePace.DIGEST))
    assert keys_of(dispatch_due(now=NOON + WINDOW)) == [["soon"]]
    assert keys_of(dispatch_due(now=NEXT_DIGEST)) == [["b"]]
    details = AuditEvent.objects.filter(kind="webhook.changed").latest("position").details
    told = {name: details[name] for name in ("pace", "time_zone", "digest_hour", "quiet_from", "quiet_to")}
    assert told == {"pace": "digest", "time_zone": "UTC", "digest_hour": 8, "quiet_from": 0, "quiet_to": 0}


def test_what_waits_of_a_kind_that_is_taken_away_is_not_sent(add: Callable[..., TeamWebhook], cast: Cast) -> None:
    row = add(pace=NoticePace.DIGEST)
    for kind in KINDS:
        tell(kind, NOON, kind)
    given = {"webhook": row, "name": row.name, "by": cast.admin, "now": NOON}
    actions.change_webhook(**given, kinds=["failed"])
    assert dispatch_due(now=NOON) == [], "what lapses goes at once, but not to whom it is no business"
    actions.change_webhook(**given, kinds=KINDS, times=ChannelTimes())
    assert keys_of(dispatch_due(now=NEXT_DIGEST)) == [["failed"]], "what was taken away does not come back"


@pytest.mark.parametrize("flavor", WebhookFlavor)
def test_a_kind_that_is_taken_away_alone_leaves_nothing_to_send(
    add: Callable[..., TeamWebhook], cast: Cast, flavor: WebhookFlavor
) -> None:
    row = add(flavor, pace=NoticePace.DIGEST)
    tell("a", NOON)
    actions.change_webhook(webhook=row, name=row.name, kinds=["failed"], by=cast.admin, now=NOON)
    assert dispatch_due(now=NEXT_DIGEST) == []


def test_a_delivery_that_is_late_waits_for_the_end_of_quiet_hours(
    add: Callable[..., TeamWebhook], cast: Cast, receiver: Receiver
) -> None:
    row = add(hours=NIGHT)
    tell("a", NOON)
    (made,) = dispatch_due(now=NOON)
    night, morning = NOON.replace(hour=22), datetime(2026, 5, 5, 5, tzinfo=UTC)
    with time_machine.travel(night, tick=False):
        (message,) = deliver_all(night)
    assert (message.state, message.next_attempt_at, receiver.bodies) == (JobState.QUEUED, morning, [])
    # What a person sends by hand does not wait.
    actions.test_webhook(webhook=row, by=cast.admin, now=night)
    actions.send_again(webhook=row, dispatch=made, by=cast.admin, now=night)
    with time_machine.travel(night, tick=False):
        assert {one.state for one in deliver_all(night)} == {JobState.DONE}
    assert len(receiver.bodies) == 2
    with time_machine.travel(morning, tick=False):
        (message,) = deliver_all(morning)
    assert (message.state, len(receiver.bodies)) == (JobState.DONE, 3)


@pytest.mark.parametrize(
    ("when", "field"),
    [
        ({"pace": NoticePace.PAGE}, "pace"),
        ({"pace": NoticePace.NONE}, "pace"),
        ({"hours": MailHours(time_zone="Mars/Olympus")}, "time_zone"),
        ({"hours": MailHours(digest_hour=24)}, "digest_hour"),
        ({"hours": MailHours(quiet_to=-1)}, "quiet_to"),
    ],
)
def test_odd_paces_and_hours_are_refused(
    add: Callable[..., TeamWebhook], cast: Cast, when: dict[str, Any], field: str
) -> None:
    row = add()
    with refused(Invalid, field=field):
        actions.change_webhook(
            webhook=row, name="B", kinds=["failed"], times=ChannelTimes(**when), by=cast.admin, now=NOON
        )
    with refused(Invalid, field=field):
        add(**when)


@pytest.mark.parametrize("odd", [{"pace": "page"}, {"quiet_from": 24}])
def test_the_database_keeps_paces_and_hours_in_order(add: Callable[..., TeamWebhook], odd: dict[str, object]) -> None:
    row = add()
    with pytest.raises(IntegrityError), transaction.atomic():
        TeamWebhook.objects.filter(pk=row.pk).update(**odd)


def test_the_settings_of_a_channel_are_set_on_its_page(add: Callable[..., TeamWebhook], cast: Cast, as_: As) -> None:
    row = add()
    form = {"name": "Night watch", "kinds": ["decided"], "pace": "digest", "time_zone": "Europe/Berlin"}
    form |= {"digest_hour": "18", "quiet_from": "20", "quiet_to": "7"}
    client = as_(cast.admin)
    assert client.post(f"/webhooks/{row.pk}/", form).status_code == 302
    row.refresh_from_db()
    assert (row.name, row.pace, row.hours) == (
        *("Night watch", "digest"),
        MailHours(time_zone="Europe/Berlin", digest_hour=18, quiet_from=20, quiet_to=7),
    )
    page = " ".join(client.get(f"/webhooks/{row.pk}/").content.decode().split())
    assert "Collected, once a day at 18:00, quiet from 20:00 to 7:00 (Europe/Berlin)." in page
    assert '<option value="Europe/Berlin" selected>' in page
    assert client.post(f"/webhooks/{row.pk}/", form | {"digest_hour": "24"}).status_code == 400


def test_the_api_keeps_what_is_not_named(cast: Cast, receiver: Receiver, api: Api) -> None:
    client, hours = api(cast.admin), {"time_zone": "UTC", "digest_hour": 8, "quiet_from": 22, "quiet_to": 6}
    given = {"team": "search", "flavor": "slack", "name": "A", "address": receiver.url, "kinds": ["decided"]}
    new = client.post("/api/v1/webhooks/", given | {"quiet_from": 22, "quiet_to": 6}, format="json").json()
    path = f"/api/v1/webhooks/{new['id']}/"
    told = client.get(path).json()
    assert {name: told[name] for name in ("pace", *hours)} == {"pace": "at_once", **hours}
    changed = {"name": "A", "kinds": ["decided"], "pace": "digest", "digest_hour": 9}
    told = client.post(path, changed, format="json").json()
    assert {name: told[name] for name in ("pace", *hours)} == {"pace": "digest", **hours, "digest_hour": 9}
    told = client.post(path, {"name": "B", "kinds": ["decided"]}, format="json").json()
    assert {name: told[name] for name in ("pace", *hours)} == {"pace": "digest", **hours, "digest_hour": 9}
    assert client.post(path, changed | {"pace": "page"}, format="json").status_code == 400
