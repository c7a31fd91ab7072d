"""Facts: what may be said about a model, in which unit, on which basis, and which figure counts.

Decides which figure of several is the one to judge by. Limits are policy's business (`policy.py`).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from cattrs.gen import make_dict_unstructure_fn, override

from weighbridge.core.converter import CONVERTER
from weighbridge.core.errors import Invalid


class Basis(StrEnum):
    """How a figure came to be, weakest first."""

    DECLARED = "declared"
    ESTIMATED = "estimated"
    MEASURED = "measured"
    BILLED = "billed"

    @property
    def rank(self) -> int:
        """0 for the weakest basis, 3 for the strongest."""
        return tuple(Basis).index(self)


class Direction(StrEnum):
    """Which way is better."""

    LOWER = "lower is better"
    HIGHER = "higher is better"


@dataclass(frozen=True)
class FactKind:
    """One entry of the catalog: a name with its unit, its better direction, its meaning and its possible range."""

    name: str
    unit: str
    direction: Direction
    meaning: str
    minimum: Decimal | None = Decimal(0)
    maximum: Decimal | None = None


_LOWER, _HIGHER, _ONE = Direction.LOWER, Direction.HIGHER, Decimal(1)
_KINDS = (
    FactKind("training_gpu_hours", "gpu_h", _LOWER, "GPU hours to train the model once, all devices added up."),
    FactKind("training_cost_usd", "USD", _LOWER, "What training costs once, failed attempts included."),
    FactKind("inference_cost_1y_usd", "USD", _LOWER, "What serving costs in the first year at the forecast traffic."),
    FactKind("total_cost_1y_usd", "USD", _LOWER, "Training plus one year of serving and upkeep."),
    FactKind("latency_p50_ms", "ms", _LOWER, "Half of all requests are answered within this time."),
    FactKind("latency_p95_ms", "ms", _LOWER, "95 of 100 requests are answered within this time."),
    FactKind("latency_p99_ms", "ms", _LOWER, "99 of 100 requests are answered within this time."),
    FactKind("throughput_per_s", "1/s", _HIGHER, "Inferences answered per second."),
    FactKind("error_rate", "ratio", _LOWER, "Share of requests that fail or time out.", maximum=_ONE),
    FactKind("model_size_mb", "MB", _LOWER, "Size of the model file, 1 MB = 1,000,000 bytes."),
    FactKind("peak_memory_mb", "MB", _LOWER, "Most memory held while serving, in a process of its own."),
    FactKind("accuracy", "ratio", _HIGHER, "Share of correct answers on the evaluation data.", maximum=_ONE),
    FactKind("f1_macro", "ratio", _HIGHER, "F1 averaged over classes, each class counting the same.", maximum=_ONE),
    FactKind("cost_per_1k_usd", "USD", _LOWER, "What 1,000 inferences cost."),
    FactKind("alternatives_measured", "variants", _HIGHER, "How many cheaper variants were measured beside the model."),
    FactKind(
        "business_kpi_delta",
        "ratio",
        _HIGHER,
        "Relative change of the business metric named in the request; 0.02 is two percent better.",
        minimum=None,
    ),
)
CATALOG: dict[str, FactKind] = {kind.name: kind for kind in _KINDS}

# Beyond these powers of ten a figure is a slip of the pen, and printing it would be a denial of service.
_LARGEST_POWER, _SMALLEST_POWER = 15, -30
BRIEF_DIGITS = 6


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A value of a fact with everything needed to judge it; `lower` and `upper` bound it at `confidence`.

    `p80` is the number that four draws of five of an estimate stay below.
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


# Documents from before there was a P80 keep their digests: it stands only where there is one.
CONVERTER.register_unstructure_hook(
    Figure, make_dict_unstructure_fn(Figure, CONVERTER, p80=override(omit_if_default=True))
)


@dataclass(frozen=True)
class Contradiction:
    """A claim that the measured interval does not contain."""

    name: str
    claimed: Figure
    measured: Figure
    is_worse: bool
    message: str


def check_figure(figure: Figure) -> None:
    """Raise Invalid, with the field at fault, unless the figure is well formed."""
    kind = CATALOG.get(figure.name)
    if kind is None:
        raise Invalid(f"There is no fact named {figure.name!r}; use one of {', '.join(CATALOG)}.", field="name")
    if figure.unit != kind.unit:
        raise Invalid(f"{kind.name} is given in {kind.unit}, not in {figure.unit!r}; convert it.", field="unit")
    if not isinstance(figure.basis, Basis):
        raise Invalid(f"The basis of {kind.name} must be one of {', '.join(Basis)}.", field="basis")
    numbers = {"value": figure.value, "lower": figure.lower, "upper": figure.upper, "p80": figure.p80}
    for field, number in numbers.items():
        if number is not None or field == "value":
            _check_number(kind, number, field=field)
    _check_interval(figure)
    _check_sample(figure)
    _check_times(figure)


def _check_number(kind: FactKind, number: object, *, field: str) -> None:
    if not isinstance(number, Decimal) or not number.is_finite():
        raise Invalid(f"The {field} of {kind.name} must be a finite number.", field=field)
    if not is_plausible(number):
        raise Invalid(f"The {field} of {kind.name} is beyond any plausible size; check it.", field=field)
    if kind.minimum is not None and number < kind.minimum:
        raise Invalid(f"The {field} of {kind.name} cannot be below {kind.minimum}.", field=field)
    if kind.maximum is not None and number > kind.maximum:
        raise Invalid(f"The {field} of {kind.name} cannot be above {kind.maximum}.", field=field)


def is_plausible(number: Decimal) -> bool:
    """True for zero and for finite numbers between 1e-30 and 1e16, the range in which we store and print."""
    return not number or _SMALLEST_POWER <= number.adjusted() <= _LARGEST_POWER


def _check_interval(figure: Figure) -> None:
    if figure.lower is not None and figure.lower > figure.value:
        raise Invalid(f"The lower bound of {figure.name} is above its value.", field="lower")
    if figure.upper is not None and figure.upper < figure.value:
        raise Invalid(f"The upper bound of {figure.name} is below its value.", field="upper")
    if figure.p80 is not None and figure.basis is not Basis.ESTIMATED:
        raise Invalid(f"Only an estimate of {figure.name} has a P80; this figure is {figure.basis}.", field="p80")
    if figure.p80 is not None and figure.p80 < figure.value:
        raise Invalid(f"The P80 of {figure.name} is below its value, which is the middle of the estimate.", field="p80")


def _check_sample(figure: Figure) -> None:
    confidence: object = figure.confidence  # figures come from files and forms too, so types are not taken on trust
    if confidence is not None and not (
        isinstance(confidence, Decimal) and confidence.is_finite() and 0 < confidence < 1
    ):
        raise Invalid(f"The confidence of {figure.name} must lie between 0 and 1, like 0.95.", field="confidence")
    n: object = figure.n
    if n is not None and (not isinstance(n, int) or n < 0):
        raise Invalid(f"The sample size of {figure.name} must be a whole number, zero or more.", field="n")


def _check_times(figure: Figure) -> None:
    for field, moment in (("observed_at", figure.observed_at), ("valid_until", figure.valid_until)):
        if moment is None and field == "valid_until":
            continue
        if not isinstance(moment, datetime) or moment.utcoffset() is None:
            raise Invalid(f"The {field} of {figure.name} must be a time with a time zone.", field=field)
    if figure.valid_until is not None and figure.valid_until < figure.observed_at:
        raise Invalid(f"{figure.name} would expire before it was observed.", field="valid_until")


def is_current(figure: Figure, *, now: datetime) -> bool:
    """True until the figure's `valid_until`; a figure without one does not expire."""
    return figure.valid_until is None or now < figure.valid_until


