"""The proposals for agenda items, and those that can be accepted together."""

from datetime import date

from django.contrib.auth.models import User

from governance.people.domain.roles import Person
from reviews.quarterly.domain.agenda import AgendaKind
from reviews.quarterly.domain.decisions import DecisionKind, possible_decisions
from reviews.quarterly.domain.proposals import Proposal, proposal_of
from reviews.quarterly.models import AgendaItem, ReviewCycle
from reviews.quarterly.queries.meeting import undecided_items
from reviews.quarterly.rules import may_decide


def decisions_allowed(item: AgendaItem) -> frozenset[DecisionKind]:
    """The decisions that the subjects of the item allow."""
    return possible_decisions(
        has_model=item.asset_id is not None, has_request=item.request_id is not None, has_team=item.team_id is not None
    )


def proposal_for(item: AgendaItem, *, today: date) -> Proposal[User] | None:
    """The proposal for an item. The owner of the model carries it out, unless the account is closed."""
    owner = item.asset.owner if item.asset is not None and item.asset.owner.is_active else None
    return proposal_of(AgendaKind(item.kind), possible=decisions_allowed(item), owner=owner, today=today)


def mark_of(item: AgendaItem, *, proposal: Proposal[User]) -> str:
    """What a page sends back to say which proposal it showed. The due date follows from the day of the decision."""
    return f"{item.pk}:{proposal.kind.value}:{proposal.owner.pk if proposal.owner else ''}"


def safe_proposals(
    cycle: ReviewCycle, *, person: Person, is_present: bool, today: date
) -> tuple[tuple[AgendaItem, Proposal[User]], ...]:
    """The undecided items that this person can accept as proposed without a reason."""
    rows = [(item, proposal_for(item, today=today)) for item in undecided_items(cycle)]
    return tuple(
        (item, proposal)
        for item, proposal in rows
        if proposal is not None
        and proposal.is_safe
        and item.asset is not None
        and may_decide(person, is_present=is_present, team=item.asset.team.slug, owner_id=item.asset.owner_id)
    )
