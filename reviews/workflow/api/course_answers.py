"""How the course of a request is written as JSON: stages, votes, money, ticket, packets, decision, authorization."""

from rest_framework import serializers

from governance.site.api.shapes import Answer, answer_of, number
from reviews.authorizations.queries.re_reviews import ReReviewView
from reviews.packets.domain.packet import VoteRow
from reviews.snapshots.queries.allowed_steps import AllowedStep
from reviews.workflow.queries.view_authorization import AuthorizationView
from reviews.workflow.queries.view_course import PacketView, StageView, TicketView

AllowedStepAnswer = answer_of(AllowedStep, properties=["is_allowed"], after={"is_allowed": ""})
StageAnswer = answer_of(StageView)
VoteAnswer = answer_of(VoteRow, "VoteAnswer")
TicketAnswer = answer_of(
    TicketView, without=["mirror"], helps={"waiting": "How many messages to the tracker have not arrived yet."}
)
PacketAnswer = answer_of(PacketView, without=["is_finished", "retry"])
PacketDetailAnswer = answer_of(
    PacketView, "PacketDetailAnswer", without=["is_finished", "retry"], document=serializers.JSONField()
)
ReReviewAnswer = answer_of(
    ReReviewView,
    helps={
        "kind": "cost.breach, drift, prices.changed, prices.expired, model.retires or model.retirement_unannounced.",
        "first": "The request that was authorized.",
        "request": "The request that reviews it again.",
    },
)
AuthorizationAnswer = answer_of(
    AuthorizationView, after={"subject_digest": "state"}, subject_digest=serializers.CharField()
)


class VotingAnswer(Answer):
    """The stages and every vote, the latest first."""

    stages = StageAnswer(many=True)
    votes = VoteAnswer(many=True)


class BudgetEffectAnswer(Answer):
    """What the request takes from an account of its team."""

    unit = serializers.CharField()
    quarter = serializers.CharField()
    allocated = number()
    expired = number(help_text="What was left of it and expired when the quarter was closed.")
    committed = number()
    reserved_by_others = number()
    available = number()
    released = number(help_text="What an approval releases: the open commitments of the requests that it supersedes.")
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
    remaining = number()
    overrun = number(help_text="By how much more was billed than granted; zero within the account's tolerance.")