def best(
    figures: Iterable[Figure], *, name: str, now: datetime, accept: Collection[Basis] | None = None
) -> Figure | None:
    """The figure to judge the fact by: the strongest accepted basis, and within it the latest observation.

    An expired figure still stands before every weaker one: falling back would let a claim replace a measurement that
    merely grew old. The caller asks `is_current` and treats an expired answer as indeterminate. So `now` never
    changes which figure counts; it is asked for because every question about evidence is asked at a time.
    """
    candidates = [figure for figure in figures if figure.name == name and (accept is None or figure.basis in accept)]
    if len(candidates) == 1:
        return candidates[0]
    return max(candidates, key=lambda figure: (figure.basis.rank, figure.observed_at, *_tie(figure)), default=None)


def _tie(figure: Figure) -> tuple[Decimal, str]:
    """Between equals the less favorable value counts, so that the order of arrival never matters."""
    kind = CATALOG.get(figure.name)
    is_high_good = kind is not None and kind.direction is Direction.HIGHER
    return (-figure.value if is_high_good else figure.value, repr(figure))


def stronger_or_equal(weakest: Basis) -> tuple[Basis, ...]:
    """Every basis at least as strong as the one given, weakest first."""
    return tuple(basis for basis in Basis if basis.rank >= weakest.rank)


