"""How the quarterly review is written as JSON."""

from rest_framework import serializers

from governance.site.api.shapes import Answer, number


class CycleAnswer(Answer):
    """A quarter's review."""

    quarter = serializers.CharField()
    state = serializers.CharField()
    collecting_at = serializers.DateTimeField()
    cut_off_at = serializers.DateTimeField()
    held_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)


class MeetingDecisionAnswer(Answer):
    """A decision, and the action item it became."""

    kind = serializers.CharField()
    rationale = serializers.CharField()
    effect = serializers.CharField()
    amount = serializers.CharField()
    decided_by = serializers.CharField()
    decided_at = serializers.DateTimeField()
    action = serializers.CharField()


class AgendaItemAnswer(Answer):
    """An item of the agenda; `place` is 0 for one that was taken off, `recurs` the quarter it was on an
    agenda before.
    """

    id = serializers.IntegerField()
    place = serializers.IntegerField()
    kind = serializers.CharField()
    title = serializers.CharField()
    why = serializers.CharField()
    page = serializers.CharField()
    model = serializers.CharField()
    request = serializers.CharField()
    recurs = serializers.CharField()
    removal = serializers.CharField()
    decisions = MeetingDecisionAnswer(many=True)
    may_decide = serializers.BooleanField()


class ActionAnswer(Answer):
    """An action item."""

    ref = serializers.CharField()
    quarter = serializers.CharField()
    kind = serializers.CharField()
    title = serializers.CharField()
    owner = serializers.CharField()
    due_on = serializers.DateField()
    state = serializers.CharField()
    outcome = serializers.CharField()
    ticket = serializers.CharField()
    is_overdue = serializers.BooleanField()


class ScoreAnswer(Answer):
    """A line of the scorecard; `gap` and `change` are shares of 1, above zero being better than the target."""

    model = serializers.CharField()
    kpi = serializers.CharField()
    metric = serializers.CharField()
    unit = serializers.CharField()
    better = serializers.CharField()
    target = number()
    actual = number(allow_null=True)
    before = number(allow_null=True)
    gap = number(allow_null=True)
    change = number(allow_null=True)
    standing = serializers.CharField()
    trend = serializers.CharField()
    supplied_by = serializers.CharField()
    channel = serializers.CharField()


class ScoreLineAnswer(Answer):
    """A KPI of a model, with its values."""

    team = serializers.CharField()
    slug = serializers.CharField()
    kpi = serializers.CharField()
    owner = serializers.CharField()
    data_source = serializers.CharField()
    how_estimated = serializers.CharField()
    score = ScoreAnswer()


class PresenceAnswer(Answer):
    """Somebody who attends."""

    username = serializers.CharField()
    name = serializers.CharField()
    side = serializers.CharField()


class CycleDetailAnswer(CycleAnswer):
    """Everything of a quarter's review; `missing` is who must be present before anything can be decided."""

    chair = serializers.CharField()
    notes = serializers.CharField()
    minutes = serializers.CharField()
    minutes_digest = serializers.CharField()
    items = AgendaItemAnswer(many=True)
    removed = AgendaItemAnswer(many=True)
    presences = PresenceAnswer(many=True)
    missing = serializers.ListField(child=serializers.CharField())
    scores = ScoreLineAnswer(many=True)
    actions = ActionAnswer(many=True)
    before = ActionAnswer(many=True)


class KpiAnswer(Answer):
    """A KPI of a model."""

    slug = serializers.CharField()
    name = serializers.CharField()
    metric = serializers.CharField()
    unit = serializers.CharField()
    better = serializers.CharField()
    target = number()
    owner = serializers.CharField(source="owner.username")
    data_source = serializers.CharField()
    how_estimated = serializers.CharField()


class ActualAnswer(Answer):
    """A value as it was kept."""

    model = serializers.SerializerMethodField()
    kpi = serializers.CharField(source="kpi.slug")
    quarter = serializers.CharField()
    value = number()
    channel = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # a field of that name, not DRF's attribute
    supplied_at = serializers.DateTimeField()

    def get_model(self, row: object) -> str:
        """The model as "team/model"."""
        asset = row.kpi.asset  # type: ignore[attr-defined]  # a KpiActual
        return f"{asset.team.slug}/{asset.slug}"
