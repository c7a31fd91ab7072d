"""Metric values on common scales: claimed, measured with its interval, limit, and the version in production.

Rows with the same unit share one scale, so that equal distances mean equal amounts.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from governance.site.domain.charts.scales import LinearScale, length_scale, place_scale
from weighbridge.core.metrics.catalog import Direction
from weighbridge.core.metrics.values import MetricValue

EDGE = 2.0
_LEAST_BAR = 0.6


@dataclass(frozen=True)
class ScaleLimit:
    """A limit of the policy: its number, its comparator in words, like `at most`, and the status of its rule.

    The status is that of the policy evaluation. The numbers of a row alone do not tell it: a rule may ask for another
    basis, for a number of samples, or for another statistic than the value.
    """

    value: Decimal
    words: str
    is_upper: bool
    status: str


@dataclass(frozen=True)
class MetricScale:
    """One metric of a request, in its unit. None is a number that nobody has; a ratio of 0.5 is shown as 50 %.

    `low` and `high` are the interval of `measured`; `production` is the value of the version in production. `source`
    says where `measured` comes from, `href` leads there.
    """

    title: str
    unit: str
    direction: Direction
    claimed: Decimal | None = None
    measured: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    limit: ScaleLimit | None = None
    production: Decimal | None = None
    confidence: Decimal | None = None
    n: int | None = None
    basis: str = "measured"
    source: str = ""
    href: str = ""

    @property
    def interval(self) -> tuple[Decimal, Decimal] | None:
        """The ends of the interval; an open end is the value itself. None without a value."""
        if self.measured is None:
            return None
        return (self.measured if self.low is None else self.low, self.measured if self.high is None else self.high)

    @property
    def has_interval(self) -> bool:
        """Whether at least one end of an interval is known that is not the value itself."""
        return self.measured is not None and self.interval != (self.measured, self.measured)

    @property
    def numbers(self) -> tuple[Decimal, ...]:
        """All numbers that are drawn."""
        limit = self.limit.value if self.limit else None
        found = (self.claimed, limit, self.production, *(self.interval or ()), self.measured)
        return tuple(number for number in found if number is not None)


@dataclass(frozen=True)
class MetricScaleRow:
    """A metric with the positions of its marks in percent of the width. None is not drawn."""

    metric: MetricScale
    first: Decimal
    last: Decimal
    start: float | None
    length: float | None
    measured: float | None
    claimed: float | None
    limit: float | None
    production: float | None


def metric_scale(
    title: str,
    *,
    unit: str,
    direction: Direction,
    measured: MetricValue | None = None,
    claimed: Decimal | None = None,
    limit: ScaleLimit | None = None,
    production: Decimal | None = None,
    href: str = "",
) -> MetricScale:
    """The metric scale of a metric value with its basis, interval, sample size and source."""
    shown = MetricScale(title, unit, direction, claimed, limit=limit, production=production, href=href)
    if measured is None:
        return shown
    return MetricScale(
        title,
        unit,
        direction,
        claimed,
        measured.value,
        measured.lower,
        measured.upper,
        limit,
        production,
        measured.confidence,
        measured.n,
        str(measured.basis),
        measured.source,
        href,
    )


def metric_rows(metrics: Iterable[MetricScale]) -> tuple[MetricScaleRow, ...]:
    """Place the metrics in their order; those with the same unit share one scale."""
    shown = tuple(metrics)
    scales = _scales(shown)
    return tuple(_row(metric, scales[metric.unit]) for metric in shown)


def _scales(metrics: Sequence[MetricScale]) -> dict[str, LinearScale]:
    numbers: dict[str, list[Decimal]] = defaultdict(list)
    for metric in metrics:
        numbers[metric.unit] += metric.numbers
    return {unit: (place_scale if unit == "ratio" else length_scale)(found) for unit, found in numbers.items()}


def _row(metric: MetricScale, scale: LinearScale) -> MetricScaleRow:
    def place(number: Decimal | None) -> float | None:
        return None if number is None else round(EDGE + scale.share(number) * (100 - 2 * EDGE), 2)

    start, end = (place(bound) for bound in metric.interval or (None, None))
    return MetricScaleRow(
        metric,
        Decimal(str(scale.first)),
        Decimal(str(scale.last)),
        start=start,
        length=None if start is None or end is None else round(max(end - start, _LEAST_BAR), 2),
        measured=place(metric.measured),
        claimed=place(metric.claimed),
        limit=place(metric.limit.value if metric.limit else None),
        production=place(metric.production),
    )
