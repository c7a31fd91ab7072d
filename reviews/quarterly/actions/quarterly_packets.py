"""Quarterly packets: frozen as JSON when issued, then rendered section by section by a worker, with retries."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, BinaryIO

from django.contrib.auth.models import User
from django.core.files import File
from django.db import transaction
from django.db.models import Q

from governance.audit.actions import checkpoints
from governance.inventory.actions import artifacts
from governance.jobs import actions as jobs
from governance.jobs import outbox
from governance.jobs.enums import JobState
from governance.jobs.kinds import JobKind, register
from governance.notifications.domain.events import Occurrence
from governance.notifications.outbox.notices import notify
from governance.notifications.queries.messages import check_mail_server
from governance.people.domain.roles import Role
from governance.people.queries.people import people_with, person_of
from reviews.packets.actions import RENDERED
from reviews.quarterly.audit import record_cycle_event
from reviews.quarterly.domain.cycle import CycleState
from reviews.quarterly.models import CyclePacket, RenderedSection, ReviewCycle
from reviews.quarterly.queries.due import cycles_without_packet
from reviews.quarterly.queries.meeting import invitees
from reviews.quarterly.queries.quarterly_packet import packet_of
from reviews.quarterly.rules import check_lead_meeting
from weighbridge.core.canonical import digest_of
from weighbridge.core.converter import to_document
from weighbridge.core.errors import WrongState

RENDER = "reviews.quarterly.tasks.render_cycle_packet"
KEEP_UNUSED = timedelta(days=200)
ISSUED_FROM = (CycleState.FROZEN, CycleState.HELD, CycleState.CLOSED)


def issue(*, cycle: ReviewCycle, by: User | None, now: datetime) -> CyclePacket:
    """Freeze the current data of a quarter as its next packet and queue the rendering. The tick has no `by`."""
    if by is not None:
        check_lead_meeting(person_of(by))
    with transaction.atomic():
        row = ReviewCycle.objects.select_for_update().get(pk=cycle.pk)
        if row.state not in ISSUED_FROM:
            raise WrongState(f"A packet can be issued only after the cut-off of {row}; the cycle is {row.state}.")
        number = CyclePacket.objects.filter(cycle=row).count() + 1
        document = to_document(packet_of(row, now=now))
        # It locks the head of the trail, for which everybody waits, so the figures are read before.
        checkpoints.sign_head(now=now)
        packet = CyclePacket.objects.create(
            cycle=row,
            number=number,
            document=document,
            document_digest=digest_of(document),
            **jobs.queued(model=CyclePacket, now=now),
        )
        details = {"number": number, "digest": packet.document_digest}
        record_cycle_event(kind="packet_issued", cycle=row, by=by, now=now, details=details)
        jobs.wake_for(row=packet)
    return packet


def issue_due(*, by: User | None = None, now: datetime) -> list[CyclePacket]:
    """Issue the first packet of every frozen quarter that has none. Idempotent."""
    return [packet for row in cycles_without_packet() if (packet := _issue_first(row.pk, by, now)) is not None]


def _issue_first(pk: int, by: User | None, now: datetime) -> CyclePacket | None:
    with transaction.atomic():
        # Checked after locking: another process may have issued the packet in the meantime.
        row = ReviewCycle.objects.select_for_update(skip_locked=True).filter(state=CycleState.FROZEN, pk=pk).first()
        return issue(cycle=row, by=by, now=now) if row is not None and not row.packets.exists() else None


def start_rendering(
    *, packet: CyclePacket, digests: Collection[str], by: User | None = None, now: datetime
) -> set[str]:
    """Store the number of sections of a packet. Returns the digests of the sections that are already rendered."""
    with transaction.atomic():
        rows = RenderedSection.objects.filter(digest__in=digests)
        done = set(rows.values_list("digest", flat=True))
        rows.update(used_at=now)
        if packet.write(sections_total=len(digests), sections_done=len(done), pages=None, pages_done=0):
            details = {"number": packet.number, "sections": len(digests), "drawn_before": len(done)}
            record_cycle_event(kind="packet_begun", cycle=packet.cycle, by=by, now=now, details=details)
    return done


def store_sections(
    *,
    packet: CyclePacket,
    drawn: Mapping[str, bytes],
    done: int,
    by: User | None = None,
    now: datetime,
) -> bool:
    """Store rendered sections by digest, and how many are done. False if another worker now has the lease."""
    with transaction.atomic():
        fields = [RenderedSection(digest=name, pdf=pdf, drawn_at=now, used_at=now) for name, pdf in drawn.items()]
        RenderedSection.objects.bulk_create(fields, ignore_conflicts=True)
        is_ours = jobs.renew(row=packet, now=now, sections_done=done)
        if is_ours:
            details = {"number": packet.number, "done": done}
            record_cycle_event(kind="sections_drawn", cycle=packet.cycle, by=by, now=now, details=details)
    return is_ours


def store_pdf(
    *, packet: CyclePacket, pdf: BinaryIO, pages: int, render_ms: int = 0, by: User | None = None, now: datetime
) -> bool:
    """Store the PDF, rendered in `render_ms` milliseconds; before the meeting, invite. False if the lease was lost."""
    upload = File(pdf, name=f"{packet.cycle.quarter}-{packet.number}.pdf")
    with transaction.atomic():
        stored = artifacts.store(upload=upload, by=by, now=now)
        is_ours = jobs.finish(
            row=packet,
            now=now,
            stored_as=stored.stored_as,
            pdf_digest=stored.digest,
            pages=pages,
            pages_done=pages,
            sections_done=packet.sections_total,
        )
        if is_ours:
            details = {"number": packet.number, "pdf": stored.digest, "pages": pages, "render_ms": render_ms}
            record_cycle_event(kind="packet_ready", cycle=packet.cycle, by=by, now=now, details=details)
            if packet.cycle.state == CycleState.FROZEN:
                _invite(packet, now)
    return is_ours


def invite(*, packet: CyclePacket, by: User, now: datetime) -> int:
    """Send the agenda and the pre-read to the invited people, once per packet. Returns the number of messages.

    Whoever is no longer invited when the mail leaves gets none. Raises WrongState without a mail server, and after the
    meeting.
    """
    check_lead_meeting(person_of(by))
    check_mail_server()
    if packet.cycle.state == CycleState.CLOSED:
        raise WrongState(f"The meeting of {packet.cycle} is closed; nobody is invited to it any more.", code="closed")
    if packet.state != JobState.DONE:
        raise WrongState(f"Packet {packet.number} is {packet.state}; invitations can be sent when its PDF is ready.")
    with transaction.atomic():
        count = _invite(packet, now)
        details = {"number": packet.number, "letters": count}
        record_cycle_event(kind="invited", cycle=packet.cycle, by=by, now=now, details=details)
    return count


def delete_unused_sections(*, by: User | None = None, now: datetime) -> int:
    """Delete rendered sections that no packet has used for two quarters. They can be rendered again."""
    with transaction.atomic():
        old = RenderedSection.objects.filter(used_at__lt=now - KEEP_UNUSED)
        last = ReviewCycle.objects.order_by("-quarter").first()
        count, _ = old.delete()
        if count and last is not None:
            record_cycle_event(kind="sections_forgotten", cycle=last, by=by, now=now, details={"count": count})
    return count


def _invite(packet: CyclePacket, now: datetime) -> int:
    people = invitees(packet.cycle)
    for user in people:
        key = f"cycle.invite:{packet.cycle.quarter}:{packet.number}:{user.pk}"
        payload = {"packet_id": packet.pk, "user_id": user.pk}
        outbox.enqueue(kind="cycle.invite", key=key, lane=key, payload=payload, now=now)
    return len(people)


def _record(event: str, packet: CyclePacket, by: User | None, now: datetime, _: dict[str, Any]) -> None:
    reason = packet.error[:1000] if event == "failed" else ""
    details = {"number": packet.number}
    record_cycle_event(kind=f"packet_{event}", cycle=packet.cycle, by=by, now=now, details=details, reason=reason)


def _notify_of_failure(packet: CyclePacket, now: datetime) -> None:
    quarter = packet.cycle.quarter
    event = Occurrence(
        kind="failed",
        key=f"cycle-packet:{packet.pk}:{packet.fence}",
        reference=quarter,
        path=f"/cycles/{quarter}/",
        sentence=f"Packet {packet.number} of the quarterly review was not rendered: {packet.error}",
    )
    notify(event=event, people=people_with(Role.PLATFORM_LEAD), now=now)


register(
    JobKind(
        model=CyclePacket,
        queues={RENDER: Q()},
        check=lambda person, _: check_lead_meeting(person),
        record=_record,
        on_end=_notify_of_failure,
        **RENDERED,
    )
)
