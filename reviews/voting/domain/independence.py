"""Conflicts of interest: who may not judge a request, and why. One rule for votes and waivers, for every role."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

ANOTHER = "another person with the role must vote."


class Interest(StrEnum):
    """What gives a person an interest in a request, the closest first. The value completes “nobody votes …”."""

    REQUESTER = "You filed this request, and nobody votes on their own request"
    OWNER = "You own this model, or owned it when the request was filed, and nobody votes on their own model"
    FORMER_OWNER = "You owned this model until recently, so you cannot vote on it yet"
    REGISTRAR = "You registered this artifact, so you cannot vote on it"
    SAME_ARTIFACT = "You own or registered this artifact for another team, or filed it before, so you cannot vote on it"
    EVIDENCE = "You ran or edited evidence of this request, so you cannot vote on it"
    EVALUATION_DATA = "You registered the evaluation data of this request, so you cannot vote on it"


@dataclass(frozen=True)
class Interests:
    """The people with an interest in a request, and the people of its team.

    `people` maps each interest to user ids. `member_ids` are the people who file for the team or own one of its models,
    or did until recently.
    """

    people: Mapping[Interest, frozenset[int]] = field(default_factory=dict)
    member_ids: frozenset[int] = frozenset()

    def conflict_of(self, person_id: int) -> str | None:
        """The reason why this person may not judge the request, as a sentence; None if there is none."""
        interest = next((one for one in Interest if person_id in self.people.get(one, ())), None)
        return None if interest is None else f"{interest}; {ANOTHER}"

    def is_member(self, person_id: int) -> bool:
        """Whether the person belongs to the team of the request."""
        return person_id in self.member_ids
