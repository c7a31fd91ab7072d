"""The variance of a model in a quarter, added up from its months."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction

from governance.bills.domain.variance.split import cents
from reviews.evidence.domain.comparison import ComparedMonth
from reviews.quarterly.domain.packet import PARTS, ZERO, Variance

NO_BILL = "a bill that is allocated to the model (this amount is what the ledger drew on its commitments)"


def variance_of(model: str, months: Sequence[ComparedMonth]) -> Variance | None:
    """The sum of the months that have both a projection and a bill, exact to the cent; None if there is no such month.

    The causes cover the months with a supplied number of requests; `missing_inputs` names the missing data
    of the others.
    """
    counted = [month for month in months if month.projected is not None and month.billed is not None]
    if not counted:
        return None
    projected = sum((_projected(month) for month in counted), ZERO)
    known_parts = [month.parts for month in counted if month.parts is not None]
    parts = (
        {f"{name}_usd": sum((getattr(part, name) for part in known_parts), ZERO) for name in PARTS}
        if known_parts
        else {}
    )
    billed = sum((_projected(month) + _difference(month) for month in counted), ZERO)
    return Variance(
        model=model,
        projected_usd=projected,
        billed_usd=billed,
        **parts,
        missing_inputs=_missing_inputs(counted),
        is_generated=any(month.is_generated for month in counted),
    )


def without_rate(model: str, months: Iterable[ComparedMonth]) -> tuple[str, ...]:
    """The exchange rates that are missing to compare months of the model, each with its months."""
    return tuple(f"{model}: {words}" for words in _missing_inputs([month for month in months if month.has_no_rate]))


def _projected(month: ComparedMonth) -> Decimal:
    return ZERO if month.projected is None else month.projected.median


def _difference(month: ComparedMonth) -> Decimal:
    """Rounded to cents like the split, so that the parts of all months add up to the difference of the quarter."""
    return cents(Fraction(month.difference or ZERO)) if month.parts is None else month.parts.total


def _missing_inputs(months: Sequence[ComparedMonth]) -> tuple[str, ...]:
    months_by_reason: dict[str, dict[str, None]] = {}
    for month in months:
        for reason in month.missing_inputs:
            months_by_reason.setdefault(reason, {})[f"{month.month:%B %Y}"] = None
    return tuple(f"{reason} ({', '.join(names)})" for reason, names in months_by_reason.items())
