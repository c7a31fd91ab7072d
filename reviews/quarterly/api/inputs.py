"""What the API of the quarterly review takes."""

from typing import Any

from django.contrib.auth.models import User
from rest_framework import serializers

from governance.site.api.shapes import Input, choice, takes
from reviews.quarterly.actions.action_items import OUTCOME_CHARS_MAX
from reviews.quarterly.actions.agenda import TITLE_CHARS_MAX
from reviews.quarterly.actions.cycles import NOTES_CHARS_MAX
from reviews.quarterly.domain.actuals_file import ActualRow
from reviews.quarterly.domain.decisions import DecisionKind, TakenDecision
from reviews.quarterly.domain.quorum import Side
from reviews.scorecard.domain.scorecard import KpiDirection
from weighbridge.core.canonical import DIGEST_LENGTH

TEXT_CHARS_MAX = 4_000


def somebody(**options: Any) -> Any:
    """A field that takes the user name of somebody whose account is open."""
    return serializers.SlugRelatedField(
        slug_field="username",
        queryset=User.objects.filter(is_active=True),
        error_messages={"does_not_exist": "There is no active user “{value}”."},
        **options,
    )


@takes(TakenDecision, rationale={"max_length": TEXT_CHARS_MAX}, amount_usd={"max_digits": 16, "decimal_places": 2})
class DecisionInput(Input):
    """A decision of the meeting; it needs an owner and a due date."""

    kind = choice(DecisionKind)
    decisions_seen = serializers.IntegerField(
        required=False,
        min_value=0,
        help_text="How many decisions of the item you read; if it has others now, nothing is decided.",
    )
    revision_seen = serializers.IntegerField(
        required=False,
        min_value=1,
        help_text="The revision of the request that you read; an investment is approved on no other.",
    )
    owner = somebody(required=False, allow_null=True, help_text="User name of whoever carries it out.")
    validate_kind = staticmethod(DecisionKind)


class AttendanceInput(Input):
    """Who attends, and for which side."""

    person = somebody(help_text="User name.")
    side = choice(Side)
    validate_side = staticmethod(Side)


class LeavingInput(Input):
    """Who does not attend after all; their account may be closed."""

    person = serializers.SlugRelatedField(
        slug_field="username",
        queryset=User.objects.all(),
        error_messages={"does_not_exist": "There is no user “{value}”."},
        help_text="User name.",
    )


class ItemInput(Input):
    """Something no rule found; of a model, of a request (which brings its model), or of neither."""

    title = serializers.CharField(max_length=TITLE_CHARS_MAX)
    reason = serializers.CharField(max_length=2_000)
    model = serializers.CharField(max_length=150, required=False, allow_null=True, help_text="Written team/model.")
    request = serializers.CharField(max_length=20, required=False, allow_null=True, help_text="Reference of a request.")


class MeetingEndInput(Input):
    """What is left undecided as the meeting closes."""

    undecided = serializers.ListField(
        child=serializers.IntegerField(min_value=1),
        required=False,
        help_text="The ids of the undecided items that you read; if others are undecided now, nothing is closed.",
    )


class PositionInput(Input):
    """A position on the agenda."""

    position = serializers.IntegerField(
        min_value=1, help_text="Counted from 1, among the items that are on the agenda."
    )


class NotesInput(Input):
    """The chair's own part of the minutes."""

    notes = serializers.CharField(max_length=NOTES_CHARS_MAX, allow_blank=True)
    seen = serializers.CharField(
        required=False,
        max_length=DIGEST_LENGTH,
        help_text="The `notes_digest` that you read; if the notes changed since, nothing is written.",
    )


class CutOffInput(Input):
    """Another cut-off, and why."""

    cut_off_at = serializers.DateTimeField()
    reason = serializers.CharField(max_length=TEXT_CHARS_MAX)


class OutcomeInput(Input):
    """What became of an action item."""

    outcome = serializers.CharField(max_length=OUTCOME_CHARS_MAX)


@takes(
    ActualRow,
    without=["row"],
    model={"max_length": 150, "help_text": "Written team/model."},
    value={"max_digits": 24, "decimal_places": 9},
    source={"required": False, "max_length": 200, "allow_blank": True},
)
class ActualInput(Input):
    """What one KPI came to."""

    kpi = serializers.SlugField(max_length=60)


class ActualsInput(Input):
    """Metrics of a quarter: all of them are kept, or none."""

    actuals = ActualInput(many=True)


class KpiInput(Input):
    """A KPI of a model; set again under the same short name, it is changed."""

    slug = serializers.SlugField(max_length=60)
    name = serializers.CharField(max_length=120)
    metric = serializers.CharField(max_length=120)
    unit = serializers.CharField(max_length=60)
    better = choice(KpiDirection)
    target = serializers.DecimalField(max_digits=24, decimal_places=9)
    owner = somebody(help_text="User name.")
    data_source = serializers.CharField(max_length=200)
    how_estimated = serializers.CharField(max_length=TEXT_CHARS_MAX)
    validate_better = staticmethod(KpiDirection)
