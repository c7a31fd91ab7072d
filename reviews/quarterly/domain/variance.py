"""A model's quarter from its months: what was projected, what was billed, and what the difference is made of."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from governance.bills.domain.variance.split import cents
from reviews.evidence.domain.comparison import ComparedMonth
from reviews.quarterly.domain.packet import PARTS, ZERO, Variance

NO_BILL = "a bill allocated to the model: this is what the ledger drew on its commitments"


def variance_of(model: str, months: Sequence[ComparedMonth]) -> Variance | None:
    """The months that were both projected and billed, added up to the cent; None where there is none.

    The parts are those of the months whose requests were supplied; `lacking` says what the other months are short of.
    """
    counted = [month for month in months if month.projected is not None and month.billed is not None]
    if not counted:
        return None
    projected = sum((_projected(month) for month in counted), ZERO)
    told = [month.parts for month in counted if month.parts is not None]
    parts = {f"{name}_usd": sum((getattr(each, name) for each in told), ZERO) for name in PARTS} if told else {}
    billed = sum((_projected(month) + _difference(month) for month in counted), ZERO)
    return Variance(
        model=model,
        projected_usd=projected,
        billed_usd=billed,
        **parts,
        lacking=_lacking(counted),
        is_generated=any(month.is_generated for month in counted),
    )


def _projected(month: ComparedMonth) -> Decimal:
    return ZERO if month.projected is None else month.projected.middle


def _difference(month: ComparedMonth) -> Decimal:
    """In cents, as the split rounds it: so that the parts of all months add up to the quarter's difference."""
    return cents(Fraction(month.difference or ZERO)) if month.parts is None else month.parts.total


def _lacking(months: Sequence[ComparedMonth]) -> tuple[str, ...]:
    found: dict[str, dict[str, None]] = {}
    for month in months:
        for words in month.lacking:
            found.setdefault(words, {})[f"{month.month:%B %Y}"] = None
    return tuple(f"{words} ({', '.join(names)})" for words, names in found.items())
