"""Review packets: frozen as JSON the moment they are wanted, drawn as PDF by a worker, retried when drawing failed."""

from datetime import datetime

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db import transaction

from governance.audit.actions import checkpoints
from governance.inventory.actions import artifacts
from governance.jobs import outbox
from governance.jobs.enums import JobState
from governance.people.queries.people import person_of
from reviews.packets.domain.packet_document import as_document
from reviews.packets.models import Packet
from reviews.packets.queries.packet import packet_of
from reviews.requests.audit import record
from reviews.requests.locking import lock
from reviews.requests.models import ReviewRequest
from reviews.workflow.queries.possible import check_can_freeze_packet, check_can_retry_packet
from reviews.workflow.queries.snapshot import snapshot_of
from reviews.workflow.queries.snapshot_evidence import EvidenceSnapshot
from weighbridge.core.canonical import digest_of


def ask_for(*, request: ReviewRequest, by: User, now: datetime) -> Packet:
    """Freeze and draw a packet of a submitted request because somebody wants one now."""
    with transaction.atomic():
        row = lock(request)
        check_can_freeze_packet(snapshot_of(row, now=now), person=person_of(by))
        return freeze(request=row, by=by, now=now)


def freeze(*, request: ReviewRequest, evidence: EvidenceSnapshot | None = None, by: User, now: datetime) -> Packet:
    """Freeze what the packet says now, with the signed head of the trail, as the next one, and have it drawn.

    `evidence` is that of the request where the caller's transaction, which holds its lock, has read it already.
    """
    with transaction.atomic():
        row = lock(request)
        number = Packet.objects.filter(request=row).count() + 1
        checkpoints.keep(now=now)
        document = as_document(packet_of(snapshot_of(row, now=now, evidence=evidence)))
        packet = Packet.objects.create(
            request=row,
            number=number,
            document=document,
            document_digest=digest_of(document),
            created_at=now,
            next_attempt_at=now,
        )
        details = {"number": number, "digest": packet.document_digest}
        record(kind="packet.frozen", request=row, by=by, now=now, details=details)
        outbox.wake("reviews.packets.tasks.render_packet", packet.pk)
    return packet


def rendered(
    *, packet: Packet, pdf: bytes, pages: int, render_ms: int = 0, by: User | None = None, now: datetime
) -> bool:
    """Keep the PDF of a packet this worker still holds; False where the lease was lost.
    `render_ms`: what drawing took.
    """
    upload = ContentFile(pdf, name=f"{packet.request.ref}-{packet.number}.pdf")
    with transaction.atomic():
        kept = artifacts.keep(upload=upload, by=by, now=now)
        is_ours = packet.write(
            state=JobState.DONE,
            stored_as=kept.stored_as,
            pdf_digest=kept.digest,
            pages=pages,
            error="",
            finished_at=now,
            lease_until=None,
        )
        if is_ours:
            details = {"number": packet.number, "pdf": kept.digest, "pages": pages, "render_ms": render_ms}
            record(kind="packet.ready", request=packet.request, by=by, now=now, details=details)
    return is_ours


def failed(*, packet: Packet, reason: str, by: User | None = None, now: datetime) -> bool:
    """Say why a packet could not be drawn; a person may retry it."""
    with transaction.atomic():
        is_ours = packet.write(state=JobState.FAILED, error=reason[:4000], finished_at=now, lease_until=None)
        if is_ours:
            details = {"number": packet.number}
            record(kind="packet.failed", request=packet.request, by=by, now=now, details=details, reason=reason[:1000])
    return is_ours


def bury(*, by: User | None = None, now: datetime) -> list[Packet]:
    """Declare dead the packets whose workers went silent too often; a person may retry them."""
    with transaction.atomic():
        rows = list(Packet.objects.select_for_update(skip_locked=True, of=("self",)).filter(Packet.exhausted(now=now)))
        for row in rows:
            row.error = f"The worker that draws it went silent {row.attempts} times; the machine may lack memory."
            row.state, row.finished_at, row.lease_until = JobState.DEAD, now, None
            row.save(update_fields=["state", "finished_at", "lease_until", "error"])
            record(kind="packet.dead", request=row.request, by=by, now=now, details={"number": row.number})
    return rows


def retry(*, packet: Packet, by: User, now: datetime) -> Packet:
    """Draw a packet again whose drawing failed; what it says stays frozen."""
    with transaction.atomic():
        row = Packet.objects.select_for_update(of=("self",)).select_related("request").get(pk=packet.pk)
        check_can_retry_packet(snapshot_of(row.request, now=now), person=person_of(by), packet=row)
        row.state, row.attempts, row.next_attempt_at, row.finished_at = JobState.QUEUED, 0, now, None
        row.save(update_fields=["state", "attempts", "next_attempt_at", "finished_at"])
        record(kind="packet.retried", request=row.request, by=by, now=now, details={"number": row.number})
        outbox.wake("reviews.packets.tasks.render_packet", row.pk)
    return row
