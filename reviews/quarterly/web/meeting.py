"""Steps of the meeting: attendance, and for each agenda item its place, its removal and its decisions."""

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from governance.people.web.current_user import user_of, wants_fragment
from governance.site.web.refusals import show_in
from reviews.quarterly.actions import agenda
from reviews.quarterly.actions import meeting as writes
from reviews.quarterly.actions.meeting import TakenDecision
from reviews.quarterly.domain.decisions import DecisionKind
from reviews.quarterly.domain.quorum import Side
from reviews.quarterly.models import AgendaItem, ReviewCycle
from reviews.quarterly.queries import cycles as reads
from reviews.quarterly.web import cycle_forms as asked
from reviews.quarterly.web.cycles import context_of, load, settle, show
from weighbridge.core.errors import Refused


@require_POST
def attend(request: HttpRequest, quarter: str) -> HttpResponse:
    """Record an attendee."""
    cycle, form = load(request, quarter), asked.AttendanceForm(request.POST, auto_id="attend-%s")

    def act() -> str:
        person, side = form.cleaned_data["person"], Side(form.cleaned_data["side"])
        writes.record_attendance(cycle=cycle, person=person, side=side, by=user_of(request), now=timezone.now())
        return f"{person.get_full_name() or person.username} is recorded as present."

    return settle(request, cycle, name="attend", form=form, act=act, part="attendance")


@require_POST
def leave(request: HttpRequest, quarter: str) -> HttpResponse:
    """Remove an attendee."""
    cycle, form = load(request, quarter), asked.LeaveForm(request.POST)

    def act() -> str:
        person = form.cleaned_data["person"]
        writes.remove_attendance(cycle=cycle, person=person, by=user_of(request), now=timezone.now())
        return f"{person.get_full_name() or person.username} is removed from the attendance."

    return settle(request, cycle, name="leave", form=form, act=act, part="attendance")


@require_POST
def remove_item(request: HttpRequest, quarter: str, item_id: int) -> HttpResponse:
    """Remove an item from the agenda."""
    cycle, item = _found(request, quarter, item_id)
    form = asked.RemovalForm(request.POST, auto_id=f"remove-{item_id}-%s")

    def act() -> str:
        agenda.remove(item=item, reason=form.cleaned_data["reason"], by=user_of(request), now=timezone.now())
        return f"“{item.title}” is removed from the agenda; the minutes will give the reason."

    return settle(request, cycle, name=f"remove:{item_id}", form=form, act=act, part="agenda")


@require_POST
def move_item(request: HttpRequest, quarter: str, item_id: int) -> HttpResponse:
    """Move an item to another place."""
    cycle, item = _found(request, quarter, item_id)
    form = asked.PositionForm(request.POST)

    def act() -> str:
        agenda.move(item=item, place=form.cleaned_data["place"], by=user_of(request), now=timezone.now())
        return f"“{item.title}” is now number {form.cleaned_data['place']} on the agenda."

    return _settle_item(request, cycle, item, form=form, name="move", act=act)


@require_POST
def decide(request: HttpRequest, quarter: str, item_id: int) -> HttpResponse:
    """Decide an item."""
    cycle, item = _found(request, quarter, item_id)
    form = asked.DecisionForm(request.POST, auto_id=f"decide-{item_id}-%s", item=item)

    def act() -> str:
        data = form.cleaned_data
        row = writes.decide(
            item=item,
            decided=TakenDecision(**data | {"kind": DecisionKind(data["kind"])}),
            by=user_of(request),
            now=timezone.now(),
        )
        return f"Decided. {row.effect} The ticket for {row.action.ref} is queued."

    return _settle_item(request, cycle, item, form=form, name="decide", act=act)


def _found(request: HttpRequest, quarter: str, item_id: int) -> tuple[ReviewCycle, AgendaItem]:
    cycle = load(request, quarter)
    return cycle, reads.find_item(cycle=cycle, item_id=item_id)


def _settle_item(
    request: HttpRequest, cycle: ReviewCycle, item: AgendaItem, *, form: forms.Form, name: str, act: Callable[[], str]
) -> HttpResponse:
    """Run `act` and show the updated agenda; on errors, show the reason beside the form of the item."""
    status, bound = 400, {f"{name}:{item.pk}": form}
    if form.is_valid():
        try:
            messages.success(request, act())
            status, bound = 200, {}
        except Refused as refusal:
            show_in(form, refusal)
            status = refusal.status
    fresh = load(request, cycle.quarter)
    if wants_fragment(
        request
    ):  # htmx swaps the fragment in place even on errors, so that the reason appears beside the field
        return render(
            request, "reviews/quarterly/_fragments/agenda.html", context_of(request, fresh, bound) | {"oob": True}
        )
    if status == 200:
        return redirect(f"{reverse('reviews:cycle', args=[cycle.quarter])}#item-{item.pk}")
    return show(request, fresh, bound=bound, status=status)
