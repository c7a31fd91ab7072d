"""Breaches of authorizations: bills above the limit, slower or worse runs, prices, retirements nobody announced.

Each breach raises one finding, and a re-review if the policy asks for it. Bills above the stated cost of a cleared
request raise one finding too, and the policy is evaluated again on them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from benchmarking.runs.domain.metrics import Metric, metrics_of
from benchmarking.runs.enums import RunVerdict
from benchmarking.runs.models import Run
from governance.audit.actions import record as audit
from governance.findings import actions as findings
from governance.findings.actions import Sighting
from governance.findings.enums import FindingState, Severity
from governance.findings.models import Finding
from governance.jobs.enums import JobState
from governance.rulebook.domain.monitoring import BreachKind, Monitoring
from governance.rulebook.queries.catalogs import catalog_in_force
from governance.rulebook.queries.rulebook import policies_in_force
from reviews.authorizations.domain.authorization_states import IN_FORCE
from reviews.authorizations.models import Authorization
from reviews.evidence.domain.comparison import MonthStatus
from reviews.evidence.domain.drift import drifts
from reviews.evidence.domain.projected import price_words
from reviews.evidence.models import MetricRecord
from reviews.evidence.queries import comparison, projections
from reviews.evidence.queries.evidence import COST_METRIC, subject_of
from reviews.requests.audit import record
from reviews.requests.domain.copies import copy_of
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.locking import lock
from reviews.requests.queries.rulebook import monitoring_for
from reviews.workflow.actions import re_reviews, screening
from reviews.workflow.queries import listed_retirements, price_changes
from reviews.workflow.queries.clearance_bills import ExceededClearance, exceeded_clearances
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.values import number_text
from weighbridge.core.money import format_usd

UNANNOUNCED = "model.retirement_unannounced"
# By kind of finding, why one that no longer applies is closed.
OUTDATED_NOTES = {
    "prices.expired": (
        "These prices no longer matter: the costs were projected again, or the authorization is no longer in force."
    ),
    UNANNOUNCED: (
        "The retirement was announced, the price book lists it no longer, or the authorization is no longer in force."
    ),
}


@dataclass(frozen=True)
class _Breach:
    """A breach of one authorization, and whether the policy asks for a re-review because of it."""

    authorization: Authorization
    sighting: Sighting
    needs_re_review: bool


def detect_breaches(*, by: User | None = None, now: datetime) -> list[Finding]:
    """Compare every authorization in force with current bills, runs and prices; return the new findings.

    The policy in force sets the limits and which kinds of breach open a re-review. Clearances in force are
    compared with current bills.
    """
    policies = policies_in_force()
    # Read first: a detection beside this one may raise findings of what came after.
    open_before = list(Finding.objects.filter(kind__in=OUTDATED_NOTES, state=FindingState.OPEN).order_by("pk"))
    authorizations = Authorization.objects.filter(state__in=[state.value for state in IN_FORCE]).select_related(
        "decision__request__team", "decision__request__model_version__asset__team"
    )
    breaches = [
        _Breach(row, sighting, kind in monitoring.re_review_on)
        for row in authorizations.order_by("pk")
        for monitoring in [monitoring_for(subject_of(row.decision.request), policies=policies)]
        for kind, sighting in (
            *_cost_breaches(row, now),
            *_drift_breaches(row, monitoring),
            *_price_breaches(row, monitoring, now),
            *_price_changes(row, monitoring, now),
            *_listed_retirements(row, now),
        )
    ]
    keys = {breach.sighting.key for breach in breaches}
    _settle_outdated([finding for finding in open_before if finding.key not in keys], by, now)
    recorded = set(Finding.objects.filter(key__in=keys).values_list("key", flat=True))
    new = {breach.sighting.key: breach for breach in breaches if breach.sighting.key not in recorded}
    raised = [_raise(breach, by, now) for breach in new.values()]
    raised += [_evaluate_on_bills(exceeded, by, now) for exceeded in exceeded_clearances(now=now)]
    return [finding for finding in raised if finding is not None]


def _settle_outdated(outdated: list[Finding], by: User | None, now: datetime) -> None:
    """Close findings of outdated prices and unannounced retirements that no longer apply."""
    for finding in outdated:
        findings.resolve(finding=finding, note=OUTDATED_NOTES[finding.kind], by=by, now=now)


def _raise(breach: _Breach, by: User | None, now: datetime) -> Finding | None:
    """Raise the finding. None if the authorization has ended meanwhile or another process raised it first."""
    sighting = breach.sighting
    with transaction.atomic():
        row = Authorization.objects.select_for_update().get(pk=breach.authorization.pk)
        if row.state not in IN_FORCE or Finding.objects.filter(key=sighting.key).exists():
            return None
        if breach.needs_re_review:
            re_review = re_reviews.open_re_review(authorization=row, sighting=sighting, by=by, now=now)
            finding = re_review.finding
        else:
            finding = findings.raise_once(sighting=sighting, by=by, now=now)
        details = {"finding": str(finding), "kind": sighting.kind}
        subject = ("authorization", row.number)
        audit.record(kind="authorization.doubted", by=by, subject=subject, details=details, now=now)
    return finding


def _evaluate_on_bills(exceeded: ExceededClearance, by: User | None, now: datetime) -> Finding | None:
    """Keep the billed amount as a metric value, raise the finding, and evaluate the policy again.

    None if the request was found before, or if it is no longer cleared.
    """
    sighting = _sighting_of(exceeded)
    with transaction.atomic():
        row = lock(exceeded.request)
        of_bills = row.metric_records.filter(name=COST_METRIC, basis=Basis.BILLED)
        if row.state != RequestState.CLEARED or of_bills.filter(value__gte=exceeded.billed_usd).exists():
            return None
        is_first = not Finding.objects.filter(key=sighting.key).exists()
        MetricRecord.objects.create(
            request=row,
            name=COST_METRIC,
            value=exceeded.billed_usd,
            unit="USD",
            basis=Basis.BILLED,
            source=sighting.source,
            observed_at=now,
        )
        finding = findings.raise_once(sighting=sighting, by=by, now=now)
        details, reason = {"value": str(exceeded.billed_usd)}, f"{finding}: {sighting.text}"
        record(kind="metric_value.billed", request=row, by=by, now=now, details=details, reason=reason)
        screening.evaluate_again(request=row, occasion="bills", by=by, now=now)
    return finding if is_first else None


def _sighting_of(exceeded: ExceededClearance) -> Sighting:
    ref, others = exceeded.request.ref, exceeded.others_usd
    text = (
        f"{ref} was cleared for {format_usd(exceeded.cleared_usd)} a year, and {format_usd(exceeded.billed_usd)} was "
        f"billed until {exceeded.until:%d %B %Y}. "
    )
    if others:
        text += f"The {format_usd(others)} for which the model has other clearances are not part of it. "
    if exceeded.apart:
        text += f"Not converted: {exceeded.apart}. "
    return Sighting(
        kind="cost.breach",
        subject=ref,
        text=f"{text}File a review with the current costs of the model, or reduce its costs.",
        severity=Severity.HIGH,
        source=f"bills until {exceeded.until}",
        key=f"cost.breach:{ref}",
    )


def _cost_breaches(row: Authorization, now: datetime) -> Iterator[tuple[BreachKind, Sighting]]:
    request = row.decision.request
    for month in comparison.months_of_request(request, now=now):
        if month.status is not MonthStatus.BREACH or month.limit is None or month.billed is None:
            continue
        text = (
            f"{format_usd(month.billed)} was billed for {month.month:%B %Y}, and {format_usd(month.limit)} is the most "
            f"that was projected. Review {request.ref} again: file a request with the current costs of the model, or "
            "reduce its costs."
        )
        yield (
            BreachKind.COST,
            _sighting(row, "cost.breach", f"{month.month:%Y-%m}", text, f"bills of {month.month:%Y-%m}"),
        )


def _drift_breaches(row: Authorization, monitoring: Monitoring) -> Iterator[tuple[BreachKind, Sighting]]:
    request, catalog = row.decision.request, catalog_in_force()
    approved = {
        record.name: copy_of(record, Metric)
        for record in request.metric_records.filter(basis=Basis.MEASURED).order_by("pk")
    }
    new_runs = Run.objects.filter(
        model_version__digest=row.subject_digest,
        state=JobState.DONE,
        verdict=RunVerdict.VALID,
        created_at__gt=row.issued_at,
    )
    for run in new_runs.order_by("pk"):
        for drift in drifts(approved, metrics_of(run.result or {}), catalog=catalog, slack=monitoring.drift):
            text = (
                f"Run {run.pk} measured {catalog[drift.name].title} {drift.now.normalize():f}; "
                f"{drift.then.normalize():f} was approved. The value is worse beyond statistical doubt, "
                f"and by more than {number_text(monitoring.drift_percent)} %. Review {request.ref} again."
            )
            yield drift.breach, _sighting(row, "drift", drift.name, text, f"run {run.pk}")


def _price_breaches(row: Authorization, monitoring: Monitoring, now: datetime) -> Iterator[tuple[BreachKind, Sighting]]:
    request = row.decision.request
    latest = projections.latest(request)
    if latest is None or now - latest.projection.kept_at <= timedelta(days=monitoring.prices_valid_days):
        return
    text = (
        f"The prices of {request.ref} date from {latest.projection.kept_at:%d %B %Y}, more than "
        f"{monitoring.prices_valid_days} days ago. "
        "Project its costs at current prices, and review it again if they have changed."
    )
    if words := price_words(latest.projection.document):
        text += f" They are: {words}."
    yield BreachKind.PRICES, _sighting(row, "prices.expired", str(latest.number), text, f"projection {latest.number}")


def _price_changes(row: Authorization, monitoring: Monitoring, now: datetime) -> Iterator[tuple[BreachKind, Sighting]]:
    """One breach for each managed model whose price moved beyond the limit, and one more for each further limit."""
    for change in price_changes.changes_of(row, limit=monitoring.price_change, now=now):
        text = (
            f"The price of {change.sku} changed since {row.issued_at:%d %B %Y}: {change.words}. {change.effect} "
            f"Review {row.decision.request.ref} again at the new price, or switch to another model."
        )
        what, source = f"{change.sku}:{change.step:+d}"[:100], f"price book of {now:%Y-%m-%d}"
        yield BreachKind.PRICE_CHANGE, _sighting(row, "prices.changed", what, text, source)


def _listed_retirements(row: Authorization, now: datetime) -> Iterator[tuple[BreachKind, Sighting]]:
    for sku, listed in listed_retirements.unannounced(row, now=now):
        successor = f" The provider names {listed.successor} as its successor." if listed.successor else ""
        text = (
            f"The price book says that {sku} is retired on {listed.on:%d %B %Y} ({listed.source}). Nobody announced it "
            f"here, so that the gate would allow {row.number} beyond that day.{successor} Check the page of the "
            "provider, announce the retirement on the page of the model, and review "
            f"{row.decision.request.ref} again."
        )
        source = f"price book of {now:%Y-%m-%d}"
        yield BreachKind.RETIREMENT, _sighting(row, UNANNOUNCED, f"{sku}:{listed.on}"[:100], text, source)


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
