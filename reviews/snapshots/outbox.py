"""Notifications about requests."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.contrib.auth.models import User

from governance.absences.queries import deputies
from governance.notifications.domain.events import Addressee, Occurrence
from governance.notifications.models import Notification
from governance.notifications.outbox.notices import notify
from governance.notifications.queries.relevance import found_at, waits_while
from governance.people.domain.roles import Person
from governance.rulebook.domain.stages import Stage
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import find, parties_of
from reviews.snapshots.queries.snapshot import RequestSnapshot, snapshot_of
from reviews.snapshots.queries.voters import voters_of, who_see
from reviews.snapshots.queries.voting_rights import voting_rights_of

found_at("requests", find=lambda ref, person: find(ref=ref, person=person))


def _may_vote(row: Notification, person: Person, now: datetime) -> bool:
    """Whether the request still waits for the vote of this person."""
    request = find(ref=row.path.strip("/").partition("/")[2], person=person)
    return bool(voting_rights_of(snapshot_of(request, now=now), person=person))


waits_while("vote_asked", waits=_may_vote)


def ask_voters(*, snapshot: RequestSnapshot, before: Collection[str] = (), by: User, now: datetime) -> None:
    """Tell those who may vote in the open stages, except the stages `before`, that the request waits for them."""
    row = snapshot.request
    stages = [stage for stage in snapshot.electorate.progress.open_stages if stage.id not in before]
    for stage in stages:
        people = voters_of(snapshot, stages=[stage], away=deputies(now=now))
        key = f"vote:{row.ref}:{row.revision}:{stage.id}"
        event = event_about(row, kind="vote_asked", key=key, sentence=_asked(row, stage))
        notify(event=event, people=people, by=by, now=now)


def notify_parties(
    *,
    request: ReviewRequest,
    kind: str,
    key: str,
    sentence: str,
    more: Iterable[User] = (),
    by: User | None,
    now: datetime,
) -> None:
    """Tell the requester, the owner of the model and `more` people, as far as they may see the request."""
    parties = parties_of(request)
    ids = dict.fromkeys((parties.requester_id, parties.owner_id, *(user.pk for user in more)))
    event = event_about(request, kind=kind, key=key, sentence=sentence)
    notify(event=event, people=who_see(request, people=map(Addressee, ids)), by=by, now=now)


def event_about(request: ReviewRequest, *, kind: str, key: str, sentence: str) -> Occurrence:
    """An event about a request, which the webhooks of its team get too."""
    return Occurrence(
        kind=kind,
        key=key,
        reference=request.ref,
        path=f"/requests/{request.ref}/",
        sentence=sentence,
        team=request.team.slug,
    )


def _asked(row: ReviewRequest, stage: Stage) -> str:
    return f"{row.title} waits for votes in the stage {stage.title}."
