"""Invitations leave as all mail does: to those alone who are invited now, and by a server that takes them."""

import io
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from governance.jobs import actions as jobs
from governance.jobs import outbox
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from governance.people.actions import people
from governance.people.domain.roles import Role
from reviews.quarterly.actions import cycles, quarterly_packets
from reviews.quarterly.models import CyclePacket
from tests.factories.cycles import hold, make_frozen, met_at
from tests.factories.people import Cast
from tests.integration.governance.notifications.conftest import mailbox
from tests.integration.reviews.quarterly.test_cycle import refused
from tests.integration.reviews.quarterly.test_pages import entered, said
from tests.standins.mail_server import MailServer
from weighbridge.core.errors import WrongState

__all__ = ["mailbox"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("with_mail")]


@pytest.fixture
def packet(cast: Cast, now: datetime) -> CyclePacket:
    """Ready: its PDF is drawn."""
    row = quarterly_packets.issue(cycle=make_frozen(now=now), by=None, now=now)
    CyclePacket.objects.update(state=JobState.DONE)
    row.refresh_from_db()
    return row


@pytest.fixture
def letters(packet: CyclePacket, cast: Cast, now: datetime) -> dict[str, OutboxMessage]:
    """The invitations that wait, by user name."""
    assert quarterly_packets.invite(packet=packet, by=cast.approver, now=now) == 2
    names = {user.pk: user.username for user in User.objects.all()}
    return {names[row.payload["user_id"]]: row for row in OutboxMessage.objects.filter(kind="cycle.invite")}


def delivered(row: OutboxMessage, at: datetime) -> OutboxMessage:
    outbox.deliver(pk=row.pk, now=at)
    row.refresh_from_db()
    return row


def close_account(cast: Cast, now: datetime, settings: Settings) -> None:
    people.close_account(user=cast.product, by=cast.admin, now=now)


def revoke_role(cast: Cast, now: datetime, settings: Settings) -> None:
    cast.product.role_grants.filter(role=Role.PRODUCT_LEAD).delete()


def remove_address(cast: Cast, now: datetime, settings: Settings) -> None:
    User.objects.filter(pk=cast.product.pk).update(email="")


def remove_server(cast: Cast, now: datetime, settings: Settings) -> None:
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"HAS_MAIL": False}


@pytest.mark.parametrize("happen", [close_account, revoke_role, remove_address, remove_server])
def test_whoever_is_not_invited_any_more_when_the_mail_leaves_gets_none(
    letters: dict[str, OutboxMessage],
    cast: Cast,
    mailbox: MailServer,
    settings: Settings,
    now: datetime,
    happen: Callable[[Cast, datetime, Settings], None],
) -> None:
    assert delivered(letters["approver"], now).state == JobState.DONE
    happen(cast, now, settings)
    assert delivered(letters["product"], now).state == JobState.DONE
    assert [message["To"] for message in mailbox.messages] == [cast.approver.email]


def test_nobody_is_invited_to_a_meeting_that_is_closed(
    letters: dict[str, OutboxMessage], packet: CyclePacket, cast: Cast, mailbox: MailServer, now: datetime
) -> None:
    """The invitations waited for the mail server, and the meeting was held meanwhile."""
    client, base = entered(cast.approver), f"/cycles/{packet.cycle}/packets/"
    assert "Send invitations" in said(client, base)[1]
    cycles.close(cycle=hold(packet.cycle, cast=cast, now=now), by=cast.approver, now=met_at(now))
    packet.cycle.refresh_from_db()
    assert {delivered(row, now).state for row in letters.values()} == {JobState.DONE}
    assert mailbox.messages == []
    invite = partial(quarterly_packets.invite, packet=packet, by=cast.approver, now=now)
    refused(invite, WrongState, f"The meeting of {packet.cycle} is closed; nobody is invited to it any more.")
    assert "Send invitations" not in said(client, base)[1]


def test_without_a_mail_server_nobody_is_invited_and_nothing_waits(
    packet: CyclePacket, cast: Cast, settings: Settings, now: datetime
) -> None:
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"HAS_MAIL": False}
    refused(
        lambda: quarterly_packets.invite(packet=packet, by=cast.approver, now=now),
        WrongState,
        "No mail server is set, so nobody gets mail.",
    )
    page = said(entered(cast.approver), f"/cycles/{packet.cycle}/packets/{packet.number}/invitations/", {})
    assert (page[0], "No mail server is set, so nobody gets mail." in page[1]) == (409, True)
    CyclePacket.objects.update(state=JobState.QUEUED)
    claimed = jobs.claim(model=CyclePacket, pk=packet.pk, now=now)
    assert claimed is not None
    assert quarterly_packets.store_pdf(packet=claimed, pdf=io.BytesIO(b"%PDF-1.7"), pages=1, now=now)
    assert not OutboxMessage.objects.filter(kind="cycle.invite").exists()


def test_a_repetition_is_the_same_mail_and_that_of_another_is_not(
    letters: dict[str, OutboxMessage], mailbox: MailServer, now: datetime
) -> None:
    for row in letters.values():
        delivered(row, now)
    OutboxMessage.objects.filter(pk=letters["product"].pk).update(state=JobState.QUEUED)
    delivered(letters["product"], now + timedelta(hours=1))
    ids: dict[str, list[str]] = {}
    for message in mailbox.messages:
        ids.setdefault(message["To"], []).append(message["Message-ID"])
    first, again = ids["product@example.org"]
    assert (first == again, {first} & set(ids["approver@example.org"])) == (True, set())
    assert first.endswith("@weighbridge.test>")


def test_an_address_that_is_refused_waits_for_a_person(
    letters: dict[str, OutboxMessage], cast: Cast, mailbox: MailServer, now: datetime
) -> None:
    mailbox.refused[cast.product.email] = 550
    row = delivered(letters["product"], now)
    assert (row.state, row.attempts, row.error) == (
        JobState.PAUSED,
        1,
        "The mail server refuses the address of product.",
    )
    assert delivered(letters["approver"], now).state == JobState.DONE


def test_an_answer_that_says_neither_is_tried_again(
    letters: dict[str, OutboxMessage], mailbox: MailServer, now: datetime
) -> None:
    mailbox.is_full = True
    row = delivered(letters["product"], now)
    assert (row.state, row.is_uncertain, row.max_attempts - row.attempts) == (JobState.QUEUED, True, 11)


def test_invitations_wait_for_a_server_that_is_away_and_lose_no_attempt(
    letters: dict[str, OutboxMessage], settings: Settings, mailbox: MailServer, now: datetime
) -> None:
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 9
    tried, held = delivered(letters["approver"], now), delivered(letters["product"], now)
    assert (tried.state, tried.max_attempts - tried.attempts) == (JobState.QUEUED, 12)
    assert (held.state, held.attempts, held.error) == (JobState.QUEUED, 0, "")
    settings.EMAIL_PORT = port
    for row in (tried, held):
        assert delivered(row, now + timedelta(hours=1)).state == JobState.DONE
    assert len(mailbox.messages) == 2
