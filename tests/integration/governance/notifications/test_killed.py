"""A worker that dies between the sending and the record of it: the message comes again, under the same ID."""

import os
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from governance.jobs import outbox
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from governance.notifications.actions import webhooks as actions
from governance.notifications.domain.flavors import WebhookFlavor
from governance.notifications.outbox import dispatches
from governance.notifications.outbox.notices import notify
from governance.people.models import Team
from tests.factories.people import Cast
from tests.integration.governance.notifications.conftest import Receiver, deliver_all, happened
from tests.standins.mail_server import MailServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
LATER = timedelta(hours=1)


def dies(act: Callable[[], object]) -> bool:
    """Whether a child process that does this was killed."""
    connections.close_all()
    pid = os.fork()
    if pid == 0:
        try:
            act()
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


@pytest.fixture
def die_before_the_record(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], bool]]:
    def deliver(pk: int) -> bool:
        with monkeypatch.context() as patched:
            patched.setattr(dispatches, "mark_sent", lambda **_: os.kill(os.getpid(), signal.SIGKILL))
            return dies(lambda: outbox.deliver(pk=pk, now=timezone.now()))

    return deliver


def test_a_mail_comes_again_with_the_same_message_id(
    cast: Cast, mailbox: MailServer, die_before_the_record: Callable[[int], bool]
) -> None:
    now = timezone.now()
    notify(event=happened(kind="lapses"), people=[cast.author], now=now)
    (row,) = dispatches.dispatch_due(now=now)
    message = OutboxMessage.objects.get(kind="notification.mail")
    assert die_before_the_record(message.pk)
    row.refresh_from_db()
    assert row.sent_at is None
    assert deliver_all(now) == []
    (again,) = deliver_all(now + LATER)
    assert again.state == JobState.DONE
    first, second = mailbox.messages
    assert first["Message-ID"] == second["Message-ID"]
    assert deliver_all(now + 2 * LATER) == []


def test_a_signed_event_comes_again_with_the_same_id(
    cast: Cast, receiver: Receiver, die_before_the_record: Callable[[int], bool]
) -> None:
    now, team = timezone.now(), Team.objects.get(slug="search")
    actions.add_webhook(
        team=team,
        flavor=WebhookFlavor.SIGNED,
        name="A",
        address=receiver.url,
        kinds=["decided"],
        by=cast.admin,
        now=now,
    )
    notify(event=happened(team="search"), people=[], now=now)
    dispatches.dispatch_due(now=now)
    message = OutboxMessage.objects.get(kind="notification.call")
    assert die_before_the_record(message.pk)
    (again,) = deliver_all(now + LATER)
    assert again.state == JobState.DONE
    assert len(receiver.bodies) == 2
    assert receiver.bodies[0] == receiver.bodies[1]
    assert receiver.headers[0]["webhook-id"] == receiver.headers[1]["webhook-id"]


def test_a_digest_that_dies_while_it_is_made_is_made_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """The claim and the message are one transaction: both stand or neither."""
    now = timezone.now()
    notify(event=happened(), people=[cast.author], now=now)
    later = now + timedelta(days=1)
    with monkeypatch.context() as patched:
        patched.setattr(dispatches.outbox, "enqueue", lambda **_: os.kill(os.getpid(), signal.SIGKILL))
        assert dies(lambda: dispatches.dispatch_due(now=later))
    assert len(dispatches.dispatch_due(now=later)) == 1
    assert OutboxMessage.objects.filter(kind="notification.mail").count() == 1
