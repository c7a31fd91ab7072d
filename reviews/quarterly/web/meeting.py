"""The steps of the leads: prepare and lead the meeting, and place, remove and decide the items of its agenda."""

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from governance.inventory.models import ModelAsset
from governance.people.queries.people import name_of
from governance.people.web.current_user import person_of, user_of, wants_fragment
from governance.site.web.refusals import settled
from reviews.quarterly.actions import agenda, cycles, meeting
from reviews.quarterly.domain.decisions import TakenDecision
from reviews.quarterly.queries import cycles as reads
from reviews.quarterly.rules import check_lead_meeting
from reviews.quarterly.web import cycle_forms as asked
from reviews.quarterly.web.cycles import context_of, load, show
from reviews.quarterly.web.steps import StepPage


def find(request: HttpRequest, *, quarter: str, item_id: int | None = None) -> dict[str, object]:
    """The cycle, or the item that the address names."""
    cycle = load(request, quarter)
    return {"cycle": cycle} if item_id is None else {"item": reads.find_item(cycle=cycle, item_id=item_id)}


def follow(
    request: HttpRequest,
    form: forms.Form,
    status: int,
    *,
    name: str,
    part: str,
    quarter: str,
    item_id: int | None = None,
    **_: Any,
) -> HttpResponse:
    """Redirect to the part of the page; on errors, show the page again with the bound form.

    htmx swaps the agenda in place even on errors, so that the reason appears beside the field.
    """
    bound = {} if status == 200 else {f"{name}:{item_id}" if item_id else name: form}
    cycle = load(request, quarter)
    if item_id and wants_fragment(request):
        context = context_of(request, cycle, bound) | {"oob": True}
        return render(request, "reviews/quarterly/_fragments/agenda.html", context)
    if status == 200:
        return redirect(f"{reverse('reviews:cycle', args=[quarter])}#{part.format(item_id=item_id)}")
    return show(request, cycle, bound=bound, status=status)


def _add(*, model: ModelAsset | None, **given: Any) -> None:
    agenda.add(asset=model, **given)


def _attend(*, person: User, **given: Any) -> str:
    meeting.record_attendance(person=person, **given)
    return name_of(person)


def _leave(*, person: User, **given: Any) -> str:
    meeting.remove_attendance(person=person, **given)
    return name_of(person)


CYCLE = StepPage(find, follow, lambda person, **_: check_lead_meeting(person))

refresh = CYCLE.step("gather", cycles.refresh, "The agenda is refreshed.", part="agenda")
move_cut_off = CYCLE.step(
    "cut_off",
    cycles.move_cut_off,
    "The cut-off of {0} is now {0.cut_off_at:%Y-%m-%d %H:%M} UTC.",
    part="standing",
    form=asked.CutOffForm,
    auto_id="cut-off-%s",
)
open_meeting = CYCLE.step(
    "hold",
    cycles.open_meeting,
    "The meeting is open, and you are the chair. Record the attendance first.",
    part="attendance",
)
take_chair = CYCLE.step("chair", cycles.take_chair, "You are the chair.", part="standing")
write_notes = CYCLE.step(
    "notes",
    cycles.write_notes,
    "The notes are saved; they become part of the minutes.",
    part="minutes",
    form=asked.NotesForm,
    auto_id="notes-%s",
)
close = CYCLE.step("close", cycles.close, "The review of {0} is closed and its minutes are issued.", part="minutes")
attend = CYCLE.step(
    "attend", _attend, "{0} is recorded as present.", part="attendance", form=asked.AttendanceForm, auto_id="attend-%s"
)
leave = CYCLE.step("leave", _leave, "{0} is removed from the attendance.", part="attendance", form=asked.LeaveForm)
add_item = CYCLE.step(
    "add",
    _add,
    "The item is added at the end of the agenda; you can move it.",
    part="agenda",
    form=asked.AddForm,
    auto_id="add-%s",
)
remove_item = CYCLE.step(
    "remove",
    agenda.remove,
    "“{0.title}” is removed from the agenda; the minutes will give the reason.",
    part="agenda",
    form=asked.RemovalForm,
    auto_id="remove-{item_id}-%s",
)
move_item = CYCLE.step(
    "move",
    agenda.move,
    "“{0.title}” is now number {position} on the agenda.",
    part="item-{item_id}",
    form=asked.PositionForm,
)


@require_POST
def decide(request: HttpRequest, quarter: str, item_id: int) -> HttpResponse:
    """Decide an item. The form offers the decisions that the item allows."""
    item = reads.find_item(cycle=load(request, quarter), item_id=item_id)
    check_lead_meeting(person_of(request))
    form = asked.DecisionForm(request.POST, auto_id=f"decide-{item_id}-%s", item=item)

    def act() -> str:
        decided = TakenDecision(**form.cleaned_data)
        row = meeting.decide(item=item, decided=decided, by=user_of(request), now=timezone.now())
        return f"Decided. {row.effect} The ticket for {row.action.ref} is queued."

    _, status = settled(request, form, act)
    return follow(request, form, status, name="decide", part="item-{item_id}", quarter=quarter, item_id=item_id)
