"""The cost centers of the company and the quarterly allocations."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from examples.company.portfolio.company_model import Company
from examples.company.portfolio.people import Staff
from examples.company.users import TEAM
from governance.budgets.actions import budgets, cost_centers
from governance.budgets.domain.cost_centers import CenterLevel
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import CostCenter
from governance.people.models import Team


def create_cost_centers(company: Company, *, staff: Staff, now: datetime) -> None:
    """Create the units below the organization and the teams below their units, with the team of the real model."""
    for slug, name in company.units.items():
        if not CostCenter.objects.filter(slug=slug).exists():
            cost_centers.open_center(
                level=CenterLevel.UNIT, slug=slug, name=name, parent=None, by=staff.finance, now=now
            )
    homes = {team.slug: team.unit for team in company.teams} | {TEAM: "commerce"}
    for team_slug, unit in homes.items():
        row = Team.objects.filter(slug=team_slug).first()
        if row is not None:
            center = cost_centers.open_for_team(team=row, by=staff.finance, now=now)
            parent = CostCenter.objects.get(slug=unit)
            cost_centers.move_center(center=center, parent=parent, by=staff.finance, now=now)


def allocate_budgets(
    company: Company,
    *,
    given: Mapping[tuple[str, BudgetUnit], Decimal],
    quarter: Quarter,
    occasion: str,
    staff: Staff,
    now: datetime,
) -> None:
    """Allocate a quarter from the top down. `given` is the amount by team and unit; `occasion` is part of the keys."""

    def give(holder: Team | CostCenter, amount: Decimal, unit: BudgetUnit) -> None:
        if amount > 0:
            key = f"company:{occasion}:{holder.slug}:{quarter}:{unit}"
            budgets.allocate(
                holder=holder, quarter=str(quarter), unit=unit, amount=amount, key=key, by=staff.finance, now=now
            )

    for unit in BudgetUnit:
        of_units = {
            slug: sum((given[team.slug, unit] for team in company.teams if team.unit == slug), Decimal(0))
            for slug in company.units
        }
        root = CostCenter.objects.get(level=CenterLevel.ORGANIZATION.value)
        give(root, sum(of_units.values(), Decimal(0)), unit)
        for slug, amount in of_units.items():
            give(CostCenter.objects.get(slug=slug), amount, unit)
        for team in company.teams:
            give(Team.objects.get(slug=team.slug), given[team.slug, unit], unit)
