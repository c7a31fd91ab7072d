"""The pages of absences: who is away, who acts in their place, and the forms to state, to end and to propose."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from governance.absences.actions.absences import end_absence, state_absence
from governance.absences.actions.deputies import propose_deputy
from governance.absences.domain import Period
from governance.absences.models import Absence
from governance.absences.queries import find, listed
from governance.absences.rules import check_propose_deputy, check_state_absence, may_state_absence, may_state_for_others
from governance.people.domain.reasons import REASON_CHARS_MAX
from governance.people.domain.roles import Person
from governance.people.queries import people
from governance.people.web.current_user import person_of, user_of
from governance.people.web.fields import PersonField, ReasonForm
from governance.site.web.refusals import refusal_of, settled, show_in
from governance.site.web.undo import Undoable, undoes
from weighbridge.core.errors import Refused

TAKEN_BACK = "Taken back at once by the person who stated it."


class AbsenceForm(forms.Form):
    """The days of an absence, the deputy, and for another person who it is and why."""

    starts_on = forms.DateField(label="First day", widget=forms.DateInput(attrs={"type": "date"}))
    ends_on = forms.DateField(label="Last day", widget=forms.DateInput(attrs={"type": "date"}))
    deputy = PersonField(label="Deputy")

    def __init__(self, *args: Any, for_others: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["deputy"].required = False
        self.fields["deputy"].help_text = "Somebody with one of the same roles, who is there on these days."
        if for_others:
            self.fields["person"] = PersonField(label="Person")
            self.fields["person"].required = False
            self.fields["person"].help_text = "Leave it empty for yourself."
            self.fields["reason"] = forms.CharField(
                label="Why",
                required=False,
                max_length=REASON_CHARS_MAX,
                help_text="Required for another person.",
                widget=forms.Textarea(attrs={"rows": 2}),
            )
        self.order_fields(["person"])


class EndingForm(forms.Form):
    """The reason to end an absence; required for that of another person."""

    reason = forms.CharField(label="Why", required=False, max_length=REASON_CHARS_MAX)


class DeputyForm(ReasonForm):
    """A deputy with the roles of the absent person."""

    deputy = PersonField(label="Deputy")
    field_order = ("deputy", "reason")


@require_http_methods(["GET", "HEAD", "POST"])
def absences(request: HttpRequest) -> HttpResponse:
    """`/absences/`: the absences that the reader may see, and the form to state one."""
    person = person_of(request)
    form = AbsenceForm(request.POST or None, for_others=may_state_for_others(person))
    status = 200
    if request.method == "POST":
        if not form.data.get("person"):
            check_state_absence(person, user_id=person.id)
        done, status = settled(request, form, lambda: _state(request, form))
        if done:
            return redirect("governance:absences")
    return _page(request, form=form, status=status)


def _state(request: HttpRequest, form: AbsenceForm) -> str:
    given, by = form.cleaned_data, user_of(request)
    row = state_absence(
        person=given.get("person") or by,
        period=Period(given["starts_on"], given["ends_on"]),
        deputy=given["deputy"],
        reason=given.get("reason", ""),
        by=by,
        now=timezone.now(),
    )
    sentence = f"{row} is stated, from {row.starts_on:%Y-%m-%d} to {row.ends_on:%Y-%m-%d}."
    return Undoable(sentence, step="absence", absence_id=row.pk)


@undoes("absence")
def _take_back(*, absence_id: int, by: User, now: datetime) -> str:
    row = find(absence_id=absence_id, person=people.person_of(by), now=now)
    end_absence(absence=row, reason="" if row.person_id == by.pk else TAKEN_BACK, by=by, now=now)
    return f"{row} is taken back."


@require_POST
def end(request: HttpRequest, absence_id: int) -> HttpResponse:
    """End an absence, or take it back."""
    row, form = _found(request, absence_id), EndingForm(request.POST)
    check_state_absence(person_of(request), user_id=row.person_id)

    def act() -> str:
        end_absence(absence=row, **form.cleaned_data, by=user_of(request), now=timezone.now())
        return f"{row} is over; its deputy has no right any more."

    done, status = settled(request, form, act)
    return redirect("governance:absences") if done else _page(request, ending=(row.pk, form), status=status)


@require_POST
def propose(request: HttpRequest, absence_id: int) -> HttpResponse:
    """Propose a deputy who gets the roles of the absent person."""
    row, form = _found(request, absence_id), DeputyForm(request.POST)
    check_propose_deputy(person_of(request))
    if not form.is_valid():
        return _page(request, proposing=(row.pk, form), status=400)
    try:
        change = propose_deputy(absence=row, **form.cleaned_data, by=user_of(request), now=timezone.now())
    except Refused as refusal:
        show_in(form, refusal)
        return _page(request, proposing=(row.pk, form), status=refusal.status)
    messages.success(request, f"{change} is proposed. An administrator must confirm it.")
    return redirect("governance:change", change.pk)


def _found(request: HttpRequest, absence_id: int) -> Absence:
    return find(absence_id=absence_id, person=person_of(request), now=timezone.now())


def _page(
    request: HttpRequest,
    *,
    form: AbsenceForm | None = None,
    ending: tuple[int, EndingForm] | None = None,
    proposing: tuple[int, DeputyForm] | None = None,
    status: int = 200,
) -> HttpResponse:
    person, now = person_of(request), timezone.now()
    bound: dict[str, dict[int, Any]] = {
        "ending": dict([ending] if ending else []),
        "proposing": dict([proposing] if proposing else []),
    }
    context = {
        "entries": [_entry(row, person, bound) for row in listed(person=person, now=now)],
        "form": (form or AbsenceForm(for_others=may_state_for_others(person)))
        if may_state_absence(person, user_id=person.id)
        else None,
        "today": now.date(),
    }
    return render(request, "governance/absences/absences.html", context, status=status)


def _entry(row: Absence, person: Person, bound: dict[str, dict[int, Any]]) -> dict[str, Any]:
    """An absence with the forms that the reader may use."""
    may_end = not refusal_of(lambda: check_state_absence(person, user_id=row.person_id))
    may_propose = may_state_for_others(person) and row.deputy_id is None
    return {
        "row": row,
        "roles": [role.replace("_", " ") for role in row.confirmed_roles],
        "ending": (bound["ending"].get(row.pk) or EndingForm(auto_id=f"end-{row.pk}-%s")) if may_end else None,
        "proposing": (bound["proposing"].get(row.pk) or DeputyForm(auto_id=f"deputy-{row.pk}-%s"))
        if may_propose
        else None,
    }
