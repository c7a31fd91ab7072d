"""Reads of the cost center tree and of the accounts above and below."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from decimal import Decimal

from django.db.models import Exists, OuterRef, Sum

from governance.budgets.domain.cost_centers import CenterLevel
from governance.budgets.domain.ledger import SIGNED
from governance.budgets.models import BudgetAccount, CostCenter, LedgerEntry
from governance.people.models import Team
from weighbridge.core.errors import NotFound

GIVEN = sorted(kind.value for kind in SIGNED)


def find(slug: str) -> CostCenter:
    """One cost center, or NotFound."""
    center = CostCenter.objects.select_related("parent", "team").filter(slug=slug).first()
    if center is None:
        raise NotFound(f"There is no cost center {slug!r}.")
    return center


def root() -> CostCenter | None:
    """The organization; None before the first allocation."""
    return CostCenter.objects.filter(level=CenterLevel.ORGANIZATION.value).first()


def of_team(team: Team) -> CostCenter | None:
    """The center of a team; None before its first budget."""
    return CostCenter.objects.filter(level=CenterLevel.TEAM.value, team=team).first()


def accounts_above(*, quarters: Collection[str], as_given: int | None = None) -> dict[int, int | None]:
    """The nearest account above each account of the quarters, for the same quarter and unit, by IDs.

    An account without an allocation, opened by a planned amount, is above no other account, because a level without a
    budget sets no limit. `as_given` is an account to treat as if it had an allocation.
    """
    parents = dict(CostCenter.objects.values_list("pk", "parent_id"))
    allocations = LedgerEntry.objects.filter(account=OuterRef("pk"), kind__in=GIVEN)
    rows = BudgetAccount.objects.filter(quarter__in=quarters).annotate(is_given=Exists(allocations))
    of_center: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    account_rows = list(rows.values_list("pk", "center_id", "quarter", "unit", "is_given"))
    for account, center, quarter, unit, is_given in account_rows:
        if is_given or account == as_given:
            of_center[quarter, unit][center] = account
    return {
        account: _above(center, parents, of_center[quarter, unit]) for account, center, quarter, unit, _ in account_rows
    }


def _above(center: int, parents: Mapping[int, int | None], of_center: Mapping[int, int]) -> int | None:
    above = parents[center]
    while above is not None and above not in of_center:
        above = parents[above]
    return None if above is None else of_center[above]


def account_above(account: BudgetAccount) -> BudgetAccount | None:
    """The nearest account above, for the same quarter and unit."""
    above = accounts_above(quarters=[account.quarter])[account.pk]
    return BudgetAccount.objects.get(pk=above) if above is not None else None


def have_any_below(accounts: Collection[int]) -> bool:
    """Whether a cost center is below one of these accounts.

    For most teams none is, and then the accounts of all other centers need not be read.
    """
    return CostCenter.objects.filter(parent__accounts__in=accounts).exists()


def ids_below(account: BudgetAccount, *, as_given: bool = False) -> list[int]:
    """The accounts directly below: the first on each path down the tree."""
    if not have_any_below([account.pk]):
        return []
    pretended = account.pk if as_given else None
    above_of = accounts_above(quarters=[account.quarter], as_given=pretended)
    return sorted(below for below, above in above_of.items() if above == account.pk)


def upwards(center: CostCenter) -> list[int]:
    """The IDs of the center and all centers above it."""
    parents = dict(CostCenter.objects.values_list("pk", "parent_id"))
    center_ids, above = [], center.pk
    while above is not None:
        center_ids.append(above)
        above = parents[above]
    return center_ids


def teams_covered(center: CostCenter) -> frozenset[str]:
    """Slugs of the teams of a center and of all centers below it."""
    covered, level = {center.pk}, [center.pk]
    while level:
        level = list(CostCenter.objects.filter(parent__in=level).values_list("pk", flat=True))
        covered.update(level)
    slugs = CostCenter.objects.filter(pk__in=covered, team__isnull=False).values_list("team__slug", flat=True)
    return frozenset(slugs)


def largest_allocation(center: CostCenter, *, unit: str) -> Decimal | None:
    """The largest amount that was allocated to a center for one quarter; None if it never had a budget."""
    rows = LedgerEntry.objects.filter(account__center=center, account__unit=unit, kind__in=GIVEN)
    totals = rows.order_by().values("account").annotate(total=Sum("amount")).values_list("total", flat=True)
    return max(totals, default=None)


def is_above(center: CostCenter, *, below: CostCenter) -> bool:
    """Whether one center is an ancestor of another."""
    return center.pk in upwards(below)[1:]


def holders() -> list[tuple[str, str]]:
    """(slug, name) of all possible holders of budgets: teams, with or without a cost center, and other cost centers."""
    teams = [(team.slug, team.name) for team in Team.objects.order_by("name")]
    others = CostCenter.objects.exclude(level=CenterLevel.TEAM.value).order_by("level", "name")
    return [*teams, *((center.slug, f"{center.name} ({center.level})") for center in others)]


def holder(slug: str) -> Team | CostCenter:
    """The team or the cost center with that slug. Raises NotFound."""
    return Team.objects.filter(slug=slug).first() or find(slug)


def in_order() -> list[tuple[CostCenter, int]]:
    """All cost centers with their depth, each after its parent, sorted by name."""
    below: dict[int | None, list[CostCenter]] = {}
    for center in CostCenter.objects.select_related("team", "parent").order_by("name"):
        below.setdefault(center.parent_id, []).append(center)

    def walk(above: int | None, depth: int) -> list[tuple[CostCenter, int]]:
        return [found for center in below.get(above, []) for found in ((center, depth), *walk(center.pk, depth + 1))]

    return walk(None, 0)
