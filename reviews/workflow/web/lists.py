"""The list of requests. The address holds the filters and the page number. The list can be exported as a file."""

from typing import Any

from django import forms
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from governance.budgets.domain.quarters import Quarter
from governance.exports.web import export
from governance.people.domain.roles import Person, Role
from governance.people.models import Team
from governance.people.rules import sees_everything
from governance.people.web.current_user import person_of
from governance.site.queries import bounded_page
from governance.site.web.status_badges import badge_of
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.enums import ENVIRONMENTS
from reviews.requests.queries.requests import RequestSelection, list_requests, table
from reviews.workflow.queries.shown_states import OF_DECIDED, SHOWN, of_quarter, quarters_of_requests

PAGE_SIZE = 25


class RequestFilterForm(forms.Form):
    """The filters of the list. An unknown choice filters nothing."""

    q = forms.CharField(label="Search", required=False, widget=forms.TextInput(attrs={"type": "search"}))
    state = forms.ChoiceField(
        label="State",
        required=False,
        choices=[("", "Any"), *((state, badge_of(state).word) for state in (RequestState.DECIDED.value, *SHOWN))],
    )
    team = forms.ChoiceField(label="Team", required=False)
    environment = forms.ChoiceField(label="Environment", required=False, choices=[("", "Any"), *ENVIRONMENTS])
    quarter = forms.ChoiceField(label="Quarter", required=False)
    mine = forms.ChoiceField(label="Whose", required=False, choices=[("", "Everybody's"), ("1", "Mine")])

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        teams = Team.objects.order_by("name")
        if not sees_everything(person):
            teams = teams.filter(slug__in=person.teams)
        quarters = [(quarter, quarter) for quarter in quarters_of_requests(timezone.now())]
        self.fields["team"].choices = [("", "Any"), *teams.values_list("slug", "name")]  # type: ignore[attr-defined]  # a ChoiceField
        self.fields["quarter"].choices = [("", "Any"), *quarters]  # type: ignore[attr-defined]  # a ChoiceField

    @property
    def filters(self) -> RequestSelection:
        """The filters of a bound form."""
        self.is_valid()
        data = self.cleaned_data
        texts = {name: data.get(name, "") for name in ("state", "team", "environment")}
        also = OF_DECIDED.get(texts["state"], Q())
        if data.get("quarter"):
            also &= of_quarter(Quarter.parse(data["quarter"]))
        return RequestSelection(search=data.get("q", ""), mine=bool(data.get("mine")), also=also, **texts)


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """`/requests/`: the requests the person may see, newest first."""
    person = person_of(request)
    form = RequestFilterForm(request.GET, person=person)
    rows = list_requests(person=person, filters=form.filters).select_related("decision")
    context = {
        "form": form,
        "page": bounded_page(rows, size=PAGE_SIZE, number=request.GET.get("page")),
        "is_filtered": form.filters != RequestSelection(),
        "clear": reverse("reviews:list"),
        "may_file": person.has_role(Role.REQUESTER),
    }
    return render(request, "reviews/workflow/list.html", context)


@require_safe
def export_requests(request: HttpRequest, kind: str) -> HttpResponseBase:
    """`/requests.csv` and `/requests.xlsx`: all pages of the filtered list."""
    person = person_of(request)
    return export(table(person=person, filters=RequestFilterForm(request.GET, person=person).filters), kind=kind)
