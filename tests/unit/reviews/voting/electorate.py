"""Named people, the two default stages and a ballot builder for the voting tests."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from governance.people.domain.roles import Person, Role
from governance.rulebook.domain.stages import Stage
from reviews.voting.domain.electorate import Ballot, Electorate, VoteChoice
from reviews.voting.domain.independence import Interest, Interests

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


def person(number: int, name: str, *roles: Role, is_active: bool = True) -> Person:
    return Person(id=number, username=name.lower(), name=name, roles=frozenset(roles), is_active=is_active)


RITA = person(1, "Rita", Role.REQUESTER, Role.REVIEWER)
OTTO = person(2, "Otto", Role.REVIEWER)
EVA = person(3, "Eva", Role.REVIEWER)
ANNE = person(4, "Anne", Role.REVIEWER)
BERT = person(5, "Bert", Role.REVIEWER, Role.PLATFORM_LEAD)
LEA = person(6, "Lea", Role.PLATFORM_LEAD)
ADAM = person(7, "Adam", Role.ADMIN)
AUDRA = person(8, "Audra", Role.AUDITOR, Role.FINANCE)
GONE = person(9, "Gone", Role.REVIEWER, is_active=False)


def interests(
    *,
    requester: Person | None = None,
    owners: Collection[Person] = (),
    editors: Collection[Person] = (),
    members: Collection[Person] = (),
    **others: Collection[Person],
) -> Interests:
    """The interests in a request; `others` by the name of the interest in lower case."""
    people = {
        Interest.REQUESTER: [requester] if requester else [],
        Interest.OWNER: owners,
        Interest.EVIDENCE: editors,
        **{Interest[name.upper()]: those for name, those in others.items()},
    }
    ids = {interest: frozenset(one.id for one in those) for interest, those in people.items()}
    return Interests(ids, frozenset(one.id for one in members))


TECHNICAL = Stage(id="technical", title="Technical review", role=Role.REVIEWER, quorum=2)
BUDGET = Stage(id="budget", title="GPU budget", role=Role.PLATFORM_LEAD, quorum=1)
STAGES = (TECHNICAL, BUDGET)


def electorate(
    *ballots: Ballot,
    stages: tuple[Stage, ...] = STAGES,
    revision: int = 1,
    who: Interests | None = None,
) -> Electorate:
    """An electorate in which Rita filed the request, unless `who` says otherwise."""
    return Electorate(stages=stages, ballots=ballots, revision=revision, interests=who or interests(requester=RITA))


def ballot(
    who: Person,
    stage: Stage = TECHNICAL,
    choice: VoteChoice = VoteChoice.APPROVE,
    *,
    revision: int = 1,
    minute: int = 0,
    has_role: bool = True,
) -> Ballot:
    return Ballot(
        person_id=who.id,
        person_name=who.name,
        stage_id=stage.id,
        choice=choice,
        revision=revision,
        rationale="because of the metric values",
        cast_at=NOON + timedelta(minutes=minute),
        has_role=has_role,
    )
