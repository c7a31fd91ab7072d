"""Reads of one account's bookings, with what each left available."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from governance.domain import ledger
from governance.domain.ledger import Balance
from governance.domain.refusals import NotFound
from governance.domain.roles import Person
from governance.domain.tables import Table
from governance.models import BudgetAccount
from governance.queries.budgets import entries_of
from governance.rules import may_see_budget

COLUMNS = ("Booked", "Booking", "Request", "By", "Amount", "Change", "Available after", "Note")
_SIGNS = {"allocate": 1, "reserve": -1, "commit": -1, "release": 1}


@dataclass(frozen=True)
class Line:
    """One booking; `change` is what it did to the amount available, `available` what was left after it."""

    kind: str
    amount: Decimal
    change: Decimal
    available: Decimal
    request_ref: str
    note: str
    booked_by: str
    booked_at: datetime


@dataclass(frozen=True)
class Statement:
    """An account with its balance and its lines, newest first."""

    team: str
    team_name: str
    quarter: str
    unit: str
    balance: Balance
    lines: tuple[Line, ...]


def statement(*, team: str, quarter: str, unit: str) -> Statement:
    """The account's statement, or NotFound where it was never opened."""
    account = BudgetAccount.objects.select_related("team").filter(team__slug=team, quarter=quarter, unit=unit).first()
    if account is None:
        raise NotFound(f"The team {team} has no {unit} account for {quarter}.")
    balance = ledger.balance(entries_of(account))
    return Statement(team, account.team.name, quarter, unit, balance, tuple(reversed(_lines(account))))


def find(*, team: str, quarter: str, unit: str, person: Person) -> Statement:
    """The statement; whoever may not see it is told what everybody is told of an account that was never opened."""
    if not may_see_budget(person, team=team):
        raise NotFound(f"The team {team} has no {unit} account for {quarter}.")
    return statement(team=team, quarter=quarter, unit=unit)


def table(statement: Statement) -> Table:
    """Every booking of the account as a table, newest first."""
    name = f"ledger-{statement.team}-{statement.quarter}-{statement.unit}"
    rows = (
        (
            line.booked_at, line.kind, line.request_ref, line.booked_by, line.amount, line.change, line.available,
            line.note,
        )
        for line in statement.lines
    )  # fmt: skip
    return Table(name, COLUMNS, rows, len(statement.lines))


def quarters() -> list[str]:
    """Every quarter with an account, latest first."""
    return list(BudgetAccount.objects.order_by("-quarter").values_list("quarter", flat=True).distinct())


def _lines(account: BudgetAccount) -> list[Line]:
    available, lines = Decimal(0), []
    for row in account.entries.select_related("booked_by").order_by("pk"):
        change = row.amount * _SIGNS[row.kind]
        available += change
        person = row.booked_by
        name = (person.get_full_name() or person.username) if person else "system"
        lines.append(Line(row.kind, row.amount, change, available, row.request_ref, row.note, name, row.booked_at))
    return lines
