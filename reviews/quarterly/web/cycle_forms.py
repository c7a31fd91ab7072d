"""The forms of the quarterly review, one for each step."""

from typing import Any

from django import forms
from django.contrib.auth.models import User

from governance.site.domain.numbers import whole_number
from reviews.quarterly.domain.decisions import DecisionKind
from reviews.quarterly.domain.proposals import Proposal
from reviews.quarterly.domain.quorum import Side
from reviews.quarterly.models import MINUTES_PER_ITEM_MAX, AgendaItem
from reviews.quarterly.queries.proposals import decisions_allowed
from reviews.scorecard.domain.scorecard import KpiDirection
from reviews.workflow.web.filing_forms import PersonField

TEXT_AREA = forms.Textarea(attrs={"rows": 2})
DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
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
    model = forms.CharField(
        max_length=150,
        required=False,
        help_text="If it is about a model: team/model, as in the address of its page.",
        widget=forms.TextInput(attrs={"list": "models"}),
    )


class RemovalForm(forms.Form):
    """Removes an item from the agenda."""

    reason = forms.CharField(label="Why", widget=TEXT_AREA)


class PositionForm(forms.Form):
    """Moves an item on the agenda."""

    position = forms.IntegerField(min_value=1)


class LeaveForm(forms.Form):
    """Removes an attendee, also one whose account was closed meanwhile."""

    person = PersonField(queryset=User.objects.order_by("username"), to_field_name="username")


class AttendanceForm(forms.Form):
    """Records an attendee and the side."""

    person = PersonField(queryset=people(), to_field_name="username")
    side = forms.TypedChoiceField(choices=SIDES, coerce=Side)


class NotesForm(forms.Form):
    """The notes of the leads for the minutes. The page writes the hidden digest of the notes that it shows."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    notes = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 8}))


class CheckedByAction:
    """A field labeled as required. The action refuses an empty one, so that page and API give the same reason."""

    def validate(self, value: object) -> None:
        """Let the action decide."""


class ReasonField(CheckedByAction, forms.CharField):
    """The reason of a decision."""


class ImplementerField(CheckedByAction, PersonField):
    """The person who carries a decision out."""


class DueField(CheckedByAction, forms.DateField):
    """The day by which a decision is carried out."""


class DecisionForm(forms.Form):
    """A decision about an item. It offers the decisions that the item allows, and starts with the proposal.

    The page writes the hidden number of decisions and the revision that it shows, also with a refused form.
    """

    use_required_attribute = False
    decisions_seen = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)
    revision_seen = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)
    kind = forms.TypedChoiceField(label="Decision", coerce=DecisionKind)
    rationale = ReasonField(
        label="Why", widget=TEXT_AREA, help_text="At least 10 characters. Only the decision to keep needs no reason."
    )
    owner = ImplementerField(queryset=people(), to_field_name="username")
    due_on = DueField(label="Due", widget=DAY)
    amount_usd = forms.DecimalField(
        label="New budget (USD)",
        required=False,
        max_digits=16,
        decimal_places=2,
        help_text="Only for a budget change: the new amount of the team's account for this quarter.",
    )

    def __init__(self, *args: Any, item: AgendaItem, proposal: Proposal[User] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        allowed = decisions_allowed(item)
        fields["kind"].choices = [(kind.value, kind.words.capitalize()) for kind in DecisionKind if kind in allowed]
        if DecisionKind.BUDGET_CHANGE not in allowed:
            del fields["amount_usd"]
        if proposal is not None:
            owner = proposal.owner.username if proposal.owner else None
            self.initial = {"kind": proposal.kind.value, "owner": owner, "due_on": proposal.due_on}


class MinutesPerItemForm(forms.Form):
    """The minutes that the meeting plans for each item."""

    minutes_per_item = forms.IntegerField(label="Minutes for each item", min_value=1, max_value=MINUTES_PER_ITEM_MAX)


class ItemIdsField(forms.CharField):
    """Ids of agenda items, separated by commas, as the page showed them."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        """The ids as a frozen set of numbers."""
        numbers = [whole_number(part) for part in str(value or "").split(",") if part]
        if None in numbers:
            raise forms.ValidationError("The list of items is damaged. Open the page again.")
        return frozenset(numbers)

    def validate(self, value: object) -> None:
        """An empty list is a list."""


class MeetingEndForm(forms.Form):
    """Closes the meeting, with the undecided items that the page showed."""

    undecided = ItemIdsField(error_messages={"required": "Open the page again."})


class MarksField(forms.Field):
    """The marks of the proposals that the page showed, one for each item."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> Any:
        """The marks as a frozen set; without any, no proposal was seen."""
        return frozenset(value or ())


class ProposalForm(forms.Form):
    """Accepts the proposal of an item, as the page showed it."""

    seen = MarksField(required=False)


class AcceptForm(ProposalForm):
    """Accepts the proposals of the selected items."""

    items = forms.TypedMultipleChoiceField(coerce=int, required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, choices: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        fields["items"].choices = choices


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
    """An actual of a KPI: one row of the form with all KPIs of a person. A row without a value is left out."""

    value = forms.DecimalField(
        max_digits=24, decimal_places=9, required=False, widget=forms.NumberInput(attrs={"step": "any"})
    )
    source = forms.CharField(max_length=200, required=False, widget=forms.TextInput(attrs={"placeholder": "Source"}))

    def clean(self) -> dict[str, Any]:
        """Refuse a source without a value, which would be lost."""
        cleaned = super().clean() or {}
        if cleaned.get("source") and cleaned.get("value") is None and "value" not in self.errors:
            self.add_error("value", "Enter the value that comes from this source.")
        return cleaned


class ActualsFileForm(forms.Form):
    """Actuals as a CSV file."""

    file = forms.FileField(label="CSV file", help_text="Columns: model (team/model), kpi, value, source.")
