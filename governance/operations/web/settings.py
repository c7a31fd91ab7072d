"""The page of settings: what a person can set, and what an administrator keeps running, in one place."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from governance.operations.web.places import GROUPS, SitePlace, may_see_tables, open_places
from governance.people.web.current_user import person_of, user_of


@dataclass(frozen=True)
class SettingsGroup:
    """Pages of settings about one thing."""

    title: str
    links: tuple[SitePlace, ...]


@require_safe
def settings_page(request: HttpRequest) -> HttpResponse:
    """`/settings/`: only pages that the person may open."""
    places = open_places(person=person_of(request), sees_tables=may_see_tables(user_of(request)))
    groups = [SettingsGroup(title, tuple(each for each in places if each.group == title)) for title in GROUPS]
    return render(request, "governance/operations/settings.html", {"groups": groups})
