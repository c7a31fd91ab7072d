"""The steps of the leads: prepare and lead the meeting, and place and remove the items of its agenda."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from governance.inventory.queries import find_named
from governance.people.queries import people
from governance.people.web.current_user import wants_fragment
from governance.site.web.undo import undoes
from reviews.quarterly.actions import agenda, cycles
from reviews.quarterly.models import ReviewCycle
from reviews.quarterly.queries import cycles as reads
from reviews.quarterly.rules import check_lead_meeting
from reviews.quarterly.web import cycle_forms as asked
from reviews.quarterly.web.attendance import attendance_steps
from reviews.quarterly.web.cycles import context_of, load, query_of, show
from reviews.quarterly.web.steps import StepPage

ADD = "add"


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
    place = _place(cycle, name, item_id)
    if item_id and wants_fragment(request):
        context = context_of(request, cycle, bound, place=place) | {"oob": True}
        return render(request, "reviews/quarterly/_fragments/agenda.html", context)
    if status == 200:
        page = reverse("reviews:cycle", args=[quarter], query=query_of(place), fragment=part.format(item_id=item_id))
        return redirect(page)
    return show(request, cycle, bound=bound, place=place, status=status)


def _place(cycle: ReviewCycle, name: str, item_id: int | None) -> int | None:
    """The place on the agenda, counted from 0, of what the step is about: its item, or the one that was added last."""
    if item_id is not None:
        return reads.place_of(reads.find_item(cycle=cycle, item_id=item_id))
    last = cycle.items.filter(removed_at=None).order_by("-position", "-pk").first() if name == ADD else None
    return None if last is None else reads.place_of(last)


def _add(*, model: str, **given: Any) -> None:
    agenda.add(asset=find_named(model, person=people.person_of(given["by"])) if model else None, **given)


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
attend, leave = attendance_steps(CYCLE)
add_item = CYCLE.step(
    ADD,
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
    undo="agenda item removed",
)


@undoes("agenda item removed")
def _put_back(*, quarter: str, item_id: int, by: User, now: datetime) -> str:
    cycle = reads.find(quarter=quarter, person=people.person_of(by))
    row = agenda.put_back(item=reads.find_item(cycle=cycle, item_id=item_id), by=by, now=now)
    return f"“{row.title}” is on the agenda again."


move_item = CYCLE.step(
    "move",
    agenda.move,
    "“{0.title}” is now number {position} on the agenda.",
    part="item-{item_id}",
    form=asked.PositionForm,
)
