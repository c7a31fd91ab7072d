"""What bills, fresh runs and old prices say against an authorization: a finding for each, once, and a re-review by
policy.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from benchmarking.runs.enums import RunVerdict
from benchmarking.runs.models import Run
from benchmarking.runs.queries.runs import metrics_of
from governance.audit.actions import record as audit
from governance.findings import actions as findings
from governance.findings.actions import Sighting
from governance.findings.enums import FindingState, Severity
from governance.findings.models import Finding
from governance.jobs.enums import JobState
from governance.rulebook.domain.monitoring import BreachKind, Monitoring
from reviews.authorizations.domain import IN_FORCE
from reviews.authorizations.models import Authorization
from reviews.evidence.domain.comparison import MonthStanding
from reviews.evidence.domain.drift import MeasuredValue, drifts
from reviews.evidence.domain.old_prices import price_words
from reviews.evidence.queries import comparison, projections
from reviews.requests.queries.rulebook import monitoring_in_force
from reviews.workflow.actions import re_reviews
from weighbridge.core.metrics import Basis, number_words
from weighbridge.core.money import format_usd

FRESH = (
    "The costs were projected again since, or the authorization is not in force any more: these prices decide nothing."
)


@dataclass(frozen=True)
class _Seen:
    """A breach of one authorization, and whether the policy has the model reviewed again for it."""

    authorization: Authorization
    sighting: Sighting
    is_reviewed_again: bool


def look(*, by: User | None = None, now: datetime) -> list[Finding]:
    """Compare every authorization in force with what is known now; the findings that are new.

    The limits, and which breach opens a re-review, are those of the policy in force.
    """
    watched = monitoring_in_force()
    held = Authorization.objects.filter(state__in=[state.value for state in IN_FORCE]).select_related(
        "decision__request__team", "decision__request__model_version__asset__team"
    )
    seen = [
        _Seen(row, sighting, breach in watched.re_review_on)
        for row in held.order_by("pk")
        for breach, sighting in (*_of_bills(row, now), *_of_runs(row, watched), *_of_prices(row, watched, now))
    ]
    keys = {each.sighting.key for each in seen}
    _settle(keys, by, now)
    known = set(Finding.objects.filter(key__in=keys).values_list("key", flat=True))
    fresh = {each.sighting.key: each for each in seen if each.sighting.key not in known}
    raised = [_raise(each, by, now) for each in fresh.values()]
    return [finding for finding in raised if finding is not None]


def _settle(standing: set[str], by: User | None, now: datetime) -> None:
    """Close the findings of old prices that hold no more, so that at most one is open for each authorization."""
    rows = Finding.objects.filter(kind="prices.expired", state=FindingState.OPEN).exclude(key__in=standing)
    for finding in rows.order_by("pk"):
        findings.settle(finding=finding, note=FRESH, by=by, now=now)


def _raise(seen: _Seen, by: User | None, now: datetime) -> Finding | None:
    """The finding; None where the authorization ended meanwhile, or another process was quicker."""
    sighting = seen.sighting
    with transaction.atomic():
        row = Authorization.objects.select_for_update().get(pk=seen.authorization.pk)
        if row.state not in IN_FORCE or Finding.objects.filter(key=sighting.key).exists():
            return None
        if seen.is_reviewed_again:
            again = re_reviews.have_reviewed(authorization=row, sighting=sighting, by=by, now=now)
            finding = again.finding
        else:
            finding = findings.raise_once(sighting=sighting, by=by, now=now)
        details = {"finding": str(finding), "kind": sighting.kind}
        subject = ("authorization", row.number)
        audit.record(kind="authorization.doubted", by=by, subject=subject, details=details, now=now)
    return finding


def _of_bills(row: Authorization, now: datetime) -> Iterator[tuple[BreachKind, Sighting]]:
    request = row.decision.request
    for month in comparison.months_of_request(request, now=now):
        if month.standing is not MonthStanding.BREACH or month.limit is None or month.billed is None:
            continue
        text = (
            f"{format_usd(month.billed)} was billed for {month.month:%B %Y}, and {format_usd(month.limit)} is the most "
            f"that was projected. Review {request.ref} again: file a request for what the model costs now, or have "
            "its cost brought down."
        )
        yield (
            BreachKind.COST,
            _sighting(row, "cost.breach", f"{month.month:%Y-%m}", text, f"bills of {month.month:%Y-%m}"),
        )


def _of_runs(row: Authorization, watched: Monitoring) -> Iterator[tuple[BreachKind, Sighting]]:
    request = row.decision.request
    approved = {
        metric_value.name: MeasuredValue(metric_value.name, metric_value.value, metric_value.lower, metric_value.upper)
        for metric_value in request.metric_records.filter(basis=Basis.MEASURED).order_by("pk")
    }
    fresh = Run.objects.filter(
        model_version__digest=row.subject_digest,
        state=JobState.DONE,
        verdict=RunVerdict.VALID,
        created_at__gt=row.issued_at,
    )
    for run in fresh.order_by("pk"):
        readings = [
            MeasuredValue(each.name, each.value, each.lower, each.upper) for each in metrics_of(run.result or {})
        ]
        for drift in drifts(approved, readings, slack=watched.drift):
            text = (
                f"Run {run.pk} measured {drift.name} {drift.now.normalize():f}; {drift.then.normalize():f} was "
                "approved. That is worse "
                f"beyond doubt and by more than {number_words(watched.drift_percent)} %. Review {request.ref} again."
            )
            yield drift.breach, _sighting(row, "drift", drift.name, text, f"run {run.pk}")


def _of_prices(row: Authorization, watched: Monitoring, now: datetime) -> Iterator[tuple[BreachKind, Sighting]]:
    request = row.decision.request
    latest = projections.latest(request)
    if latest is None or now - latest.projection.kept_at <= timedelta(days=watched.prices_valid_days):
        return
    text = (
        f"The prices of {request.ref} are those of {latest.projection.kept_at:%d %B %Y}, more than "
        f"{watched.prices_valid_days} days ago. "
        "Project its costs at the prices of today, and review it again if they have moved."
    )
    if words := price_words(latest.projection.document):
        text += f" They are: {words}."
    yield BreachKind.PRICES, _sighting(row, "prices.expired", str(latest.number), text, f"projection {latest.number}")


def _sighting(row: Authorization, kind: str, what: str, text: str, source: str) -> Sighting:
    request = row.decision.request
    return Sighting(
        kind=kind,
        subject=f"{request.ref} ({row.number})",
        text=text,
        severity=Severity.HIGH if kind != "prices.expired" else Severity.LOW,
        source=source,
        key=f"{kind}:{row.number}:{what}",
    )
