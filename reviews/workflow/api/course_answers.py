"""How the course of a request is written as JSON: stages, votes, money, ticket, packets, decision,
authorization, gate.
"""

from rest_framework import serializers

from governance.site.api.shapes import Answer, number
from reviews.workflow.api.evidence_answers import AllowedStepAnswer


class StageAnswer(Answer):
    """A stage of the review and how far it came."""

    id = serializers.CharField()
    title = serializers.CharField()
    role = serializers.CharField()
    quorum = serializers.IntegerField()
    approvers = serializers.ListField(child=serializers.CharField())
    needed = serializers.IntegerField()
    is_complete = serializers.BooleanField()
    is_open = serializers.BooleanField()


class VoteAnswer(Answer):
    """A vote; a void one does not count."""

    stage = serializers.CharField()
    person = serializers.CharField()
    choice = serializers.CharField()
    revision = serializers.IntegerField()
    rationale = serializers.CharField()
    cast_at = serializers.DateTimeField()
    is_void = serializers.BooleanField()


class VotingAnswer(Answer):
    """The stages and every vote, the latest first."""

    stages = StageAnswer(many=True)
    votes = VoteAnswer(many=True)


class BudgetEffectAnswer(Answer):
    """What the request takes from an account of its team."""

    unit = serializers.CharField()
    quarter = serializers.CharField()
    allocated = number()
    committed = number()
    reserved_by_others = number()
    available = number()
    amount = number(source="this")
    after = number()
    forecast = number(help_text="What will have been spent by the end of the quarter without the request.")
    forecast_after = number(help_text="The same, with the request.")
    mode = serializers.CharField(help_text="off, observe or enforce.")
    is_affordable = serializers.BooleanField()
    is_booked = serializers.BooleanField()
    is_later = serializers.BooleanField(
        help_text="Whether the quarter is after that of the decision: planned, never refused."
    )
    granted = number(help_text="What of the account is committed or planned for the request.")
    billed = number(help_text="What bills of the quarter have drawn on that.")
    left = number()
    over = number(help_text="By how much more was billed than granted; zero within the account's tolerance.")


class TicketAnswer(Answer):
    """Where the ticket stands, and what it waits for."""

    state = serializers.CharField()
    key = serializers.CharField()
    url = serializers.CharField()
    status = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name, not DRF's attribute
    waiting = serializers.IntegerField(help_text="How many messages to the tracker have not arrived yet.")
    effect_state = serializers.CharField()
    attempts = serializers.IntegerField()
    why = serializers.CharField()
    next_attempt_at = serializers.DateTimeField(allow_null=True)


class PacketAnswer(Answer):
    """A packet and its PDF."""

    number = serializers.IntegerField()
    state = serializers.CharField()
    is_ready = serializers.BooleanField()
    pages = serializers.IntegerField(allow_null=True)
    error = serializers.CharField()
    document_digest = serializers.CharField()
    pdf_digest = serializers.CharField()
    created_at = serializers.DateTimeField()


class PacketDetailAnswer(PacketAnswer):
    """A packet with what it says."""

    document = serializers.JSONField()


class DecisionAnswer(Answer):
    """How the review ended."""

    outcome = serializers.CharField()
    rationale = serializers.CharField()
    decided_by = serializers.CharField()
    decided_at = serializers.DateTimeField()
    revision = serializers.IntegerField()
    bundle_digest = serializers.CharField()


class ConditionAnswer(Answer):
    """An obligation the approval came with."""

    id = serializers.IntegerField()
    text = serializers.CharField()
    owner = serializers.CharField()
    due_on = serializers.DateField()
    is_overdue = serializers.BooleanField()
    met_at = serializers.DateTimeField(allow_null=True)
    met_by = serializers.CharField()
    confirm = AllowedStepAnswer()


class ReReviewAnswer(Answer):
    """A breach of an authorization, and the request that reviews the model again for it."""

    finding = serializers.CharField()
    kind = serializers.CharField(help_text="cost.breach, drift or prices.expired.")
    text = serializers.CharField()
    authorization = serializers.CharField()
    first = serializers.CharField(help_text="The request that was authorized.")
    request = serializers.CharField(help_text="The request that reviews it again.")
    state = serializers.CharField()
    noted_at = serializers.DateTimeField()


class AuthorizationAnswer(Answer):
    """The leave to run the artifact; the gate has its signed statement."""

    number = serializers.CharField()
    state = serializers.CharField()
    subject_digest = serializers.CharField()
    environment = serializers.CharField()
    issued_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    statement_digest = serializers.CharField()
    conditions = ConditionAnswer(many=True)
    re_reviews = ReReviewAnswer(many=True)
    revoke = AllowedStepAnswer()


class GateReplyAnswer(Answer):
    """Whether the artifact may run there."""

    answer = serializers.CharField(help_text="allow or deny.")
    reasons = serializers.ListField(child=serializers.CharField())
    authorization = serializers.CharField()
    request = serializers.CharField()
    expires_at = serializers.DateTimeField(allow_null=True)
    statement = serializers.JSONField(allow_null=True, help_text="DSSE envelope of the signed statement.")
