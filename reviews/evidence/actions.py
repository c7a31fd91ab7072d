"""How many requests a model answered in a month, all the months supplied or none."""

from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from governance.people.queries.people import person_of
from reviews.authorizations.models import Authorization
from reviews.evidence.domain.comparison import months_of
from reviews.evidence.domain.traffic_file import DIGITS_MAX, ROWS_MAX, Counted
from reviews.evidence.models import Traffic
from reviews.requests.audit import record
from reviews.requests.models import ReviewRequest
from reviews.scorecard.rules import check_keep_score
from weighbridge.core.errors import Invalid, WrongState


def supply(
    *, request: ReviewRequest, months: Sequence[Counted], channel: str, by: User, now: datetime
) -> list[Traffic]:
    """Supply the requests of months of an authorization; a month supplied again takes the place of the one before."""
    check_keep_score(person_of(by), team=request.team.slug)
    if not 1 <= len(months) <= ROWS_MAX:
        raise Invalid(f"Supply 1 to {ROWS_MAX} months at a time; these are {len(months):,}.", field="traffic")
    held = Authorization.objects.filter(decision__request=request).first()
    if held is None:
        raise WrongState(
            "Requests are counted from the authorization on, and there is none yet.", code="no_authorization"
        )
    for each in months:
        _check(each, held, now)
    with transaction.atomic():
        rows = [
            Traffic.objects.create(
                request=request,
                month=each.month,
                requests=each.requests,
                channel=channel,
                source=each.source[:200],
                supplied_by=by,
                supplied_at=now,
            )
            for each in months
        ]
        details = {"channel": channel, "requests": {f"{row.month:%Y-%m}": row.requests for row in rows}}
        record(kind="traffic.supplied", request=request, by=by, now=now, details=details)
    return rows


def _check(each: Counted, held: Authorization, now: datetime) -> None:
    where = f"Row {each.row}: " if each.row else ""
    known = months_of(held.issued_at.date(), today=now.date())
    if each.month not in known:
        taken = f"{known[0]:%Y-%m} to {known[-1]:%Y-%m} are taken" if known else "its first whole month has not begun"
        raise Invalid(f"{where}{each.month:%Y-%m} is no month of {held.number}; {taken}.", field="month")
    if not 0 <= each.requests < 10**DIGITS_MAX:
        raise Invalid(f"{where}The requests must be a number from 0 to below 10^{DIGITS_MAX}.", field="requests")
