"""The small forms on the page of a request, one for each step."""

from collections.abc import Sequence
from typing import Any

from django import forms

from governance.rulebook.domain.checklists import ItemKind
from governance.rulebook.queries.catalogs import catalog_in_force
from governance.site.web.formatting import unit_words
from reviews.requests.domain.deadlines import EXTENSION_DAYS_MAX
from reviews.workflow.queries.view_evidence import ChecklistItemView
from reviews.workflow.web.filing_forms import (
    RATIO_HELP,
    STATED,
    confirmation,
    decimal_field,
    shown_confirmation,
)
from weighbridge.core.metrics.catalog import MetricCatalog

ITEM = "item:"
"""Begins the name of an item among the rules that can be waived."""


def text_field(*, rows: int, **options: Any) -> forms.CharField:
    """A text of several lines."""
    return forms.CharField(widget=forms.Textarea(attrs={"rows": rows}), **options)


def metric_choices(catalog: MetricCatalog) -> list[tuple[str, list[tuple[str, str]]]]:
    """The metrics of which people state values, by group, each with its unit."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for definition in catalog.stated:
        unit = "fraction of 1" if definition.unit == "ratio" else unit_words(definition.unit)
        entry = (definition.name, f"{definition.title} ({unit})" if unit else definition.title)
        groups.setdefault(definition.group.capitalize(), []).append(entry)
    return list(groups.items())


class PlainForm(forms.Form):
    """A step without input: only a button."""


class StepReasonForm(forms.Form):
    """A step that needs a reason."""

    reason = text_field(rows=2)


class SeenReasonForm(StepReasonForm):
    """The reason of a step that concerns one revision, with the revision that the page showed."""

    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)


class ExtensionForm(StepReasonForm):
    """More days for a request that would lapse."""

    days = forms.IntegerField(min_value=1, max_value=EXTENSION_DAYS_MAX, initial=7, label="More days")
    field_order = ("days", "reason")


class MetricValueForm(forms.Form):
    """A declared or estimated metric value."""

    name = forms.ChoiceField(label="Metric", choices=lambda: metric_choices(catalog_in_force()))
    value = decimal_field(help_text=RATIO_HELP)
    lower = decimal_field(required=False, label="Lower bound")
    upper = decimal_field(required=False, label="Upper bound")
    basis = forms.ChoiceField(choices=STATED)
    source = forms.CharField(max_length=300, required=False, help_text="A bill, a quote, a log, an estimate of …")
    is_confirmed = confirmation()

    @property
    def confirmed(self) -> forms.BoundField | None:
        """The answer to the question whether the value is a slip, if it is asked."""
        return shown_confirmation(self, value="value", confirmed="is_confirmed")


class AttestedForm(forms.Form):
    """A result that was measured elsewhere."""

    file = forms.FileField(label="Signed result", help_text="The envelope that weighbridge result attest writes.")


class ImportForm(forms.Form):
    """A file of another tool."""

    file = forms.FileField(
        label="File of a tool", help_text="Of MLPerf LoadGen, GuideLLM, AIPerf, lm-eval, Inspect, MLflow and others."
    )
    part = forms.CharField(
        max_length=200, required=False, label="Part", help_text="Its name, if the file has several results."
    )


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

    def clean(self) -> None:
        """Require exactly one of link and file."""
        data = self.cleaned_data
        if bool(data.get("link")) == bool(data.get("file")) and not self.errors:
            self.add_error("link", "Paste the link to a stored projection, or choose a spec file, but not both.")


def token_in(link: str) -> str:
    """The token at the end of a link to a projection; a token alone is accepted too."""
    return link.split("?")[0].split("#")[0].strip().rstrip("/").rpartition("/")[2]


class WaiverForm(forms.Form):
    """A waiver of a soft rule, or of a checklist item that does not apply."""

    rule = forms.ChoiceField(label="Rule or item")
    reason = text_field(rows=2)
    valid_days = forms.IntegerField(label="Valid for (days)", initial=90, widget=forms.NumberInput(attrs={"min": 1}))

    def __init__(
        self,
        *args: Any,
        rules: Sequence[tuple[str, str]],
        items: Sequence[tuple[str, str]] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        groups = {
            "Rules of the policy": list(rules),
            "Items of the checklist": [(f"{ITEM}{name}", title) for name, title in items],
        }
        fields["rule"].choices = [(group, choices) for group, choices in groups.items() if choices]

    @property
    def waived(self) -> tuple[str, str]:
        """The rule and the item of a valid form; one of them is empty."""
        chosen: str = self.cleaned_data["rule"]
        return ("", chosen.removeprefix(ITEM)) if chosen.startswith(ITEM) else (chosen, "")

    @property
    def waived_words(self) -> str:
        """The chosen rule or item as the page shows it."""
        groups: Any = self.fields["rule"].choices  # type: ignore[attr-defined]  # a ChoiceField
        words = {value: text for _, choices in groups for value, text in choices}
        return str(words[self.cleaned_data["rule"]])


class SeenForm(forms.Form):
    """The hidden digest of the answer that the page shows, which the page writes, also with a refused form."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)


class ContradictionForm(SeenForm):
    """The explanation why a measurement differs from the claim."""

    text = text_field(rows=2, label="Explain the difference")


class TextAnswerForm(SeenForm):
    """A text as the answer to a checklist item."""

    text = text_field(rows=3, label="Answer")
    file = forms.FileField(label="Attachment", required=False)


class ChoiceAnswerForm(SeenForm):
    """One of the options of a checklist item."""

    text = forms.ChoiceField(label="Answer", widget=forms.RadioSelect)
    file = forms.FileField(label="Attachment", required=False)


class FileAnswerForm(SeenForm):
    """A file as the answer to a checklist item."""

    file = forms.FileField(label="File")


class AttestationForm(SeenForm):
    """A confirmation as the answer to a checklist item."""

    is_attested = forms.BooleanField(label="I confirm this")
    file = forms.FileField(label="Attachment", required=False)


ANSWERS: dict[str, type[forms.Form]] = {
    ItemKind.TEXT: TextAnswerForm,
    ItemKind.CHOICE: ChoiceAnswerForm,
    ItemKind.FILE: FileAnswerForm,
    ItemKind.ATTESTATION: AttestationForm,
}


def answer_form(item: ChecklistItemView, *args: Any) -> forms.Form | None:
    """The form to answer a checklist item; None if metric values answer the item."""
    kind = ANSWERS.get(item.kind)
    if kind is None:
        return None
    data, files = (*args, None, None)[:2]
    form = kind(data, files, auto_id=f"item-{item.id}-%s", initial={"text": item.text})
    if isinstance(form, ChoiceAnswerForm):
        fields: dict[str, Any] = form.fields
        fields["text"].choices = [(option, option) for option in item.options]
    return form
