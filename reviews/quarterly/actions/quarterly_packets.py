"""Quarterly packets: frozen as JSON the moment they are issued, drawn by a worker section by section, retried when that
failed.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Q

from governance.audit.actions import checkpoints
from governance.inventory.actions import artifacts
from governance.jobs import actions as jobs
from governance.jobs import outbox
from governance.jobs.enums import JobState
from governance.jobs.kinds import JobKind, register
from governance.people.queries.people import person_of
from reviews.packets.actions import RETRIED, SILENCE
from reviews.quarterly.audit import record_of_cycle
from reviews.quarterly.domain.cycle import CycleState
from reviews.quarterly.models import CyclePacket, RenderedSection, ReviewCycle
from reviews.quarterly.queries.invitations import invited_to
from reviews.quarterly.queries.quarterly_packet import packet_of
from reviews.quarterly.rules import check_lead_meeting
from weighbridge.core.canonical import digest_of
from weighbridge.core.converter import to_document
from weighbridge.core.errors import WrongState

RENDER = "reviews.quarterly.tasks.render_cycle_packet"
KEEP_UNUSED = timedelta(days=200)
ISSUED_FROM = (CycleState.FROZEN, CycleState.HELD, CycleState.CLOSED)


def issue(*, cycle: ReviewCycle, by: User | None, now: datetime) -> CyclePacket:
    """Freeze what the packet of a quarter says now, as the next one, and have it drawn; `by` None is the tick at the
    cut-off.
    """
    if by is not None:
        check_lead_meeting(person_of(by))
    with transaction.atomic():
        row = ReviewCycle.objects.select_for_update().get(pk=cycle.pk)
        if row.state not in ISSUED_FROM:
            raise WrongState(f"A packet is issued once the cut-off of {row} has passed; the cycle is {row.state}.")
        number = CyclePacket.objects.filter(cycle=row).count() + 1
        checkpoints.keep(now=now)
        document = to_document(packet_of(row, now=now))
        packet = CyclePacket.objects.create(
            cycle=row,
            number=number,
            document=document,
            document_digest=digest_of(document),
            **jobs.queued(model=CyclePacket, now=now),
        )
        details = {"number": number, "digest": packet.document_digest}
        record_of_cycle(kind="packet_issued", cycle=row, by=by, now=now, details=details)
        jobs.wake_for(row=packet)
    return packet


def issue_due(*, by: User | None = None, now: datetime) -> list[CyclePacket]:
    """Issue the first packet of every quarter that is frozen and has none; harmless when repeated."""
    with transaction.atomic():
        frozen = list(ReviewCycle.objects.select_for_update(skip_locked=True).filter(state=CycleState.FROZEN))
        # Asked once the row is locked: another tick may have issued it since this one looked.
        return [issue(cycle=row, by=by, now=now) for row in frozen if not row.packets.exists()]


def begin(*, packet: CyclePacket, digests: Collection[str], by: User | None = None, now: datetime) -> set[str]:
    """Say of how many sections a packet consists; the digests of those that are drawn already."""
    with transaction.atomic():
        rows = RenderedSection.objects.filter(digest__in=digests)
        known = set(rows.values_list("digest", flat=True))
        rows.update(used_at=now)
        if packet.write(sections_total=len(digests), sections_done=len(known)):
            details = {"number": packet.number, "sections": len(digests), "drawn_before": len(known)}
            record_of_cycle(kind="packet_begun", cycle=packet.cycle, by=by, now=now, details=details)
    return known


def keep_sections(
    *,
    packet: CyclePacket,
    drawn: Mapping[str, bytes],
    done: int,
    lease: timedelta,
    by: User | None = None,
    now: datetime,
) -> bool:
    """Keep drawn sections by their digests, and how many are done; False where another worker has the packet now."""
    with transaction.atomic():
        fields = [RenderedSection(digest=name, pdf=pdf, drawn_at=now, used_at=now) for name, pdf in drawn.items()]
        RenderedSection.objects.bulk_create(fields, ignore_conflicts=True)
        is_ours = packet.renew(now=now, lease=lease, sections_done=done)
        if is_ours:
            details = {"number": packet.number, "done": done}
            record_of_cycle(kind="sections_drawn", cycle=packet.cycle, by=by, now=now, details=details)
    return is_ours


def rendered(
    *, packet: CyclePacket, pdf: bytes, pages: int, render_ms: int = 0, by: User | None = None, now: datetime
) -> bool:
    """Keep the whole PDF, and before the meeting tell whoever is invited; False where the lease was lost. `render_ms`:
    what drawing took.
    """
    upload = ContentFile(pdf, name=f"{packet.cycle.quarter}-{packet.number}.pdf")
    with transaction.atomic():
        kept = artifacts.keep(upload=upload, by=by, now=now)
        is_ours = jobs.finish(
            row=packet,
            now=now,
            stored_as=kept.stored_as,
            pdf_digest=kept.digest,
            pages=pages,
            sections_done=packet.sections_total,
        )
        if is_ours:
            details = {"number": packet.number, "pdf": kept.digest, "pages": pages, "render_ms": render_ms}
            record_of_cycle(kind="packet_ready", cycle=packet.cycle, by=by, now=now, details=details)
            if packet.cycle.state == CycleState.FROZEN:
                _invite(packet, now)
    return is_ours


def invite(*, packet: CyclePacket, by: User, now: datetime) -> int:
    """Send the agenda and the pre-read to whoever is invited, once each for this packet; how many letters."""
    check_lead_meeting(person_of(by))
    if packet.state != JobState.DONE:
        raise WrongState(f"Packet {packet.number} is {packet.state}; invitations go out once it is drawn.")
    with transaction.atomic():
        count = _invite(packet, now)
        details = {"number": packet.number, "letters": count}
        record_of_cycle(kind="invited", cycle=packet.cycle, by=by, now=now, details=details)
    return count


def forget_sections(*, by: User | None = None, now: datetime) -> int:
    """Forget drawn sections no packet has used for two quarters; they can be drawn again."""
    with transaction.atomic():
        old = RenderedSection.objects.filter(used_at__lt=now - KEEP_UNUSED)
        last = ReviewCycle.objects.order_by("-quarter").first()
        count, _ = old.delete()
        if count and last is not None:
            record_of_cycle(kind="sections_forgotten", cycle=last, by=by, now=now, details={"count": count})
    return count


def _invite(packet: CyclePacket, now: datetime) -> int:
    people = invited_to(packet.cycle)
    for user in people:
        key = f"cycle.invite:{packet.cycle.quarter}:{packet.number}:{user.pk}"
        payload = {"packet_id": packet.pk, "user_id": user.pk}
        outbox.enqueue(kind="cycle.invite", key=key, lane=key, payload=payload, now=now)
    return len(people)


def _record(word: str, packet: CyclePacket, by: User | None, now: datetime, _: dict[str, Any]) -> None:
    reason = packet.error[:1000] if word == "failed" else ""
    details = {"number": packet.number}
    record_of_cycle(kind=f"packet_{word}", cycle=packet.cycle, by=by, now=now, details=details, reason=reason)


register(
    JobKind(
        model=CyclePacket,
        queues={RENDER: Q()},
        name=lambda _: "This packet",
        silence=SILENCE,
        check=lambda person, _: check_lead_meeting(person),
        may_retry=lambda packet: packet.state in {JobState.FAILED, JobState.DEAD},
        retried=RETRIED,
        record=_record,
    )
)
