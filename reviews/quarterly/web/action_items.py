"""The page of an action item and the steps of its owner or a lead."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from governance.people.web.current_user import person_of
from reviews.quarterly.actions import action_items as writes
from reviews.quarterly.domain.action_items import ACTION_CLOSED, ActionState
from reviews.quarterly.models import ActionItem
from reviews.quarterly.queries.action_items import action_view, find_action
from reviews.quarterly.queries.cycles import visible_page
from reviews.quarterly.rules import check_finish_action, may_drop_action, may_finish_action, may_see_cycles
from reviews.quarterly.web.cycle_forms import OutcomeForm
from reviews.quarterly.web.steps import StepPage


@require_safe
def detail(request: HttpRequest, action: str) -> HttpResponse:
    """`/action-items/ACT-2026Q4-01/`: the decision, its rationale, the owner and the outcome."""
    return _show(request, action, OutcomeForm())


def _found(request: HttpRequest, *, action: str) -> dict[str, ActionItem]:
    return {"item": find_action(ref=action, person=person_of(request))}


def _follow(request: HttpRequest, form: forms.Form, status: int, *, action: str, **_: Any) -> HttpResponse:
    if status == 200:
        return redirect("reviews:action", action)
    return _show(request, action, form, status=status)


def _show(request: HttpRequest, action: str, form: forms.Form, *, status: int = 200) -> HttpResponse:
    person = person_of(request)
    item = find_action(ref=action, person=person)
    is_open = ActionState(item.state) not in ACTION_CLOSED
    context = {
        "item": item,
        "view": action_view(item, now=timezone.now()),
        "page": visible_page(item.decision.item, person=person),
        "form": form,
        "may_finish": is_open and may_finish_action(person, owner_id=item.owner_id),
        "may_drop": is_open and may_drop_action(person, owner_id=item.owner_id),
        "sees_cycle": may_see_cycles(person),
    }
    return render(request, "reviews/quarterly/action.html", context, status=status)


ACTION = StepPage(_found, _follow, lambda person, item: check_finish_action(person, owner_id=item.owner_id))

acknowledge = ACTION.step(
    "acknowledge", writes.acknowledge, "{0.ref} is acknowledged; the next meeting sees that work has started."
)
finish = ACTION.step("finish", writes.finish, "{0.ref} is done.", form=OutcomeForm)
drop = ACTION.step("drop", writes.drop, "{0.ref} is dropped.", form=OutcomeForm)
