"""How to call every write of budgets, so that each does something."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from governance.budgets.actions import actuals, budget_changes, budgets, cost_centers, quarter_end
from governance.budgets.actions import ledger_entries as bookings
from governance.budgets.actions.rebookings import Rebooking
from governance.budgets.domain.actuals import Stated
from governance.budgets.domain.budget_changes import Aspect
from governance.budgets.domain.cost_centers import CenterLevel
from governance.budgets.domain.ledger import BudgetMode, EntryKind, LedgerLine
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import BudgetAccount, CostCenter
from governance.people.approvals.models import Change
from governance.people.models import Team
from tests.factories.people import Cast
from tests.factories.requests import allocate_budget

Call = Callable[[Cast, datetime], object]
REF = "MRR-2026-0001"


def home() -> Team:
    return Team.objects.get(slug="search")


def _allocated(cast: Cast, now: datetime) -> dict[str, object]:
    allocate_budget(by=cast.finance, now=now, team=home())
    quarter = str(Quarter.of(now.date()))
    return {
        "team": home(),
        "quarter": quarter,
        "amounts": {BudgetUnit.USD: Decimal(5)},
        "ref": REF,
        "by": cast.author,
        "now": now,
    }


def _allocate(cast: Cast, now: datetime) -> None:
    budgets.allocate(
        holder=home(), quarter="2026Q4", unit=BudgetUnit.USD, amount=Decimal(1), key="k", by=cast.finance, now=now
    )


def _release(cast: Cast, now: datetime) -> None:
    budgets.reserve(**_allocated(cast, now), key="r")  # type: ignore[arg-type]
    budgets.release(ref=REF, key="x", by=cast.author, now=now)


def _account(cast: Cast, now: datetime) -> BudgetAccount:
    allocate_budget(by=cast.finance, now=now, team=home())
    return BudgetAccount.objects.get(unit="USD")


def _revoked(cast: Cast, now: datetime) -> None:
    budgets.commit(**_allocated(cast, now), key="c")  # type: ignore[arg-type]
    budgets.release_commitment(ref=REF, key="x", by=cast.approver, now=now)


def _booked(cast: Cast, now: datetime, *, how: Callable[..., object], kind: EntryKind, ref: str | None) -> None:
    how(account=_account(cast, now), entry=LedgerLine(kind, Decimal(1), ref, "b"), by=cast.finance, now=now)


def _billed(cast: Cast, now: datetime) -> None:
    stated = Stated(period="2026-10", amount=Decimal(5))
    actuals.book_actual(account=_account(cast, now), stated=stated, key="b", by=None, now=now)


def changed(cast: Cast, now: datetime) -> Change:
    wish = Rebooking(aspect=Aspect.AMOUNT, account=_account(cast, now), amount=Decimal(7))
    return budget_changes.propose(wish=wish, reason="Less is needed.", by=cast.approver, now=now)


def _unit(cast: Cast, now: datetime) -> CostCenter:
    return cost_centers.open_center(level=CenterLevel.UNIT, slug="u", name="U", parent=None, by=cast.finance, now=now)


def _placed(cast: Cast, now: datetime) -> None:
    center = cost_centers.open_for_team(team=home(), by=cast.finance, now=now)
    cost_centers.move_center(center=center, parent=_unit(cast, now), by=cast.finance, now=now)


ACTIONS: Mapping[str, Call] = {
    "governance.budgets.actions.budgets.allocate": _allocate,
    "governance.budgets.actions.budgets.reserve": lambda cast, now: budgets.reserve(**_allocated(cast, now), key="r"),  # type: ignore[arg-type]
    "governance.budgets.actions.budgets.commit": lambda cast, now: budgets.commit(**_allocated(cast, now), key="c"),  # type: ignore[arg-type]
    "governance.budgets.actions.budgets.release": _release,
    "governance.budgets.actions.budgets.release_commitment": _revoked,
    "governance.budgets.actions.ledger_entries.book": lambda cast, now: _booked(
        cast, now, how=bookings.book, kind=EntryKind.ALLOCATE, ref=None
    ),
    "governance.budgets.actions.ledger_entries.book_allocation": lambda cast, now: _booked(
        cast, now, how=bookings.book_allocation, kind=EntryKind.ALLOCATE, ref=None
    ),
    "governance.budgets.actions.ledger_entries.book_planned": lambda cast, now: _booked(
        cast, now, how=bookings.book_planned, kind=EntryKind.PLAN, ref=REF
    ),
    "governance.budgets.actions.ledger_entries.book_checked": lambda cast, now: _booked(
        cast, now, how=bookings.book_checked, kind=EntryKind.RESERVE, ref=REF
    ),
    "governance.budgets.actions.actuals.book_actual": _billed,
    "governance.budgets.actions.quarter_end.close_quarters": lambda cast, now: (
        _account(cast, now),
        quarter_end.close_quarters(now=now + timedelta(days=100)),
    ),
    "governance.budgets.actions.budget_changes.propose": changed,
    "governance.budgets.actions.cost_centers.open_center": _unit,
    "governance.budgets.actions.cost_centers.open_for_team": lambda cast, now: cost_centers.open_for_team(
        team=home(), by=cast.finance, now=now
    ),
    "governance.budgets.actions.cost_centers.move_center": _placed,
    "governance.budgets.actions.cost_centers.set_terms": lambda cast, now: cost_centers.set_terms(
        account=_account(cast, now), mode=BudgetMode.ENFORCE, tolerance_percent=5, by=cast.finance, now=now
    ),
}
