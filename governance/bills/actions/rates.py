"""Writes of exchange rates."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from governance.bills.actions.allocation import ASSIGN
from governance.bills.domain.currencies import CurrencyRate, check_rate
from governance.bills.models import ExchangeRate
from governance.bills.queries.spend import teams_billed_in
from governance.bills.rules import check_handle_bills
from governance.budgets.domain.second_person import MoneyStep, reasons_for_second_person
from governance.jobs import outbox
from governance.people.queries.membership import team_slugs_of
from governance.people.queries.people import person_of
from weighbridge.core.errors import Invalid, NotAllowed


def set_rate(*, rate: CurrencyRate, by: User, now: datetime) -> ExchangeRate:
    """Store a rate; of several for one day, the last one counts. A worker then recalculates the affected months.

    Nobody sets a rate of a currency in which their own team is billed.
    """
    check_handle_bills(person_of(by))
    check_rate(rate)
    _check_not_own(rate, by, now)
    if rate.on > now.date():
        raise Invalid("The day of a rate must not be in the future.", field="on")
    with transaction.atomic():
        row = ExchangeRate.objects.create(
            currency=rate.currency, on=rate.on, usd=rate.usd, source=rate.source.strip(), set_by=by, set_at=now
        )
        details = {"on": rate.on.isoformat(), "usd": str(rate.usd), "source": row.source}
        payload = {"cause": f"rate:{row.pk}"}
        outbox.enqueue(kind=ASSIGN, key=f"{ASSIGN}:rate:{row.pk}", lane="bills", payload=payload, now=now)
        audit.record(kind="rate.set", by=by, subject=("rate", rate.currency), details=details, now=now)
    return row


def _check_not_own(rate: CurrencyRate, by: User, now: datetime) -> None:
    own_teams = team_slugs_of(person_of(by), now=now)
    step = MoneyStep(own_teams=own_teams, raised_teams=teams_billed_in(rate.currency))
    if reasons := reasons_for_second_person(step):
        refused = f"This rate changes amounts that were billed in {rate.currency}, and {reasons[0]}."
        raise NotAllowed(f"{refused} Another person who handles bills must set it.", code="own_team")
