"""Cost projections of a request: stated by people, drawn anew when a benchmark has measured what was assumed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from benchmarking.projections import actions as kept
from benchmarking.projections.models import CostProjection
from benchmarking.runs.models import Run
from governance.bills.domain.variance.calibration import Widening
from governance.people.queries.people import person_of
from reviews.evidence.domain.projected import CONFIDENCE, ProjectedValue, projected_metric_values, widened_metric_values
from reviews.evidence.models import MetricRecord, RequestProjection
from reviews.evidence.queries import comparison
from reviews.evidence.queries.projections import Redrawn, latest, measuring_run, redrawn
from reviews.requests.audit import record
from reviews.requests.locking import lock
from reviews.requests.models import ReviewRequest
from reviews.snapshots.queries.allowed_steps import check_can_state_evidence
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.workflow.actions import screening
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics import Basis

SOURCE_CHARS_MAX = 300


def state(
    *, request: ReviewRequest, projection: CostProjection, option: str, widen: bool = False, by: User, now: datetime
) -> RequestProjection:
    """Let a projection speak for the request's costs: its metric values become estimates, its prices stay pinned.

    Where a benchmark has measured the service time already, the projection is drawn anew with it at once. The same
    projection and option again, as wide as before, is the same row. `widen` asks for ranges of the yearly costs as wide
    as billed months of earlier projections of the team, or of the person, ask for; Invalid where too few are known.
    """
    with transaction.atomic():
        row = lock(request)
        check_can_state_evidence(snapshot_of(row, now=now), person=person_of(by))
        projected_metric_values(projection.document, option=option)
        widening = _asked_for(row, by, now) if widen else None
        before = latest(row)
        again = (projection.pk, option, widening)
        if before is not None and (before.projection_id, before.option, _widening_of(before)) == again:
            return before
        stated = _add(row, projection, option, widening=widening, run=None, changes={}, by=by, now=now)
        screening.evaluate_again(request=row, occasion="projection stated", by=by, now=now)
    run = measuring_run(request)
    if run is not None:
        take_redrawn(request=request, run=run, drawn=redrawn(request=request, run=run), now=now)
    return stated


def take_redrawn(
    *, request: ReviewRequest, run: Run, drawn: Redrawn | None, by: User | None = None, now: datetime
) -> RequestProjection | None:
    """Put a projection with measured service times in the place of the one it was made from, once for each run.

    Nothing happens where there is nothing to draw, where another projection was stated meanwhile, or twice.
    """
    if drawn is None:
        return None
    with transaction.atomic():
        row = lock(request)
        before = latest(row)
        is_known = row.projections.filter(run=run).exists()
        if before is None or before.number != drawn.number or is_known:
            return None
        if drawn.why_not:
            details = {"run": run.pk, "projection": drawn.number}
            record(kind="projection.not_redrawn", request=row, by=by, now=now, details=details, reason=drawn.why_not)
            return None
        projection = kept.store(spec=drawn.spec, document=drawn.document, by=None, now=now)
        stated = _add(
            row,
            projection,
            drawn.option,
            widening=_widening_of(before),
            run=run,
            changes=drawn.changes,
            by=None,
            now=now,
        )
        screening.evaluate_again(request=row, occasion="projection redrawn", by=by, now=now)
    return stated


def _asked_for(request: ReviewRequest, by: User, now: datetime) -> Widening | None:
    """What the past asks for; None where it is content with ranges as they are projected."""
    found = comparison.widening_for(request=request, estimator=by, now=now)
    if found is None:
        raise Invalid(
            "Fewer than nine billed months of earlier projections with a range are known, of the team and of "
            "yourself: state it as "
            "it is projected.",
            field="widen",
            code="too_few_months",
        )
    return found if found.factor > 1 else None


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
            **_columns(metric_value),
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


def _columns(metric_value: ProjectedValue) -> dict[str, Any]:
    return {name: value for name, value in vars(metric_value).items() if name != "note"}
