"""Shows domain errors on pages: at the form field if one is named, otherwise as a message."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django import forms
from django.contrib import messages
from django.http import HttpRequest

from governance.site.web.undo import tell
from weighbridge.core.errors import Refused


def show_in(form: forms.BaseForm, refusal: Refused) -> None:
    """Show the reason at the field that it names, or above the form."""
    field = refusal.field if refusal.field in form.fields else None
    form.add_error(field, forms.ValidationError(refusal.reason, code=refusal.code))


def refusal_of(check: Callable[[], None]) -> str:
    """The reason why a check fails; "" if it passes."""
    try:
        check()
    except Refused as refusal:
        return refusal.reason
    return ""


@contextmanager
def refusals_shown(request: HttpRequest) -> Iterator[None]:
    """Show a domain error of the block as a message."""
    try:
        yield
    except Refused as refusal:
        messages.error(request, refusal.reason)


def attempt(request: HttpRequest, act: Callable[[], str]) -> None:
    """Run `act` and show its sentence as a success message, or the error."""
    with refusals_shown(request):
        tell(request, act())


def settled(request: HttpRequest, form: forms.Form, act: Callable[[], str]) -> tuple[bool, int]:
    """Run `act` for a form. Returns whether it succeeded, and the HTTP status if not."""
    if not form.is_valid():
        return False, 400
    try:
        tell(request, act())
    except Refused as refusal:
        show_in(form, refusal)
        return False, refusal.status
    return True, 200
