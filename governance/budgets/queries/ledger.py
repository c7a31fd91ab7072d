"""Reads of one account's postings, with the amount available after each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import accumulate
from operator import attrgetter

from governance.budgets.domain import ledger
from governance.budgets.domain import quarter_forecast as outlook
from governance.budgets.domain.ledger import Balance, EntryKind, Holding
from governance.budgets.domain.quarters import Quarter
from governance.budgets.models import BudgetAccount, LedgerEntry
from governance.budgets.queries.budgets import balance_of, entry_of, team_of
from governance.budgets.rules import may_see_budget
from governance.exports.domain.tables import ExportTable
from governance.people.domain.roles import Person
from weighbridge.core.errors import NotFound

OF_A_COMMITMENT = {EntryKind.RELEASE: "release of a commitment", EntryKind.EXPIRE: "expiry of a commitment"}
BLOCK = 1_000
COLUMNS = {
    "Booked": "booked_at",
    "Posting": "kind",
    "Request": "request_ref",
    "Month": "period",
    "By": "booked_by",
    "Amount": "amount",
    "Change": "change",
    "Available after": "available",
    "Note": "note",
}


@dataclass(frozen=True)
class StatementLine:
    """One posting; `change` is its effect on the available amount, `available` the amount available after it."""

    kind: str
    amount: Decimal
    change: Decimal
    available: Decimal
    request_ref: str
    period: str
    note: str
    booked_by: str
    booked_at: datetime


class StatementLines:
    """The postings of an account, newest first: their number, and any part of them, which is read when it is asked for.

    The amount available after a posting does not count delegations to the accounts below.
    """

    def __init__(self, rows: Sequence[LedgerEntry]) -> None:
        """`rows` are all postings of the account, oldest first."""
        changes = ledger.changes_of_available([entry_of(row) for row in rows])
        figures = zip(rows, changes, accumulate(changes), strict=True)
        self._figures = [(row.pk, change, available) for row, change, available in figures][::-1]

    def __len__(self) -> int:
        """The number of postings."""
        return len(self._figures)

    def __iter__(self) -> Iterator[StatementLine]:
        """All postings; `BLOCK` of them are read at once."""
        for start in range(0, len(self), BLOCK):
            yield from self[start : start + BLOCK]

    def __getitem__(self, part: slice) -> list[StatementLine]:
        """A part of the postings."""
        figures = self._figures[part]
        rows = LedgerEntry.objects.select_related("booked_by").in_bulk([pk for pk, *_ in figures])
        return [_line(rows[pk], change, available) for pk, change, available in figures]


@dataclass(frozen=True)
class AccountStatement:
    """An account with its balance and its postings, newest first.

    `holdings` are (request, its holding, its overrun beyond the tolerance), requests with an overrun first.
    """

    account: BudgetAccount
    balance: Balance
    forecast: Decimal
    lines: "StatementLines"
    holdings: tuple[tuple[str, Holding, Decimal], ...]


def account_for(*, team: str, quarter: str, unit: str, person: Person) -> BudgetAccount:
    """The account of a cost center. Raises NotFound if it does not exist or the person may not see it."""
    rows = BudgetAccount.objects.select_related("center__team", "center__parent")
    account = rows.filter(center__slug=team, quarter=quarter, unit=unit).first()
    if account is None or not may_see_budget(person, team=team_of(account)):
        raise NotFound(f"The team {team} has no {unit} account for {quarter}.")
    return account


def statement_of(account: BudgetAccount, *, today: date) -> AccountStatement:
    """The statement of an account."""
    balance, rows = balance_of(account), list(account.entries.order_by("pk"))
    held = (
        (ref, held, outlook.overrun(held, tolerance_percent=account.tolerance_percent))
        for ref, held in ledger.holdings(map(entry_of, rows)).items()
        if ref is not None
    )
    return AccountStatement(
        account=account,
        balance=balance,
        forecast=outlook.forecast(balance, quarter=Quarter.parse(account.quarter), today=today),
        lines=StatementLines(rows),
        holdings=tuple(sorted(held, key=lambda each: (each[2] <= 0, each[0]))),
    )


def table(statement: AccountStatement) -> ExportTable:
    """All postings of the account as a table, newest first."""
    account = statement.account
    name = f"ledger-{account.center.slug}-{account.quarter}-{account.unit}"
    rows = map(attrgetter(*COLUMNS.values()), statement.lines)
    return ExportTable(name, tuple(COLUMNS), rows, len(statement.lines))


def quarters() -> list[str]:
    """All quarters with an account, latest first."""
    return list(BudgetAccount.objects.order_by("-quarter").values_list("quarter", flat=True).distinct())


def _line(row: LedgerEntry, change: Decimal, available: Decimal) -> StatementLine:
    person = row.booked_by
    name = (person.get_full_name() or person.username) if person else "system"
    kind = OF_A_COMMITMENT[EntryKind(row.kind)] if row.is_commitment else row.kind
    figures, about = (row.amount, change, available), (row.request_ref, row.period, row.note)
    return StatementLine(kind, *figures, *about, name, row.booked_at)
