"""The tree of budgets on the page of budgets, and as a file."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from governance.budgets.domain.quarters import Quarter
from governance.budgets.domain.roll_up import RolledUp
from governance.budgets.queries import budgets, cost_centers, roll_up
from governance.budgets.queries.budgets import AccountView
from governance.budgets.rules import may_see_budget
from governance.exports.web import export
from governance.people.domain.roles import Person
from governance.people.web.current_user import person_of
from governance.site.queries import bounded_page

PAGE_SIZE = 50


@dataclass(frozen=True)
class AccountRow:
    """An account, if the cost center has one, together with those below it."""

    unit: str
    account: AccountView | None
    rolled: RolledUp
    has_below: bool

    @property
    def used_share(self) -> Decimal | None:
        """The used amount of the whole as a share of its budget; None without a budget."""
        whole = self.rolled.whole
        return whole.used / whole.budget if whole.budget > 0 else None


@dataclass(frozen=True)
class CenterAccounts:
    """The accounts of one cost center in one quarter, and its depth in the tree."""

    team: str
    team_name: str
    level: str
    depth: int
    parent: str
    accounts: tuple[AccountRow, ...]


def context_of(person: Person, quarter: str, asked: Mapping[str, str]) -> dict[str, Any]:
    """A page of the cost centers in tree order that the person may see, and how many budgets their meters are wide.

    `asked` is the query of the address: `page`, or `center` for the page that has this cost center.
    """
    rows = budgets.accounts(teams=None, quarter=quarter)
    tree = cost_centers.in_order()
    rolled = roll_up.rolled_up(rows, tree=tree)
    views = {(row.team, row.unit): row for row in rows}
    parents = {center.parent_id for center, _ in tree}
    rolled_of = defaultdict[str, list[tuple[str, RolledUp]]](list)
    for (slug, unit), each in rolled.items():
        rolled_of[slug].append((unit, each))
    centers = [
        CenterAccounts(
            center.slug,
            center.name,
            center.level,
            depth,
            center.parent.name if center.parent else "",
            _rows_of(center.slug, views, rolled_of[center.slug], has_below=center.pk in parents),
        )
        for center, depth in tree
        if may_see_budget(person, team=center.team.slug if center.team else "")
    ]
    seen = [each for each in centers if each.accounts]
    place = next((place for place, each in enumerate(seen) if each.team == asked.get("center")), None)
    page = bounded_page(seen, size=PAGE_SIZE, number=asked.get("page") if place is None else place // PAGE_SIZE + 1)
    reach = roll_up.highest_use(row.rolled for each in seen for row in each.accounts)
    return {"page": page, "teams": page.object_list, "reach": reach}


@require_safe
def exported(request: HttpRequest, kind: str) -> HttpResponseBase:
    """`/budgets.csv` and `.xlsx`: the accounts of a quarter that the person may see."""
    current = str(Quarter.of(timezone.now().date()))
    quarter = str(Quarter.parse(request.GET.get("quarter", "") or current))
    rows = budgets.accounts(teams=None, quarter=quarter)
    seen = [row for row in rows if may_see_budget(person_of(request), team=row.of_team)]
    return export(
        roll_up.table(seen, rolled=roll_up.rolled_up(rows, tree=cost_centers.in_order()), quarter=quarter), kind=kind
    )


def _rows_of(
    center: str,
    views: dict[roll_up.Key, AccountView],
    rolled: Iterable[tuple[str, RolledUp]],
    *,
    has_below: bool,
) -> tuple[AccountRow, ...]:
    return tuple(
        AccountRow(unit, views.get((center, unit)), each, has_below)
        for unit, each in rolled
        if (center, unit) in views or each.whole.budget or each.whole.used
    )
