"""What bills, fresh runs and old prices say against an authorisation: a finding for each, once."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from benchmarking.enums import Verdict
from benchmarking.models import Run
from benchmarking.queries.runs import metrics_of
from governance import audit
from governance.actions import findings
from governance.actions.findings import Sighting
from governance.domain.facts import Basis
from governance.domain.money import format_usd
from governance.enums import FindingState, JobState, Severity
from governance.models import Finding
from reviews.domain.comparison import Standing
from reviews.domain.drift import Reading, drifts
from reviews.domain.lifecycle import IN_FORCE
from reviews.domain.old_prices import price_words
from reviews.models import Authorisation
from reviews.queries import comparison, projections

PRICES_AGE = timedelta(days=180)
FRESH = (
    "The costs were projected again since, or the authorisation is not in force any more: these prices decide nothing."
)


def look(*, by: User | None = None, now: datetime) -> list[Finding]:
    """Compare every authorisation in force with what is known now; the findings that are new."""
    held = Authorisation.objects.filter(state__in=[state.value for state in IN_FORCE]).select_related(
        "decision__request__team", "decision__request__model_version__asset__team"
    )
    seen = [
        (row, sighting)
        for row in held.order_by("pk")
        for sighting in (*_of_bills(row, now), *_of_runs(row), *_of_prices(row, now))
    ]
    _settle({sighting.key for _, sighting in seen}, by, now)
    known = set(Finding.objects.filter(key__in=[sighting.key for _, sighting in seen]).values_list("key", flat=True))
    fresh = {sighting.key: (row, sighting) for row, sighting in seen if sighting.key not in known}
    return [_raise(row, sighting, by, now) for row, sighting in fresh.values()]


def _settle(standing: set[str], by: User | None, now: datetime) -> None:
    """Close the findings of old prices that hold no more, so that at most one is open for each authorisation."""
    rows = Finding.objects.filter(kind="prices.expired", state=FindingState.OPEN).exclude(key__in=standing)
    for finding in rows.order_by("pk"):
        findings.settle(finding=finding, note=FRESH, by=by, now=now)


def _raise(row: Authorisation, sighting: Sighting, by: User | None, now: datetime) -> Finding:
    with transaction.atomic():
        finding = findings.raise_once(sighting=sighting, by=by, now=now)
        details = {"finding": str(finding), "kind": sighting.kind}
        subject = ("authorisation", row.number)
        audit.record(kind="authorisation.doubted", by=by, subject=subject, details=details, now=now)
    return finding


def _of_bills(row: Authorisation, now: datetime) -> Iterator[Sighting]:
    request = row.decision.request
    for month in comparison.months_of_request(request, now=now):
        if month.standing is not Standing.BREACH or month.projected is None or month.billed is None:
            continue
        text = (
            f"{format_usd(month.billed)} was billed for {month.month:%B %Y}, and {format_usd(month.projected.limit)} is the most "
            f"that was projected. Review {request.ref} again: file a request for what the model costs now, or have its cost brought down."
        )
        yield _sighting(row, "cost.breach", f"{month.month:%Y-%m}", text, f"bills of {month.month:%Y-%m}")


def _of_runs(row: Authorisation) -> Iterator[Sighting]:
    request = row.decision.request
    approved = {
        fact.name: Reading(fact.name, fact.value, fact.lower, fact.upper)
        for fact in request.facts.filter(basis=Basis.MEASURED).order_by("pk")
    }
    fresh = Run.objects.filter(
        model_version__digest=row.subject_digest,
        state=JobState.DONE,
        verdict=Verdict.VALID,
        created_at__gt=row.issued_at,
    )
    for run in fresh.order_by("pk"):
        readings = [Reading(each.name, each.value, each.lower, each.upper) for each in metrics_of(run.result or {})]
        for drift in drifts(approved, readings):
            text = (
                f"Run {run.pk} measured {drift.name} {drift.now.normalize():f}; {drift.then.normalize():f} was approved. That is worse "
                f"beyond doubt and by more than a tenth. Review {request.ref} again."
            )
            yield _sighting(row, "drift", drift.name, text, f"run {run.pk}")


def _of_prices(row: Authorisation, now: datetime) -> Iterator[Sighting]:
    request = row.decision.request
    latest = projections.latest(request)
    if latest is None or now - latest.projection.kept_at <= PRICES_AGE:
        return
    text = (
        f"The prices of {request.ref} are those of {latest.projection.kept_at:%d %B %Y}, more than {PRICES_AGE.days} days ago. Project its "
        "costs at the prices of today, and review it again if they have moved."
    )
    if words := price_words(latest.projection.document):
        text += f" They are: {words}."
    yield _sighting(row, "prices.expired", str(latest.number), text, f"projection {latest.number}")


def _sighting(row: Authorisation, kind: str, what: str, text: str, source: str) -> Sighting:
    request = row.decision.request
    return Sighting(
        kind=kind, subject=f"{request.ref} ({row.number})", text=text, severity=Severity.HIGH if kind != "prices.expired" else Severity.LOW,
        source=source, key=f"{kind}:{row.number}:{what}",
    )  # fmt: skip
