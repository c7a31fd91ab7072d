"""Writes of evidence by benchmarks: the results of finished runs become measured metric values."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from benchmarking.runs.domain.metrics import metrics_of
from benchmarking.runs.enums import RunVerdict
from benchmarking.runs.models import Run
from governance.findings import actions as findings
from governance.findings.actions import Sighting
from governance.findings.enums import Severity
from governance.people.domain.roles import Role
from governance.people.queries.people import people_with
from governance.rulebook.domain.benchmark_plans import ScenarioName
from governance.rulebook.queries.catalogs import catalog_in_force
from reviews.evidence.domain.attested import inflated
from reviews.evidence.locking import lock_all
from reviews.evidence.models import AttestedStatement, MetricRecord
from reviews.evidence.queries.evidence import doubt_about_data, metric_value_of
from reviews.evidence.queries.projections import recalculate
from reviews.requests.audit import record
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import projections, screening
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.catalog import MetricCatalog, MetricGroup, Producer
from weighbridge.core.metrics.values import check_metric_value

MEASURED_VALID = timedelta(days=180)
SOURCE_CHARS_MAX = 300
ANSWER_DAYS = 14
ENDED = frozenset({RequestState.DECIDED, RequestState.WITHDRAWN, RequestState.EXPIRED})


def record_measurements(
    *, request: ReviewRequest, run: Run, by: User | None = None, now: datetime
) -> list[MetricRecord]:
    """Store the results of a finished run as measured metric values, and evaluate the policy again.

    A run without a valid or indicative verdict adds nothing. A cost projection with an assumed service time is
    recalculated with the measured one.
    """
    recalculated = recalculate(request=request, run=run)
    with transaction.atomic():
        row = lock_all(request=request, now=now)
        recorded = list(row.metric_records.filter(run=run))
        if recorded:
            return recorded
        catalog = catalog_in_force()
        metric_values = _metric_values(row, run, catalog, now)
        why_not = _why_refused(row, run, metric_values, catalog)
        if why_not:
            details = {"run": run.pk, "state": run.state, "verdict": run.verdict}
            record(kind="evidence.refused", request=row, by=by, now=now, details=details, reason=why_not[:1000])
            return []
        metric_values = MetricRecord.objects.bulk_create(metric_values)
        names = [metric_value.name for metric_value in metric_values]
        details = {"run": run.pk, "verdict": run.verdict, "result": run.result_digest, "metric_values": names}
        record(kind="evidence.measured", request=row, by=by, now=now, details=details)
        if row.state == RequestState.IN_REVIEW and metric_values:
            screening.reopen(
                request=row, reason="New measurements arrived; the votes so far are void.", by=None, now=now
            )
        _report_inflated(row, metric_values, catalog, now)
        screening.evaluate_again(request=row, occasion="evidence", now=now)
        projections.store_recalculated(request=row, run=run, recalculated=recalculated, by=by, now=now)
    return metric_values


def _report_inflated(
    request: ReviewRequest, measured: Sequence[MetricRecord], catalog: MetricCatalog, now: datetime
) -> None:
    """Raise a finding if attested values are more favorable than the measurement allows."""
    own = {row.name: metric_value_of(row) for row in measured if row.basis == Basis.MEASURED}
    rows = request.metric_records.filter(basis=Basis.ATTESTED, name__in=own).select_related("statement").order_by("pk")
    for row in rows:
        found = inflated([metric_value_of(row)], measured=own, catalog=catalog)
        if found and row.statement is not None:
            findings.raise_once(sighting=_sighting(request, row, row.statement, found[0], now), by=None, now=now)


def _sighting(
    request: ReviewRequest, row: MetricRecord, statement: AttestedStatement, what: str, now: datetime
) -> Sighting:
    text = (
        f"{what} {statement.key_name} ({statement.signer}) signed the result of {statement.tool}. Find out why, and "
        "take the key out of the policy if it signs what was not measured."
    )
    return Sighting(
        kind="attested.inflated",
        subject=request.ref,
        text=text,
        severity=Severity.HIGH,
        source=f"run of {request.ref}",
        key=f"attested.inflated:{statement.digest}:{row.name}",
        owner=next(iter(people_with(Role.PLATFORM_LEAD)), None),
        due_on=now.date() + timedelta(days=ANSWER_DAYS),
    )


def _metric_values(request: ReviewRequest, run: Run, catalog: MetricCatalog, now: datetime) -> list[MetricRecord]:
    source = f"run {run.pk}, {run.scenario}"
    doubt = doubt_about_data(request, data=run.dataset)
    basis = Basis.DECLARED if doubt else Basis.MEASURED
    on_data = (f"{source}, on {run.dataset}" if run.dataset else source) + (f". Not measured: {doubt}" if doubt else "")
    return [
        MetricRecord(
            request=request,
            **vars(metric),
            basis=basis if _is_of_quality(metric.name, catalog) else Basis.MEASURED,
            source=on_data[:SOURCE_CHARS_MAX] if _is_of_quality(metric.name, catalog) else source,
            run=run,
            observed_at=now,
            valid_until=now + MEASURED_VALID,
        )
        for metric in metrics_of(run.result or {})
        if metric.name in catalog and _is_measured_by(metric.name, metric.unit, run, catalog)
    ]


def _is_of_quality(name: str, catalog: MetricCatalog) -> bool:
    return catalog[name].group is MetricGroup.QUALITY


def _is_measured_by(name: str, unit: str, run: Run, catalog: MetricCatalog) -> bool:
    """Whether a benchmark measures the metric, and of single requests: other scenarios time a whole query."""
    definition = catalog[name]
    if unit != definition.unit or definition.is_retired:
        return False
    if Producer.BENCHMARK not in definition.producers or Basis.MEASURED not in definition.bases:
        return False
    return run.scenario == ScenarioName.SINGLE_STREAM or not name.startswith("latency_")


def _why_refused(
    request: ReviewRequest, run: Run, metric_values: Sequence[MetricRecord], catalog: MetricCatalog
) -> str:
    """Why a run cannot be evidence for the request; "" if it can."""
    state = RequestState(request.state)
    if state in ENDED:
        return f"The request is {state.words}, so the result of its run {run.pk} is no longer accepted."
    if run.verdict not in {RunVerdict.VALID, RunVerdict.INDICATIVE}:
        reasons = [reason["message"] for reason in (run.result or {}).get("verdict", {}).get("reasons", [])]
        return run.error or "; ".join(reasons) or f"Run {run.pk} ended {run.state}, without a result."
    try:
        for metric_value in metric_values:
            check_metric_value(metric_value_of(metric_value), catalog=catalog)
    except Invalid as error:
        return f"Run {run.pk} reports an impossible metric value. {error.reason}"
    return ""
