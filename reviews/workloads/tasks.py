"""Background work: once a day billed GPUs that nobody asked for; hourly and after each report usage against limits."""

from datetime import datetime

from django.utils import timezone

from governance.jobs import outbox
from governance.jobs.models import OutboxMessage
from reviews.workloads.actions import billed_findings, usage

DETECT_GPUS = "workloads.billed"


@outbox.on_tick
def request_gpu_detection(now: datetime) -> None:
    """Enqueue the detection of the day, once."""
    key = f"{DETECT_GPUS}:{now.date()}"
    if not OutboxMessage.objects.filter(key=key).exists():
        outbox.enqueue(kind=DETECT_GPUS, key=key, lane=key, payload={}, now=now)


@outbox.handles(DETECT_GPUS)
def detect_gpus(_: OutboxMessage) -> None:
    """Raise a finding for each resource with GPUs that nobody asked for."""
    billed_findings.detect_unrequested_gpus(now=timezone.now())


@outbox.on_tick
def request_comparison(now: datetime) -> None:
    """Enqueue the comparison of the hour, once: a month may have begun, or an authorization been issued."""
    key = f"{usage.COMPARE}:{now:%Y-%m-%dT%H}"
    if not OutboxMessage.objects.filter(key=key).exists():
        outbox.enqueue(kind=usage.COMPARE, key=key, lane=key, payload={}, now=now)


@outbox.handles(usage.COMPARE)
def compare_usage(_: OutboxMessage) -> None:
    """Raise findings of usage near and above the limits, and deny what the policy wants denied."""
    usage.compare_usage(now=timezone.now())
