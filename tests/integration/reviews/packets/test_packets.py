"""Packets: frozen once, drawn by whoever holds them, failed with a reason, retried."""

import errno
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import storages
from django.db import IntegrityError, transaction

from governance.audit.models import AuditEvent
from governance.inventory.actions import inventory
from governance.jobs import actions as jobs
from governance.jobs.enums import JobState
from governance.jobs.kinds import kind_of
from reviews.packets import actions as packets
from reviews.packets import tasks
from reviews.packets.models import Packet
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import authorizations as authorizations
from tests.factories.people import Cast
from tests.standstill import everything, refused
from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import NotAllowed, WrongState

LEASE = timedelta(minutes=1)
PDF = b"%PDF-1.7\n1 0 obj <</Type /Page>> endobj"


def claimed(request: ReviewRequest, now: datetime) -> Packet:
    packet = Packet.claim(pk=request.packets.get().pk, now=now, lease=LEASE)
    assert packet is not None
    return packet


def test_the_decision_freezes_a_packet(decided: ReviewRequest, now: datetime) -> None:
    packet = decided.packets.get()
    assert (packet.number, packet.state, packet.next_attempt_at) == (1, JobState.QUEUED, now)
    assert packet.document_digest == digest_of(packet.document)
    assert packet.document["cover"]["outcome"] == "approved"
    assert packet.document["authorization"]["number"] == decided.decision.authorization.number


def test_later_edits_change_no_packet(decided: ReviewRequest, cast: Cast, now: datetime) -> None:
    before = decided.packets.values("document", "document_digest").get()
    asset = decided.model_version.asset
    inventory.register_asset(
        team="search",
        slug=asset.slug,
        name="Renamed",
        tier="T3",
        task="classification",
        owner=cast.finance,
        by=cast.author,
        now=now,
    )
    authorizations.revoke(authorization=decided.decision.authorization, reason="Leaks.", by=cast.approver, now=now)
    again = packets.freeze(request=decided, by=cast.author, now=now)
    assert decided.packets.values("document", "document_digest").get(number=1) == before
    assert (again.number, again.document["cover"]["model_name"]) == (2, "Renamed")
    assert again.document_digest != before["document_digest"]


def test_numbers_are_given_once(decided: ReviewRequest, now: datetime) -> None:
    packet = decided.packets.get()
    with pytest.raises(IntegrityError, match="one_packet_per_number"), transaction.atomic():
        Packet.objects.create(
            request=decided, number=1, document={}, document_digest="", created_at=now, next_attempt_at=now
        )
    assert str(packet) == f"{decided.ref} packet 1"


def test_a_drawn_packet_is_kept_by_its_content(decided: ReviewRequest, now: datetime, installation: Path) -> None:
    packet = claimed(decided, now)
    assert packets.store_pdf(packet=packet, pdf=PDF, pages=12, now=now)
    packet.refresh_from_db()
    assert (packet.state, packet.pages, packet.error, packet.finished_at) == (JobState.DONE, 12, "", now)
    with storages["artifacts"].open(packet.stored_as) as kept:
        assert kept.read() == PDF
    event = AuditEvent.objects.get(kind="packet.ready")
    assert event.details == {"number": 1, "pdf": packet.pdf_digest, "pages": 12, "render_ms": 0}


@pytest.mark.parametrize("end", ["rendered", "failed"])
def test_a_worker_that_lost_its_lease_writes_nothing(decided: ReviewRequest, now: datetime, end: str) -> None:
    slow = claimed(decided, now)
    quick = Packet.claim(pk=slow.pk, now=now + 2 * LEASE, lease=LEASE)
    before = Packet.objects.values().get(pk=slow.pk)
    if end == "rendered":
        assert not packets.store_pdf(packet=slow, pdf=PDF, pages=1, now=now)
    else:
        assert not jobs.fail(row=slow, reason="Out of ink.", now=now)
    assert Packet.objects.values().get(pk=slow.pk) == before
    assert AuditEvent.objects.filter(kind__in=["packet.ready", "packet.failed"]).count() == 0
    assert packets.store_pdf(packet=quick, pdf=PDF, pages=1, now=now)


