"""Steps that change what a request is about: texts and data, another file, and a new draft from an old request."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from governance.people.web.current_user import person_of, user_of
from governance.site.web.refusals import refusals_shown
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import requests
from reviews.workflow.actions.drafting import amendments
from reviews.workflow.actions.drafting.amendments import Amendment
from reviews.workflow.web.drafts.change_forms import AmendForm, ExchangeForm
from reviews.workflow.web.page.stepping import perform_step
from reviews.workflow.web.page.views import load


@require_POST
def amend(request: HttpRequest, ref: str) -> HttpResponse:
    """Change texts or data, as the next revision."""
    row = load(request, ref)
    form = AmendForm(request.POST, row=row, person=person_of(request))

    def act(*, reason: str, revision: int | None, by: User, now: datetime, request: ReviewRequest, **given: Any) -> str:
        amendment, seen = Amendment(**given), revision
        after = amendments.amend(request=request, amendment=amendment, reason=reason, revision=seen, by=by, now=now)
        return f"Revision {after.revision} is open with your changes; the votes on the previous revision are void."

    return perform_step(request, row, name="amend", form=form, act=act, part="changes")


@require_POST
def exchange(request: HttpRequest, ref: str) -> HttpResponse:
    """Withdraw the request, and draft one for another file in its place."""
    row = load(request, ref)
    form = ExchangeForm(request.POST, row=row)

    def act(**given: Any) -> str:
        draft = amendments.exchange(**given)
        return f"{draft.ref} is drafted for {draft.model_version}, and this request is withdrawn."

    return perform_step(request, row, name="exchange", form=form, act=act, part="next")


@require_POST
def again(request: HttpRequest, ref: str) -> HttpResponse:
    """Draft a new request with the texts, data and candidates of this one."""
    row = load(request, ref)
    with refusals_shown(request):
        draft = requests.file_again(request=row, by=user_of(request), now=timezone.now())
        messages.success(request, f"{draft.ref} is a copy of {row.ref}; state its metric values, then submit it.")
        return redirect("reviews:edit", draft.ref)
    return redirect("reviews:detail", ref)
