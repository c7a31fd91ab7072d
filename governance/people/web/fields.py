"""Form fields for a person and for a reason, the same on all pages."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest

from governance.people.domain.reasons import REASON_CHARS_MAX, REASON_CHARS_MIN, REASON_RULE
from weighbridge.core.errors import Invalid

if TYPE_CHECKING:
    AnyModelChoiceField = forms.ModelChoiceField[Any]
else:
    AnyModelChoiceField = forms.ModelChoiceField


class PersonField(AnyModelChoiceField):
    """A choice of active people by name."""

    def __init__(self, *, label: str) -> None:
        active = User.objects.filter(is_active=True).order_by("username")
        super().__init__(active, label=label, to_field_name="username")

    def label_from_instance(self, obj: Any) -> str:
        """Full name and user name."""
        name = obj.get_full_name()
        return f"{name} ({obj.username})" if name else str(obj.username)


class LinesField(forms.CharField):
    """Text of several lines. A browser counts a line break as one character, but sends two."""

    def to_python(self, value: Any) -> Any:
        """The text with line breaks of one character."""
        text = super().to_python(value)
        return text.replace("\r\n", "\n") if text else text


class ReasonForm(forms.Form):
    """A reason. The action checks its length."""

    reason = LinesField(
        label="Why",
        max_length=REASON_CHARS_MAX,
        error_messages={"required": REASON_RULE},
        widget=forms.Textarea(attrs={"rows": 2, "minlength": REASON_CHARS_MIN}),
    )


def reason_in(request: HttpRequest) -> str:
    """The submitted reason. Raises Invalid for text that cannot be stored."""
    form = ReasonForm(request.POST)
    if not form.is_valid():
        raise Invalid(str(form.errors["reason"][0]), field="reason")
    return str(form.cleaned_data["reason"])
