"""Who could vote in a stage now."""

from collections.abc import Iterable, Mapping

from django.contrib.auth.models import User

from governance.absences.domain import Deputyship
from governance.notifications.domain.events import Addressee
from governance.people.domain.roles import Person
from governance.people.queries.people import people_with, person_of
from governance.rulebook.domain.stages import Stage
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import parties_of
from reviews.requests.rules import may_see
from reviews.snapshots.queries.snapshot import RequestSnapshot
from weighbridge.core.errors import Refused

Away = Mapping[int, Deputyship | None]
"""The deputyship of each absent person, or None without a deputy."""


def voters_of(snapshot: RequestSnapshot, *, stages: Iterable[Stage], away: Away) -> tuple[Addressee, ...]:
    """Those who may vote in one of the stages, and deputies who may vote in the place of an absent person, by id."""
    found = dict[int, Addressee]()
    for stage in stages:
        for user in people_with(stage.role):
            deputyship = away.get(user.pk)
            if user.pk not in away and _may_vote(snapshot, person_of(user), stage):
                found[user.pk] = Addressee(user.pk)
            if deputyship is not None and _may_vote(snapshot, deputyship.deputy, stage, deputyship):
                found.setdefault(deputyship.deputy.id, Addressee(deputyship.deputy.id, user.pk))
    return who_see(snapshot.request, people=(found[person_id] for person_id in sorted(found)))


def who_see(request: ReviewRequest, *, people: Iterable[Addressee]) -> tuple[Addressee, ...]:
    """Those with an open account who may see the request."""
    asked = tuple(people)
    users = User.objects.filter(pk__in=[one.person_id for one in asked], is_active=True)
    seeing = {user.pk for user in users if may_see(person_of(user), parties_of(request))}
    return tuple(one for one in asked if one.person_id in seeing)


def _may_vote(snapshot: RequestSnapshot, person: Person, stage: Stage, deputyship: Deputyship | None = None) -> bool:
    try:
        snapshot.electorate.check_may_vote(person, stage, deputyship=deputyship)
    except Refused:
        return False
    return True
