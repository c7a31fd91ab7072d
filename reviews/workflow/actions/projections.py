"""Cost projections of a request: people state them; a benchmark that measures an assumed value recalculates them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from benchmarking.projections import actions as projection_actions
from benchmarking.projections.models import CostProjection
from benchmarking.runs.models import Run
from governance.bills.domain.variance.calibration import Widening
from governance.people.queries.people import person_of
from reviews.evidence.domain.projected import CONFIDENCE, projected_metric_values, widened_metric_values
from reviews.evidence.models import MetricRecord, RequestProjection
from reviews.evidence.queries import comparison
from reviews.evidence.queries.projections import RecalculatedProjection, latest, measuring_run, recalculate
from reviews.requests.audit import record
from reviews.requests.locking import lock
from reviews.requests.models import ReviewRequest
from reviews.snapshots.queries.allowed_steps import check_can_state_evidence
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.workflow.actions import screening
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.basis import Basis

SOURCE_CHARS_MAX = 300


def state(
    *, request: ReviewRequest, projection: CostProjection, option: str, widen: bool = False, by: User, now: datetime
) -> RequestProjection:
    """State a projection as the costs of the request: its metric values become estimates, and its prices stay fixed.

    If a benchmark has already measured the service time, the projection is recalculated with it at once. Stating the
    same projection and option with the same widening again returns the existing row. `widen` widens the ranges of the
    yearly costs as the billed months of earlier projections, of the team or the person, require. Raises Invalid if
    there are too few such months.
    """
    with transaction.atomic():
        row = lock(request)
        check_can_state_evidence(snapshot_of(row, now=now), person=person_of(by))
        projected_metric_values(projection.document, option=option)
        widening = _required_widening(row, by, now) if widen else None
        before = latest(row)
        same = (projection.pk, option, widening)
        if before is not None and (before.projection_id, before.option, _widening_of(before)) == same:
            return before
        stated = _add(row, projection, option, widening=widening, run=None, changes={}, by=by, now=now)
        screening.evaluate_again(request=row, occasion="projection stated", by=by, now=now)
    run = measuring_run(request)
    if run is not None:
        store_recalculated(request=request, run=run, recalculated=recalculate(request=request, run=run), now=now)
    return stated


def store_recalculated(
    *,
    request: ReviewRequest,
    run: Run,
    recalculated: RecalculatedProjection | None,
    by: User | None = None,
    now: datetime,
) -> RequestProjection | None:
    """Replace a projection with the one recalculated from measured service times, once for each run.

    Does nothing if `recalculated` is None, if another projection was stated meanwhile, or if the run was used before.
    """
    if recalculated is None:
        return None
    with transaction.atomic():
        row = lock(request)
        before = latest(row)
        is_stored = row.projections.filter(run=run).exists()
        if before is None or before.number != recalculated.number or is_stored:
            return None
        if recalculated.why_not:
            details = {"run": run.pk, "projection": recalculated.number}
            reason = recalculated.why_not
            record(kind="projection.not_redrawn", request=row, by=by, now=now, details=details, reason=reason)
            return None
        projection = projection_actions.store(spec=recalculated.spec, document=recalculated.document, by=None, now=now)
        stated = _add(
            row,
            projection,
            recalculated.option,
            widening=_widening_of(before),
            run=run,
            changes=recalculated.changes,
            by=None,
            now=now,
        )
        screening.evaluate_again(request=row, occasion="projection redrawn", by=by, now=now)
    return stated


def _required_widening(request: ReviewRequest, by: User, now: datetime) -> Widening | None:
    """The widening that past months require; None if the projected ranges are wide enough."""
    widening = comparison.widening_for(request=request, estimator=by, now=now)
    if widening is None:
        raise Invalid(
            "Fewer than nine billed months exist for earlier projections with a range, both of your team and your own; "
            "state the projection without widening it.",
            field="widen",
            code="too_few_months",
        )
    return widening if widening.factor > 1 else None


def _widening_of(row: RequestProjection) -> Widening | None:
    if row.widened_by is None or row.widened_on is None:
        return None
    return Widening(row.widened_by, row.widened_on)


def _add(
    row: ReviewRequest,
    projection: CostProjection,
    option: str,
    *,
    widening: Widening | None,
    run: Run | None,
    changes: Mapping[str, Any],
    by: User | None,
    now: datetime,
) -> RequestProjection:
    number = row.projections.count() + 1
    stated = RequestProjection.objects.create(
        request=row,
        number=number,
        projection=projection,
        option=option,
        run=run,
        changes=dict(changes),
        stated_by=by,
        stated_at=now,
        widened_by=widening.factor if widening else None,
        widened_on=widening.cases if widening else None,
    )
    measured = f", service time measured by run {run.pk}" if run is not None else ""
    source = f"projection {number}, option {option}, seed {projection.document['seed']}{measured}"
    metric_values = projected_metric_values(projection.document, option=option)
    if widening is not None:
        metric_values = widened_metric_values(metric_values, widening=widening)
    MetricRecord.objects.bulk_create(
        MetricRecord(
            request=row,
            **{name: value for name, value in vars(metric_value).items() if name != "note"},
            basis=Basis.ESTIMATED,
            confidence=CONFIDENCE,
            stated_by=by,
            observed_at=now,
            source=", ".join(filter(None, (source, metric_value.note)))[:SOURCE_CHARS_MAX],
        )
        for metric_value in metric_values
    )
    kind = "projection.stated" if run is None else "projection.redrawn"
    details = {
        "number": number,
        "option": option,
        "digest": projection.digest,
        "run": run.pk if run is not None else None,
        "snapshot": projection.document["snapshot"],
        "metric_values": [metric_value.name for metric_value in metric_values],
    }
    if widening is not None:
        details |= {"widened_by": widening.factor, "widened_on": widening.cases}
    record(kind=kind, request=row, by=by, now=now, details=details)
    return stated
