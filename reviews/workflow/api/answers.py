"""How a request as a whole is written as JSON."""

from datetime import datetime
from typing import Any

from rest_framework import serializers

from governance.people.domain.roles import Person
from governance.rulebook.queries.rulebook import VersionRow
from governance.site.api.shapes import Answer, answer_of
from reviews.requests.models import ReviewRequest
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.tickets.queries.drafts import request_url
from reviews.voting.queries.review_blockers import ReviewBlocker
from reviews.workflow.api import course_answers as course
from reviews.workflow.api import evidence_answers as evidence
from reviews.workflow.queries.view import ModelView, RequestView, describe


class DataAnswer(Answer):
    """The evaluation data."""

    name = serializers.CharField()
    version = serializers.IntegerField()
    status = serializers.CharField(help_text="proposed, governed or retired.")
    digest = serializers.CharField()
    size_bytes = serializers.IntegerField()


class RevisionAnswer(Answer):
    """A frozen revision."""

    number = serializers.IntegerField()
    digest = serializers.CharField()
    frozen_at = serializers.DateTimeField()


class RowAnswer(Answer):
    """A request in a list."""

    ref = serializers.CharField()
    title = serializers.CharField()
    state = serializers.CharField()
    team = serializers.CharField(source="team.slug")
    requester = serializers.CharField(source="requester.username")
    owner = serializers.CharField(source="owner.username")
    model = serializers.CharField(source="model_version.asset.name")
    version = serializers.CharField(source="model_version.version")
    digest = serializers.CharField(source="model_version.digest")
    purpose = serializers.CharField()
    environment = serializers.CharField()
    revision = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    submitted_at = serializers.DateTimeField(allow_null=True)
    deadline_at = serializers.DateTimeField(allow_null=True)
    html_url = serializers.SerializerMethodField()

    def get_html_url(self, request: ReviewRequest) -> str:
        """The page of the request."""
        return request_url(request)


SubjectAnswer = answer_of(ModelView, "SubjectAnswer")
RulebookAnswer = answer_of(VersionRow, "RulebookAnswer", only=["name", "number", "digest"])
ReviewBlockerAnswer = answer_of(ReviewBlocker, without=["part"])
ReviewAnswer = answer_of(
    RequestView,
    "ReviewAnswer",
    without=["team_name", "policy_evaluations", "waivers", "projections", "changes"],
    after={"html_url": "ref", "comparisons": "metric_values"},
    helps={
        "state_owner": "Whose move it is.",
        "lapses_at": "When it expires unless somebody acts: at the deadline, or after the grace if it was in review.",
        "is_in_grace": "Whether the deadline has passed. Grace authorizes nothing.",
        "voting_rights": "The stages in which you may vote now; in_place_of names the absent person you may vote for.",
        "outcome": "approved, approved_with_conditions, rejected; empty while undecided.",
        "dataset_doubt": "Why quality on the evaluation data is declared and not measured; empty where it is measured.",
        "re_review_reasons": "The breaches that made this a re-review; none where people filed it.",
    },
    html_url=serializers.CharField(),
    model=SubjectAnswer(),
    rivals=SubjectAnswer(many=True, help_text="Other candidates, measured beside the model."),
    dataset=DataAnswer(allow_null=True),
    policy=RulebookAnswer(allow_null=True),
    checklist_version=RulebookAnswer(allow_null=True),
    metric_values=evidence.MetricEvidenceAnswer(many=True),
    comparisons=evidence.ComparisonAnswer(many=True),
    runs=evidence.RunAnswer(many=True),
    revisions=RevisionAnswer(many=True),
    budget=course.BudgetEffectAnswer(many=True),
)


def said(request: ReviewRequest, person: Person, now: datetime) -> dict[str, Any]:
    """Everything about the request as JSON, as this person sees it now."""
    return dict(ReviewAnswer(everything_of(request, person, now)).data)


def everything_of(request: ReviewRequest, person: Person, now: datetime) -> dict[str, Any]:
    """Everything about the request, as this person sees it now."""
    view = describe(snapshot_of(request, now=now), person=person)
    held = view.authorization
    return {
        **vars(view),
        "html_url": request_url(request),
        "comparisons": [metric for metric in view.metric_values if metric.claimed and metric.measured],
        "runs": [entry.run for entry in reversed(view.runs)],
        "authorization": {**vars(held), "subject_digest": view.model.digest} if held else None,
    }
