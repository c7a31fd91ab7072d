"""Reads of budgets over the tree of cost centers."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

from governance.budgets.domain.roll_up import Below, RolledUp, roll_up
from governance.budgets.models import BudgetAccount, CostCenter
from governance.budgets.queries import budgets, cost_centers
from governance.budgets.queries.budgets import AccountView
from governance.budgets.queries.cost_centers import in_order
from governance.exports.domain.spreadsheets import Cell
from governance.exports.domain.tables import ExportTable

ONE = Decimal(1)
Key = tuple[str, str]  # cost center, unit
Tree = Sequence[tuple[CostCenter, int]]  # cost center, depth
COLUMNS: Mapping[str, Callable[[AccountView, RolledUp], Cell]] = {
    "Quarter": lambda row, _: row.quarter,
    "Cost center": lambda row, _: row.team,
    "Name": lambda row, _: row.team_name,
    "Level": lambda row, _: row.level,
    "Unit": lambda row, _: row.unit,
    "Mode": lambda row, _: row.mode,
    "Allocated": lambda row, _: row.balance.budget,
    "Delegated": lambda row, _: row.balance.allocated_below,
    "Reserved": lambda row, _: row.balance.reserved,
    "Committed": lambda row, _: row.balance.committed,
    "Billed": lambda row, _: row.balance.spent,
    "Expired": lambda row, _: row.balance.expired,
    "Available": lambda row, _: row.balance.available,
    "Reserved with all below": lambda _, rolled: rolled.whole.reserved,
    "Committed with all below": lambda _, rolled: rolled.whole.committed,
    "Billed with all below": lambda _, rolled: rolled.whole.spent,
    "Available with all below": lambda _, rolled: rolled.whole.available,
    "Over budget below": lambda _, rolled: rolled.over,
}


def rolled_up(rows: Iterable[AccountView], *, tree: Tree) -> dict[Key, RolledUp]:
    """Each account of one quarter together with those below it, by cost center and unit. `tree` is `in_order()`."""
    balances = {(row.team, row.unit): row.balance for row in rows}
    units = sorted({unit for _, unit in balances})
    below: dict[Key, list[Below]] = defaultdict(list)
    found = {}
    for center, _ in reversed(tree):
        for unit in units:
            own = balances.get((center.slug, unit))
            found[(center.slug, unit)] = rolled = roll_up(own, below[(center.slug, unit)][::-1])
            if center.parent is not None:
                below[(center.parent.slug, unit)].append((center.name, own, rolled))
    return found


def of_account(account: BudgetAccount) -> RolledUp:
    """One account together with those below it."""
    if not cost_centers.have_any_below([account.pk]):
        return roll_up(budgets.balance_of(account), ())
    rows = budgets.accounts(teams=None, quarter=account.quarter)
    return rolled_up(rows, tree=in_order())[(account.center.slug, account.unit)]


def highest_use(rolled: Iterable[RolledUp]) -> Decimal:
    """The largest used amount as a multiple of its budget, among those with a budget; 1 without any."""
    return max((each.whole.used / each.whole.budget for each in rolled if each.whole.budget > 0), default=ONE)


def table(rows: Sequence[AccountView], *, rolled: Mapping[Key, RolledUp], quarter: str) -> ExportTable:
    """The accounts of a quarter as a table, each alone and with all below."""
    cells = ([read(row, rolled[(row.team, row.unit)]) for read in COLUMNS.values()] for row in rows)
    return ExportTable(f"budgets-{quarter}", tuple(COLUMNS), cells, len(rows))
