"""How a page says no: beside the field of a form where one is at fault, and otherwise as a message."""

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.http import HttpRequest

from weighbridge.core.errors import Refused


def show_in(form: forms.BaseForm, refusal: Refused) -> None:
    """Put the reason beside the field it names, or above the form."""
    field = refusal.field if refusal.field in form.fields else None
    form.add_error(field, refusal.reason)


def refusal_of(check: Callable[[], None]) -> str:
    """Why something may not be done; "" where it may."""
    try:
        check()
    except Refused as refusal:
        return refusal.reason
    return ""


def attempt(request: HttpRequest, act: Callable[[], str]) -> bool:
    """Do it and tell the reader what was done (the sentence `act` returns) or why not; whether it was done."""
    try:
        done = act()
    except Refused as refusal:
        messages.error(request, refusal.reason)
        return False
    messages.success(request, done)
    return True


def settled(request: HttpRequest, form: forms.Form, act: Callable[[], str]) -> tuple[bool, int]:
    """Whether it was done, and the status to answer with where not."""
    if not form.is_valid():
        return False, 400
    try:
        messages.success(request, act())
    except Refused as refusal:
        show_in(form, refusal)
        return False, refusal.status
    return True, 200
