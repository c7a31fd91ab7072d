"""The meeting, one item at a time: its page, the decision, the attendance and the planned minutes."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from governance.accounts.web.second_factor import confirmation_before_step
from governance.people.web.current_user import person_of, user_of
from governance.site.web.refusals import settled
from reviews.quarterly.actions import cycles, meeting
from reviews.quarterly.domain.decisions import NEEDS_FACTOR, TakenDecision
from reviews.quarterly.models import AgendaItem, MeetingDecision, ReviewCycle
from reviews.quarterly.queries import cycles as reads
from reviews.quarterly.queries import meeting_page as pages
from reviews.quarterly.rules import check_lead_meeting
from reviews.quarterly.web import cycle_forms as asked
from reviews.quarterly.web.attendance import attendance_steps
from reviews.quarterly.web.cycles import load
from reviews.quarterly.web.steps import StepPage
from weighbridge.core.errors import NotFound

PRESENTER = "presenter"


@require_safe
def start(request: HttpRequest, quarter: str) -> HttpResponse:
    """`/cycles/2026Q4/meeting/`: the first undecided item, or else the first item."""
    order = pages.agenda_in_order(load(request, quarter))
    if not order:
        return redirect(f"{reverse('reviews:cycle', args=[quarter])}#agenda")
    return redirect(_address(quarter, pages.first_open(order) or order[0][0], view=request.GET.get("view", "")))


@require_safe
def item(request: HttpRequest, quarter: str, item_id: int) -> HttpResponse:
    """`/cycles/2026Q4/meeting/7/`: the item beside its evidence. `?view=presenter` is the view for a projector."""
    return _show(request, load(request, quarter), item_id, {}, 200)


@require_POST
def decide(request: HttpRequest, quarter: str, item_id: int) -> HttpResponse:
    """Decide the item, then open the next undecided one. Refusals appear beside the field, and the text is kept."""
    cycle = load(request, quarter)
    row = _on_agenda(cycle, item_id)
    check_lead_meeting(person_of(request))
    form = asked.DecisionForm(request.POST, auto_id="decide-%s", item=row)
    if form.is_valid() and form.cleaned_data["kind"] in NEEDS_FACTOR:
        confirmation = confirmation_before_step(request)
        if confirmation is not None:
            return confirmation

    def act() -> str:
        given = dict(form.cleaned_data)
        seen = {name: given.pop(name) for name in ("decisions_seen", "revision_seen")}
        decision = meeting.decide(
            item=row, decided=TakenDecision(**given), **seen, by=user_of(request), now=timezone.now()
        )
        return _decided(row, decision)

    is_done, status = settled(request, form, act)
    return _next(cycle, item_id) if is_done else _show(request, cycle, item_id, {"decide": form}, status)


@require_POST
def accept(request: HttpRequest, quarter: str, item_id: int) -> HttpResponse:
    """Decide the item as the page proposed, then open the next undecided one. A refusal appears above the proposal."""
    cycle = load(request, quarter)
    row = _on_agenda(cycle, item_id)
    check_lead_meeting(person_of(request))
    form = asked.ProposalForm(request.POST)

    def act() -> str:
        (decision,) = meeting.accept_proposals(
            items=[row], **form.cleaned_data, by=user_of(request), now=timezone.now()
        )
        return _decided(row, decision)

    is_done, status = settled(request, form, act)
    return _next(cycle, item_id) if is_done else _show(request, cycle, item_id, {"accept": form}, status)


def _decided(row: AgendaItem, decision: MeetingDecision) -> str:
    return f"Decided: {row.title}. {decision.effect} The ticket for {decision.action.ref} is queued."


def _next(cycle: ReviewCycle, item_id: int) -> HttpResponse:
    after = pages.first_open(pages.agenda_in_order(cycle), after=item_id)
    return redirect(_address(cycle.quarter, after) if after else reverse("reviews:cycle_close", args=[cycle.quarter]))


def _find(request: HttpRequest, *, quarter: str, item_id: int) -> dict[str, object]:
    cycle = load(request, quarter)
    _on_agenda(cycle, item_id)
    return {"cycle": cycle}


def _follow(
    request: HttpRequest, form: forms.Form, status: int, *, name: str, part: str, quarter: str, item_id: int
) -> HttpResponse:
    if status == 200:
        return redirect(f"{_address(quarter, item_id)}#{part}")
    return _show(request, load(request, quarter), item_id, {name: form}, status)


ITEM = StepPage(_find, _follow, lambda person, **_: check_lead_meeting(person))
attend, leave = attendance_steps(ITEM)
plan_minutes = ITEM.step(
    "minutes",
    cycles.plan_minutes,
    "{minutes_per_item} minutes are planned for each item.",
    part="clock",
    form=asked.MinutesPerItemForm,
    auto_id="minutes-%s",
)


def _address(quarter: str, item_id: int, *, view: str = "") -> str:
    address = reverse("reviews:cycle_item", args=[quarter, item_id])
    return f"{address}?view={PRESENTER}" if view == PRESENTER else address


def _on_agenda(cycle: ReviewCycle, item_id: int) -> AgendaItem:
    row = reads.find_item(cycle=cycle, item_id=item_id)
    if row.removed_at is not None:
        raise NotFound(f"“{row.title}” was removed from the agenda of {cycle}: {row.removal_reason}")
    return row


def _show(
    request: HttpRequest, cycle: ReviewCycle, item_id: int, bound: dict[str, forms.Form], status: int
) -> HttpResponse:
    row, is_presenter = _on_agenda(cycle, item_id), request.GET.get("view") == PRESENTER
    page = pages.meeting_page(cycle=cycle, item=row, person=person_of(request), now=timezone.now())
    context = {
        "page": page,
        "item": page.item,
        "forms": {**_forms(page, row), **bound},
        "is_refused": bool(bound),
        "crumbs": (
            ("Quarterly review", reverse("reviews:cycles")),
            (page.quarter, reverse("reviews:cycle", args=[page.quarter])),
            ("Meeting", ""),
        ),
    }
    for form in bound.values():
        _focus_first_error(form)
    template = "reviews/quarterly/meeting/presenter.html" if is_presenter else "reviews/quarterly/meeting/item.html"
    return render(request, template, context, status=status)


def _forms(page: pages.MeetingPage, row: AgendaItem) -> dict[str, forms.Form]:
    return {
        "accept": asked.ProposalForm(),
        "decide": asked.DecisionForm(auto_id="decide-%s", item=row, proposal=page.proposal),
        "attend": asked.AttendanceForm(auto_id="attend-%s"),
        "minutes": asked.MinutesPerItemForm(
            auto_id="minutes-%s",
            initial={"minutes_per_item": page.clock.minutes_per_item if page.clock else None},
        ),
    }


def _focus_first_error(form: forms.Form) -> None:
    for name, field in form.fields.items():
        if name in form.errors:
            field.widget.attrs["autofocus"] = True
            return
