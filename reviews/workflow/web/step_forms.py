"""The small forms of a request's page, one for each step somebody can take."""

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
    """A metric in a list of choices, with the unit it is stated in."""
    unit = CATALOG[name].unit
    return f"{name} ({'share of 1' if unit == 'ratio' else unit_words(unit)})"


class PlainForm(forms.Form):
    """A step that needs no words: only the button."""


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
    """A cost projection: the link of one that is kept, or a spec."""

    link = forms.CharField(
        max_length=300,
        required=False,
        label="Link of a kept projection",
        help_text="From the calculator under Costs: calculate, keep it, paste the link.",
    )
    file = forms.FileField(required=False, label="Or a spec file", help_text="YAML, kind: CostSpec")
    option = forms.CharField(
        max_length=80,
        required=False,
        help_text="Which option this request asks for; may be left out where there is one.",
    )
    widen = forms.BooleanField(
        required=False,
        label="Widen the range",
        help_text="As wide as billed months of earlier projections ask for; it takes nine.",
    )

    def clean(self) -> dict[str, Any]:
        """One of the two is enough, and both are one too many."""
        asked: dict[str, Any] = super().clean() or self.cleaned_data
        if bool(asked.get("link")) == bool(asked.get("file")) and not self.errors:
            self.add_error("link", "Paste the link of a kept projection, or choose a spec file.")
        return asked

    @property
    def token(self) -> str:
        """The token at the end of the link; a token by itself is as good."""
        link: str = self.cleaned_data["link"]
        return link.split("?")[0].split("#")[0].strip().rstrip("/").rpartition("/")[2]


class WaiverForm(forms.Form):
    """Leave not to meet a soft rule."""

    rule = forms.ChoiceField()
    reason = forms.CharField(widget=forms.Textarea(attrs={"rows": 2}))
    valid_days = forms.IntegerField(label="Valid for (days)", initial=90, widget=forms.NumberInput(attrs={"min": 1}))

    def __init__(self, *args: Any, rules: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        fields["rule"].choices = [(rule, rule) for rule in rules]


class ContradictionForm(forms.Form):
    """Why a measurement differs from the claim."""

    text = forms.CharField(label="Explain the difference", widget=forms.Textarea(attrs={"rows": 2}))


class TextAnswerForm(forms.Form):
    """An answer in words."""

    text = forms.CharField(label="Answer", widget=forms.Textarea(attrs={"rows": 3}))


class FileAnswerForm(forms.Form):
    """An answer as a file."""

    file = forms.FileField(label="File")


class AttestationForm(forms.Form):
    """An answer with one's name."""

    is_attested = forms.BooleanField(label="I put my name to this")


ANSWERS: dict[str, type[forms.Form]] = {
    ItemKind.TEXT: TextAnswerForm,
    ItemKind.FILE: FileAnswerForm,
    ItemKind.ATTESTATION: AttestationForm,
}


def answer_form(item: ChecklistItemView, *args: Any) -> forms.Form | None:
    """The form that answers a checklist item, or None where metric values answer it."""
    kind = ANSWERS.get(item.kind)
    if kind is None:
        return None
    data, files = (*args, None, None)[:2]
    return kind(data, files, auto_id=f"item-{item.id}-%s", initial={"text": item.text})


class VoteForm(forms.Form):
    """A vote; approvals of the last stage may carry conditions."""

    stage = forms.CharField(widget=forms.HiddenInput)
    choice = forms.ChoiceField(label="Your vote", choices=CHOICES, widget=forms.RadioSelect)
    rationale = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Required to reject or to request changes; the requester and the packet show it.",
    )

    def __init__(self, *args: Any, may_condition: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.may_condition = may_condition
        people = User.objects.filter(is_active=True).order_by("username") if may_condition else User.objects.none()
        for number in CONDITIONS if may_condition else ():
            self.fields[f"text_{number}"] = forms.CharField(
                label=f"Condition {number}", required=False, max_length=CONDITION_CHARS_MAX
            )
            self.fields[f"owner_{number}"] = PersonField(queryset=people, required=False, label="Owed by")
            self.fields[f"due_on_{number}"] = forms.DateField(
                required=False, label="Due", widget=forms.DateInput(attrs={"type": "date"})
            )

    @property
    def conditions(self) -> list[tuple[forms.BoundField, ...]]:
        """The lines of conditions as a page draws them."""
        numbers = CONDITIONS if self.may_condition else ()
        return [tuple(self[f"{part}_{number}"] for part in ("text", "owner", "due_on")) for number in numbers]

    def clean(self) -> dict[str, Any]:
        """A condition that says something also says by whom and until when."""
        asked: dict[str, Any] = super().clean() or self.cleaned_data
        for number in CONDITIONS if self.may_condition else ():
            given = {part: asked.get(f"{part}_{number}") for part in ("text", "owner", "due_on")}
            if any(given.values()):
                for part, reason in (
                    ("text", "Say what must be done."),
                    ("owner", "Say who owes it."),
                    ("due_on", "Say until when."),
                ):
                    if not given[part] and f"{part}_{number}" not in self.errors:
                        self.add_error(f"{part}_{number}", reason)
        return asked

    @property
    def promises(self) -> tuple[NewCondition, ...]:
        """The conditions of a valid form."""
        found = []
        for number in CONDITIONS if self.may_condition else ():
            text: str = self.cleaned_data[f"text_{number}"]
            owner: User | None = self.cleaned_data[f"owner_{number}"]
            due_on: date | None = self.cleaned_data[f"due_on_{number}"]
            if text and owner and due_on:
                found.append(NewCondition(text=text, owner=owner, due_on=due_on))
        return tuple(found)
