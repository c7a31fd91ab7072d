"""Steps about several items of the meeting: accept proposals together, and close the meeting after a confirmation."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from governance.people.web.current_user import person_of, user_of
from governance.site.web.refusals import settled
from reviews.quarterly.actions import cycles, meeting
from reviews.quarterly.domain.quorum import missing
from reviews.quarterly.models import AgendaItem, ReviewCycle
from reviews.quarterly.queries import cycles as reads
from reviews.quarterly.queries.meeting import may_decide_now, sides_present, undecided_items
from reviews.quarterly.queries.meeting_page import agenda_in_order, first_open
from reviews.quarterly.queries.proposals import mark_of, safe_proposals
from reviews.quarterly.rules import check_close_meeting, check_lead_meeting, may_close_meeting
from reviews.quarterly.web import cycle_forms as asked
from reviews.quarterly.web.cycles import load


@require_http_methods(["GET", "HEAD", "POST"])
def close(request: HttpRequest, quarter: str) -> HttpResponse:
    """Show what stays undecided, and close the meeting if the list is still the same."""
    cycle, person = load(request, quarter), person_of(request)
    check_lead_meeting(person)
    if request.method != "POST":
        return _confirmation(request, cycle, asked.MeetingEndForm(), 200)
    check_close_meeting(person, chair_id=cycle.chair_id)
    form = asked.MeetingEndForm(request.POST)

    def act() -> str:
        cycles.close(cycle=cycle, **form.cleaned_data, by=user_of(request), now=timezone.now())
        return f"The review of {cycle} is closed and its minutes are issued."

    is_done, status = settled(request, form, act)
    if is_done:
        return redirect(f"{reverse('reviews:cycle', args=[quarter])}#minutes")
    return _confirmation(request, load(request, quarter), form, status)


@require_http_methods(["GET", "HEAD", "POST"])
def accept(request: HttpRequest, quarter: str) -> HttpResponse:
    """Accept the proposals that need no reason, for the selected items."""
    cycle, person = load(request, quarter), person_of(request)
    check_lead_meeting(person)
    is_present = may_decide_now(cycle, person_id=person.id)
    proposed = safe_proposals(cycle, person=person, is_present=is_present, today=timezone.now().date())
    rows = tuple((item, proposal, mark_of(item, proposal=proposal)) for item, proposal in proposed)
    items = {item.pk: item for item, _ in proposed}
    choices = [(item.pk, item.title) for item in items.values()]
    if request.method != "POST":
        form: forms.Form = asked.AcceptForm(choices=choices, initial={"items": list(items)})
        return _proposals(request, cycle, form, rows, 200)
    form = asked.AcceptForm(request.POST, choices=choices)

    def act() -> str:
        chosen = [items[pk] for pk in form.cleaned_data["items"]]
        seen = form.cleaned_data["seen"]
        decisions = meeting.accept_proposals(items=chosen, seen=seen, by=user_of(request), now=timezone.now())
        return "1 proposal was accepted." if len(decisions) == 1 else f"{len(decisions)} proposals were accepted."

    is_done, status = settled(request, form, act)
    return _next(cycle) if is_done else _proposals(request, cycle, form, rows, status)


def _next(cycle: ReviewCycle) -> HttpResponse:
    after = first_open(agenda_in_order(cycle))
    if after is None:
        return redirect("reviews:cycle_close", quarter=cycle.quarter)
    return redirect("reviews:cycle_item", quarter=cycle.quarter, item_id=after)


def _confirmation(request: HttpRequest, cycle: ReviewCycle, form: forms.Form, status: int) -> HttpResponse:
    undecided = list(undecided_items(cycle))
    context = {
        "cycle": cycle,
        "undecided": undecided,
        "shown": ",".join(str(item.pk) for item in undecided),
        "items_count": cycle.items.filter(removed_at=None).count(),
        "missing": [side.words for side in missing(sides_present(cycle))],
        "attendees": reads.attendees_of(cycle),
        "may_close": may_close_meeting(person_of(request), chair_id=cycle.chair_id),
        "form": form,
        "crumbs": _crumbs(cycle, "Close the meeting"),
    }
    return render(request, "reviews/quarterly/meeting/close.html", context, status=status)


def _proposals(
    request: HttpRequest,
    cycle: ReviewCycle,
    form: forms.Form,
    rows: tuple[tuple[AgendaItem, object, str], ...],
    status: int,
) -> HttpResponse:
    context = {"cycle": cycle, "rows": rows, "form": form, "crumbs": _crumbs(cycle, "Accept proposals")}
    return render(request, "reviews/quarterly/meeting/accept.html", context, status=status)


def _crumbs(cycle: ReviewCycle, title: str) -> tuple[tuple[str, str], ...]:
    return (
        ("Quarterly review", reverse("reviews:cycles")),
        (cycle.quarter, reverse("reviews:cycle", args=[cycle.quarter])),
        (title, ""),
    )
