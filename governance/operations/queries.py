"""Figures of the ground floor for Prometheus: the outbox, the tick, the audit trail."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Count, F, FloatField, Max, Min, Q, QuerySet, Sum, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Extract

from governance.audit.models import AuditEvent
from governance.jobs.enums import UNFINISHED, JobState
from governance.jobs.models import OutboxMessage, Pulse
from governance.jobs.queries.operation import is_delayed
from governance.operations.domain.exposition import Family, Labels, family, histogram

BOUNDS_S = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 21600.0, 86400.0)
Spread = tuple[Labels, Mapping[float, int], int, float]


def families(*, now: datetime) -> list[Family]:
    """Everything the ground floor can say."""
    return [*_outbox(now), *_signs_of_life(now)]


def _outbox(now: datetime) -> list[Family]:
    rows = OutboxMessage.objects.order_by()
    unfinished = rows.filter(state__in=UNFINISHED)
    due, done = rows.filter(OutboxMessage.claimable(now=now)), rows.filter(state=JobState.DONE)
    name = "weighbridge_outbox"
    return [
        family(f"{name}_messages", "gauge", "Effects outside by kind and state.", counted(rows, "kind", "state")),
        family(f"{name}_attempts", "gauge", "Attempts spent on unfinished effects.", attempts(unfinished, "kind")),
        family(
            f"{name}_oldest_due_seconds",
            "gauge",
            "How long the oldest due effect has been left lying.",
            ages(due, "kind", since="next_attempt_at", now=now),
        ),
        family(
            "weighbridge_sync_lag_seconds",
            "gauge",
            "How long ago the oldest unfinished effect was wanted.",
            ages(unfinished, "kind", since="created_at", now=now),
        ),
        histogram(f"{name}_delivery_seconds", "From wanted to done, by kind.", spread(done, "kind")),
    ]


def _signs_of_life(now: datetime) -> list[Family]:
    events = AuditEvent.objects.aggregate(last=Max("position"))["last"] or 0
    pulses: list[tuple[Labels, float]] = [
        ({"name": pulse.name}, (now - pulse.at).total_seconds()) for pulse in Pulse.objects.order_by("name")
    ]
    return [
        family("weighbridge_pulse_age_seconds", "gauge", "Since the tick, or since nobody takes what waits.", pulses),
        family("weighbridge_work_delayed", "gauge", "1 while the pages say so.", [({}, float(is_delayed(now=now)))]),
        family("weighbridge_audit_events_total", "counter", "Events in the audit trail.", [({}, float(events))]),
    ]


def counted(rows: QuerySet[Any], *labels: str) -> list[tuple[Labels, float]]:
    """How many rows there are of each label."""
    found = rows.order_by(*labels).values(*labels).annotate(count=Count("pk"))
    return [(_labels(row, labels), row["count"]) for row in found]


def attempts(rows: QuerySet[Any], *labels: str) -> list[tuple[Labels, float]]:
    """The attempts of the rows, added up."""
    found = rows.order_by(*labels).annotate(one=Value(1)).values("one", *labels).annotate(sum=Sum("attempts"))
    return [(_labels(row, labels), row["sum"] or 0) for row in found]


def ages(rows: QuerySet[Any], *labels: str, since: str, now: datetime) -> list[tuple[Labels, float]]:
    """Seconds between `since` of the oldest row and now."""
    found = rows.order_by(*labels).annotate(one=Value(1)).values("one", *labels).annotate(oldest=Min(since))
    return [(_labels(row, labels), max(0.0, (now - row["oldest"]).total_seconds())) for row in found if row["oldest"]]


def spread(rows: QuerySet[Any], *labels: str, taken_s: Combinable | None = None) -> list[Spread]:
    """How long the rows took: from `created_at` to `finished_at`, or what `taken_s` says."""
    took = taken_s or Cast(Extract(F("finished_at") - F("created_at"), "epoch"), FloatField())
    within = {f"within_{place}": Count("pk", filter=Q(took__lte=bound)) for place, bound in enumerate(BOUNDS_S)}
    grouped = rows.order_by(*labels).annotate(one=Value(1), took=took).values("one", *labels)
    return [
        (
            _labels(row, labels),
            {b: row[f"within_{place}"] for place, b in enumerate(BOUNDS_S)},
            row["all"],
            row["sum"] or 0,
        )
        for row in grouped.annotate(all=Count("pk"), sum=Sum("took"), **within)
    ]


def _labels(row: Mapping[str, Any], labels: tuple[str, ...]) -> dict[str, str]:
    return {label: str(row[label]) for label in labels}
