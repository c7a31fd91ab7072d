"""What the governance API takes."""

from decimal import Decimal

from rest_framework import serializers

from governance.budgets.domain.budget_changes import REBOOKED
from governance.budgets.domain.cost_centers import CenterLevel
from governance.budgets.domain.ledger import BudgetMode
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import CostCenter
from governance.budgets.queries.cost_centers import holder
from governance.people.domain.reasons import REASON_CHARS_MAX, REASON_CHARS_MIN
from governance.people.models import Team
from governance.site.api.shapes import Input, choice
from weighbridge.core.errors import NotFound

SECOND = "Why; needed where a second person must confirm, such as for money of your own team."


def team_or_center(slug: str) -> Team | CostCenter:
    """Whom a slug names. Raises ValidationError in words."""
    try:
        return holder(slug)
    except NotFound as refusal:
        raise serializers.ValidationError(f"There is no team or cost center “{slug}”.") from refusal


class AllocationInput(Input):
    """Something for a team, or another cost center, to spend in a quarter."""

    team = serializers.CharField(max_length=60, help_text="Slug of the team or cost center.")
    quarter = serializers.CharField(max_length=6, help_text="Like 2026Q4.")
    unit = choice(BudgetUnit.values)
    amount = serializers.DecimalField(max_digits=16, decimal_places=2, min_value=Decimal("0.01"))
    reason = serializers.CharField(required=False, default="", max_length=REASON_CHARS_MAX, help_text=SECOND)

    def validate_team(self, slug: str) -> Team | CostCenter:
        """Whom the slug names."""
        return team_or_center(slug)


class CenterInput(Input):
    """A unit or a project to open."""

    level = choice([CenterLevel.UNIT.value, CenterLevel.PROJECT.value])
    slug = serializers.SlugField(max_length=60)
    name = serializers.CharField(max_length=120)
    team = serializers.SlugRelatedField(
        slug_field="slug",
        queryset=Team.objects.all(),
        required=False,
        error_messages={"does_not_exist": "There is no team “{value}”."},
        help_text="Slug of the team of a project.",
    )


class TermsInput(Input):
    """What an account does with what it cannot bear."""

    mode = choice([mode.value for mode in BudgetMode])
    tolerance_percent = serializers.IntegerField(min_value=0, max_value=100)
    reason = serializers.CharField(required=False, default="", max_length=REASON_CHARS_MAX, help_text=SECOND)


class BudgetChangeInput(Input):
    """Another amount, quarter or account."""

    aspect = choice([aspect.value for aspect in REBOOKED])
    team = serializers.CharField(max_length=60, help_text="Slug of the team or cost center.")
    quarter = serializers.CharField(max_length=6, help_text="Like 2026Q4.")
    unit = choice(BudgetUnit.values)
    amount = serializers.DecimalField(
        max_digits=16, decimal_places=2, min_value=Decimal(0), help_text="The new total, or how much of it moves."
    )
    request = serializers.CharField(
        required=False, default="", max_length=20, help_text="Whose commitment; without it, the budget itself."
    )
    to_team = serializers.CharField(required=False, max_length=60, help_text="Where it moves: another cost center.")
    to_quarter = serializers.CharField(required=False, max_length=6, help_text="Where it moves: another quarter.")
    reason = serializers.CharField(min_length=REASON_CHARS_MIN, max_length=REASON_CHARS_MAX)


class BudgetFilters(Input):
    """Which budgets."""

    quarter = serializers.CharField(required=False, max_length=6, help_text="Like 2026Q4.")
