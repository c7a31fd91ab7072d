"""Forms of the budget pages: allocations, cost centers, terms of an account, and changes."""

from collections.abc import Sequence
from typing import Any

from django import forms

from governance.budgets.domain.budget_changes import Aspect
from governance.budgets.domain.cost_centers import CenterLevel
from governance.budgets.domain.ledger import BudgetMode
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import BudgetAccount, CostCenter
from governance.budgets.queries.cost_centers import holders
from governance.people.domain.reasons import REASON_CHARS_MAX
from governance.people.models import Team
from weighbridge.core.errors import Refused

TITLES = {BudgetUnit.USD: "Money (USD)", BudgetUnit.GPU_H: "GPU hours"}
ASPECTS = (
    (Aspect.AMOUNT.value, "Amount: set a new total"),
    (Aspect.DATE.value, "Date: move an amount to another quarter"),
    (Aspect.ACCOUNT.value, "Account: move an amount to another cost center"),
)
REFS_LISTED = 100
"""So many requests are listed in a field; of more, the reference is typed."""


def second_person_reason(help_text: str) -> forms.CharField:
    """A field for the reason of a step that may take a second person."""
    widget = forms.Textarea(attrs={"rows": 2})
    return forms.CharField(label="Why", required=False, max_length=REASON_CHARS_MAX, help_text=help_text, widget=widget)


class AllocationForm(forms.Form):
    """An allocation. `key` prevents a second allocation if the form is submitted twice."""

    team = forms.ChoiceField(label="For", choices=lambda: [("", "Choose a team or cost center"), *holders()])
    quarter = forms.CharField(max_length=6, help_text="For example 2026Q4.")
    unit = forms.ChoiceField(choices=[(unit.value, title) for unit, title in TITLES.items()])
    amount = forms.DecimalField(max_digits=16, decimal_places=2, help_text="Added to the amount already allocated.")
    reason = second_person_reason("Needed if a second person must confirm, such as for money of your own team.")
    key = forms.CharField(max_length=60, widget=forms.HiddenInput)

    def clean_quarter(self) -> str:
        """The quarter in its canonical form."""
        try:
            return str(Quarter.parse(self.cleaned_data["quarter"]))
        except Refused as refusal:
            raise forms.ValidationError(refusal.reason) from refusal


class CenterForm(forms.Form):
    """A new unit or project. A team's cost center opens with its first budget."""

    level = forms.ChoiceField(
        choices=[
            (CenterLevel.UNIT.value, "Unit, under the organization"),
            (CenterLevel.PROJECT.value, "Project, under a team"),
        ]
    )
    slug = forms.SlugField(max_length=60, help_text="Used in URLs: letters, digits and hyphens.")
    name = forms.CharField(max_length=120)
    team = forms.ModelChoiceField(
        Team.objects.order_by("name"),
        to_field_name="slug",
        required=False,
        empty_label="None",
        help_text="Only for projects.",
    )


class TermsForm(forms.Form):
    """The mode and the tolerance of an account."""

    mode = forms.ChoiceField(choices=[(mode.value, f"{mode.value.capitalize()}: {mode.words}") for mode in BudgetMode])
    tolerance_percent = forms.IntegerField(
        label="Tolerance",
        min_value=0,
        max_value=100,
        help_text="Percentage above the granted amount that may be billed without a finding.",
    )
    reason = second_person_reason("Needed for looser terms, which a second person must confirm.")


class ParentForm(forms.Form):
    """The parent of a team."""

    parent = forms.ModelChoiceField(
        CostCenter.objects.filter(level__in=[CenterLevel.ORGANIZATION.value, CenterLevel.UNIT.value]).order_by(
            "level", "name"
        ),
        label="Under",
        to_field_name="slug",
        empty_label=None,
    )


class PastedChoiceField(forms.ChoiceField):
    """One of many choices, which a person may type or paste, with spaces around it."""

    def to_python(self, value: Any) -> str:
        text: str = super().to_python(value)
        return text.strip()


class ChangeForm(forms.Form):
    """A change of the amount, quarter or account of the allocation or of a request's commitment."""

    request_ref = PastedChoiceField(label="Of what", required=False)
    aspect = forms.ChoiceField(label="What changes", choices=ASPECTS)
    amount = forms.DecimalField(
        max_digits=16, decimal_places=2, min_value=0, help_text="The new total, or the amount to move."
    )
    target = forms.ChoiceField(
        label="Where to", required=False, help_text="Only for a change of the date or the account."
    )
    reason = forms.CharField(label="Why", widget=forms.Textarea(attrs={"rows": 3}), max_length=REASON_CHARS_MAX)

    def __init__(
        self, *args: Any, refs: Sequence[str] = (), targets: Sequence[BudgetAccount] = (), **kwargs: Any
    ) -> None:
        """`refs` are the requests with commitments on the account; `targets` are the possible target accounts."""
        super().__init__(*args, **kwargs)
        of_what: Any = self.fields["request_ref"]
        of_what.choices = [("", "The budget itself"), *((ref, f"Commitment of {ref}") for ref in refs)]
        if len(refs) > REFS_LISTED:
            of_what.widget = forms.TextInput()
            of_what.help_text = "The reference of a request with a commitment here, or nothing for the budget itself."
        where_to: Any = self.fields["target"]
        where_to.choices = [("", "No target account"), *((str(each.pk), str(each)) for each in targets)]
