"""Reads of saved views: those of a person, and those that their teams share."""

from django.db.models import Q, QuerySet

from governance.people.domain.roles import Person
from governance.people.models import Team
from governance.saved_views.models import SavedView
from governance.saved_views.rules import lists_of, shares_with_all
from weighbridge.core.errors import NotFound


def views_of(person: Person) -> QuerySet[SavedView]:
    """The views that the person saved, and those that others share with their teams."""
    return visible_to(person).filter(Q(owner=person.id) | Q(team__slug__in=person.teams))


def visible_to(person: Person) -> QuerySet[SavedView]:
    """The views of the person and of their teams, of lists that they may open.

    Whoever shares with all teams sees all shared ones.
    """
    shared = Q(team__isnull=False) if shares_with_all(person) else Q(team__slug__in=person.teams)
    rows = SavedView.objects.filter(list_name__in=lists_of(person))
    return rows.filter(Q(owner=person.id) | shared).select_related("owner", "team")


def shareable_teams(person: Person) -> QuerySet[Team]:
    """The teams with which the person may share a view, by name."""
    teams = Team.objects.order_by("name")
    return teams if shares_with_all(person) else teams.filter(slug__in=person.teams)


def find(*, view_id: int, person: Person) -> SavedView:
    """One view. Raises NotFound if it does not exist or the person may not see it."""
    row = visible_to(person).filter(pk=view_id).first()
    if row is None:
        raise NotFound(f"There is no saved view {view_id} that you can see.")
    return row
