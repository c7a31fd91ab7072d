"""Review packets: frozen as JSON when requested, then rendered as PDF by a worker, with retries."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Q

from governance.audit.actions import checkpoints
from governance.inventory.actions import artifacts
from governance.jobs import actions as jobs
from governance.jobs.enums import JobState
from governance.jobs.kinds import JobKind, register
from governance.people.queries.people import person_of
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.packets.models import Packet
from reviews.packets.queries.packet import packet_of
from reviews.requests.audit import record
from reviews.requests.locking import lock
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import parties_of
from reviews.requests.rules import check_print
from reviews.snapshots.outbox import notify_parties
from reviews.snapshots.queries.allowed_steps import check_can_freeze_packet
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.tickets.actions import attach_packet_of_request
from weighbridge.core.canonical import digest_of
from weighbridge.core.converter import to_document

RENDER = "reviews.packets.tasks.render_packet"
RENDERED: Mapping[str, Any] = {
    "name": lambda _: "This packet",
    "silence": (
        "The worker stopped responding {attempts} times while rendering the packet; the machine may lack memory."
    ),
    "may_retry": lambda packet: packet.state in {JobState.FAILED, JobState.DEAD},
    "retried": "a failed one can be retried",
}
"""What the kinds of packets share as jobs."""


def request_packet(*, request: ReviewRequest, by: User, now: datetime) -> Packet:
    """Freeze a packet of a submitted request on demand and queue its rendering."""
    with transaction.atomic():
        row = lock(request)
        check_can_freeze_packet(snapshot_of(row, now=now), person=person_of(by))
        return freeze(request=row, by=by, now=now)


def freeze(*, request: ReviewRequest, evidence: EvidenceSnapshot | None = None, by: User, now: datetime) -> Packet:
    """Freeze the current data and the signed head of the audit trail as the next packet, and queue its rendering.

    `evidence` is the evidence of the request, if the caller read it under the same lock.
    """
    with transaction.atomic():
        row = lock(request)
        number = Packet.objects.filter(request=row).count() + 1
        checkpoints.sign_head(now=now)
        document = to_document(packet_of(snapshot_of(row, now=now, evidence=evidence)))
        packet = Packet.objects.create(
            request=row,
            number=number,
            document=document,
            document_digest=digest_of(document),
            **jobs.queued(model=Packet, now=now),
        )
        details = {"number": number, "digest": packet.document_digest}
        record(kind="packet.frozen", request=row, by=by, now=now, details=details)
        jobs.wake_for(row=packet)
    return packet


def store_pdf(
    *, packet: Packet, pdf: bytes, pages: int, render_ms: int = 0, by: User | None = None, now: datetime
) -> bool:
    """Store the PDF of a packet, rendered in `render_ms` milliseconds. False if this worker has lost the lease."""
    upload = ContentFile(pdf, name=f"{packet.request.ref}-{packet.number}.pdf")
    with transaction.atomic():
        stored = artifacts.store(upload=upload, by=by, now=now)
        is_ours = jobs.finish(row=packet, now=now, stored_as=stored.stored_as, pdf_digest=stored.digest, pages=pages)
        if is_ours:
            details = {"number": packet.number, "pdf": stored.digest, "pages": pages, "render_ms": render_ms}
            record(kind="packet.ready", request=packet.request, by=by, now=now, details=details)
            attach_packet_of_request(request=packet.request, packet_id=packet.pk, number=packet.number, by=by, now=now)
    return is_ours


def _record(event: str, packet: Packet, by: User | None, now: datetime, _: dict[str, Any]) -> None:
    reason = packet.error[:1000] if event == "failed" else ""
    details = {"number": packet.number}
    record(kind=f"packet.{event}", request=packet.request, by=by, now=now, details=details, reason=reason)


def _notify_of_failure(packet: Packet, now: datetime) -> None:
    notify_parties(
        request=packet.request,
        kind="failed",
        key=f"packet:{packet.pk}:{packet.fence}",
        sentence=f"Packet {packet.number} was not rendered: {packet.error}",
        by=None,
        now=now,
    )


register(
    JobKind(
        model=Packet,
        queues={RENDER: Q()},
        check=lambda person, packet: check_print(person, parties_of(packet.request)),
        record=_record,
        on_end=_notify_of_failure,
        **RENDERED,
    )
)
