"""Posts the cost and the GPU hours of allocated lines, by month, on the budget accounts of the teams."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal

from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from governance.bills.locking import lock_bills
from governance.bills.queries.month_postings import Posting, postings
from governance.budgets.actions import actuals
from governance.budgets.domain.actuals import Stated
from governance.budgets.domain.second_person import MoneyStep, reasons_for_second_person
from governance.budgets.models import BudgetAccount
from governance.budgets.queries.budgets import balance_of, team_of
from governance.people.queries.membership import team_slugs_of
from governance.people.queries.people import person_of
from weighbridge.core.errors import WrongState
from weighbridge.core.money import CENT, format_amount


def post_months(
    *, months: Iterable[date], cause: str, sender: User | None = None, by: User | None = None, now: datetime
) -> int:
    """Update the ledger to the effective cost of these months (their first days). Returns the number of new postings.

    `cause` names what changed, like `bill:7`; a repeated cause posts nothing new. Amounts without an account for their
    team and quarter, or without an exchange rate, are not posted; the audit event lists them. Raises WrongState if the
    postings make more available to a team of `sender`, who sent the bill.
    """
    with transaction.atomic():
        lock_bills()
        booked, homeless = 0, []
        found = postings(months=sorted(set(months)))
        before = {account: balance_of(account).available for account in _own_accounts(sender, found, now)}
        for posting in found:
            if posting.account is None:
                homeless.append(str(posting))
            elif _differs(posting):
                key = f"{cause}:{posting.account.pk}:{posting.period}:{posting.request_ref}"
                stated = Stated(period=posting.period, amount=_hundredths(posting), request_ref=posting.request_ref)
                actuals.book_actual(account=posting.account, stated=stated, key=key, source=cause, by=by, now=now)
                booked += 1
        for account, available in before.items():
            _check_not_more(account, balance_of(account).available - available)
        details = {"booked": booked, "without_account": sorted(homeless)[:50]}
        audit.record(kind="bills.stated", by=by, subject=("bills", cause), details=details, now=now)
    return booked


def _own_accounts(sender: User | None, found: Iterable[Posting], now: datetime) -> set[BudgetAccount]:
    """The accounts of the sender's own teams."""
    own_teams = team_slugs_of(person_of(sender), now=now) if sender else frozenset[str]()
    return {each.account for each in found if each.account is not None and each.team in own_teams}


def _check_not_more(account: BudgetAccount, more: Decimal) -> None:
    own = {team_of(account)}
    (reason,) = reasons_for_second_person(MoneyStep(own_teams=own, raised_teams=own))
    if more > 0:
        raise WrongState(
            f"This file would make {format_amount(more, unit=account.unit)} more available on {account}, and "
            f"{reason}. Another person who handles bills must send it.",
            code="own_team",
        )


def _hundredths(posting: Posting) -> Decimal:
    return posting.amount.quantize(CENT, rounding=ROUND_HALF_EVEN)


def _differs(posting: Posting) -> bool:
    """Whether the ledger has another amount, or none, for the month."""
    return posting.stated is None or posting.stated != _hundredths(posting)
