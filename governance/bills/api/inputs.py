"""What the API of bills takes."""

from decimal import Decimal

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from governance.bills.actions.bills import Delivery
from governance.bills.domain.allocation.breakdown import FIELDS, LINES, TAGS, TITLES, is_dimension
from governance.bills.domain.currencies import CurrencyRate
from governance.bills.enums import BillKind
from governance.bills.queries.breakdown import PAGES_MAX
from governance.site.api.shapes import Input, choice, takes


@takes(
    Delivery,
    without=["origin", "seen_as"],
    cluster={
        "default": "",
        "max_length": 80,
        "allow_blank": True,
        "help_text": "The cluster or account; needed for accounting of a scheduler and for exports.",
    },
    refuses_existing={
        "default": False,
        "help_text": "Refuse the file if it speaks of a period that is already on record.",
    },
)
class BillInput(Input):
    """A file of costs or use."""

    file = serializers.FileField(
        max_length=160, help_text="CSV, CSV.gz or Parquet; accounting as CSV; exports as JSON or CSV."
    )
    kind = choice(BillKind.values, default=BillKind.FOCUS.value)


class BillFilters(Input):
    """Which page."""

    page = serializers.IntegerField(required=False, min_value=1)


@takes(
    CurrencyRate,
    currency={"min_length": 3, "max_length": 3, "help_text": "Three capital letters, like EUR."},
    usd={"max_digits": 16, "decimal_places": 10, "min_value": Decimal("0.0000000001")},
    source={"max_length": 200},
)
class RateInput(Input):
    """What one unit of a currency was worth."""


class RulesInput(Input):
    """Allocation rules as YAML."""

    source = serializers.CharField(trim_whitespace=False, help_text="The document, apiVersion: weighbridge/v1.")  # type: ignore[assignment]  # a field of that name, not DRF's attribute


class AllocationTrialInput(RulesInput):
    """Allocation rules and the month they are tried on."""

    month = serializers.DateField(help_text="Any day of the month.")


class SpendFilters(Input):
    """Which month."""

    month = serializers.DateField(required=False, help_text="Any day of the month.")


class BreakdownFilters(Input):
    """How a bill is broken down, and which page of it."""

    by = serializers.CharField(
        default="service",
        max_length=4_000,
        help_text=f"{', '.join((*TITLES, *FIELDS))}, {TAGS}, {LINES}, or tags.NAME for the values of a tag.",
    )
    currency = serializers.CharField(
        default="", max_length=3, allow_blank=True, help_text="Without one, the currency with the most lines is shown."
    )
    page = serializers.IntegerField(default=1, min_value=1, max_value=PAGES_MAX)

    def validate_by(self, by: str) -> str:
        """Raise ValidationError for what no line has."""
        if not is_dimension(by) and by not in {TAGS, LINES}:
            known = ", ".join((*FIELDS, *TITLES, TAGS, LINES))
            raise serializers.ValidationError(f"Lines are broken down by one of {known}, or tags.NAME.")
        return by


SELECTION = [
    OpenApiParameter(
        name,
        {"type": "array", "items": {"type": "string"}},
        description="Lines with one of these values alone; an empty one means none. Tags are selected by tags.NAME.",
    )
    for name in (*FIELDS, *TITLES)
]
