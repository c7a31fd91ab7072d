"""The burn-down of an account, from its postings."""

from datetime import UTC, date
from decimal import Decimal

from governance.budgets.domain import burn_down as pure
from governance.budgets.domain import ledger
from governance.budgets.domain.burn_down import BurnDown
from governance.budgets.domain.ledger import EntryKind
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import BudgetAccount
from governance.budgets.queries.budgets import allocations_below, entry_of, of_team
from governance.people.models import Team

_TITLES = {BudgetUnit.USD: "Money", BudgetUnit.GPU_H: "GPU hours"}


def burn_down(account: BudgetAccount, *, today: date, this: Decimal = ledger.ZERO, without: str = "") -> BurnDown:
    """The burn-down of an account, as if the request `without` held nothing.

    `this` is the amount that its approval takes, less what it releases.
    What expires when the account is closed, after its quarter, was available until the end of it.
    """
    rows = [row for row in account.entries.order_by("pk") if not without or row.request_ref != without]
    booked = [(row.booked_at.astimezone(UTC).date(), entry_of(row)) for row in rows]
    kept = [(day, entry) for day, entry in booked if not (entry.kind == EntryKind.EXPIRE and entry.is_of_the_account)]
    below = allocations_below(account)
    days, entries = [day for day, _ in kept], [entry for _, entry in kept]
    return pure.burn_down(
        zip(days, ledger.changes_of_available(entries), strict=True),
        ledger.balance(entries, allocated_below=ledger.allocated(below) + ledger.expired(below)),
        title=f"{account.center.name}, {_TITLES[BudgetUnit(account.unit)]}",
        unit=account.unit,
        quarter=Quarter.parse(account.quarter),
        today=today,
        this=this,
    )


def burn_down_of(
    *, team: Team, quarter: str, unit: str, today: date, this: Decimal = ledger.ZERO, without: str = ""
) -> BurnDown | None:
    """The burn-down of the account of a team; None if it has no account in this quarter."""
    rows = BudgetAccount.objects.select_related("center").filter(of_team(team=team, quarter=quarter), unit=unit)
    account = rows.first()
    return None if account is None else burn_down(account, today=today, this=this, without=without)
