"""What the governance API answers: how models, policies, budgets and audit events are written as JSON."""

from rest_framework import serializers

from governance.api.reading import Answer, number


class ModelVersionAnswer(Answer):
    """A registered model version."""

    id = serializers.IntegerField()
    team = serializers.CharField(source="asset.team.slug")
    slug = serializers.CharField(source="asset.slug")
    name = serializers.CharField(source="asset.name")
    version = serializers.CharField()
    tier = serializers.CharField(source="asset.tier")
    owner = serializers.CharField(source="asset.owner.username")
    digest = serializers.CharField()
    format = serializers.CharField()
    size_bytes = serializers.IntegerField(allow_null=True)
    uri = serializers.CharField(help_text="Where it lies; empty when it is stored here.")
    registered_at = serializers.DateTimeField()


class ModelAnswer(Answer):
    """A model of the inventory, with its latest version."""

    team = serializers.CharField(source="team.slug")
    slug = serializers.CharField()
    name = serializers.CharField()
    tier = serializers.CharField()
    owner = serializers.CharField(source="owner.username")
    version_count = serializers.IntegerField()
    latest_version = serializers.CharField(allow_null=True)
    latest_digest = serializers.CharField(allow_null=True)
    latest_at = serializers.DateTimeField(allow_null=True)


class PolicyAnswer(Answer):
    """A version of a policy."""

    name = serializers.CharField()
    number = serializers.IntegerField()
    state = serializers.CharField(help_text="draft, published or retired.")
    digest = serializers.CharField()
    written_by = serializers.CharField()
    written_at = serializers.DateTimeField()
    published_by = serializers.CharField()
    published_at = serializers.DateTimeField(allow_null=True)


class ScopeAnswer(Answer):
    """Whom a rule speaks of; empty lists mean everybody."""

    teams = serializers.ListField(child=serializers.CharField())
    tiers = serializers.ListField(child=serializers.CharField())
    environments = serializers.ListField(child=serializers.CharField())


class PolicyRuleAnswer(Answer):
    """A rule: what must hold, on which evidence, and what follows when it does not."""

    id = serializers.CharField()
    fact = serializers.CharField()
    statistic = serializers.CharField()
    comparator = serializers.CharField()
    limit = number()
    unit = serializers.CharField()
    accept = serializers.ListField(child=serializers.CharField())
    min_n = serializers.IntegerField(allow_null=True)
    scope = ScopeAnswer()
    effect = serializers.CharField()
    level = serializers.CharField()
    on_indeterminate = serializers.CharField()
    message = serializers.CharField()


class PolicyStageAnswer(Answer):
    """A stage of the review the policy asks for."""

    id = serializers.CharField()
    title = serializers.CharField()
    role = serializers.CharField()
    quorum = serializers.IntegerField()


class PolicyDetailAnswer(PolicyAnswer):
    """A version of a policy with what it says."""

    source = serializers.CharField(help_text="The YAML as it was written.")  # type: ignore[assignment]  # a field of that name, not DRF's attribute
    rules = PolicyRuleAnswer(many=True)
    stages = PolicyStageAnswer(many=True)


class ChangeAnswer(Answer):
    """A change of what binds people: proposed by one person, in force once another has confirmed it."""

    id = serializers.IntegerField()
    ref = serializers.CharField(source="__str__")
    what = serializers.CharField()
    state = serializers.CharField(help_text="pending, confirmed, refused, withdrawn or expired.")
    reason = serializers.CharField()
    proposed_by = serializers.CharField(source="proposed_by.username")
    proposed_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    closed_by = serializers.CharField(source="closed_by.username", default=None, allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    closing_reason = serializers.CharField()


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


class FindingAnswer(Answer):
    """What the system noticed and somebody must look into."""

    id = serializers.IntegerField()
    ref = serializers.CharField(source="__str__")
    kind = serializers.CharField()
    subject = serializers.CharField()
    text = serializers.CharField()
    severity = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # a field of that name, not DRF's attribute
    state = serializers.CharField(help_text="open or closed.")
    owner = serializers.CharField(source="owner.username", default=None, allow_null=True)
    due_on = serializers.DateField(allow_null=True)
    opened_at = serializers.DateTimeField()
    closed_by = serializers.CharField(source="closed_by.username", default=None, allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    closing_note = serializers.CharField()


class AllocationAnswer(Answer):
    """A booking."""

    team = serializers.CharField(source="account.centre.slug")
    quarter = serializers.CharField(source="account.quarter")
    unit = serializers.CharField(source="account.unit")
    kind = serializers.CharField()
    amount = number()
    booked_at = serializers.DateTimeField()


class EventAnswer(Answer):
    """An event of the audit trail; `hash` covers it and `previous_hash`."""

    position = serializers.IntegerField()
    kind = serializers.CharField()
    at = serializers.DateTimeField()
    actor_id = serializers.CharField()
    actor = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # a field of that name, not DRF's attribute
    subject_type = serializers.CharField()
    subject = serializers.CharField()
    details = serializers.JSONField()
    reason = serializers.CharField()
    request_id = serializers.CharField()
    previous_hash = serializers.CharField()
    hash = serializers.CharField()


class KeyAnswer(Answer):
    """The public key of this installation."""

    algorithm = serializers.CharField()
    public_key_pem = serializers.CharField()
