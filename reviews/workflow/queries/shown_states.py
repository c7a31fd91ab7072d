"""The states by which lists filter requests, and by which the strip of a quarter counts them.

A decided request is approved, rejected, or approved with an authorization that is not in force any more, or not now.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, time

from django.db.models import Count, Min, Q

from governance.budgets.domain.quarters import Quarter
from governance.people.domain.roles import Person
from reviews.authorizations.domain.authorization_states import IN_FORCE
from reviews.requests.domain.lifecycle import OPEN_STATES, RequestState
from reviews.requests.enums import REJECTED
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import RequestSelection, list_requests

QUARTERS_MAX = 12
APPROVED, ENDED = "approved", "not_in_force"
_IN_FORCE = Q(decision__authorization__state__in=sorted(IN_FORCE))
_APPROVED = Q(decision__outcome__startswith="approved")
OF_DECIDED: Mapping[str, Q] = {
    APPROVED: _APPROVED & _IN_FORCE,
    REJECTED: Q(decision__outcome=REJECTED),
    ENDED: _APPROVED & ~_IN_FORCE,
}
SHOWN: Mapping[str, Q] = {
    **OF_DECIDED,
    **{state.value: Q(state=state.value) for state in RequestState if state is not RequestState.DECIDED},
}


def of_quarter(quarter: Quarter) -> Q:
    """The requests of a quarter: filed before its end, and filed or decided in it, open today, or in force today."""
    start, end = (datetime.combine(day, time(), UTC) for day in (quarter.start_on, quarter.next.start_on))
    is_open = Q(state__in=sorted(state.value for state in OPEN_STATES))
    is_decided = Q(decision__decided_at__gte=start, decision__decided_at__lt=end)
    return Q(created_at__lt=end) & (Q(created_at__gte=start) | is_decided | is_open | OF_DECIDED[APPROVED])


def quarters_of_requests(now: datetime) -> list[str]:
    """The quarters from the first request to now, the latest first; at most `QUARTERS_MAX`."""
    first = ReviewRequest.objects.aggregate(first=Min("created_at"))["first"] or now
    quarter = Quarter.of(now)
    found: list[str] = []
    while len(found) < QUARTERS_MAX and quarter.next.start_on > first.date():
        found.append(str(quarter))
        quarter = quarter.previous
    return found


def counts(*, person: Person, filters: RequestSelection) -> dict[str, int]:
    """How many of the selected requests that the person may see are in each state of `SHOWN`, in its order."""
    rows = list_requests(person=person, filters=filters).order_by()
    return rows.aggregate(**{state: Count("pk", filter=condition) for state, condition in SHOWN.items()})
