"""Which cycles are due."""

from datetime import datetime

from django.db.models import QuerySet

from reviews.quarterly.domain.cycle import CycleState
from reviews.quarterly.models import ReviewCycle


def cycles_without_packet() -> QuerySet[ReviewCycle]:
    """The frozen cycles of which no packet was issued."""
    return ReviewCycle.objects.filter(state=CycleState.FROZEN, packets=None).order_by("quarter")


def due_cycles(*, now: datetime) -> list[QuerySet[ReviewCycle]]:
    """The cycles whose cut-off has passed while they collect, and those that wait for their packet."""
    past = ReviewCycle.objects.filter(state=CycleState.COLLECTING, cut_off_at__lte=now)
    return [past, cycles_without_packet()]
