"""What the governance API takes."""

from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from rest_framework import serializers

from governance.api.reading import Input, choice
from governance.domain.budget_changes import Aspect
from governance.domain.cost_centres import Level
from governance.domain.ledger import Mode
from governance.domain.refusals import NotFound
from governance.domain.roles import BINDING
from governance.enums import ChangeState, FindingState, Tier, Unit
from governance.models import CostCentre, Team
from governance.queries.cost_centres import holder


class ModelInput(Input):
    """A model version: its file, or where it lies with its SHA-256."""

    team = serializers.SlugField(max_length=60)
    slug = serializers.SlugField(max_length=80)
    name = serializers.CharField(max_length=160)
    version = serializers.CharField(max_length=60)
    tier = choice(Tier.values)
    owner = serializers.SlugRelatedField(
        slug_field="username",
        queryset=User.objects.filter(is_active=True),
        error_messages={"does_not_exist": "There is no active user “{value}”."},
        help_text="User name of whoever answers for the model.",
    )
    file = serializers.FileField(
        required=False, max_length=160, help_text=".onnx or .safetensors; pickles are refused."
    )
    uri = serializers.CharField(required=False, max_length=500)
    sha256 = serializers.CharField(
        required=False, max_length=71, help_text="64 hexadecimal digits, or sha256: and these."
    )

    def validate_sha256(self, digest: str) -> str:
        """The digest as it is written everywhere here."""
        return digest if digest.startswith("sha256:") else f"sha256:{digest}"

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Either a file, or both a URI and a digest."""
        named = {"uri", "sha256"} & attrs.keys()
        if ("file" in attrs) == bool(named) or len(named) == 1:
            raise serializers.ValidationError(
                {"file": "Send either a file, or uri and sha256 of one that lies elsewhere."}
            )
        return attrs


class ListInput(Input):
    """What every list can be asked."""

    page = serializers.IntegerField(required=False, min_value=1)
    q = serializers.CharField(required=False, max_length=200, allow_blank=True, help_text="Words to search for.")


class ModelFilters(ListInput):
    """What the list of models can be narrowed to."""

    team = serializers.SlugField(required=False, help_text="Slug of a team.")
    tier = choice(Tier.values, required=False)


class TrailFilters(ListInput):
    """What the audit trail can be narrowed to."""

    subject_type = serializers.CharField(required=False, max_length=40, help_text="For example request, model, role.")
    kind = serializers.CharField(required=False, max_length=60, help_text="How the kind begins, for example vote.")


def team_or_centre(slug: str) -> Team | CostCentre:
    """Whom a slug names. Raises ValidationError in words."""
    try:
        return holder(slug)
    except NotFound as refusal:
        raise serializers.ValidationError(f"There is no team or cost centre “{slug}”.") from refusal


class AllocationInput(Input):
    """Something for a team, or another cost centre, to spend in a quarter."""

    team = serializers.CharField(max_length=60, help_text="Slug of the team or cost centre.")
    quarter = serializers.CharField(max_length=6, help_text="Like 2026Q4.")
    unit = choice(Unit.values)
    amount = serializers.DecimalField(max_digits=16, decimal_places=2, min_value=Decimal("0.01"))

    def validate_team(self, slug: str) -> Team | CostCentre:
        """Whom the slug names."""
        return team_or_centre(slug)


class CentreInput(Input):
    """A unit or a project to open."""

    level = choice([Level.UNIT.value, Level.PROJECT.value])
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

    mode = choice([mode.value for mode in Mode])
    tolerance_percent = serializers.IntegerField(min_value=0, max_value=100)


class BudgetChangeInput(Input):
    """Another amount, quarter or account."""

    aspect = choice([aspect.value for aspect in Aspect])
    team = serializers.CharField(max_length=60, help_text="Slug of the team or cost centre.")
    quarter = serializers.CharField(max_length=6, help_text="Like 2026Q4.")
    unit = choice(Unit.values)
    amount = serializers.DecimalField(
        max_digits=16, decimal_places=2, min_value=Decimal(0), help_text="The new total, or how much of it moves."
    )
    request = serializers.CharField(
        required=False, default="", max_length=20, help_text="Whose commitment; without it, the budget itself."
    )
    to_team = serializers.CharField(required=False, max_length=60, help_text="Where it moves: another cost centre.")
    to_quarter = serializers.CharField(required=False, max_length=6, help_text="Where it moves: another quarter.")
    reason = serializers.CharField(min_length=10, max_length=2000)


class FindingFilters(Input):
    """What the list of findings can be narrowed to."""

    page = serializers.IntegerField(required=False, min_value=1)
    state = choice(FindingState.values, required=False)
    kind = serializers.CharField(required=False, max_length=40, help_text="How the kind begins, for example budget.")


class ClosingInput(Input):
    """What was done about a finding."""

    note = serializers.CharField(min_length=3, max_length=2000)


class BudgetFilters(Input):
    """Which budgets."""

    quarter = serializers.CharField(required=False, max_length=6, help_text="Like 2026Q4.")


class PolicyInput(Input):
    """A policy as YAML."""

    source = serializers.CharField(trim_whitespace=False, help_text="The document, apiVersion: weighbridge/v1.")  # type: ignore[assignment]  # a field of that name, not DRF's attribute


class ChangeReasonInput(Input):
    """Why."""

    reason = serializers.CharField(min_length=10, max_length=2000)


class ChangeFilters(Input):
    """What the list of changes can be narrowed to."""

    page = serializers.IntegerField(required=False, min_value=1)
    state = choice(ChangeState.values, required=False)


class GrantInput(ChangeReasonInput):
    """A role that binds people, for somebody else."""

    user = serializers.SlugRelatedField(
        slug_field="username",
        queryset=User.objects.filter(is_active=True),
        error_messages={"does_not_exist": "There is no active user “{value}”."},
        help_text="User name of whoever is to hold the role.",
    )
    role = choice(sorted(BINDING))


class Nothing(Input):
    """A call that takes no fields."""
