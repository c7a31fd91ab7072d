"""Pages of the quarterly review: the list, and one cycle with the forms of its steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from governance.exports.web import export
from governance.inventory.queries import offered
from governance.people.web.current_user import person_of
from governance.site.queries import pages_of_parts
from reviews.quarterly import kinds  # noqa: F401 -- registers the discussion of agenda items
from reviews.quarterly.domain.cycle import CycleState
from reviews.quarterly.models import ReviewCycle
from reviews.quarterly.queries import cycles as reads
from reviews.quarterly.queries import scores
from reviews.quarterly.queries.meeting import ShownMinutes, shown_minutes_of
from reviews.quarterly.web import cycle_forms as asked
from reviews.quarterly.web.status_strip import strip_of_quarter
from reviews.workflow.web.progress_steps import ProgressStep
from weighbridge.core.errors import NotFound

Bound = Mapping[str, forms.Form]
PAGE_SIZE = 50
STEP_NAMES = ("Planned", "Collecting", "Frozen", "Meeting", "Closed")


@dataclass(frozen=True)
class ItemForms:
    """An agenda item with the forms that the user may use."""

    view: reads.AgendaItemView
    remove: forms.Form | None


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """`/cycles/`: every quarter's review, the latest first."""
    rows = reads.list_cycles(person=person_of(request))
    return render(request, "reviews/quarterly/cycles.html", {"cycles": rows})


@require_safe
def detail(request: HttpRequest, quarter: str) -> HttpResponse:
    """`/cycles/2026Q4/`: agenda, scorecard, meeting, decisions and minutes of one quarter.

    Each list has pages: `?part=agenda&page=2` is the second of the agenda, beside the first of the others.
    """
    return show(request, load(request, quarter))


@require_safe
def export_scorecard(request: HttpRequest, quarter: str, kind: str) -> HttpResponseBase:
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


def load(request: HttpRequest, quarter: str) -> ReviewCycle:
    """The cycle. Raises NotFound if the user may not see it."""
    return reads.find(quarter=quarter, person=person_of(request))


def show(
    request: HttpRequest, cycle: ReviewCycle, *, bound: Bound | None = None, place: int | None = None, status: int = 200
) -> HttpResponse:
    """The whole page. `bound` are submitted forms with errors, by step name; `place` is as in `context_of`."""
    context = context_of(request, cycle, bound or {}, place=place)
    return render(request, "reviews/quarterly/cycle.html", context, status=status)


def query_of(place: int | None) -> dict[str, str]:
    """The query of the page of the agenda that has the item of this place, counted from 0; empty for the first."""
    return {"part": "agenda", "page": str(place // PAGE_SIZE + 1)} if place is not None and place >= PAGE_SIZE else {}


def context_of(request: HttpRequest, cycle: ReviewCycle, bound: Bound, *, place: int | None = None) -> dict[str, Any]:
    """The template context of the page: the part of each list that the address asks for, or the part of the agenda that
    has the item of the place, counted from 0.
    """
    view = reads.describe(cycle=cycle, person=person_of(request), now=timezone.now())
    minuted = shown_minutes_of(cycle) if view.minutes else None
    asked_for = request.GET if place is None else query_of(place)
    pages = pages_of_parts(_parts(view, minuted), size=PAGE_SIZE, asked=asked_for)
    items = [item_forms(item, bound) for item in pages["agenda"]]
    is_open = view.may_lead and view.state is not CycleState.CLOSED
    return {
        "view": view,
        "strip": strip_of_quarter(view.quarter, person=person_of(request)),
        "steps": progress_steps(view.state),
        "pages": pages,
        "pages_at": reverse("reviews:cycle", args=[cycle.quarter]),
        "items": items,
        "is_open": is_open,
        "models": offered(person_of(request)) if is_open else (),
        "is_held": view.state is CycleState.HELD,
        "may_attend": view.may_lead and view.state in {CycleState.FROZEN, CycleState.HELD},
        "minutes": minuted,
        "totals": view.totals,
        "forms": {**_forms(view), **{name: form for name, form in bound.items() if ":" not in name}},
        "misplaced": _misplaced(bound, items if is_open else []),
        "crumbs": (("Quarterly review", reverse("reviews:cycles")), (view.quarter, "")),
    }


def _parts(view: reads.CycleView, minuted: ShownMinutes | None) -> dict[str, Sequence[Any]]:
    """The lists of the page by their anchors."""
    of_minutes = {
        "minutes": minuted.decided if minuted else (),
        "undecided": minuted.undecided if minuted else (),
        "minuted_removed": minuted.removed if minuted else (),
    }
    return {
        "followup": view.before,
        "agenda": view.items,
        "removed": view.removed,
        "scorecard": view.scores,
        "actions": view.actions,
        **of_minutes,
    }


def _misplaced(bound: Bound, items: Sequence[ItemForms]) -> forms.Form | None:
    """The refused form of an item that has no place on the page: a move, or of an item that is gone meanwhile."""
    shown = {f"remove:{item.view.id}" for item in items}
    return next((form for name, form in bound.items() if ":" in name and name not in shown), None)


def item_forms(view: reads.AgendaItemView, bound: Bound) -> ItemForms:
    """An agenda item with its forms."""
    remove = asked.RemovalForm(auto_id=f"remove-{view.id}-%s") if not view.decisions else None
    return ItemForms(view, bound.get(f"remove:{view.id}", remove))


def progress_steps(state: CycleState) -> list[ProgressStep]:
    """The progress steps of a cycle."""
    done = len(STEP_NAMES) if state is CycleState.CLOSED else list(CycleState).index(state)
    places = ["done"] * done + ["current"] + ["to_come"] * len(STEP_NAMES)
    return [ProgressStep(name, place) for name, place in zip(STEP_NAMES, places, strict=False)]


def _forms(view: reads.CycleView) -> dict[str, forms.Form]:
    return {
        "cut_off": asked.CutOffForm(auto_id="cut-off-%s", initial={"cut_off_at": view.cut_off_at}),
        "add": asked.AddForm(auto_id="add-%s"),
        "attend": asked.AttendanceForm(auto_id="attend-%s"),
        "notes": asked.NotesForm(auto_id="notes-%s", initial={"notes": view.notes}),
    }
