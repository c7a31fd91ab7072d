"""Store how many requests a model answered per month, and let a worker compute a back-test."""

from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from governance.jobs import outbox
from governance.jobs.models import OutboxMessage
from governance.people.queries.people import person_of
from reviews.authorizations.models import Authorization
from reviews.evidence.domain.comparison import months_of
from reviews.evidence.domain.traffic_file import DIGITS_MAX, ROWS_MAX, MonthTraffic
from reviews.evidence.models import Traffic
from reviews.evidence.queries.backtests import stored
from reviews.evidence.queries.backtests.backtest import BacktestQuestion
from reviews.evidence.rules import check_backtest
from reviews.requests.audit import record
from reviews.requests.models import ReviewRequest
from reviews.scorecard.rules import check_edit_scorecard
from weighbridge.core.errors import Invalid, WrongState


def supply_traffic(
    *, request: ReviewRequest, months: Sequence[MonthTraffic], channel: str, by: User, now: datetime
) -> list[Traffic]:
    """Store the number of requests for months of an authorization: all of them or none.

    If a month is supplied again, the latest number counts.
    """
    check_edit_scorecard(person_of(by), team=request.team.slug)
    if not 1 <= len(months) <= ROWS_MAX:
        raise Invalid(f"Supply 1 to {ROWS_MAX} months at a time, not {len(months):,}.", field="traffic")
    authorization = Authorization.objects.filter(decision__request=request).first()
    if authorization is None:
        raise WrongState(
            "Requests can only be supplied after the authorization, and there is none yet.", code="no_authorization"
        )
    for row in months:
        _check(row, authorization, now)
    with transaction.atomic():
        rows = [
            Traffic.objects.create(
                request=request,
                month=row.month,
                requests=row.requests,
                channel=channel,
                source=row.source[:200],
                supplied_by=by,
                supplied_at=now,
            )
            for row in months
        ]
        details = {"channel": channel, "requests": {f"{row.month:%Y-%m}": row.requests for row in rows}}
        record(kind="traffic.supplied", request=request, by=by, now=now, details=details)
    return rows


def start_backtest(*, asked: BacktestQuestion, by: User, now: datetime) -> OutboxMessage:
    """Let a worker compute the back-test of today; asked for again, it stays the one."""
    check_backtest(person_of(by))
    key, version, against = stored.key_of(asked, now=now), asked.version, asked.against
    payload = {"name": version.name, "number": version.number, "against": against.number}
    payload["quarters"] = len(asked.quarters)
    with transaction.atomic():
        message = outbox.enqueue(kind=stored.KIND, key=key, lane=key, payload=payload, now=now)
        if message.created_at == now:
            details = {"against": str(against), "quarters": len(asked.quarters)}
            audit.record(
                kind="policy.backtest_started", by=by, subject=("policy", str(version)), details=details, now=now
            )
    return message


def _check(row: MonthTraffic, authorization: Authorization, now: datetime) -> None:
    prefix = f"Row {row.row}: " if row.row else ""
    months = months_of(authorization.issued_at.date(), today=now.date())
    if row.month not in months:
        hint = f"use {months[0]:%Y-%m} to {months[-1]:%Y-%m}" if months else "its first whole month has not begun"
        raise Invalid(f"{prefix}{row.month:%Y-%m} is not a month of {authorization.number}; {hint}.", field="month")
    if not 0 <= row.requests < 10**DIGITS_MAX:
        raise Invalid(f"{prefix}The number of requests must be from 0 to below 10^{DIGITS_MAX}.", field="requests")
