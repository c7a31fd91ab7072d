"""Inputs of the API of requests."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from rest_framework import serializers
from rest_framework.request import Request

from governance.people.api.caller import asker
from governance.people.domain.roles import Person
from governance.site.api.shapes import Input, choice, takes
from reviews.requests.domain.deadlines import EXTENSION_DAYS_MAX
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.enums import ENVIRONMENT_NAMES
from reviews.requests.models import ReviewRequest
from reviews.requests.queries import requests
from reviews.voting.domain.electorate import VoteChoice
from reviews.voting.domain.rationales import RATIONALE_CHARS_MAX
from reviews.workflow.actions.evidence import StatedValue
from reviews.workflow.actions.review import NewCondition
from weighbridge.core.canonical import DIGEST_LENGTH
from weighbridge.core.metrics.basis import Basis

N_MAX = 2**63 - 1
TEXT_CHARS_MAX = 20_000
AMOUNT = {"max_digits": 24, "decimal_places": 9}


def found(request: Request, ref: str) -> tuple[ReviewRequest, User, Person, datetime]:
    """The request of that reference, if this person may see it, with who asks and when."""
    user, person, now = asker(request)
    return requests.find(ref=ref, person=person), user, person, now


@takes(
    StatedValue,
    value=AMOUNT,
    lower=AMOUNT,
    upper=AMOUNT,
    unit={"required": False, "max_length": 16, "help_text": "The catalog's unit, which is the default."},
    confidence={"max_digits": 5, "decimal_places": 4},
    n={"min_value": 1, "max_value": N_MAX},
    source={"max_length": 300, "allow_blank": True},
)
class MetricValueInput(Input):
    """A metric value as a person states it; text is exact where a number is not."""

    name = serializers.CharField(max_length=60, help_text="A metric of the catalog in force, like latency_p95_ms.")
    basis = choice(
        Basis, help_text="declared or estimated; measured metric values come from benchmarks, billed ones from bills."
    )


class ReviewInput(Input):
    """A model review request."""

    title = serializers.CharField(max_length=160)
    purpose = serializers.CharField(max_length=200)
    environment = choice(ENVIRONMENT_NAMES)
    business_case = serializers.CharField(max_length=TEXT_CHARS_MAX)
    model_version = serializers.CharField(max_length=71, help_text="Digest or id of a registered model version.")
    dataset = serializers.CharField(
        max_length=71, required=False, allow_null=True, help_text="Digest of registered data."
    )
    rivals = serializers.ListField(
        child=serializers.CharField(max_length=71),
        required=False,
        max_length=5,
        help_text="Digests or ids of other candidates of the team, which are measured beside the model.",
    )
    metric_values = MetricValueInput(many=True, required=False)


class ReviewFilters(Input):
    """What the list of requests can be narrowed to."""

    page = serializers.IntegerField(required=False, min_value=1)
    q = serializers.CharField(
        required=False, max_length=200, allow_blank=True, source="search", help_text="Words to search for."
    )
    state = choice(RequestState, required=False)
    team = serializers.SlugField(required=False, help_text="Slug of a team.")
    environment = choice(ENVIRONMENT_NAMES, required=False)
    mine = serializers.BooleanField(required=False, help_text="Filed or owned by you.")


def seen_answer() -> Any:
    """A field that takes the digest of the answer that the caller read."""
    text = "The `answer_digest` that you read; if there is another answer now, nothing is written."
    return serializers.CharField(required=False, max_length=DIGEST_LENGTH, help_text=text)


class AnswerInput(Input):
    """An answer to a checklist item: the text, the confirmation, or the file that its kind asks for."""

    text = serializers.CharField(required=False, allow_blank=True, max_length=TEXT_CHARS_MAX)
    is_attested = serializers.BooleanField(required=False)
    file = serializers.FileField(required=False, max_length=160, source="upload")
    seen = seen_answer()


class TextInput(Input):
    """An explanation."""

    text = serializers.CharField(max_length=TEXT_CHARS_MAX)
    seen = seen_answer()


class ProjectionInput(Input):
    """A cost projection: the token of a kept one, or a spec that is projected and kept now; and the option
    asked for.
    """

    token = serializers.CharField(required=False, max_length=32)
    spec = serializers.DictField(required=False)
    option = serializers.CharField(required=False, max_length=80)
    widen = serializers.BooleanField(
        default=False, help_text="Widen the ranges of the yearly costs as billed months of earlier projections ask for."
    )

    def validate(self, attrs: dict[str, object]) -> dict[str, object]:
        """One of the two."""
        if ("token" in attrs) == ("spec" in attrs):
            raise serializers.ValidationError({"token": ["Give the token of a kept projection, or a spec."]})
        return attrs


class SubmissionInput(Input):
    """A submission, of what was seen or of what there is."""

    seen = serializers.CharField(
        max_length=71,
        required=False,
        help_text="The digest of the preview; the submission is refused if draft, policy or checklist changed since.",
    )


class AmendmentInput(Input):
    """Other texts or data for a submitted request; what is left out stays."""

    title = serializers.CharField(max_length=160, required=False)
    business_case = serializers.CharField(max_length=TEXT_CHARS_MAX, required=False)
    dataset = serializers.CharField(max_length=71, required=False, help_text="Digest of registered data.")
    reason = serializers.CharField(max_length=TEXT_CHARS_MAX)
    revision = serializers.IntegerField(
        required=False, min_value=1, help_text="The revision that you saw; another one is refused."
    )


class ExchangeInput(Input):
    """Another version of the model."""

    model_version = serializers.CharField(max_length=71, help_text="Digest or id of a version of the same model.")
    reason = serializers.CharField(max_length=TEXT_CHARS_MAX)


class CopyInput(Input):
    """The version that a copy is about."""

    model_version = serializers.CharField(
        max_length=71, required=False, help_text="Digest or id of another version of the same model."
    )


class ReasonInput(Input):
    """Why."""

    reason = serializers.CharField(max_length=TEXT_CHARS_MAX)


class SeenReasonInput(ReasonInput):
    """Why a step is taken that concerns one revision."""

    revision = serializers.IntegerField(
        required=False, min_value=1, help_text="The revision that you saw; another one is refused."
    )


class ExtensionInput(Input):
    """By how many days the deadline is extended, and why."""

    days = serializers.IntegerField(min_value=1, max_value=EXTENSION_DAYS_MAX)
    reason = serializers.CharField(max_length=TEXT_CHARS_MAX)


class WaiverInput(Input):
    """Leave not to meet a soft rule, or not to answer a checklist item that does not apply, for a while."""

    rule = serializers.CharField(max_length=80, source="rule_id", required=False)
    item = serializers.CharField(max_length=80, source="item_id", required=False)
    reason = serializers.CharField(max_length=TEXT_CHARS_MAX)
    valid_days = serializers.IntegerField(min_value=1)


@takes(NewCondition, text={"max_length": 400})
class ConditionInput(Input):
    """What must be done, by whom, until when."""

    owner = serializers.SlugRelatedField(
        slug_field="username",
        queryset=User.objects.filter(is_active=True),
        error_messages={"does_not_exist": "There is no active user “{value}”."},
        help_text="User name.",
    )


class VoteInput(Input):
    """A vote; conditions belong to the approval that completes the last stage."""

    stage = serializers.CharField(max_length=40, source="stage_id")
    choice = choice(VoteChoice)
    in_place_of = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=150,
        help_text="User name of the absent person for whom you vote as the deputy; empty for your own vote.",
    )
    revision = serializers.IntegerField(
        required=False, min_value=1, help_text="The revision that you read; a vote on another one is refused."
    )
    rationale = serializers.CharField(required=False, allow_blank=True, max_length=RATIONALE_CHARS_MAX)
    conditions = ConditionInput(many=True, required=False)
    lifted_ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1),
        required=False,
        help_text="The ids of earlier conditions of the artifact that this approval lifts.",
    )
