"""The forms of the steps that change what a request is about."""

from typing import Any

from django import forms

from benchmarking.runs.queries.datasets import usable_by
from governance.inventory.models import ModelVersion
from governance.people.domain.roles import Person
from governance.people.web.fields import LinesField
from reviews.requests.models import ReviewRequest
from reviews.workflow.web.filing_forms import AnyModelChoiceField, VersionField


class AmendForm(forms.Form):
    """The next revision of a request with other texts or data."""

    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)
    title = forms.CharField(max_length=160, required=False)
    business_case = LinesField(
        max_length=20_000, required=False, label="Business case", widget=forms.Textarea(attrs={"rows": 4})
    )
    dataset = AnyModelChoiceField(None, required=False, label="Evaluation set", empty_label="As it is")
    reason = forms.CharField(max_length=2_000, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, data: Any = None, *, row: ReviewRequest, person: Person) -> None:
        shown = {name: getattr(row, name) for name in ("revision", "title", "business_case")}
        super().__init__(data, auto_id="amend-%s", initial=shown)
        fields: dict[str, Any] = self.fields
        fields["dataset"].queryset = usable_by(person).exclude(pk=row.dataset_id or 0)


class ExchangeForm(forms.Form):
    """Another version of the model of a request."""

    version = VersionField(None, empty_label="Choose a version")
    reason = forms.CharField(max_length=2_000, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, data: Any = None, *, row: ReviewRequest) -> None:
        super().__init__(data, auto_id="exchange-%s")
        rows = ModelVersion.objects.filter(asset=row.model_version.asset_id).select_related("asset")
        fields: dict[str, Any] = self.fields
        fields["version"].queryset = rows.exclude(digest=row.model_version.digest).order_by("-registered_at")
