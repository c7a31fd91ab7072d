"""The basis of a metric value: how it came to be."""

from enum import StrEnum


class Basis(StrEnum):
    """How a metric value came to be, weakest first.

    A derived value was calculated from a file that is part of the model, such as its memory from its `config.json`. An
    attested value was measured elsewhere, and a key that the policy trusts signed the result.
    """

    DECLARED = "declared"
    ESTIMATED = "estimated"
    DERIVED = "derived"
    ATTESTED = "attested"
    MEASURED = "measured"
    BILLED = "billed"

    @property
    def rank(self) -> int:
        """0 for the weakest basis."""
        return _RANKS[self]


_RANKS = {basis: rank for rank, basis in enumerate(Basis)}


def stronger_or_equal(weakest: Basis) -> tuple[Basis, ...]:
    """Return the bases at least as strong as `weakest`, weakest first."""
    return tuple(basis for basis in Basis if basis.rank >= weakest.rank)
