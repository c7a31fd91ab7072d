"""Pages of the quarterly review: the list, one cycle, and the steps of the leads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from governance.exports.web import export
from governance.people.web.current_user import person_of, user_of
from governance.site.web.refusals import show_in
from reviews.quarterly.actions import agenda, cycles
from reviews.quarterly.domain.cycle import CycleState
from reviews.quarterly.models import ReviewCycle
from reviews.quarterly.queries import cycles as reads
from reviews.quarterly.queries import scores
from reviews.quarterly.web import cycle_forms as asked
from reviews.scorecard.domain.scorecard import totals
from reviews.workflow.web.progress_steps import ProgressStep
from reviews.workflow.web.step_forms import PlainForm
from weighbridge.core.errors import NotFound, Refused

Bound = Mapping[str, forms.Form]
STEP_NAMES = ("Planned", "Collecting", "Frozen", "Meeting", "Closed")


@dataclass(frozen=True)
class ItemForms:
    """An agenda item with the forms that the user may use."""

    view: reads.AgendaItemView
    decide: forms.Form | None
    remove: forms.Form | None


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """`/cycles/`: every quarter's review, the latest first."""
    rows = reads.list_cycles(person=person_of(request))
    return render(request, "reviews/quarterly/cycles.html", {"cycles": rows})


@require_safe
def detail(request: HttpRequest, quarter: str) -> HttpResponse:
    """`/cycles/2026Q4/`: agenda, scorecard, meeting, decisions and minutes of one quarter."""
    return show(request, load(request, quarter))


@require_safe
def export_scorecard(request: HttpRequest, quarter: str, kind: str) -> HttpResponse:
    """The scorecard of a quarter as a file."""
    cycle, person = load(request, quarter), person_of(request)
    return export(scores.scorecard_table(cycle.quarter, person=person), kind=kind)


