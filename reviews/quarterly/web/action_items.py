"""The page of an action item and the steps of its owner or a lead."""

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from governance.people.web.current_user import person_of, user_of
from governance.site.web.refusals import show_in
from reviews.quarterly.actions import action_items as writes
from reviews.quarterly.domain.action_items import ACTION_CLOSED, ActionState
from reviews.quarterly.models import ActionItem
from reviews.quarterly.queries.cycles import action_view, find_action
from reviews.quarterly.rules import may_drop_action, may_finish_action, may_see_cycles
from reviews.quarterly.web.cycle_forms import OutcomeForm
from reviews.workflow.web.step_forms import PlainForm
from weighbridge.core.errors import Refused


@require_safe
def detail(request: HttpRequest, action: str) -> HttpResponse:
    """`/action-items/ACT-2026Q4-01/`: the decision, its rationale, the owner and the outcome."""
    return _show(request, _found(request, action), OutcomeForm())


@require_POST
def acknowledge(request: HttpRequest, action: str) -> HttpResponse:
    """Acknowledge the action item."""
    item = _found(request, action)

    def act() -> str:
        writes.acknowledge(item=item, by=user_of(request), now=timezone.now())
        return f"{action} is acknowledged; the next meeting sees that work has started."

    return _settle(request, item, PlainForm(request.POST), act)


@require_POST
def finish(request: HttpRequest, action: str) -> HttpResponse:
    """Close the action item as done."""
    item, form = _found(request, action), OutcomeForm(request.POST)

    def act() -> str:
        writes.finish(item=item, outcome=form.cleaned_data["outcome"], by=user_of(request), now=timezone.now())
        return f"{action} is done."

    return _settle(request, item, form, act)


@require_POST
def drop(request: HttpRequest, action: str) -> HttpResponse:
    """Drop the action item."""
    item, form = _found(request, action), OutcomeForm(request.POST)

    def act() -> str:
        writes.drop(item=item, outcome=form.cleaned_data["outcome"], by=user_of(request), now=timezone.now())
        return f"{action} is dropped."

    return _settle(request, item, form, act)


def _found(request: HttpRequest, action: str) -> ActionItem:
    return find_action(ref=action, person=person_of(request))


def _settle(request: HttpRequest, item: ActionItem, form: forms.Form, act: Callable[[], str]) -> HttpResponse:
    status = 400
    if form.is_valid():
        try:
            messages.success(request, act())
        except Refused as refusal:
            show_in(form, refusal)
            status = refusal.status
        else:
            return redirect("reviews:action", item.ref)
    return _show(request, _found(request, item.ref), form, status=status)


def _show(request: HttpRequest, item: ActionItem, form: forms.Form, *, status: int = 200) -> HttpResponse:
    person = person_of(request)
    is_open = ActionState(item.state) not in ACTION_CLOSED
    context = {
        "item": item,
        "view": action_view(item, now=timezone.now()),
        "form": form,
        "may_finish": is_open and may_finish_action(person, owner_id=item.owner_id),
        "may_drop": is_open and may_drop_action(person, owner_id=item.owner_id),
        "sees_cycle": may_see_cycles(person),
    }
    return render(request, "reviews/quarterly/action.html", context, status=status)
