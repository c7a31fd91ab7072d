"""The gate over HTTP: the question that a deployment asks."""

from typing import TYPE_CHECKING, cast

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.people.queries.people import kept_person_of
from governance.site.api.shapes import Input, answer_of, choice
from reviews.feed.queries import gate
from reviews.requests.enums import ENVIRONMENT_NAMES

if TYPE_CHECKING:
    from django.contrib.auth.models import User

DIGEST = r"^sha256:[0-9a-f]{64}$"
GateReplyAnswer = answer_of(
    gate.GateDecision,
    "GateReplyAnswer",
    helps={
        "answer": "allow or deny.",
        "statement": "DSSE envelope of the signed statement of the authorization.",
        "summary": "DSSE envelope of the signed answer: a SLSA verification summary, valid for minutes.",
    },
)


class GateInput(Input):
    """Which artifact, and where it is to run."""

    subject = serializers.RegexField(
        DIGEST, error_messages={"invalid": "Write sha256: followed by 64 hexadecimal digits in lower case."}
    )
    env = choice(ENVIRONMENT_NAMES)


# Made once, not for each question: making fields takes longer than the answer.
_INPUT, _ANSWER = GateInput(), GateReplyAnswer()


class Gate(APIView):
    """The question a deployment asks."""

    @extend_schema(operation_id="gate", parameters=[GateInput], responses=GateReplyAnswer)
    def get(self, request: Request) -> Response:
        """Whether this artifact may run in this environment, and the signed statement that says so."""
        person = kept_person_of(cast("User", request.user))  # IsAuthenticated lets nobody else in
        given = _INPUT.run_validation(request.query_params)
        answer = gate.decide(digest=given["subject"], environment=given["env"], person=person, now=timezone.now())
        return Response(_ANSWER.to_representation(answer))
