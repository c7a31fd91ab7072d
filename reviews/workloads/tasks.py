"""Background work: billed GPUs that nobody asked for are looked for once a day."""

from datetime import datetime

from django.utils import timezone

from governance.jobs import outbox
from governance.jobs.models import OutboxMessage
from reviews.workloads.actions import billed_findings

DETECT_GPUS = "workloads.billed"


@outbox.on_tick
def request_gpu_detection(now: datetime) -> None:
    """Enqueue the detection of the day, once."""
    key = f"{DETECT_GPUS}:{now.date()}"
    if not OutboxMessage.objects.filter(key=key).exists():
        outbox.enqueue(kind=DETECT_GPUS, key=key, lane="costs", payload={}, now=now)


@outbox.handles(DETECT_GPUS)
def detect_gpus(_: OutboxMessage) -> None:
    """Raise a finding for each resource with GPUs that nobody asked for."""
    billed_findings.detect_unrequested_gpus(now=timezone.now())
