"""Quarterly packets: frozen as JSON the moment they are issued, drawn by a worker section by section, retried when that
failed.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db import transaction

from governance.audit.actions import checkpoints
from governance.inventory.actions import artifacts
from governance.jobs import outbox
from governance.jobs.enums import JobState
from governance.people.queries.people import person_of
from reviews.quarterly.audit import record_of_cycle
from reviews.quarterly.domain.cycle import CycleState
from reviews.quarterly.models import CyclePacket, RenderedSection, ReviewCycle
from reviews.quarterly.queries.invited import invited_to
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
            created_at=now,
            next_attempt_at=now,
        )
        details = {"number": number, "digest": packet.document_digest}
        record_of_cycle(kind="packet_issued", cycle=row, by=by, now=now, details=details)
        outbox.wake(RENDER, packet.pk)
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
        is_ours = packet.write(
            state=JobState.DONE,
            stored_as=kept.stored_as,
            pdf_digest=kept.digest,
            pages=pages,
            error="",
            sections_done=packet.sections_total,
            finished_at=now,
            lease_until=None,
        )
        if is_ours:
            details = {"number": packet.number, "pdf": kept.digest, "pages": pages, "render_ms": render_ms}
            record_of_cycle(kind="packet_ready", cycle=packet.cycle, by=by, now=now, details=details)
            if packet.cycle.state == CycleState.FROZEN:
                _invite(packet, now)
    return is_ours


def failed(*, packet: CyclePacket, reason: str, by: User | None = None, now: datetime) -> bool:
    """Say why a packet could not be drawn; a lead may retry it, and what was drawn of it is not drawn again."""
    with transaction.atomic():
        is_ours = packet.write(state=JobState.FAILED, error=reason[:4000], finished_at=now, lease_until=None)
        if is_ours:
            details = {"number": packet.number}
            record_of_cycle(
                kind="packet_failed", cycle=packet.cycle, by=by, now=now, details=details, reason=reason[:1000]
            )
    return is_ours


def bury(*, by: User | None = None, now: datetime) -> list[CyclePacket]:
    """Declare dead the packets whose workers went silent too often; a lead may retry them."""
    with transaction.atomic():
        rows = CyclePacket.objects.select_for_update(skip_locked=True, of=("self",)).filter(
            CyclePacket.exhausted(now=now)
        )
        found = list(rows.select_related("cycle"))
        for row in found:
            row.error = f"The worker that draws it went silent {row.attempts} times; the machine may lack memory."
            row.state, row.finished_at, row.lease_until = JobState.DEAD, now, None
            row.save(update_fields=["state", "finished_at", "lease_until", "error"])
            record_of_cycle(kind="packet_dead", cycle=row.cycle, by=by, now=now, details={"number": row.number})
    return found


def retry(*, packet: CyclePacket, by: User, now: datetime) -> CyclePacket:
    """Draw a packet again whose drawing failed; what it says stays frozen."""
    check_lead_meeting(person_of(by))
    with transaction.atomic():
        row = CyclePacket.objects.select_for_update(of=("self",)).select_related("cycle").get(pk=packet.pk)
        if row.state not in {JobState.FAILED, JobState.DEAD}:
            raise WrongState(f"This packet is {row.state}; only a failed one can be retried.")
        row.state, row.attempts, row.next_attempt_at, row.finished_at = JobState.QUEUED, 0, now, None
        row.save(update_fields=["state", "attempts", "next_attempt_at", "finished_at"])
        record_of_cycle(kind="packet_retried", cycle=row.cycle, by=by, now=now, details={"number": row.number})
        outbox.wake(RENDER, row.pk)
    return row


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
