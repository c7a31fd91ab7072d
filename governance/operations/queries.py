"""Prometheus metrics of the outbox, the tick and the audit trail."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, F, FloatField, Max, Min, Q, QuerySet, Sum, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Extract
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from governance.audit.models import AuditEvent
from governance.jobs.enums import UNFINISHED, JobState
from governance.jobs.models import OutboxMessage, Pulse
from governance.jobs.queries import is_delayed

BOUNDS_S = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 21600.0, 86400.0)


def families(*, now: datetime) -> list[Metric]:
    """All metric families of this app."""
    return [*_outbox(now), *_signs_of_life(now)]


def _outbox(now: datetime) -> list[Metric]:
    rows = OutboxMessage.objects.order_by()
    unfinished = rows.filter(state__in=UNFINISHED)
    due, done = rows.filter(OutboxMessage.claimable(now=now)), rows.filter(state=JobState.DONE)
    return [
        counted("weighbridge_outbox_messages", "Effects outside by kind and state.", rows, "kind", "state"),
        attempts("weighbridge_outbox_attempts", "Attempts spent on unfinished effects.", unfinished, "kind"),
        ages(
            "weighbridge_outbox_oldest_due_seconds",
            "How long the oldest due effect has waited.",
            due,
            "kind",
            since="next_attempt_at",
            now=now,
        ),
        ages(
            "weighbridge_sync_lag_seconds",
            "Age of the oldest unfinished effect.",
            unfinished,
            "kind",
            since="created_at",
            now=now,
        ),
        spread("weighbridge_outbox_delivery_seconds", "Time from request to completion, by kind.", done, "kind"),
    ]


def _signs_of_life(now: datetime) -> list[Metric]:
    events = AuditEvent.objects.aggregate(last=Max("position"))["last"] or 0
    pulses = [(pulse.name, (now - pulse.at).total_seconds()) for pulse in Pulse.objects.order_by("name")]
    return [
        _gauge(
            "weighbridge_pulse_age_seconds",
            "Time since the last tick, or since no worker takes due work.",
            ("name",),
            pulses,
        ),
        GaugeMetricFamily(
            "weighbridge_work_delayed", "1 while the pages show that work is delayed.", float(is_delayed(now=now))
        ),
        CounterMetricFamily("weighbridge_audit_events_total", "Events in the audit trail.", float(events)),
    ]


def counted(name: str, meaning: str, rows: QuerySet[Any], *labels: str) -> Metric:
    """The number of rows by label."""
    return _gauge(name, meaning, labels, rows.order_by(*labels).values_list(*labels).annotate(count=Count("pk")))


def attempts(name: str, meaning: str, rows: QuerySet[Any], *labels: str) -> Metric:
    """The total attempts of the rows."""
    return _gauge(
        name, meaning, labels, _grouped(rows, labels).annotate(sum=Sum("attempts")).values_list(*labels, "sum")
    )


def ages(name: str, meaning: str, rows: QuerySet[Any], *labels: str, since: str, now: datetime) -> Metric:
    """The age in seconds of the oldest row, from its field `since`."""
    oldest = _grouped(rows, labels).annotate(oldest=Min(since)).values_list(*labels, "oldest")
    waited = [(*values, max(0.0, (now - at).total_seconds())) for *values, at in oldest if at]
    return _gauge(name, meaning, labels, waited)


def spread(
    name: str, meaning: str, rows: QuerySet[Any], *labels: str, taken_s: Combinable | None = None
) -> HistogramMetricFamily:
    """A histogram of durations: from `created_at` to `finished_at`, or `taken_s`."""
    took = taken_s or Cast(Extract(F("finished_at") - F("created_at"), "epoch"), FloatField())
    within = {f"{bound:g}": Count("pk", filter=Q(took__lte=bound)) for bound in BOUNDS_S} | {"+Inf": Count("pk")}
    family = HistogramMetricFamily(name, meaning, labels=labels)
    for row in _grouped(rows.annotate(took=took), labels).annotate(sum=Sum("took"), **within):
        buckets = [(bound, row[bound]) for bound in within]
        family.add_metric([str(row[label]) for label in labels], buckets, row["sum"] or 0)
    return family


def _grouped(rows: QuerySet[Any], labels: Sequence[str]) -> QuerySet[Any]:
    """One row for each combination of labels, or one row in total without labels."""
    grouped: QuerySet[Any] = rows.order_by(*labels).annotate(one=Value(1)).values("one", *labels)
    return grouped


def _gauge(name: str, meaning: str, labels: Sequence[str], rows: Iterable[Sequence[Any]]) -> GaugeMetricFamily:
    """A gauge from rows whose last column is the value."""
    family = GaugeMetricFamily(name, meaning, labels=labels)
    for *values, value in rows:
        family.add_metric([str(each) for each in values], value or 0)
    return family
