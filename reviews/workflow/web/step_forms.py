"""The small forms on the page of a request, one for each step."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.models import User

from governance.rulebook.domain.checklists import ItemKind
from governance.site.web.formatting import unit_words
from reviews.voting.domain import VoteChoice
from reviews.workflow.actions.review import CONDITION_CHARS_MAX, NewCondition
from reviews.workflow.queries.view_evidence import ChecklistItemView
from reviews.workflow.web.filing_forms import RATIO_HELP, STATED, PersonField
from weighbridge.core.catalog import CATALOG

if TYPE_CHECKING:
    from datetime import date

CONDITIONS = (1, 2, 3)
CHOICES = [
    (VoteChoice.APPROVE.value, "Approve"),
    (VoteChoice.REQUEST_CHANGES.value, "Request changes: the requester opens a new revision"),
    (VoteChoice.REJECT.value, "Reject: this ends the review"),
]


def metric_label(name: str) -> str:
    """The label of a metric in a list of choices, with its unit."""
    unit = CATALOG[name].unit
    return f"{name} ({'fraction of 1' if unit == 'ratio' else unit_words(unit)})"


class PlainForm(forms.Form):
    """A step without input: only a button."""


class StepReasonForm(forms.Form):
    """A step that needs a reason."""

    reason = forms.CharField(widget=forms.Textarea(attrs={"rows": 2}))


class MetricValueForm(forms.Form):
    """A declared or estimated metric value."""

    name = forms.ChoiceField(label="Metric", choices=[(name, metric_label(name)) for name in CATALOG])
    value = forms.DecimalField(
        max_digits=24, decimal_places=9, widget=forms.NumberInput(attrs={"step": "any"}), help_text=RATIO_HELP
    )
    lower = forms.DecimalField(
        max_digits=24,
        decimal_places=9,
        required=False,
        widget=forms.NumberInput(attrs={"step": "any"}),
        label="Lower bound",
    )
    upper = forms.DecimalField(
        max_digits=24,
        decimal_places=9,
        required=False,
        widget=forms.NumberInput(attrs={"step": "any"}),
        label="Upper bound",
    )
    basis = forms.ChoiceField(choices=STATED)
    source = forms.CharField(max_length=300, required=False, help_text="A bill, a quote, a log, an estimate of …")


class ProjectionForm(forms.Form):
    """A cost projection: the link to a stored one, or a spec file."""

    link = forms.CharField(
        max_length=300,
        required=False,
        label="Link to a stored projection",
        help_text="Under Costs, calculate a projection and store it; then paste its link here.",
    )
    file = forms.FileField(required=False, label="Or a spec file", help_text="YAML, kind: CostSpec")
    option = forms.CharField(
        max_length=80,
        required=False,
        help_text="The option this request is about. Leave it empty if the projection has only one.",
    )
    widen = forms.BooleanField(
        required=False,
        label="Widen the range",
        help_text="Make the range as wide as the bills of earlier projections require. This needs nine billed months.",
    )

    def clean(self) -> dict[str, Any]:
        """Require exactly one of link and file."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if bool(data.get("link")) == bool(data.get("file")) and not self.errors:
            self.add_error("link", "Paste the link to a stored projection, or choose a spec file, but not both.")
        return data

    @property
    def token(self) -> str:
        """The token at the end of the link. The field also accepts the token alone."""
        link: str = self.cleaned_data["link"]
        return link.split("?")[0].split("#")[0].strip().rstrip("/").rpartition("/")[2]


class WaiverForm(forms.Form):
    """A waiver of a soft rule."""

    rule = forms.ChoiceField()
    reason = forms.CharField(widget=forms.Textarea(attrs={"rows": 2}))
    valid_days = forms.IntegerField(label="Valid for (days)", initial=90, widget=forms.NumberInput(attrs={"min": 1}))

    def __init__(self, *args: Any, rules: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        fields["rule"].choices = [(rule, rule) for rule in rules]


class ContradictionForm(forms.Form):
    """The explanation why a measurement differs from the claim."""

    text = forms.CharField(label="Explain the difference", widget=forms.Textarea(attrs={"rows": 2}))


class TextAnswerForm(forms.Form):
    """A text as the answer to a checklist item."""

    text = forms.CharField(label="Answer", widget=forms.Textarea(attrs={"rows": 3}))


class FileAnswerForm(forms.Form):
    """A file as the answer to a checklist item."""

    file = forms.FileField(label="File")


class AttestationForm(forms.Form):
    """A confirmation as the answer to a checklist item."""

    is_attested = forms.BooleanField(label="I confirm this")


ANSWERS: dict[str, type[forms.Form]] = {
    ItemKind.TEXT: TextAnswerForm,
    ItemKind.FILE: FileAnswerForm,
    ItemKind.ATTESTATION: AttestationForm,
}


def answer_form(item: ChecklistItemView, *args: Any) -> forms.Form | None:
    """The form to answer a checklist item; None if metric values answer the item."""
    kind = ANSWERS.get(item.kind)
    if kind is None:
        return None
    data, files = (*args, None, None)[:2]
    return kind(data, files, auto_id=f"item-{item.id}-%s", initial={"text": item.text})


class VoteForm(forms.Form):
    """A vote. Approvals in the last stage may have conditions."""

    stage = forms.CharField(widget=forms.HiddenInput)
    choice = forms.ChoiceField(label="Your vote", choices=CHOICES, widget=forms.RadioSelect)
    rationale = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Required to reject or to request changes. The requester and readers of the packet see it.",
    )

    def __init__(self, *args: Any, may_condition: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.may_condition = may_condition
        people = User.objects.filter(is_active=True).order_by("username") if may_condition else User.objects.none()
        for number in CONDITIONS if may_condition else ():
            self.fields[f"text_{number}"] = forms.CharField(
                label=f"Condition {number}", required=False, max_length=CONDITION_CHARS_MAX
            )
            self.fields[f"owner_{number}"] = PersonField(queryset=people, required=False, label="Responsible person")
            self.fields[f"due_on_{number}"] = forms.DateField(
                required=False, label="Due", widget=forms.DateInput(attrs={"type": "date"})
            )

    @property
    def conditions(self) -> list[tuple[forms.BoundField, ...]]:
        """The fields of each condition: text, owner and due date."""
        numbers = CONDITIONS if self.may_condition else ()
        return [tuple(self[f"{part}_{number}"] for part in ("text", "owner", "due_on")) for number in numbers]

    def clean(self) -> dict[str, Any]:
        """Require all three fields of a condition as soon as one is filled in."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        for number in CONDITIONS if self.may_condition else ():
            given = {part: data.get(f"{part}_{number}") for part in ("text", "owner", "due_on")}
            if any(given.values()):
                for part, reason in (
                    ("text", "Enter what must be done."),
                    ("owner", "Choose the responsible person."),
                    ("due_on", "Enter a due date."),
                ):
                    if not given[part] and f"{part}_{number}" not in self.errors:
                        self.add_error(f"{part}_{number}", reason)
        return data

    @property
    def new_conditions(self) -> tuple[NewCondition, ...]:
        """The conditions of a valid form."""
        conditions = []
        for number in CONDITIONS if self.may_condition else ():
            text: str = self.cleaned_data[f"text_{number}"]
            owner: User | None = self.cleaned_data[f"owner_{number}"]
            due_on: date | None = self.cleaned_data[f"due_on_{number}"]
            if text and owner and due_on:
                conditions.append(NewCondition(text=text, owner=owner, due_on=due_on))
        return tuple(conditions)
