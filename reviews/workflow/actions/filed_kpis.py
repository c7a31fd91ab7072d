"""The KPI map of an approved request goes on the scorecard of its model by itself, each line once."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from reviews.evidence.queries.projections import filed_kpis
from reviews.requests.models import ReviewRequest
from reviews.scorecard.domain.filed import FiledKpi
from reviews.scorecard.models import Kpi


def register(*, request: ReviewRequest, by: User, now: datetime) -> list[Kpi]:
    """The KPIs that are new on the scorecard: lines of the map that counts, in the caller's transaction.

    A KPI that is there already stays as it is, also one that people changed or retired.
    """
    with transaction.atomic():
        found = [_one(request, line, by, now) for line in filed_kpis(request)]
        made = [row for row, is_new in found if is_new]
        if made:
            asset = request.model_version.asset
            details = {"request": request.ref, "kpis": [row.slug for row in made]}
            subject = ("model", f"{asset.team.slug}/{asset.slug}")
            audit.record(kind="scorecard.kpi_filed", by=by, subject=subject, details=details, now=now)
    return made


def _one(request: ReviewRequest, line: FiledKpi, by: User, now: datetime) -> tuple[Kpi, bool]:
    asset = request.model_version.asset
    fields = {name: value for name, value in vars(line).items() if name != "slug"}
    return Kpi.objects.get_or_create(
        asset=asset, slug=line.slug, defaults=fields | {"owner": asset.owner, "set_by": by, "set_at": now}
    )
