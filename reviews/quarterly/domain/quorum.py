"""The quorum of the quarterly review: at least one engineering lead and one product lead."""

from collections.abc import Iterable
from enum import StrEnum

from governance.people.domain.roles import Role
from weighbridge.core.errors import WrongState


class Side(StrEnum):
    """The side that a person attends for."""

    ENGINEERING = "engineering"
    PRODUCT = "product"
    GUEST = "guest"

    @property
    def words(self) -> str:
        """A person of this side, as a phrase for sentences."""
        return {Side.ENGINEERING: "an engineering lead", Side.PRODUCT: "a product lead", Side.GUEST: "a guest"}[self]


QUORUM = (Side.ENGINEERING, Side.PRODUCT)
LEADS = {Role.PLATFORM_LEAD: Side.ENGINEERING, Role.PRODUCT_LEAD: Side.PRODUCT}
"""The roles that may lead the meeting, each with the side that it attends for."""


def sides_of(roles: Iterable[Role]) -> frozenset[Side]:
    """The sides that a person with these roles may attend for. Everybody may attend as a guest."""
    return frozenset({Side.GUEST} | {LEADS[role] for role in roles if role in LEADS})


def missing(present: Iterable[Side]) -> tuple[Side, ...]:
    """The sides that are missing for a quorum. One person counts for one side."""
    sides = set(present)
    return tuple(side for side in QUORUM if side not in sides)


def check_quorum(present: Iterable[Side]) -> None:
    """Raise WrongState with the missing sides unless both are present."""
    absent = missing(present)
    if absent:
        who = " and ".join(side.words for side in absent)
        raise WrongState(
            f"There is no quorum: {who} must be present. Record the attendance, then decide.",
            code="no_quorum",
        )
