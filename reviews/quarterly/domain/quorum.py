"""Who must be present for the quarterly review to decide: engineering and product, one lead of each at least."""

from collections.abc import Iterable
from enum import StrEnum

from governance.people.domain.roles import Role
from weighbridge.core.errors import WrongState


class Side(StrEnum):
    """For which side somebody attends."""

    ENGINEERING = "engineering"
    PRODUCT = "product"
    GUEST = "guest"

    @property
    def words(self) -> str:
        """How a sentence names whoever attends for it."""
        return {Side.ENGINEERING: "an engineering lead", Side.PRODUCT: "a product lead", Side.GUEST: "a guest"}[self]


QUORUM = (Side.ENGINEERING, Side.PRODUCT)
_LEADS = {Role.PLATFORM_LEAD: Side.ENGINEERING, Role.PRODUCT_LEAD: Side.PRODUCT}


def sides_of(roles: Iterable[Role]) -> frozenset[Side]:
    """The sides somebody with these roles may attend for; everybody may come as a guest."""
    return frozenset({Side.GUEST} | {_LEADS[role] for role in roles if role in _LEADS})


def missing(present: Iterable[Side]) -> tuple[Side, ...]:
    """The sides without which there is no quorum yet; one person stands for one side."""
    there = set(present)
    return tuple(side for side in QUORUM if side not in there)


def check_quorum(present: Iterable[Side]) -> None:
    """Raise WrongState, naming who is missing, unless both sides are present."""
    absent = missing(present)
    if absent:
        who = " and ".join(side.words for side in absent)
        raise WrongState(
            f"There is no quorum: {who} must be present. Note who attends, then decide.",
            code="no_quorum",
        )
