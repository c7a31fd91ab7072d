"""The status strip of a quarter: its requests by their state today, each part with the list of its requests."""

from urllib.parse import urlencode

from django.urls import reverse

from governance.budgets.domain.quarters import Quarter
from governance.people.domain.roles import Person
from governance.site.web.charts.strips import StatusStrip, status_strip
from reviews.requests.queries.requests import RequestSelection
from reviews.workflow.queries.shown_states import counts, of_quarter


def strip_of_quarter(quarter: str, *, person: Person, team: str = "") -> StatusStrip:
    """The requests of the quarter that the person may see, of all teams or one."""
    filters = RequestSelection(team=team, also=of_quarter(Quarter.parse(quarter)))
    counted = counts(person=person, filters=filters)
    chosen = {"quarter": quarter} | ({"team": team} if team else {})
    addresses = ((state, f"{reverse('reviews:list')}?{urlencode({'state': state, **chosen})}") for state in counted)
    return status_strip((state, counted[state], address) for state, address in addresses)
