"""Undo of a step that had no effect outside the database: a button beside the success message."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from weighbridge.core.errors import Refused

if TYPE_CHECKING:
    from django.contrib.auth.models import User

SECONDS, TOKEN_CHARS_MAX, PATH_CHARS_MAX = 600, 4_000, 2_000
TOO_LATE = "This step cannot be undone here any more: 10 minutes are over, or another person took it."
UNKNOWN = "The step “{step}” cannot be undone by this version. Take it back on the page of the thing itself."
_SALT = "undo"
_UNDOINGS: dict[str, Callable[..., str]] = {}


class Undoable(str):
    """A sentence about a step that can be undone; `details` are given to the function that undoes `step`."""

    __slots__ = ("details", "step")

    def __new__(cls, sentence: str, **_: Any) -> "Undoable":
        """The sentence."""
        return super().__new__(cls, sentence)

    def __init__(self, _: str, *, step: str, **details: Any) -> None:
        self.step, self.details = step, details


class UndoForm(forms.Form):
    """The signed step, and the page to return to."""

    token = forms.CharField(max_length=TOKEN_CHARS_MAX)
    page = forms.CharField(max_length=PATH_CHARS_MAX)


def undoes(step: str) -> Callable[[Callable[..., str]], Callable[..., str]]:
    """Register a function that undoes a step and returns a sentence. It gets the details, `by` and `now`.

    It checks the permission and the state again, because both may have changed since the step.
    """

    def register(undoing: Callable[..., str]) -> Callable[..., str]:
        _UNDOINGS[step] = undoing
        return undoing

    return register


def tell(request: HttpRequest, sentence: str) -> None:
    """Show a sentence as a success message, with the button *Undo* if it can be undone.

    Raises LookupError for a step that no function undoes: its button would lead nowhere.
    """
    token = ""
    if isinstance(sentence, Undoable):
        if sentence.step not in _UNDOINGS:
            raise LookupError(f"No function undoes {sentence.step!r}; known are {', '.join(sorted(_UNDOINGS))}.")
        given = {"step": sentence.step, "by": request.user.pk, "details": sentence.details}
        token = signing.dumps(given, salt=_SALT, compress=True)
    messages.success(request, str(sentence), extra_tags=token)


@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """`/undo/`: undo the step of the token, if the same person took it within the last 10 minutes."""
    form = UndoForm(request.POST)
    form.is_valid()
    try:
        given = signing.loads(form.cleaned_data.get("token", ""), salt=_SALT, max_age=SECONDS)
    except signing.BadSignature:
        given = {}
    if given.get("by") == request.user.pk:
        _undo(request, given["step"], given["details"])
    else:
        messages.error(request, TOO_LATE)
    page = form.cleaned_data.get("page", "")
    page = page if url_has_allowed_host_and_scheme(page, allowed_hosts=None) else "/"
    return redirect(f"{page}#announcements")


def _undo(request: HttpRequest, step: str, details: dict[str, Any]) -> None:
    if step not in _UNDOINGS:  # renamed since the button was shown, by another version
        messages.error(request, UNKNOWN.format(step=step))
        return
    by: User = request.user  # type: ignore[assignment]  # nobody else signed the token
    try:
        messages.success(request, _UNDOINGS[step](**details, by=by, now=timezone.now()))
    except Refused as refusal:
        messages.error(request, refusal.reason)
