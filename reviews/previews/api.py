"""`requests/preview/`: the policy that would judge a request, and what it would want."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.inventory.enums import Tier
from governance.people.api.caller import asker
from governance.rulebook.domain.scopes import ModelTask, SubjectKind
from governance.site.api.shapes import Input, answer_of, choice, read
from reviews.previews.domain.needs import MetricNeed
from reviews.previews.domain.preview import PreviewedRule, RequestPreview
from reviews.previews.queries.previews import FilingSketch, preview_of_draft, preview_of_sketch, subject_from
from reviews.previews.rules import check_preview
from reviews.requests.enums import ENVIRONMENT_NAMES
from reviews.requests.queries.requests import find
from weighbridge.core.model_files.formats import ArtifactFormat


class PreviewInput(Input):
    """The properties by which a policy is chosen."""

    kind = choice(SubjectKind)
    # `format` is taken: the framework chooses the form of the answer by it.
    file_format = choice(ArtifactFormat, required=False, source="format", help_text="Of one file; onnx by default.")
    task = choice(ModelTask)
    team = serializers.SlugField(help_text="Slug of a team of yours.")
    tier = choice(Tier.values)
    environment = choice(ENVIRONMENT_NAMES)


MetricNeedAnswer = answer_of(MetricNeed, properties=["is_dead_end"])
PreviewedRuleAnswer = answer_of(PreviewedRule, properties=["makes_mandatory"])
PreviewAnswer = answer_of(
    RequestPreview,
    "RequestPreviewAnswer",
    properties=["is_mandatory"],
    after={"is_mandatory": "outcome"},
    helps={
        "why": "Why this policy judges the request, and not the others that cover it.",
        "mandatory_because": "Why a review would be mandatory on the values given; none if it would not.",
        "needs": "The metric values wanted, with the bases that are accepted and the ways to supply each.",
        "cannot_measure": "Why our workers cannot measure the subject; empty if they can.",
        "data_doubt": "Why quality would not be measured on the data; empty if it would.",
        "other_policies": "Where a value cannot be supplied: the policies that judge models of other tasks.",
    },
)


class PolicyPreview(APIView):
    """The policy that would judge a request."""

    @extend_schema(operation_id="requests_preview", parameters=[PreviewInput], responses=PreviewAnswer)
    def get(self, request: Request) -> Response:
        """The policy in force for these properties, why it was chosen, and everything that it wants."""
        _, person, now = asker(request)
        given = read(PreviewInput, request.query_params)
        check_preview(person, team=given["team"])
        found = preview_of_sketch(subject_from(given), sketch=FilingSketch(), now=now)
        return Response(PreviewAnswer(found).data)


class DraftPreview(APIView):
    """What a submission of a draft would mean."""

    @extend_schema(operation_id="requests_draft_preview", responses=PreviewAnswer)
    def get(self, request: Request, ref: str) -> Response:
        """The preview with everything that counts at submission: metric values, data and values on record."""
        _, person, now = asker(request)
        return Response(PreviewAnswer(preview_of_draft(find(ref=ref, person=person), now=now)).data)
