"""Permissions: `check_` raises with a reason, `may_` returns a boolean."""

from governance.people.domain.roles import Person
from governance.people.rules import may, sees_everything
from reviews.quarterly.domain.quorum import LEADS, Side, sides_of
from weighbridge.core.errors import NotAllowed


def may_see_cycles(person: Person) -> bool:
    """Whether the person may see the quarterly review. It shows the costs of all teams, so requesters may not."""
    return sees_everything(person)


def check_lead_meeting(person: Person) -> None:
    """Platform and product leads may edit the agenda, move the cut-off, open the meeting and record attendance."""
    if not person.is_active or person.roles.isdisjoint(LEADS):
        raise NotAllowed("Only a platform lead or a product lead may prepare and lead the quarterly review.")


def check_close_meeting(person: Person, *, chair_id: int | None) -> None:
    """Only the chair may close the meeting and issue its minutes."""
    check_lead_meeting(person)
    if person.id != chair_id:
        raise NotAllowed("Only the chair may close the meeting; take the chair first.")


def check_attend(person: Person, *, side: Side) -> None:
    """Platform leads attend for engineering, product leads for product, anybody who may see the review as a guest."""
    if not may_see_cycles(person):
        raise NotAllowed(
            f"{person.name or person.username} may not see the quarterly review, so they cannot attend it."
        )
    if side not in sides_of(person.roles):
        raise NotAllowed(f"{person.name or person.username} is not {side.words}, so they cannot attend as one.")


def check_decide(person: Person, *, is_present: bool, team: str, owner_id: int | None) -> None:
    """A lead who is present may record a decision, unless they own the model or file requests for its team.

    `team` and `owner_id` belong to the model of the item; "" and None if it has no model.
    """
    check_lead_meeting(person)
    if not is_present:
        raise NotAllowed(
            "Only a lead who attends this meeting may record its decisions; ask a lead to record your attendance."
        )
    if person.id == owner_id or team in person.teams:
        raise NotAllowed("You cannot decide on your own model; another lead who is present must record this decision.")


def check_finish_action(person: Person, *, owner_id: int) -> None:
    """The owner or a lead may acknowledge and finish an action item."""
    if not (person.is_active and person.id == owner_id):
        check_lead_meeting(person)


def check_drop_action(person: Person, *, owner_id: int) -> None:
    """A lead who does not own the action item may drop it."""
    check_lead_meeting(person)
    if person.id == owner_id:
        raise NotAllowed("You cannot drop your own action item; another lead must drop it.")


may_lead_meeting = may(check_lead_meeting)
may_close_meeting = may(check_close_meeting)
may_decide = may(check_decide)
may_finish_action = may(check_finish_action)
may_drop_action = may(check_drop_action)
