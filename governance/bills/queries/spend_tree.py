"""Spend of a month over the tree of cost centers, and beside the budgets of its quarter as a file."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from governance.bills.queries.spend import ModelSpend, added_apart, basis_text, unconverted_text
from governance.budgets.domain.cost_centers import CenterLevel
from governance.budgets.domain.ledger import ZERO
from governance.budgets.domain.quarter_forecast import forecast
from governance.budgets.domain.quarters import Quarter
from governance.budgets.domain.roll_up import with_below
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import CostCenter
from governance.budgets.queries import budgets, roll_up
from governance.budgets.queries.cost_centers import in_order
from governance.exports.domain.spreadsheets import Cell
from governance.exports.domain.tables import ExportTable

NO_CENTER, UNALLOCATED, BETWEEN = "Teams without a cost center", "Unallocated", " / "
COLUMNS = (
    "Month",
    "Path",
    "Cost center",
    "Level",
    "Depth",
    "Spent USD",
    "Spent USD with all below",
    "Not converted",
    "Basis",
    "Quarter",
    "Allocated USD with all below",
    "Billed USD with all below",
    "Forecast USD with all below",
    "Over budget USD with all below",
)


@dataclass(frozen=True)
class CenterSpend:
    """The effective cost of a cost center: its own, and with everything below it; in US dollars.

    `path` has the names from the root down; `slug` and `level` are empty outside the tree. `apart` is its own cost
    without an exchange rate, by currency. `is_generated` means that a part of it or below it is generated.
    """

    path: tuple[str, ...]
    slug: str
    level: str
    own: Decimal
    whole: Decimal
    apart: Mapping[str, Decimal] = field(default_factory=dict)
    is_generated: bool = False

    @property
    def name(self) -> str:
        """The name without those above it."""
        return self.path[-1]

    @property
    def depth(self) -> int:
        """The number of cost centers above it."""
        return len(self.path) - 1


def over_tree(rows: Iterable[ModelSpend]) -> list[CenterSpend]:
    """The spend of each cost center with spend, in the order of the tree, then teams outside it, then the rest.

    The rows of depth 0 add up to the spend, and so do the own costs of all rows.
    """
    by_team: dict[str, list[ModelSpend]] = defaultdict(list)
    for row in rows:
        by_team[row.team].append(row)
    tree, loose = in_order(), by_team.pop("", [])
    own = {center.pk: by_team.pop(slug) for center, _ in tree if (slug := _team_of(center)) in by_team}
    parents = [(center.pk, center.parent_id) for center, _ in tree]
    sums = with_below(parents, {center: _cost(found) for center, found in own.items()})
    generated = with_below(parents, {center: Decimal(_is_generated(found)) for center, found in own.items()})
    found, path = [], list[str]()
    for center, depth in tree:
        path[depth:] = [center.name]
        if sums[center.pk] or center.pk in own:
            about = (tuple(path), center.slug, center.level, sums[center.pk], generated[center.pk] > 0)
            found.append(_center(*about, own.get(center.pk, [])))
    outside = [row for each in by_team.values() for row in each]
    last = [(name, each) for name, each in ((NO_CENTER, outside), (UNALLOCATED, loose)) if each]
    return [*found, *(_center((name,), "", "", _cost(each), _is_generated(each), each) for name, each in last)]


def table(centers: Sequence[CenterSpend], *, month: date, today: date) -> ExportTable:
    """The cost centers as a table, each with the budget of the month's quarter, rolled up, where it has one."""
    quarter = Quarter.of(month)
    accounts = budgets.accounts(teams=None, quarter=str(quarter))
    rolled = roll_up.rolled_up(accounts, tree=in_order())
    held = {row.team: row.balance for row in accounts if row.unit == BudgetUnit.USD}

    def budget(center: CenterSpend) -> tuple[Cell, ...]:
        found = rolled.get((center.slug, BudgetUnit.USD.value))
        if found is None or not found.has_account:
            return (None,) * 4
        own = held.get(center.slug)
        over = found.over + (own.over if own else ZERO)
        return found.whole.budget, found.whole.spent, forecast(found.whole, quarter=quarter, today=today), over

    cells = ((month, *_cells(each), str(quarter), *budget(each)) for each in centers)
    return ExportTable(f"spend-by-cost-center-{month:%Y-%m}", COLUMNS, cells, len(centers))


def _cells(center: CenterSpend) -> tuple[Cell, ...]:
    about = (BETWEEN.join(center.path), center.slug, center.level, center.depth)
    basis = basis_text(is_generated=center.is_generated)
    return *about, center.own, center.whole, unconverted_text(center.apart), basis


def _center(
    path: tuple[str, ...], slug: str, level: str, whole: Decimal, is_generated: bool, own: Sequence[ModelSpend]
) -> CenterSpend:
    return CenterSpend(path, slug, level, _cost(own), whole, added_apart(own), is_generated)


def _team_of(center: CostCenter) -> str | None:
    return center.team.slug if center.level == CenterLevel.TEAM and center.team else None


def _cost(rows: Iterable[ModelSpend]) -> Decimal:
    return sum((row.effective for row in rows), ZERO)


def _is_generated(rows: Iterable[ModelSpend]) -> bool:
    return any(row.is_generated for row in rows)
