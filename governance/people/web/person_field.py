"""A form field for a person."""

from typing import TYPE_CHECKING, Any

from django import forms

if TYPE_CHECKING:
    AnyModelChoiceField = forms.ModelChoiceField[Any]
else:
    AnyModelChoiceField = forms.ModelChoiceField


class PersonField(AnyModelChoiceField):
    """A choice of people by name."""

    def label_from_instance(self, obj: Any) -> str:
        """Full name and user name."""
        name = obj.get_full_name()
        return f"{name} ({obj.username})" if name else str(obj.username)
