"""On approval, add the KPIs of a request to the scorecard of its model, each KPI once."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from reviews.evidence.queries.projections import filed_kpis
from reviews.requests.models import ReviewRequest
from reviews.scorecard.domain.filed import FiledKpi
from reviews.scorecard.models import Kpi


def register(*, request: ReviewRequest, by: User, now: datetime) -> list[Kpi]:
    """Add the KPIs of the latest projection to the scorecard, in the caller's transaction; return the new ones.

    A KPI that is already on the scorecard stays unchanged, even if people changed or retired it.
    """
    with transaction.atomic():
        rows = [_get_or_create(request, line, by, now) for line in filed_kpis(request)]
        created = [row for row, is_new in rows if is_new]
        if created:
            asset = request.model_version.asset
            details = {"request": request.ref, "kpis": [row.slug for row in created]}
            subject = ("model", f"{asset.team.slug}/{asset.slug}")
            audit.record(kind="scorecard.kpi_filed", by=by, subject=subject, details=details, now=now)
    return created


def _get_or_create(request: ReviewRequest, line: FiledKpi, by: User, now: datetime) -> tuple[Kpi, bool]:
    asset = request.model_version.asset
    fields = {name: value for name, value in vars(line).items() if name != "slug"}
    return Kpi.objects.get_or_create(
        asset=asset, slug=line.slug, defaults=fields | {"owner": asset.owner, "set_by": by, "set_at": now}
    )
