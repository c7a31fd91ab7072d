"""How a request as a whole is written as JSON."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from rest_framework import serializers

from governance.people.domain.roles import Person
from governance.site.api.shapes import Answer
from reviews.requests.models import ReviewRequest
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.tickets.queries.drafts import request_url
from reviews.workflow.api import course_answers as course
from reviews.workflow.api import evidence_answers as evidence
from reviews.workflow.api.evidence_answers import AllowedStepAnswer
from reviews.workflow.queries.view import RequestView, describe


class PersonAnswer(Answer):
    """Somebody."""

    name = serializers.CharField()
    username = serializers.CharField()


class SubjectAnswer(Answer):
    """The artifact under review."""

    version_id = serializers.IntegerField()
    name = serializers.CharField()
    team = serializers.CharField()
    slug = serializers.CharField()
    version = serializers.CharField()
    tier = serializers.CharField()
    digest = serializers.CharField()
    format = serializers.CharField()
    size_bytes = serializers.IntegerField(allow_null=True)
    uri = serializers.CharField()
    is_stored = serializers.BooleanField()


class DataAnswer(Answer):
    """The evaluation data."""

    name = serializers.CharField()
    digest = serializers.CharField()
    size_bytes = serializers.IntegerField()


class RulebookAnswer(Answer):
    """The version of a policy or checklist the request is judged by."""

    name = serializers.CharField()
    number = serializers.IntegerField()
    digest = serializers.CharField()


class RevisionAnswer(Answer):
    """A frozen revision."""

    number = serializers.IntegerField()
    digest = serializers.CharField()
    frozen_at = serializers.DateTimeField()


class ReviewBlockerAnswer(Answer):
    """Something to settle before a review can be asked for."""

    code = serializers.CharField()
    reason = serializers.CharField()


class TrailAnswer(Answer):
    """An event of the request's trail."""

    number = serializers.IntegerField()
    happened_at = serializers.DateTimeField()
    actor = serializers.CharField()
    action = serializers.CharField()
    note = serializers.CharField()


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


class ReviewAnswer(Answer):
    """A request as you see it now. Lists begin with the latest, runs with the oldest; `allowed_steps` says what
    you may do.
    """

    ref = serializers.CharField()
    html_url = serializers.CharField()
    title = serializers.CharField()
    state = serializers.CharField()
    state_meaning = serializers.CharField()
    state_owner = serializers.CharField(help_text="Whose move it is.")
    outcome = serializers.CharField(help_text="approved, approved_with_conditions, rejected; empty while undecided.")
    team = serializers.CharField()
    requester = PersonAnswer()
    owner = PersonAnswer()
    model = SubjectAnswer()
    dataset = DataAnswer(allow_null=True)
    rivals = SubjectAnswer(many=True, help_text="Other candidates, measured beside the model.")
    purpose = serializers.CharField()
    environment = serializers.CharField()
    business_case = serializers.CharField()
    again_because = course.ReReviewAnswer(
        many=True, help_text="The breaches that made this a re-review; none where people filed it."
    )
    revision = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    submitted_at = serializers.DateTimeField(allow_null=True)
    deadline_at = serializers.DateTimeField(allow_null=True)
    policy = RulebookAnswer(allow_null=True)
    checklist_version = RulebookAnswer(allow_null=True)
    policy_evaluation = evidence.PolicyEvaluationAnswer(allow_null=True)
    metric_values = evidence.MetricEvidenceAnswer(many=True)
    comparisons = evidence.ComparisonAnswer(many=True)
    checklist = evidence.ItemAnswer(many=True)
    runs = evidence.RunAnswer(many=True)
    revisions = RevisionAnswer(many=True)
    stages = course.StageAnswer(many=True)
    votes = course.VoteAnswer(many=True)
    budget = course.BudgetEffectAnswer(many=True)
    ticket = course.TicketAnswer(allow_null=True)
    packets = course.PacketAnswer(many=True)
    decision = course.DecisionAnswer(allow_null=True)
    authorization = course.AuthorizationAnswer(allow_null=True)
    events = TrailAnswer(many=True)
    review_blockers = ReviewBlockerAnswer(many=True)
    allowed_steps = serializers.DictField(child=AllowedStepAnswer())


def said(request: ReviewRequest, person: Person, now: datetime) -> dict[str, Any]:
    """Everything about the request, as this person sees it now."""
    view = describe(snapshot_of(request, now=now), person=person)
    held = view.authorization
    whole = {
        **vars(view),
        "html_url": request_url(request),
        "comparisons": list(_comparisons(view)),
        "runs": [entry.run for entry in reversed(view.runs)],
        "authorization": {**vars(held), "subject_digest": view.model.digest} if held else None,
    }
    return dict(ReviewAnswer(whole).data)


def _comparisons(view: RequestView) -> Iterator[dict[str, Any]]:
    for metric in view.metric_values:
        if metric.claimed and metric.measured:
            yield {
                "name": metric.kind.name,
                "unit": metric.kind.unit,
                "claimed": metric.claimed,
                "measured": metric.measured,
                "is_contradicted": bool(metric.contradiction),
                "message": metric.contradiction,
                "answer": metric.answer,
                "answered_by": metric.answered_by,
            }
