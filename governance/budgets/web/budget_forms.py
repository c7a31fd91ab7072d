"""The forms of the budget pages: allocating, opening a cost center, the terms of an account, and changes."""

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
from governance.people.approvals.actions import REASON_CHARS_MAX
from governance.people.models import Team
from weighbridge.core.errors import Refused

TITLES = {BudgetUnit.USD: "Money (USD)", BudgetUnit.GPU_H: "GPU hours"}
ASPECTS = (
    (Aspect.AMOUNT.value, "The amount: a new total"),
    (Aspect.DATE.value, "The date: move some of it to another quarter"),
    (Aspect.ACCOUNT.value, "The account: move some of it to another cost center"),
)


class AllocationForm(forms.Form):
    """Something to spend. `key` makes a form sent twice one allocation."""

    team = forms.ChoiceField(label="For", choices=lambda: [("", "Choose a team or cost center"), *holders()])
    quarter = forms.CharField(max_length=6, help_text="Like 2026Q4.")
    unit = forms.ChoiceField(choices=[(unit.value, title) for unit, title in TITLES.items()])
    amount = forms.DecimalField(max_digits=16, decimal_places=2, help_text="Added to what was allocated before.")
    key = forms.CharField(max_length=60, widget=forms.HiddenInput)

    def clean_quarter(self) -> str:
        """The quarter in its one spelling."""
        try:
            return str(Quarter.parse(self.cleaned_data["quarter"]))
        except Refused as refusal:
            raise forms.ValidationError(refusal.reason) from refusal


class CenterForm(forms.Form):
    """A unit or a project to open; a team's cost center opens with its first budget."""

    level = forms.ChoiceField(
        choices=[
            (CenterLevel.UNIT.value, "Unit, under the organization"),
            (CenterLevel.PROJECT.value, "Project, under a team"),
        ]
    )
    slug = forms.SlugField(max_length=60, help_text="As it stands in addresses: letters, digits, hyphens.")
    name = forms.CharField(max_length=120)
    team = forms.ModelChoiceField(
        Team.objects.order_by("name"),
        to_field_name="slug",
        required=False,
        empty_label="None",
        help_text="Of a project alone.",
    )


class TermsForm(forms.Form):
    """What an account does with what it cannot bear."""

    mode = forms.ChoiceField(choices=[(mode.value, f"{mode.value.capitalize()}: {mode.words}") for mode in BudgetMode])
    tolerance_percent = forms.IntegerField(
        label="Tolerance",
        min_value=0,
        max_value=100,
        help_text="How many percent more than granted may be billed unnoticed.",
    )


class ParentForm(forms.Form):
    """Where a team hangs."""

    parent = forms.ModelChoiceField(
        CostCenter.objects.filter(level__in=[CenterLevel.ORGANIZATION.value, CenterLevel.UNIT.value]).order_by(
            "level", "name"
        ),
        label="Under",
        to_field_name="slug",
        empty_label=None,
    )


class ChangeForm(forms.Form):
    """Another amount, quarter or account, for the allocation or for what a request has committed."""

    request_ref = forms.ChoiceField(label="Of what", required=False)
    aspect = forms.ChoiceField(label="What changes", choices=ASPECTS)
    amount = forms.DecimalField(
        max_digits=16, decimal_places=2, min_value=0, help_text="The new total, or how much of it moves."
    )
    target = forms.ChoiceField(label="Where to", required=False, help_text="For a change of date or account alone.")
    reason = forms.CharField(label="Why", widget=forms.Textarea(attrs={"rows": 3}), max_length=REASON_CHARS_MAX)

    def __init__(
        self, *args: Any, refs: Sequence[str] = (), targets: Sequence[BudgetAccount] = (), **kwargs: Any
    ) -> None:
        """`refs` have committed something on the account; `targets` are the accounts it may move to."""
        super().__init__(*args, **kwargs)
        of_what: Any = self.fields["request_ref"]
        of_what.choices = [("", "The budget itself"), *((ref, f"Commitment of {ref}") for ref in refs)]
        where_to: Any = self.fields["target"]
        where_to.choices = [("", "Stays here"), *((str(each.pk), str(each)) for each in targets)]