def contradictions(figures: Sequence[Figure], *, now: datetime) -> tuple[Contradiction, ...]:
    """Every latest claim (declared or estimated) whose value the current measured interval does not contain.

    Without an interval nothing is contradicted: a point says nothing about its own uncertainty.
    """
    sound = [figure for figure in figures if is_sound(figure)]
    pairs = ((_claim(sound, name=name), _measurement(sound, name=name, now=now)) for name in CATALOG)
    found = (_contradiction(claim, measured) for claim, measured in pairs if claim and measured)
    return tuple(item for item in found if item is not None)


def is_sound(figure: Figure) -> bool:
    """True when `check_figure` has nothing to say."""
    try:
        check_figure(figure)
    except Invalid:
        return False
    return True


def _claim(figures: Sequence[Figure], *, name: str) -> Figure | None:
    claims = [figure for figure in figures if figure.name == name and figure.basis.rank < Basis.MEASURED.rank]
    return max(claims, key=lambda figure: (figure.observed_at, figure.basis.rank, *_tie(figure)), default=None)


def _measurement(figures: Sequence[Figure], *, name: str, now: datetime) -> Figure | None:
    figure = best(figures, name=name, now=now, accept=stronger_or_equal(Basis.MEASURED))
    return figure if figure is not None and is_current(figure, now=now) else None


def _contradiction(claim: Figure, measured: Figure) -> Contradiction | None:
    if measured.lower is not None and claim.value < measured.lower:
        is_worse = CATALOG[claim.name].direction is Direction.LOWER
    elif measured.upper is not None and claim.value > measured.upper:
        is_worse = CATALOG[claim.name].direction is Direction.HIGHER
    else:
        return None
    message = (
        f"{claim.name} was {claim.basis} as {brief_words(claim.value)} {claim.unit}, but is {measured.basis} as "
        f"{brief_words(measured.value)} {measured.unit}{interval_words(measured)}: "
        f"{'worse' if is_worse else 'better'} than claimed. Correct the claim or explain the difference."
    )
    return Contradiction(claim.name, claim, measured, is_worse, message)


def number_words(number: Decimal) -> str:
    """The number without exponent and trailing zeros: `Decimal("1.20E+2")` is `120`."""
    return format(number.normalize() if number else Decimal(0), "f")


def brief_words(number: Decimal) -> str:
    """As `number_words`, with at most six significant digits of which the whole part keeps all: for sentences."""
    decimals = max(0, BRIEF_DIGITS - 1 - number.adjusted())
    exponent = number.as_tuple().exponent
    is_long = isinstance(exponent, int) and -exponent > decimals
    return number_words(round(number, decimals) if is_long else number)


def interval_words(figure: Figure) -> str:
    """` (10 to 14)`, ` (at least 10)`, ` (at most 14)`, or nothing without bounds."""
    if figure.lower is not None and figure.upper is not None:
        return f" ({brief_words(figure.lower)} to {brief_words(figure.upper)})"
    if figure.lower is not None:
        return f" (at least {brief_words(figure.lower)})"
    return f" (at most {brief_words(figure.upper)})" if figure.upper is not None else ""
