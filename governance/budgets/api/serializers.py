"""What the governance API answers: how models, policies, budgets and audit events are written as JSON."""

from rest_framework import serializers

from governance.site.api.shapes import Answer, number


class BudgetAnswer(Answer):
    """An account: what a cost centre may spend in a quarter, and what is left."""

    team = serializers.CharField(help_text="Slug of the cost centre; a team's own slug for a team.")
    team_name = serializers.CharField()
    level = serializers.CharField(help_text="organisation, unit, team or project.")
    quarter = serializers.CharField()
    unit = serializers.CharField()
    mode = serializers.CharField(help_text="off, observe or enforce.")
    tolerance_percent = serializers.IntegerField()
    is_closed = serializers.BooleanField(help_text="Whether the quarter is over and what was left has expired.")
    allocated = number(source="balance.allocated")
    handed_out = number(source="balance.handed_out")
    reserved = number(source="balance.reserved")
    committed = number(source="balance.committed", help_text="Committed and not yet billed.")
    spent = number(source="balance.spent", help_text="Billed or accrued.")
    available = number(source="balance.available")


class CentreAnswer(Answer):
    """A place in the tree that budgets hang on."""

    slug = serializers.CharField()
    name = serializers.CharField()
    level = serializers.CharField()
    under = serializers.CharField(source="parent.slug", default=None, allow_null=True)


class BudgetChangeAnswer(Answer):
    """A change of a budget or a commitment: proposed by one person, booked once another has confirmed it."""

    id = serializers.IntegerField()
    ref = serializers.CharField(source="__str__")
    what = serializers.CharField()
    aspect = serializers.CharField(help_text="amount, date or account.")
    account = serializers.CharField()
    target = serializers.CharField(allow_null=True)
    request = serializers.CharField(source="request_ref", help_text="Empty for the budget itself.")
    amount = number()
    state = serializers.CharField(help_text="pending, confirmed, refused, withdrawn or expired.")
    reason = serializers.CharField()
    proposed_by = serializers.CharField(source="proposed_by.username")
    proposed_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    closed_by = serializers.CharField(source="closed_by.username", default=None, allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    closing_reason = serializers.CharField()


class AllocationAnswer(Answer):
    """A booking."""

    team = serializers.CharField(source="account.centre.slug")
    quarter = serializers.CharField(source="account.quarter")
    unit = serializers.CharField(source="account.unit")
    kind = serializers.CharField()
    amount = number()
    booked_at = serializers.DateTimeField()
