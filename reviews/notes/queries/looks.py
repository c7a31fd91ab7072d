"""A person's last look at a request, and what changed since."""

from dataclasses import dataclass
from datetime import datetime

from governance.audit.models import AuditEvent
from governance.people.domain.roles import Person
from reviews.notes.domain.changes import RequestChange, TrailEvent, changes_in
from reviews.notes.domain.looks import Look
from reviews.notes.models import LastLook
from reviews.snapshots.queries.snapshot import RequestSnapshot


@dataclass(frozen=True, kw_only=True)
class SinceLastLook:
    """What changed since a person looked at a request last; `looked_at` is None if they never did.

    `position` is the latest event of the trail that this view has seen: a look that is noted now says it.
    """

    looked_at: datetime | None
    revision: int | None
    position: int
    changes: tuple[RequestChange, ...]


def since_last_look(snapshot: RequestSnapshot, *, person: Person) -> SinceLastLook:
    """The last look of the person, and the changes since."""
    look = last_look(snapshot, person=person)
    return SinceLastLook(
        looked_at=look.at if look else None,
        revision=look.revision if look else None,
        position=max((event.position for event in snapshot.trail), default=0),
        changes=_changes(snapshot, look, person),
    )


def _changes(snapshot: RequestSnapshot, look: Look | None, person: Person) -> tuple[RequestChange, ...]:
    """What others changed since a look, earliest first; () if the person never looked.

    The trail has its events in the order in which they were committed, so no change is missed, and none is told twice.
    """
    if look is None:
        return ()
    events = tuple(map(_event, snapshot.trail))
    titles = {rule.id: rule.condition for rule in snapshot.evidence.policy.rules} if snapshot.request.policy else {}
    titles |= {row.item.id: row.item.title for row in snapshot.evidence.checklist}
    return changes_in(events, after=look.position, reader_id=person.id, titles=titles)


def last_look(snapshot: RequestSnapshot, *, person: Person) -> Look | None:
    """The look since which changes are shown now: that of the visit before."""
    row = LastLook.objects.filter(request=snapshot.request, person_id=person.id).first()
    return row.looks.reference(snapshot.now) if row else None


def _event(row: AuditEvent) -> TrailEvent:
    names = ("position", "kind", "at", "actor", "actor_id", "details")
    return TrailEvent(**{name: getattr(row, name) for name in names})
