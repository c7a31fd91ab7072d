"""The form for a reason, with the same validation on all pages."""

from django import forms
from django.http import HttpRequest

from governance.people.approvals.actions import REASON_CHARS_MAX
from weighbridge.core.errors import Invalid


class ReasonForm(forms.Form):
    """A reason. The action checks its length."""

    reason = forms.CharField(
        label="Why", required=False, max_length=REASON_CHARS_MAX, widget=forms.Textarea(attrs={"rows": 2})
    )


def reason_in(request: HttpRequest) -> str:
    """The submitted reason. Raises Invalid for text that cannot be stored."""
    form = ReasonForm(request.POST)
    if not form.is_valid():
        raise Invalid(str(form.errors["reason"][0]), field="reason")
    return str(form.cleaned_data["reason"])
