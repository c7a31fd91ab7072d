"""The vote that a person has not cast yet."""

from dataclasses import dataclass
from datetime import datetime

from governance.people.domain.roles import Person
from reviews.notes.domain.draft_votes import DraftCondition
from reviews.notes.models import DraftVote
from reviews.requests.domain.copies import copy_of
from reviews.snapshots.queries.snapshot import RequestSnapshot


@dataclass(frozen=True, kw_only=True)
class DraftVoteView:
    """The draft of a person.

    When a new revision begins, or the person is not the deputy of the absent one any more, the choice is open again,
    and the texts are kept.
    """

    revision: int
    is_current: bool
    choice: str
    rationale: str
    conditions: tuple[DraftCondition, ...]
    in_place_of: str = ""
    lifted_ids: tuple[int, ...] = ()
    saved_at: datetime | None


def draft_vote_of(snapshot: RequestSnapshot, *, person: Person) -> DraftVoteView | None:
    """The draft of this person, or None."""
    row = DraftVote.objects.filter(request=snapshot.request, person_id=person.id).first()
    if row is None:
        return None
    absent = {"", *(each.absent.username for each in snapshot.deputyships_of(person))}
    is_current = row.revision == snapshot.request.revision and row.in_place_of in absent
    return copy_of(
        row,
        DraftVoteView,
        is_current=is_current,
        choice=row.choice if is_current else "",
        conditions=tuple(DraftCondition(**each) for each in row.conditions),
        lifted_ids=tuple(row.lifted_ids),
    )
