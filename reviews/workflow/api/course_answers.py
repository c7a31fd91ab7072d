"""How the course of a request is written as JSON: stages, votes, money, ticket, packets, decision, authorization."""

from rest_framework import serializers

from governance.budgets.queries.effects import BudgetEffect
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


BudgetEffectAnswer = answer_of(
    BudgetEffect,
    without=["this", "has_account"],
    properties=["committed", "after", "forecast_after", "is_affordable"],
    helps={
        "mode": "off, observe or enforce.",
        "expired": "What was left of the allocated amount and expired when the quarter was closed.",
        "released": "What an approval releases: the open commitments of the requests that it supersedes.",
        "forecast": "What will have been spent by the end of the quarter without the request.",
        "forecast_after": "The same, with the request.",
        "granted": "What of the account is committed or planned for the request.",
        "billed": "What bills of the quarter have drawn on that.",
        "overrun": "By how much more was billed than granted; zero within the account's tolerance.",
        "is_later": "Whether the quarter is after that of the decision: planned, never refused.",
    },
    amount=number(source="this", help_text="What the request takes from the account."),
)
