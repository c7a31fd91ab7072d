"""How budgets, cost centers and allocations are written as JSON."""

from rest_framework import serializers

from governance.site.api.shapes import Answer, number


class BudgetAnswer(Answer):
    """An account: what a cost center may spend in a quarter, and what is left."""

    team = serializers.CharField(help_text="Slug of the cost center; a team's own slug for a team.")
    team_name = serializers.CharField()
    level = serializers.CharField(help_text="organization, unit, team or project.")
    quarter = serializers.CharField()
    unit = serializers.CharField()
    mode = serializers.CharField(help_text="off, observe or enforce.")
    tolerance_percent = serializers.IntegerField()
    is_closed = serializers.BooleanField(help_text="Whether the quarter is over and what was left has expired.")
    allocated = number(source="balance.budget")
    expired = number(source="balance.expired", help_text="What was left of it and expired when the quarter was closed.")
    allocated_below = number(source="balance.allocated_below")
    reserved = number(source="balance.reserved")
    committed = number(source="balance.committed", help_text="Committed and not yet billed.")
    spent = number(source="balance.spent", help_text="Billed or accrued.")
    withheld = number(
        source="balance.withheld",
        help_text="Credits beyond what was billed in their month. They do not count.",
    )
    available = number(source="balance.available")


class CenterAnswer(Answer):
    """A place in the tree that budgets hang on."""

    slug = serializers.CharField()
    name = serializers.CharField()
    level = serializers.CharField()
    # A field of that name, not DRF's attribute.
    parent = serializers.CharField(source="parent.slug", default=None, allow_null=True)  # type: ignore[assignment]  # a field of that name, not DRF's attribute


class AllocationAnswer(Answer):
    """A booking."""

    team = serializers.CharField(source="account.center.slug")
    quarter = serializers.CharField(source="account.quarter")
    unit = serializers.CharField(source="account.unit")
    kind = serializers.CharField()
    amount = number()
    booked_at = serializers.DateTimeField()


class TermsAnswer(Answer):
    """The terms of an account."""

    mode = serializers.CharField(help_text="off, observe or enforce.")
    tolerance_percent = serializers.IntegerField()
