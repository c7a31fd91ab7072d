"""Steps that a reader takes on the page of a request."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from governance.people.web.current_user import person_of, user_of
from governance.site.web.refusals import show_in
from reviews.requests.models import ReviewRequest
from reviews.snapshots.queries.allowed_steps import STEPS
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.workflow.domain.tabs import tab_of
from reviews.workflow.web.page.views import load, render_tab
from reviews.workflow.web.step_forms import PlainForm
from weighbridge.core.errors import NotFound, Refused

GUARDS = dict.fromkeys(("metric_value", "projection", "contradiction", "attested", "imported"), "evidence")
"""The steps with a form that have the guard of another step."""


def step(
    name: str, *, part: str, form: Callable[..., forms.Form] = PlainForm
) -> Callable[[Callable[..., str]], Callable[..., HttpResponse]]:
    """Make a view of a function that takes a step, as in `perform_step`; it gets the names in the address too.

    Names in braces in `name` are filled in from the address.
    """

    def make_view(act: Callable[..., str]) -> Callable[..., HttpResponse]:
        @require_POST
        @wraps(act)
        def view(request: HttpRequest, ref: str, **names: Any) -> HttpResponse:
            own_name = name.format(**names)
            bound = form(request.POST, request.FILES, auto_id=f"{own_name.replace(':', '-')}-%s")
            action = partial(act, **names)
            return perform_step(request, load(request, ref), name=own_name, form=bound, act=action, part=part)

        return view

    return make_view


def perform_step(
    request: HttpRequest,
    review: ReviewRequest,
    *,
    name: str,
    form: forms.Form,
    act: Callable[..., str],
    part: str,
    check: Callable[[], object] | None = None,
) -> HttpResponse:
    """Take a step: call `act` with the request, who acts and when, and the fields of the form.

    On success, show the message that `act` returns and redirect to `part` of the page. If the form is invalid or the
    step is refused, render the tab of that part with the reason beside the form. Whoever may not take the step at all
    is told so, and not what the form lacks: `check` raises for them; by default the guard of the step.
    """
    status = 400
    if form.is_valid():
        try:
            done = act(request=review, by=user_of(request), now=timezone.now(), **form.cleaned_data)
            messages.success(request, done)
        except NotFound:
            raise
        except Refused as refusal:
            show_in(form, refusal)
            status = refusal.status
        else:
            return redirect(f"{reverse(f'reviews:{tab_of(part).value}', args=[review.ref])}#{part}")
    elif check is not None:
        check()
    else:
        _check_step(request, review, name.partition(":")[0])
    return render_tab(request, load(request, review.ref), tab=tab_of(part), bound={name: form}, status=status)


def _check_step(request: HttpRequest, review: ReviewRequest, name: str) -> None:
    STEPS[GUARDS.get(name, name)](snapshot_of(review, now=timezone.now()), person=person_of(request))
