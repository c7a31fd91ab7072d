"""Change a draft to what a file says now; what is the same already is left alone."""

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from reviews.requests.models import ReviewRequest
from reviews.requests.queries.filings import Filing
from reviews.workflow.actions import evidence, requests
from reviews.workflow.actions.evidence import STATED_BY_PEOPLE, StatedValue
from weighbridge.core.errors import Refused

COMPARED = ("value", "unit", "basis", "lower", "upper", "confidence", "n", "source")


def update_draft(
    *, request: ReviewRequest, filing: Filing, statements: Iterable[StatedValue] = (), by: User, now: datetime
) -> ReviewRequest:
    """Change the fields of a draft and state the metric values that differ from the last ones; all of it, or nothing.

    A second call with the same content leaves no event. The error of a metric value names its place.
    """
    with transaction.atomic():
        row = requests.edit(request=request, filing=filing, by=by, now=now)
        for place, statement in enumerate(statements):
            if not _is_stated(row, statement):
                try:
                    evidence.state_metric_value(request=row, statement=statement, by=by, now=now)
                except Refused as refusal:
                    refusal.field = f"metric_values[{place}].{refusal.field or 'name'}"
                    raise
    return row


def _is_stated(row: ReviewRequest, statement: StatedValue) -> bool:
    """Whether the last claim of the metric says the same."""
    claims = row.metric_records.filter(name=statement.name, basis__in=[basis.value for basis in STATED_BY_PEOPLE])
    last = claims.order_by("-pk").first()
    return last is not None and all(getattr(last, name) == getattr(statement, name) for name in COMPARED)
