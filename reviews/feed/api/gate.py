"""The gate over HTTP: the question that a deployment asks."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.people.domain.roles import Person
from governance.people.models import ApiToken
from governance.people.queries.people import kept_person_of
from governance.site.api.shapes import Input, answer_of, choice
from governance.site.domain.memory import Recent
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
        "as_of": "The answer is of the feed as it was at this time or later.",
    },
)


class GateInput(Input):
    """Which artifact, and where it is to run."""

    subject = serializers.RegexField(
        DIGEST, error_messages={"invalid": "Write sha256: followed by 64 hexadecimal digits in lower case."}
    )
    env = choice(ENVIRONMENT_NAMES)


ASKED = "weighbridge.asked"
# Made once, not for each question: making fields takes longer than the answer.
_INPUT, _ANSWER, _RENDERER = GateInput(), GateReplyAnswer(), JSONRenderer()
ONCE = ("answer", "standing", "reasons", "authorization", "request", "expires_at")
_BEGINS: Recent[tuple[object, ...], bytes] = Recent(most=4_096)


@dataclass(frozen=True)
class Asked:
    """Who asked, with which token (None: in a session), and the answer: for the memory of this process."""

    person: Person
    token: ApiToken | None
    answer: gate.GateDecision


def body_of(answer: gate.GateDecision) -> bytes:
    """The answer in JSON, as the framework writes it. What is not signed anew for each question is written once."""
    # A number alone could name another authorization after a backup was restored.
    signed = answer.statement["signatures"][0]["sig"] if answer.statement else None
    key = (signed, *(getattr(answer, name) for name in ONCE))
    begin = _BEGINS.get(key)
    if begin is None:
        document = _ANSWER.to_representation(answer)
        begin = _RENDERER.render({name: document[name] for name in (*ONCE, "statement")}).removesuffix(b"}")
        _BEGINS.keep(key, begin)
    as_of = _ANSWER.fields["as_of"].to_representation(answer.as_of)
    end = json.dumps({"summary": answer.summary, "as_of": as_of}, separators=(",", ":"), ensure_ascii=False)
    return b"%b,%b" % (begin, end.removeprefix("{").encode())


class Gate(APIView):
    """The question a deployment asks."""

    @extend_schema(operation_id="gate", parameters=[GateInput], responses=GateReplyAnswer)
    def get(self, request: Request) -> Response:
        """Whether this artifact may run in this environment, and the signed statement that says so."""
        person = kept_person_of(cast("User", request.user))  # IsAuthenticated lets nobody else in
        given = _INPUT.run_validation(request.query_params)
        answer = gate.decide(digest=given["subject"], environment=given["env"], person=person, now=timezone.now())
        request.META[ASKED] = Asked(person, cast("ApiToken | None", request.auth), answer)
        return Response(_ANSWER.to_representation(answer))
