"""Reads of the tree of cost centres, and of which account stands above which."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from governance.budgets.domain.cost_centres import Level
from governance.budgets.domain.ledger import SIGNED
from governance.budgets.models import BudgetAccount, CostCentre, LedgerEntry
from governance.people.models import Team
from weighbridge.core.errors import NotFound

GIVEN = sorted(kind.value for kind in SIGNED)


@dataclass(frozen=True)
class Place:
    """One account as the tree knows it: its centre, and the account above it, if there is one."""

    account_id: int
    centre_id: int
    above_id: int | None


def find(slug: str) -> CostCentre:
    """One cost centre, or NotFound."""
    centre = CostCentre.objects.select_related("parent", "team").filter(slug=slug).first()
    if centre is None:
        raise NotFound(f"There is no cost centre {slug!r}.")
    return centre


def root() -> CostCentre | None:
    """The organisation, once something was allocated."""
    return CostCentre.objects.filter(level=Level.ORGANISATION.value).first()


def of_team(team: Team) -> CostCentre | None:
    """The centre of a team, once it has a budget."""
    return CostCentre.objects.filter(level=Level.TEAM.value, team=team).first()


def places(*, quarter: str, unit: str, as_given: int | None = None) -> dict[int, Place]:
    """Every account of a quarter and unit by its id, with the account of the nearest centre above that has one.

    An account that was given nothing yet, opened by a plan, stands above nothing: a level without a budget sets no
    limit.
    `as_given` is an account to take as if it had been given something.
    """
    parents = dict(CostCentre.objects.values_list("pk", "parent_id"))
    given = LedgerEntry.objects.filter(account=OuterRef("pk"), kind__in=GIVEN)
    rows = BudgetAccount.objects.filter(quarter=quarter, unit=unit).annotate(is_given=Exists(given))
    found = list(rows.values_list("pk", "centre_id", "is_given"))
    of_centre = {centre: account for account, centre, is_given in found if is_given or account == as_given}
    return {account: Place(account, centre, _above(centre, parents, of_centre)) for account, centre, _ in found}


def _above(centre: int, parents: Mapping[int, int | None], of_centre: Mapping[int, int]) -> int | None:
    above = parents[centre]
    while above is not None and above not in of_centre:
        above = parents[above]
    return None if above is None else of_centre[above]


def account_above(account: BudgetAccount) -> BudgetAccount | None:
    """The account of the nearest cost centre above that has one for the same quarter and unit."""
    place = places(quarter=account.quarter, unit=account.unit)[account.pk]
    return BudgetAccount.objects.get(pk=place.above_id) if place.above_id is not None else None


def ids_below(account: BudgetAccount, *, as_given: bool = False) -> list[int]:
    """The accounts right below: the first on each way down the tree."""
    pretended = account.pk if as_given else None
    found = places(quarter=account.quarter, unit=account.unit, as_given=pretended).values()
    return sorted(place.account_id for place in found if place.above_id == account.pk)


def upwards(centre: CostCentre) -> list[int]:
    """The centre and every centre above it, by their ids."""
    parents = dict(CostCentre.objects.values_list("pk", "parent_id"))
    found, above = [], centre.pk
    while above is not None:
        found.append(above)
        above = parents[above]
    return found


def is_above(centre: CostCentre, *, below: CostCentre) -> bool:
    """Whether one centre stands somewhere above another."""
    parents = dict(CostCentre.objects.values_list("pk", "parent_id"))
    above = below.parent_id
    while above is not None:
        if above == centre.pk:
            return True
        above = parents[above]
    return False


def holders() -> list[tuple[str, str]]:
    """(slug, name) of everything one can allocate to: teams, be there a cost centre yet or not, and other
    cost centres.
    """
    teams = [(team.slug, team.name) for team in Team.objects.order_by("name")]
    others = CostCentre.objects.exclude(level=Level.TEAM.value).order_by("level", "name")
    return [*teams, *((centre.slug, f"{centre.name} ({centre.level})") for centre in others)]


def holder(slug: str) -> Team | CostCentre:
    """The team, or the cost centre of another level, of that slug; or NotFound."""
    return Team.objects.filter(slug=slug).first() or find(slug)


def in_order() -> list[tuple[CostCentre, int]]:
    """Every cost centre with its depth, each right after the one it hangs under, by name."""
    below: dict[int | None, list[CostCentre]] = {}
    for centre in CostCentre.objects.select_related("team", "parent").order_by("name"):
        below.setdefault(centre.parent_id, []).append(centre)

    def walk(above: int | None, depth: int) -> list[tuple[CostCentre, int]]:
        return [found for centre in below.get(above, []) for found in ((centre, depth), *walk(centre.pk, depth + 1))]

    return walk(None, 0)