@require_safe
def minutes(request: HttpRequest, quarter: str) -> HttpResponse:
    """The minutes of a closed meeting as Markdown, with the recorded digest."""
    cycle = load(request, quarter)
    if not cycle.minutes:
        raise NotFound(f"The minutes of {quarter} are issued when the meeting is closed.")
    answer = HttpResponse(cycle.minutes.encode(), content_type="text/markdown; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="minutes-{quarter}.md"'
    answer["X-Content-Digest"] = cycle.minutes_digest
    return answer


@require_POST
def refresh(request: HttpRequest, quarter: str) -> HttpResponse:
    """Refresh the agenda now."""
    cycle = load(request, quarter)

    def act() -> str:
        cycles.refresh(cycle=cycle, by=user_of(request), now=timezone.now())
        return "The agenda is refreshed."

    return settle(request, cycle, name="gather", form=PlainForm(request.POST), act=act, part="agenda")


@require_POST
def move_cut_off(request: HttpRequest, quarter: str) -> HttpResponse:
    """Move the cut-off."""
    cycle, form = load(request, quarter), asked.CutOffForm(request.POST, auto_id="cut-off-%s")

    def act() -> str:
        row = cycles.move_cut_off(cycle=cycle, **form.cleaned_data, by=user_of(request), now=timezone.now())
        return f"The cut-off of {quarter} is now {row.cut_off_at:%Y-%m-%d %H:%M} UTC."

    return settle(request, cycle, name="cut_off", form=form, act=act, part="standing")


@require_POST
def open_meeting(request: HttpRequest, quarter: str) -> HttpResponse:
    """Open the meeting."""
    cycle = load(request, quarter)

    def act() -> str:
        cycles.open_meeting(cycle=cycle, by=user_of(request), now=timezone.now())
        return "The meeting is open, and you are the chair. Record the attendance first."

    return settle(request, cycle, name="hold", form=PlainForm(request.POST), act=act, part="attendance")


@require_POST
def take_chair(request: HttpRequest, quarter: str) -> HttpResponse:
    """Take the chair."""
    cycle = load(request, quarter)

    def act() -> str:
        cycles.take_chair(cycle=cycle, by=user_of(request), now=timezone.now())
        return "You are the chair."

    return settle(request, cycle, name="chair", form=PlainForm(request.POST), act=act, part="standing")


@require_POST
def write_notes(request: HttpRequest, quarter: str) -> HttpResponse:
    """Write the notes."""
    cycle, form = load(request, quarter), asked.NotesForm(request.POST, auto_id="notes-%s")

    def act() -> str:
        cycles.write_notes(cycle=cycle, notes=form.cleaned_data["notes"], by=user_of(request), now=timezone.now())
        return "The notes are saved; they become part of the minutes."

    return settle(request, cycle, name="notes", form=form, act=act, part="minutes")


@require_POST
def close(request: HttpRequest, quarter: str) -> HttpResponse:
    """Close the meeting."""
    cycle = load(request, quarter)

    def act() -> str:
        cycles.close(cycle=cycle, by=user_of(request), now=timezone.now())
        return f"The review of {quarter} is closed and its minutes are issued."

    return settle(request, cycle, name="close", form=PlainForm(request.POST), act=act, part="minutes")


@require_POST
def add_item(request: HttpRequest, quarter: str) -> HttpResponse:
    """Add an item to the agenda."""
    cycle, form = load(request, quarter), asked.AddForm(request.POST, auto_id="add-%s")

    def act() -> str:
        data = form.cleaned_data
        agenda.add(
            cycle=cycle,
            title=data["title"],
            why=data["why"],
            asset=data["model"],
            by=user_of(request),
            now=timezone.now(),
        )
        return "The item is added at the end of the agenda; you can move it."

    return settle(request, cycle, name="add", form=form, act=act, part="agenda")


def load(request: HttpRequest, quarter: str) -> ReviewCycle:
    """The cycle. Raises NotFound if the user may not see it."""
    return reads.find(quarter=quarter, person=person_of(request))


def show(request: HttpRequest, cycle: ReviewCycle, *, bound: Bound | None = None, status: int = 200) -> HttpResponse:
    """The whole page. `bound` are submitted forms with errors, by step name."""
    return render(request, "reviews/quarterly/cycle.html", context_of(request, cycle, bound or {}), status=status)


def settle(
    request: HttpRequest, cycle: ReviewCycle, *, name: str, form: forms.Form, act: Callable[[], str], part: str
) -> HttpResponse:
    """Run `act`, show its message and redirect to `part`; on errors, show the page again with the bound form."""
    status = 400
    if form.is_valid():
        try:
            messages.success(request, act())
        except Refused as refusal:
            show_in(form, refusal)
            status = refusal.status
        else:
            return redirect(f"{reverse('reviews:cycle', args=[cycle.quarter])}#{part}")
    return show(request, load(request, cycle.quarter), bound={name: form}, status=status)


def context_of(request: HttpRequest, cycle: ReviewCycle, bound: Bound) -> dict[str, Any]:
    """The template context of the page."""
    view = reads.describe(cycle=cycle, person=person_of(request), now=timezone.now())
    is_open = view.may_lead and view.state is not CycleState.CLOSED
    return {
        "view": view,
        "steps": progress_steps(view.state),
        "items": [item_forms(cycle, item, bound) for item in view.items],
        "is_open": is_open,
        "is_held": view.state is CycleState.HELD,
        "may_attend": view.may_lead and view.state in {CycleState.FROZEN, CycleState.HELD},
        "totals": totals(tuple(line.score for line in view.scores)),
        "forms": {**_forms(view), **{name: form for name, form in bound.items() if ":" not in name}},
        "misplaced": next((form for name, form in bound.items() if name.startswith("move:")), None),
        "crumbs": (("Quarterly review", reverse("reviews:cycles")), (view.quarter, "")),
    }


def item_forms(cycle: ReviewCycle, view: reads.AgendaItemView, bound: Bound) -> ItemForms:
    """An agenda item with its forms."""
    row = reads.find_item(cycle=cycle, item_id=view.id)
    free = asked.DecisionForm(auto_id=f"decide-{view.id}-%s", item=row) if view.may_decide else None
    remove = asked.RemovalForm(auto_id=f"remove-{view.id}-%s") if not view.decisions else None
    return ItemForms(view, bound.get(f"decide:{view.id}", free), bound.get(f"remove:{view.id}", remove))


def progress_steps(state: CycleState) -> list[ProgressStep]:
    """The progress steps of a cycle."""
    reached = list(CycleState).index(state)
    places = [
        "done" if place < reached else "current" if place == reached else "to_come" for place in range(len(STEP_NAMES))
    ]
    if state is CycleState.CLOSED:
        places[-1] = "done"
    return [ProgressStep(name, place) for name, place in zip(STEP_NAMES, places, strict=True)]


def _forms(view: reads.CycleView) -> dict[str, forms.Form]:
    return {
        "cut_off": asked.CutOffForm(auto_id="cut-off-%s", initial={"cut_off_at": view.cut_off_at}),
        "add": asked.AddForm(auto_id="add-%s"),
        "attend": asked.AttendanceForm(auto_id="attend-%s"),
        "notes": asked.NotesForm(auto_id="notes-%s", initial={"notes": view.notes}),
    }
