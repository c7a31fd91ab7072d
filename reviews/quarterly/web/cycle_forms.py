"""The forms of the quarterly review, one for each step."""

from typing import Any

from django import forms
from django.contrib.auth.models import User

from governance.inventory.models import ModelAsset
from reviews.quarterly.domain.decisions import NEEDS_MODEL, NEEDS_REQUEST, DecisionKind
from reviews.quarterly.domain.quorum import Side
from reviews.quarterly.models import AgendaItem
from reviews.scorecard.domain.scorecard import KpiDirection
from reviews.workflow.web.filing_forms import PersonField

TEXT_AREA = forms.Textarea(attrs={"rows": 2})
DAY = forms.DateInput(attrs={"type": "date"})
SIDES = [
    (Side.ENGINEERING.value, "Engineering (a platform lead)"),
    (Side.PRODUCT.value, "Product (a product lead)"),
    (Side.GUEST.value, "Guest"),
]


def people() -> Any:
    """All active users by user name."""
    return User.objects.filter(is_active=True).order_by("username")


class CutOffForm(forms.Form):
    """Moves the cut-off."""

    cut_off_at = forms.DateTimeField(
        label="Cut-off (UTC)", widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    )
    reason = forms.CharField(label="Why", widget=TEXT_AREA)


class AddForm(forms.Form):
    """Adds an item to the agenda."""

    title = forms.CharField(max_length=400)
    reason = forms.CharField(label="Why", widget=TEXT_AREA)
    model = forms.ModelChoiceField(
        ModelAsset.objects.select_related("team").order_by("name"), required=False, empty_label="no model"
    )


class RemovalForm(forms.Form):
    """Removes an item from the agenda."""

    reason = forms.CharField(label="Why", widget=TEXT_AREA)


class PositionForm(forms.Form):
    """Moves an item on the agenda."""

    position = forms.IntegerField(min_value=1)


class LeaveForm(forms.Form):
    """Removes an attendee."""

    person = PersonField(queryset=people(), to_field_name="username")


class AttendanceForm(LeaveForm):
    """Records an attendee and the side."""

    side = forms.TypedChoiceField(choices=SIDES, coerce=Side)


class NotesForm(forms.Form):
    """The notes of the chair for the minutes."""

    notes = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 8}))


class DecisionForm(forms.Form):
    """A decision. The action checks required fields, so that page and API give the same reasons."""

    kind = forms.TypedChoiceField(label="Decision", coerce=DecisionKind)
    rationale = forms.CharField(label="Why", required=False, widget=TEXT_AREA)
    owner = PersonField(queryset=people(), to_field_name="username", required=False)
    due_on = forms.DateField(label="Due", required=False, widget=DAY)
    amount_usd = forms.DecimalField(
        label="New budget (USD)",
        required=False,
        max_digits=16,
        decimal_places=2,
        help_text="Only for a budget change: the new amount of the team's account for this quarter.",
    )

    def __init__(self, *args: Any, item: AgendaItem, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        fields["kind"].choices = [(kind.value, kind.words.capitalize()) for kind in possible_decisions(item)]


def possible_decisions(item: AgendaItem) -> list[DecisionKind]:
    """The decisions to offer for an item. The action makes the final check."""
    return [
        kind
        for kind in DecisionKind
        if (kind not in NEEDS_MODEL or item.asset_id) and (kind not in NEEDS_REQUEST or item.request_id)
    ]


class OutcomeForm(forms.Form):
    """The outcome of an action item."""

    outcome = forms.CharField(label="Outcome", widget=TEXT_AREA)


class KpiForm(forms.Form):
    """A KPI of a model."""

    slug = forms.CharField(
        label="Short name", max_length=60, help_text="Lower case; the API and CSV files use this name."
    )
    name = forms.CharField(label="Business KPI", max_length=120)
    metric = forms.CharField(
        label="Technical metric", max_length=120, help_text="The metric of the model that represents the KPI."
    )
    unit = forms.CharField(max_length=60)
    better = forms.TypedChoiceField(
        choices=[(direction.value, direction.value) for direction in KpiDirection], coerce=KpiDirection
    )
    target = forms.DecimalField(max_digits=24, decimal_places=9, widget=forms.NumberInput(attrs={"step": "any"}))
    data_source = forms.CharField(max_length=200)
    how_estimated = forms.CharField(label="How it is estimated", widget=TEXT_AREA)
    owner = PersonField(queryset=people(), to_field_name="username")


class ActualForm(forms.Form):
    """An actual of a KPI."""

    model = forms.CharField(widget=forms.HiddenInput)
    kpi = forms.CharField(widget=forms.HiddenInput)
    value = forms.DecimalField(max_digits=24, decimal_places=9, widget=forms.NumberInput(attrs={"step": "any"}))
    source = forms.CharField(max_length=200, required=False)


class ActualsFileForm(forms.Form):
    """Actuals as a CSV file."""

    file = forms.FileField(label="CSV file", help_text="Columns: model (team/model), kpi, value, source.")
