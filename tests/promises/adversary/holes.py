"""The holes that were once there, each planted again by a patch, and whom the adversary holds to find it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from governance.inventory.actions import inventory, ownership
from reviews.authorizations.domain import standing
from reviews.authorizations.queries import standing as standing_queries
from reviews.authorizations.queries.standing import ArtifactRecords
from reviews.evidence.domain import claims
from reviews.evidence.queries import evidence, snapshot
from reviews.voting.domain.electorate import Electorate
from reviews.voting.domain.independence import Interest, Interests
from reviews.voting.queries import electorate
from reviews.workflow.actions import evidence as evidence_actions
from reviews.workflow.actions import screening

Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Hole:
    """What is planted, and whom the adversary holds."""

    name: str
    plant: Plant
    held: tuple[str, ...]


def _without(*forgotten: standing.Standing) -> Plant:
    """The standing forgets these records, screening does not look at the history, and claims do not travel."""
    real = standing.artifact_standing

    def forgetful(records: Any, **more: Any) -> Any:
        return real([row for row in records if row.standing not in forgotten], **more)

    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(standing_queries, "artifact_standing", forgetful)
        patch.setattr(screening, "is_reviewed_before", lambda *_, **__: False)
        patch.setattr(screening, "is_classified_otherwise", lambda *_, **__: False)
        patch.setattr(snapshot, "binding_values", lambda *_, **__: ())

    return plant


def _conditions_fall_away(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ArtifactRecords, "open_conditions", property(lambda _: ()))


def _totals_are_believed(patch: pytest.MonkeyPatch) -> None:
    for module in (claims, evidence, snapshot):
        patch.setattr(module, "with_totals", lambda values, **_: tuple(values))
    patch.setattr(evidence_actions, "_check_total", lambda *_: None)


def _ignoring(*interests: Interest) -> Plant:
    real = Interests.conflict_of

    def lenient(self: Interests, person_id: int) -> str | None:
        rest = {one: ids for one, ids in self.people.items() if one not in interests}
        return real(replace(self, people=rest), person_id)

    return lambda patch: patch.setattr(Interests, "conflict_of", lenient)


def _members_count_as_strangers(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Interests, "is_member", lambda *_: False)


def _roles_are_not_counted_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(electorate, "_has_role", lambda *_: True)


def _ownership_needs_no_consent(patch: pytest.MonkeyPatch) -> None:
    def at_once(*, asset: Any, owner: Any, by: Any, now: Any) -> None:
        ownership._set_owner(asset, owner, by, now)

    def voided(self: Electorate) -> Any:
        owners = self.interests.people[Interest.OWNER]
        return tuple(one for one in self.ballots if one.revision == self.revision and one.person_id not in owners)

    patch.setattr(inventory, "name_owner", at_once)
    patch.setattr(Electorate, "counted", property(voided))


OF_UPLOADER = (Interest.REGISTRAR, Interest.SAME_ARTIFACT, Interest.FORMER_OWNER)
"""Several rules keep the uploader of the scene from voting; the hole is open only without all of them."""
HOLES = [
    Hole("a rejection is forgotten", _without(standing.Standing.REJECTED), ("author",)),
    Hole("a revocation is forgotten", _without(standing.Standing.REVOKED), ("mate",)),
    Hole("an open review is forgotten", _without(standing.Standing.UNDER_REVIEW), ("author",)),
    Hole("another team clears a rejected artifact", _without(*standing.DENIED_BY_PEOPLE), ("outsider",)),
    Hole("conditions fall away", _conditions_fall_away, ("author",)),
    Hole("a total below its parts is believed", _totals_are_believed, ("author",)),
    Hole("the uploader votes", _ignoring(*OF_UPLOADER), ("mate",)),
    Hole("a former owner votes", _ignoring(Interest.FORMER_OWNER), ("twin",)),
    Hole("two reviewers of the team suffice", _members_count_as_strangers, ("mate", "twin")),
    Hole("a lead approves the budget of their team", _members_count_as_strangers, ("teamlead",)),
    Hole("a vote outlives its role", _roles_are_not_counted_again, ("reviewer_two",)),
    Hole("naming an owner voids a vote", _ownership_needs_no_consent, ("author",)),
]