def test_a_packet_waits_for_a_storage_that_does_not_respond(
    decided: ReviewRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_: object) -> bool:
        raise OSError(errno.EREMOTEIO, "https://minio.test")

    packet = decided.packets.get()
    monkeypatch.setattr(tasks, "pages_of", lambda pdf: 12)
    monkeypatch.setattr(tasks.WeasyPrintPrinter, "print", lambda *_, **__: PDF)
    monkeypatch.setattr(packets, "store_pdf", away)
    tasks.render_packet(packet.pk)
    packet.refresh_from_db()
    assert (packet.state, packet.attempts, packet.lease_until) == (JobState.QUEUED, 1, None)
    assert packet.max_attempts == kind_of(Packet).max_attempts + 1
    assert packet.error == jobs.NO_STORAGE


def test_a_failure_says_why_and_can_be_retried(decided: ReviewRequest, author: User, now: datetime) -> None:
    packet = claimed(decided, now)
    assert jobs.fail(row=packet, reason="A font is missing: install it.", now=now)
    packet.refresh_from_db()
    assert (packet.state, packet.error) == (JobState.FAILED, "A font is missing: install it.")
    assert AuditEvent.objects.get(kind="packet.failed").reason == "A font is missing: install it."
    retried = jobs.retry(row=packet, by=author, now=now)
    assert (retried.state, retried.attempts, retried.finished_at) == (JobState.QUEUED, 0, None)
    with refused(WrongState, match="This packet is queued; only a failed one can be retried"):
        jobs.retry(row=packet, by=author, now=now)


def test_a_retry_is_for_the_team_and_for_operators(decided: ReviewRequest, cast: Cast, now: datetime) -> None:
    packet = claimed(decided, now)
    assert jobs.fail(row=packet, reason="Out of ink.", now=now)
    for person in (cast.outsider, cast.reviewer_one, cast.auditor):
        with refused(NotAllowed, match="operate integrations"):
            jobs.retry(row=packet, by=person, now=now)
    assert jobs.retry(row=packet, by=cast.admin, now=now).state == JobState.QUEUED


def test_workers_that_vanish_three_times_leave_a_dead_packet(decided: ReviewRequest, cast: Cast, now: datetime) -> None:
    packet = decided.packets.get()
    for attempt in range(3):
        assert jobs.mark_dead(model=Packet, now=now + attempt * 2 * LEASE) == []
        assert Packet.claim(pk=packet.pk, now=now + attempt * 2 * LEASE, lease=LEASE)
    assert jobs.mark_dead(model=Packet, now=now + 4 * LEASE) == []
    assert jobs.mark_dead(model=Packet, now=now + 6 * LEASE) == [packet]
    packet.refresh_from_db()
    assert packet.state == JobState.DEAD
    assert "stopped responding 3 times" in packet.error
    assert AuditEvent.objects.get(kind="packet.dead").details == {"number": 1}
    before = everything()
    assert jobs.mark_dead(model=Packet, now=now + 8 * LEASE) == []
    assert everything() == before
    assert jobs.retry(row=packet, by=cast.author, now=now).state == JobState.QUEUED


def test_a_packet_is_drawn_for_whoever_works_on_a_submitted_request(
    submitted: ReviewRequest, cast: Cast, now: datetime
) -> None:
    assert packets.request_packet(request=submitted, by=cast.author, now=now).number == 1
    assert packets.request_packet(request=submitted, by=cast.approver, now=now).number == 2
    for person in (cast.reviewer_one, cast.finance, cast.auditor, cast.outsider):
        with refused(NotAllowed):
            packets.request_packet(request=submitted, by=person, now=now)


def test_a_draft_has_no_packet(draft: ReviewRequest, cast: Cast, now: datetime) -> None:
    with refused(WrongState, match="once the request is submitted"):
        packets.request_packet(request=draft, by=cast.author, now=now)
