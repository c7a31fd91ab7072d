"""Background work: once a day billed GPUs that nobody asked for; hourly and after each report usage against limits."""

from django.utils import timezone

from governance.jobs import outbox, ticks
from governance.jobs.models import OutboxMessage
from reviews.workloads.actions import billed_findings, usage

DETECT_GPUS = "workloads.billed"


@outbox.handles(DETECT_GPUS)
def detect_gpus(_: OutboxMessage) -> None:
    """Raise a finding for each resource with GPUs that nobody asked for."""
    billed_findings.detect_unrequested_gpus(now=timezone.now())


@outbox.handles(usage.COMPARE)
def compare_usage(_: OutboxMessage) -> None:
    """Raise findings of usage near and above the limits, and deny what the policy wants denied."""
    usage.compare_usage(now=timezone.now())


ticks.regularly(DETECT_GPUS, period=ticks.DAILY)
# A month may have begun, or an authorization been issued.
ticks.regularly(usage.COMPARE, period=ticks.HOURLY)
