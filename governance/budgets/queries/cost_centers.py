"""Reads of the tree of cost centers, and of which account stands above which."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from governance.budgets.domain.cost_centers import CenterLevel
from governance.budgets.domain.ledger import SIGNED
from governance.budgets.models import BudgetAccount, CostCenter, LedgerEntry
from governance.people.models import Team
from weighbridge.core.errors import NotFound

GIVEN = sorted(kind.value for kind in SIGNED)


@dataclass(frozen=True)
class CenterPlace:
    """One account as the tree knows it: its center, and the account above it, if there is one."""

    account_id: int
    center_id: int
    above_id: int | None


def find(slug: str) -> CostCenter:
    """One cost center, or NotFound."""
    center = CostCenter.objects.select_related("parent", "team").filter(slug=slug).first()
    if center is None:
        raise NotFound(f"There is no cost center {slug!r}.")
    return center


def root() -> CostCenter | None:
    """The organization, once something was allocated."""
    return CostCenter.objects.filter(level=CenterLevel.ORGANIZATION.value).first()


def of_team(team: Team) -> CostCenter | None:
    """The center of a team, once it has a budget."""
    return CostCenter.objects.filter(level=CenterLevel.TEAM.value, team=team).first()


def places(*, quarter: str, unit: str, as_given: int | None = None) -> dict[int, CenterPlace]:
    """Every account of a quarter and unit by its id, with the account of the nearest center above that has one.

    An account that was given nothing yet, opened by a plan, stands above nothing: a level without a budget sets no
    limit.
    `as_given` is an account to take as if it had been given something.
    """
    parents = dict(CostCenter.objects.values_list("pk", "parent_id"))
    given = LedgerEntry.objects.filter(account=OuterRef("pk"), kind__in=GIVEN)
    rows = BudgetAccount.objects.filter(quarter=quarter, unit=unit).annotate(is_given=Exists(given))
    found = list(rows.values_list("pk", "center_id", "is_given"))
    of_center = {center: account for account, center, is_given in found if is_given or account == as_given}
    return {account: CenterPlace(account, center, _above(center, parents, of_center)) for account, center, _ in found}


def _above(center: int, parents: Mapping[int, int | None], of_center: Mapping[int, int]) -> int | None:
    above = parents[center]
    while above is not None and above not in of_center:
        above = parents[above]
    return None if above is None else of_center[above]


def account_above(account: BudgetAccount) -> BudgetAccount | None:
    """The account of the nearest cost center above that has one for the same quarter and unit."""
    place = places(quarter=account.quarter, unit=account.unit)[account.pk]
    return BudgetAccount.objects.get(pk=place.above_id) if place.above_id is not None else None


def ids_below(account: BudgetAccount, *, as_given: bool = False) -> list[int]:
    """The accounts right below: the first on each way down the tree."""
    pretended = account.pk if as_given else None
    found = places(quarter=account.quarter, unit=account.unit, as_given=pretended).values()
    return sorted(place.account_id for place in found if place.above_id == account.pk)


def upwards(center: CostCenter) -> list[int]:
    """The center and every center above it, by their ids."""
    parents = dict(CostCenter.objects.values_list("pk", "parent_id"))
    found, above = [], center.pk
    while above is not None:
        found.append(above)
        above = parents[above]
    return found


def is_above(center: CostCenter, *, below: CostCenter) -> bool:
    """Whether one center stands somewhere above another."""
    parents = dict(CostCenter.objects.values_list("pk", "parent_id"))
    above = below.parent_id
    while above is not None:
        if above == center.pk:
            return True
        above = parents[above]
    return False


def holders() -> list[tuple[str, str]]:
    """(slug, name) of everything one can allocate to: teams, be there a cost center yet or not, and other
    cost centers.
    """
    teams = [(team.slug, team.name) for team in Team.objects.order_by("name")]
    others = CostCenter.objects.exclude(level=CenterLevel.TEAM.value).order_by("level", "name")
    return [*teams, *((center.slug, f"{center.name} ({center.level})") for center in others)]


def holder(slug: str) -> Team | CostCenter:
    """The team, or the cost center of another level, of that slug; or NotFound."""
    return Team.objects.filter(slug=slug).first() or find(slug)


def in_order() -> list[tuple[CostCenter, int]]:
    """Every cost center with its depth, each right after the one it hangs under, by name."""
    below: dict[int | None, list[CostCenter]] = {}
    for center in CostCenter.objects.select_related("team", "parent").order_by("name"):
        below.setdefault(center.parent_id, []).append(center)

    def walk(above: int | None, depth: int) -> list[tuple[CostCenter, int]]:
        return [found for center in below.get(above, []) for found in ((center, depth), *walk(center.pk, depth + 1))]

    return walk(None, 0)
