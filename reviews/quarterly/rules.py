"""Who may do what: `check_` raises with a reason, `may_` answers."""

from governance.people.domain.roles import Person, Role
from governance.people.rules import may, sees_everything
from reviews.quarterly.domain.quorum import Side, sides_of
from weighbridge.core.errors import NotAllowed

_LEADS = frozenset({Role.PLATFORM_LEAD, Role.PRODUCT_LEAD})


def may_see_cycles(person: Person) -> bool:
    """The quarterly review shows every team's costs: everybody who is more than a requester."""
    return sees_everything(person)


def check_lead_meeting(person: Person) -> None:
    """Editing the agenda, moving the cut-off, opening the meeting and noting who attends: platform and
    product leads.
    """
    if not person.is_active or person.roles.isdisjoint(_LEADS):
        raise NotAllowed("Only a platform lead or a product lead may prepare and lead the quarterly review.")


def may_lead_meeting(person: Person) -> bool:
    """Whether the person may prepare and lead the quarterly review."""
    return may(lambda: check_lead_meeting(person))


def check_close_meeting(person: Person, *, chair_id: int | None) -> None:
    """Closing the meeting, which issues its minutes: whoever is in the chair."""
    check_lead_meeting(person)
    if person.id != chair_id:
        raise NotAllowed("Only whoever is in the chair may close the meeting; take the chair first.")


def may_close_meeting(person: Person, *, chair_id: int | None) -> bool:
    """Whether the person may close the meeting."""
    return may(lambda: check_close_meeting(person, chair_id=chair_id))


def check_attend(person: Person, *, side: Side) -> None:
    """Attending: platform leads for engineering, product leads for product, everybody who sees the review
    as a guest.
    """
    if not may_see_cycles(person):
        raise NotAllowed(f"{person.name or person.username} may not see the quarterly review, so not attend it.")
    if side not in sides_of(person.roles):
        raise NotAllowed(f"{person.name or person.username} is not {side.words}, so cannot attend as one.")


def check_decide(person: Person, *, is_present: bool, team: str, owner_id: int | None) -> None:
    """Recording a decision of the meeting: a lead who is present, and who neither owns the model nor files for its
    team.

    `team` and `owner_id` are those of the model the item is about; "" and None where it is about none.
    """
    check_lead_meeting(person)
    if not is_present:
        raise NotAllowed("Only a lead who attends this meeting may record its decisions; have your attendance noted.")
    if person.id == owner_id or team in person.teams:
        raise NotAllowed(
            "Nobody decides on a model of their own; another lead who is present must record this decision."
        )


def may_decide(person: Person, *, is_present: bool, team: str, owner_id: int | None) -> bool:
    """Whether the person may record a decision on this item."""
    return may(lambda: check_decide(person, is_present=is_present, team=team, owner_id=owner_id))


def check_finish_action(person: Person, *, owner_id: int) -> None:
    """Saying that an action item is seen or done: its owner, or a lead."""
    if not (person.is_active and person.id == owner_id):
        check_lead_meeting(person)


def may_finish_action(person: Person, *, owner_id: int) -> bool:
    """Whether the person may close this action item as done."""
    return may(lambda: check_finish_action(person, owner_id=owner_id))


def check_drop_action(person: Person, *, owner_id: int) -> None:
    """Giving an action item up: a lead who does not owe it."""
    check_lead_meeting(person)
    if person.id == owner_id:
        raise NotAllowed("Nobody gives up what they owe themselves; another lead must drop this action item.")


def may_drop_action(person: Person, *, owner_id: int) -> bool:
    """Whether the person may drop this action item."""
    return may(lambda: check_drop_action(person, owner_id=owner_id))
