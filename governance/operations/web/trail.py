"""The page of the audit trail, with verification of the chain and export."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from governance.audit.queries import checkpoints, trail
from governance.audit.queries.trail import TrailSelection
from governance.exports.web import export
from governance.people.rules import check_read_trail
from governance.people.web.current_user import person_of, wants_fragment
from governance.site.queries import bounded_page

PAGE_SIZE = 50


def _subject_types() -> list[tuple[str, str]]:
    return [("", "All"), *((name, name.replace("_", " ").capitalize()) for name in trail.subject_types())]


class TrailFilterForm(forms.Form):
    """Filters of the list."""

    q = forms.CharField(
        label="Subject, person, reason or request ID", required=False, widget=forms.TextInput(attrs={"type": "search"})
    )
    subject_type = forms.ChoiceField(label="About", required=False, choices=_subject_types)
    kind = forms.CharField(label="Event begins with", required=False, max_length=60)

    def filters(self) -> TrailSelection:
        """The filters. Invalid values are ignored."""
        self.is_valid()
        given = self.cleaned_data
        return TrailSelection(given.get("q", ""), given.get("subject_type", ""), given.get("kind", ""))


@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """`/audit/`: events, newest first."""
    check_read_trail(person_of(request))
    return render(request, "governance/operations/audit.html", {**_list(request), **_head()})


@require_safe
def chain(request: HttpRequest) -> HttpResponse:
    """Verify the whole chain. Only on request by a button, because it reads all rows."""
    check_read_trail(person_of(request))
    broken = trail.first_broken()
    faults = [f"Event {broken[0]} {broken[1]}."] if broken else []
    faults += checkpoints.contradictions(public_keys=checkpoints.own_keys())
    context = {**_head(), "is_walked": True, "broken_words": " ".join(faults)}
    if wants_fragment(request):
        return render(request, "governance/operations/_fragments/chain.html", context)
    return render(request, "governance/operations/audit.html", {**_list(request), **context})


@require_safe
def exported(request: HttpRequest, kind: str) -> HttpResponseBase:
    """`/audit.csv` and `/audit.xlsx`: the filtered events, newest first."""
    check_read_trail(person_of(request))
    return export(trail.table(TrailFilterForm(request.GET).filters()), kind=kind)


def _head() -> dict[str, Any]:
    return {"head": trail.head(), "checkpoint": checkpoints.latest()}


def _list(request: HttpRequest) -> dict[str, Any]:
    form = TrailFilterForm(request.GET)
    filters = form.filters()
    page = bounded_page(trail.listed(filters), size=PAGE_SIZE, number=request.GET.get("page"))
    return {
        "page": page,
        "form": form,
        "is_filtered": filters != TrailSelection(),
        "list_url": reverse("governance:audit"),
    }
