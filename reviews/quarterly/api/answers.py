"""How the quarterly review is written as JSON."""

from rest_framework import serializers

from governance.site.api.shapes import Answer, answer_of, number
from reviews.quarterly.actions.scorecard import KpiSheet
from reviews.quarterly.queries.action_items import ActionView
from reviews.quarterly.queries.cycles import AgendaItemView, CycleView, MeetingDecisionView
from reviews.quarterly.queries.scores import ScorecardLine
from reviews.scorecard.domain.scorecard import KpiScore

MeetingDecisionAnswer = answer_of(MeetingDecisionView, without=["words"])
AgendaItemAnswer = answer_of(AgendaItemView, without=["words", "removed_by"])
ActionAnswer = answer_of(ActionView, without=["words", "ticket_url"])
ScoreAnswer = answer_of(
    KpiScore,
    properties=["gap", "change", "status", "trend"],
    after={"supplied_by": "trend", "channel": "supplied_by"},
    helps=dict.fromkeys(["gap", "change"], "A share of 1; above zero is better than the target."),
)
ScoreLineAnswer = answer_of(ScorecardLine, without=["supplied_at", "history"], after={"score": "how_estimated"})
CycleAnswer = answer_of(
    CycleView, "CycleAnswer", only=["quarter", "state", "collecting_at", "cut_off_at", "held_at", "closed_at"]
)
CycleDetailAnswer = answer_of(
    CycleView,
    "CycleDetailAnswer",
    without=["gathered_at", "totals", "decided_count", "may_lead", "may_close", "is_present"],
    properties=["notes_digest"],
    after={"notes_digest": "notes"},
    helps={"missing": "Who must be present before anything can be decided."},
)
KpiAnswer = answer_of(
    KpiSheet, "KpiAnswer", after={"owner": "target"}, owner=serializers.CharField(source="owner.username")
)


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
