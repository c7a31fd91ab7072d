"""Metric values: validation, selection of the value that counts, and contradictions."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from cattrs.gen import make_dict_unstructure_fn, override

from weighbridge.core.converter import CONVERTER
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.basis import Basis, stronger_or_equal
from weighbridge.core.metrics.catalog import Direction, MetricCatalog, MetricDefinition
from weighbridge.core.metrics.units import unit_words, with_unit

# A metric value outside these powers of ten is a typo, and formatting it could exhaust memory.
_LARGEST_POWER, _SMALLEST_POWER = 15, -30
BRIEF_DIGITS = 6


@dataclass(frozen=True, kw_only=True)
class MetricValue:
    """A value of a metric with everything needed to judge it; `lower` and `upper` bound it at `confidence`.

    `p80` is the 80th percentile of an estimate.
    """

    name: str
    value: Decimal
    unit: str
    basis: Basis
    observed_at: datetime
    lower: Decimal | None = None
    upper: Decimal | None = None
    confidence: Decimal | None = None
    n: int | None = None
    source: str = ""
    valid_until: datetime | None = None
    p80: Decimal | None = None
    id: str = ""


# Documents written before P80 existed must keep their digests, so a missing P80 is omitted.
CONVERTER.register_unstructure_hook(
    MetricValue, make_dict_unstructure_fn(MetricValue, CONVERTER, p80=override(omit_if_default=True))
)


@dataclass(frozen=True)
class Contradiction:
    """A claim, and the value that contradicts it: a measurement whose interval does not contain the claim, or a less
    favorable value on record (`measured`).
    """

    name: str
    claimed: MetricValue
    measured: MetricValue
    is_worse: bool
    message: str


_FIELDS = {
    "value": "value",
    "lower": "lower bound",
    "upper": "upper bound",
    "p80": "P80",
    "observed_at": "time of observation",
    "valid_until": "end of validity",
}


def check_metric_value(metric_value: MetricValue, *, catalog: MetricCatalog) -> None:
    """Raise Invalid, with the invalid field, unless the metric value is well formed."""
    kind = catalog.find(metric_value.name)
    if metric_value.unit != kind.unit:
        unit = unit_words(kind.unit) or "shares of 1"
        raise Invalid(f"{kind.title} is given in {unit}, not in {metric_value.unit!r}; convert it.", field="unit")
    if not isinstance(metric_value.basis, Basis):
        raise Invalid(f"The basis of {kind.title} must be one of {', '.join(Basis)}.", field="basis")
    for field in ("value", "lower", "upper", "p80"):
        number = getattr(metric_value, field)
        if number is not None or field == "value":
            _check_number(kind, number, field=field)
    _check_interval(metric_value, kind.title)
    _check_sample(metric_value, kind.title)
    _check_times(metric_value, kind.title)


def _check_number(kind: MetricDefinition, number: object, *, field: str) -> None:
    if not isinstance(number, Decimal) or not number.is_finite():
        raise Invalid(f"The {_FIELDS[field]} of {kind.title} must be a finite number.", field=field)
    if not is_plausible(number):
        raise Invalid(f"The {_FIELDS[field]} of {kind.title} is outside the plausible range; check it.", field=field)
    if kind.minimum is not None and number < kind.minimum:
        raise Invalid(f"The {_FIELDS[field]} of {kind.title} cannot be below {kind.minimum}.", field=field)
    if kind.maximum is not None and number > kind.maximum:
        raise Invalid(f"The {_FIELDS[field]} of {kind.title} cannot be above {kind.maximum}.", field=field)


def is_plausible(number: Decimal) -> bool:
    """Return True for zero and for numbers between 1e-30 and 1e16, the range that is stored and printed."""
    return not number or _SMALLEST_POWER <= number.adjusted() <= _LARGEST_POWER


def _check_interval(metric_value: MetricValue, title: str) -> None:
    if metric_value.lower is not None and metric_value.lower > metric_value.value:
        raise Invalid(f"The lower bound of {title} is above its value.", field="lower")
    if metric_value.upper is not None and metric_value.upper < metric_value.value:
        raise Invalid(f"The upper bound of {title} is below its value.", field="upper")
    if metric_value.p80 is not None and metric_value.basis is not Basis.ESTIMATED:
        text = f"Only an estimate of {title} has a P80; this metric value is {metric_value.basis}."
        raise Invalid(text, field="p80")
    if metric_value.p80 is not None and metric_value.p80 < metric_value.value:
        text = f"The P80 of {title} is below its value, which is the middle of the estimate."
        raise Invalid(text, field="p80")


def _check_sample(metric_value: MetricValue, title: str) -> None:
    # Metric values come from files and forms too, so types are not taken on trust.
    confidence: object = metric_value.confidence
    is_share = isinstance(confidence, Decimal) and confidence.is_finite() and 0 < confidence < 1
    if confidence is not None and not is_share:
        raise Invalid(f"The confidence of {title} must lie between 0 and 1, like 0.95.", field="confidence")
    n: object = metric_value.n
    if n is not None and (not isinstance(n, int) or n < 0):
        raise Invalid(f"The sample size of {title} must be a whole number, zero or more.", field="n")


def _check_times(metric_value: MetricValue, title: str) -> None:
    moments: dict[str, object] = {"observed_at": metric_value.observed_at}
    if metric_value.valid_until is not None:
        moments["valid_until"] = metric_value.valid_until
    for field, moment in moments.items():
        if not isinstance(moment, datetime) or moment.utcoffset() is None:
            raise Invalid(f"The {_FIELDS[field]} of {title} must be a time with a time zone.", field=field)
    if metric_value.valid_until is not None and metric_value.valid_until < metric_value.observed_at:
        raise Invalid(f"{title} would expire before it was observed.", field="valid_until")


def is_current(metric_value: MetricValue, *, now: datetime) -> bool:
    """Return True before `valid_until`; a metric value without one does not expire."""
    return metric_value.valid_until is None or now < metric_value.valid_until


def best(
    metric_values: Iterable[MetricValue], *, name: str, catalog: MetricCatalog, accept: Collection[Basis] | None = None
) -> MetricValue | None:
    """Return the metric value that counts: the strongest accepted basis, and for equal bases the latest observation.

    An expired value still takes precedence over weaker ones: otherwise a claim could replace an old measurement. The
    caller must check `is_current` and treat an expired value as indeterminate.
    """
    named = [each for each in metric_values if each.name == name and (accept is None or each.basis in accept)]
    if len(named) > 1:
        latest = max(_standing(each) for each in named)
        named = [each for each in named if _standing(each) == latest]
    # Most values have no equal, and a tie is dear to break.
    return max(named, key=lambda each: _tie(each, catalog)) if len(named) > 1 else next(iter(named), None)


def _standing(metric_value: MetricValue) -> tuple[int, datetime]:
    return metric_value.basis.rank, metric_value.observed_at


def _tie(metric_value: MetricValue, catalog: MetricCatalog) -> tuple[Decimal, str]:
    """Break ties by the less favorable value, so that the order of arrival does not matter."""
    kind = catalog.get(metric_value.name)
    return (metric_value.value * (kind.sign if kind is not None else 1), repr(metric_value))


def contradictions(
    metric_values: Sequence[MetricValue], *, catalog: MetricCatalog, now: datetime
) -> tuple[Contradiction, ...]:
    """Return the latest claims (declared or estimated) that lie outside the current measured interval.

    A measurement without an interval contradicts nothing: its uncertainty is unknown.
    """
    sound = [metric_value for metric_value in metric_values if is_sound(metric_value, catalog=catalog)]
    names = catalog.in_order(metric_value.name for metric_value in sound)
    pairs = ((_claim(sound, name, catalog), _measurement(sound, name, catalog, now)) for name in names)
    contradicting = (_contradiction(claim, measured, catalog) for claim, measured in pairs if claim and measured)
    return tuple(item for item in contradicting if item is not None)


def is_sound(metric_value: MetricValue, *, catalog: MetricCatalog) -> bool:
    """Return True if `check_metric_value` raises nothing."""
    try:
        check_metric_value(metric_value, catalog=catalog)
    except Invalid:
        return False
    return True


def _claim(metric_values: Sequence[MetricValue], name: str, catalog: MetricCatalog) -> MetricValue | None:
    claims = [each for each in metric_values if each.name == name and each.basis.rank < Basis.MEASURED.rank]
    return max(claims, key=lambda each: (each.observed_at, each.basis.rank, *_tie(each, catalog)), default=None)


def _measurement(
    metric_values: Sequence[MetricValue], name: str, catalog: MetricCatalog, now: datetime
) -> MetricValue | None:
    metric_value = best(metric_values, name=name, catalog=catalog, accept=stronger_or_equal(Basis.MEASURED))
    return metric_value if metric_value is not None and is_current(metric_value, now=now) else None


def _contradiction(claim: MetricValue, measured: MetricValue, catalog: MetricCatalog) -> Contradiction | None:
    if measured.lower is not None and claim.value < measured.lower:
        is_worse = catalog[claim.name].direction is Direction.LOWER
    elif measured.upper is not None and claim.value > measured.upper:
        is_worse = catalog[claim.name].direction is Direction.HIGHER
    else:
        return None
    message = (
        f"{catalog[claim.name].title} was {claim.basis} as {with_unit(brief_text(claim.value), claim.unit)}, but is "
        f"{measured.basis} as {with_unit(brief_text(measured.value), measured.unit)}{interval_text(measured)}: "
        f"{'worse' if is_worse else 'better'} than claimed. Correct the claim or explain the difference."
    )
    return Contradiction(claim.name, claim, measured, is_worse, message)


def number_text(number: Decimal) -> str:
    """Format a number without exponent and trailing zeros: `Decimal("1.20E+2")` is `120`."""
    return format(number.normalize() if number else Decimal(0), "f")


def brief_text(number: Decimal) -> str:
    """Format a number like `number_text`, with at most six significant digits; the integer part keeps all digits."""
    decimals = max(0, BRIEF_DIGITS - 1 - number.adjusted())
    exponent = number.as_tuple().exponent
    is_long = isinstance(exponent, int) and -exponent > decimals
    return number_text(round(number, decimals) if is_long else number)


def interval_text(metric_value: MetricValue) -> str:
    """Return ` (10 to 14)`, ` (at least 10)`, ` (at most 14)`, or an empty string without bounds."""
    if metric_value.lower is not None and metric_value.upper is not None:
        return f" ({brief_text(metric_value.lower)} to {brief_text(metric_value.upper)})"
    if metric_value.lower is not None:
        return f" (at least {brief_text(metric_value.lower)})"
    return f" (at most {brief_text(metric_value.upper)})" if metric_value.upper is not None else ""
