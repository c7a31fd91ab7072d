"""Limits of metric values: a metric, a comparator, a number, and the evidence that counts.

There is no expression language: a limit compares one value with one number, alone or relative to a reference.
"""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from decimal import Decimal
from enum import StrEnum
from typing import Any

from weighbridge.core.documents import Reader
from weighbridge.core.metrics.basis import Basis, stronger_or_equal
from weighbridge.core.metrics.standard import metric_words
from weighbridge.core.metrics.units import with_commas, with_unit
from weighbridge.core.metrics.values import number_text

PERCENT = "percent"
# "2,000", "0.5"; not the 95 of "95th", nor the digits of a name like R2.
_NUMBER = re.compile(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?![\w])")
_SHARE = re.compile(r"\b(\d+) of 100\b")
# As it stands, a ratio as percent, and milliseconds or megabytes as the next larger unit.
_SCALES = (Decimal(1), Decimal(100), Decimal("0.001"))


class Comparator(StrEnum):
    """The comparison between the metric and the limit."""

    AT_MOST = "at_most"
    AT_LEAST = "at_least"
    BELOW = "below"
    ABOVE = "above"

    @property
    def words(self) -> str:
        """The comparator as text: `at most`."""
        return self.value.replace("_", " ")

    @property
    def is_ceiling(self) -> bool:
        """True if the limit is an upper limit."""
        return self in (Comparator.AT_MOST, Comparator.BELOW)

    def holds(self, observed: Decimal, limit: Decimal) -> bool:
        """Whether the observed number satisfies the limit."""
        return _COMPARISONS[self](observed, limit)


_COMPARISONS: dict[Comparator, Callable[[Decimal, Decimal], bool]] = {
    Comparator.AT_MOST: operator.le,
    Comparator.AT_LEAST: operator.ge,
    Comparator.BELOW: operator.lt,
    Comparator.ABOVE: operator.gt,
}


class Statistic(StrEnum):
    """The number of a metric value that is compared. `p80` of a bill is the amount itself."""

    VALUE = "value"
    LOWER = "lower"
    UPPER = "upper"
    P80 = "p80"

    @property
    def label(self) -> str:
        """The statistic in tables: `upper bound`; empty for the value itself."""
        return {"value": "", "p80": "P80"}.get(self.value, f"{self.value} bound")

    @property
    def words(self) -> str:
        """The statistic in sentences: `the upper bound of `; empty for the value itself."""
        return f"the {self.label} of " if self.label else ""


class Reference(StrEnum):
    """What a value is compared with, besides the limit itself."""

    PRODUCTION = "production"
    BUDGET = "budget"
    PEERS = "peers"

    @property
    def words(self) -> str:
        """The reference in sentences."""
        return {
            Reference.PRODUCTION: "the version that is authorized now",
            Reference.BUDGET: "what is left of the budget of the quarter",
            Reference.PEERS: "the median of the authorized models of the same task",
        }[self]


class Measure(StrEnum):
    """How a value is compared with a reference: minus it, or as percent of it above it."""

    DIFFERENCE = "difference"
    PERCENT = "percent"

    def of(self, observed: Decimal, reference: Decimal) -> Decimal | None:
        """The number that is compared with the limit; None as percent of a reference of 0 or less."""
        if self is Measure.DIFFERENCE:
            return observed - reference
        return None if reference <= 0 else (observed / reference - 1) * 100


@dataclass(frozen=True)
class Versus:
    """The reference of a limit, and how a value is compared with it."""

    reference: Reference
    measure: Measure


@dataclass(frozen=True, kw_only=True)
class MetricLimit:
    """A value of the metric must satisfy the comparator, alone or relative to a reference (`versus`).

    Only values of a basis of `accept` with at least `min_n` samples count.
    """

    metric: str
    comparator: Comparator
    limit: Decimal
    unit: str
    accept: tuple[Basis, ...]
    statistic: Statistic = Statistic.VALUE
    min_n: int = 0
    versus: Versus | None = None

    @property
    def alone(self) -> "MetricLimit":
        """This limit without the rule that it is of, so that equal limits of different rules are equal."""
        return MetricLimit(**{each.name: getattr(self, each.name) for each in fields(MetricLimit)})

    @property
    def metric_title(self) -> str:
        """The metric in words."""
        return metric_words(self.metric)

    @property
    def condition(self) -> str:
        """What must hold, as text: this limit; of a rule, all its limits."""
        return self.own_condition

    @property
    def own_condition(self) -> str:
        """This limit as text, like `Latency p95 (upper) at most 100 ms`."""
        statistic = "" if self.statistic is Statistic.VALUE else f" ({self.statistic})"
        return f"{self.metric_title}{statistic} {self.comparator.words} {self.limit_words}"

    @property
    def limit_words(self) -> str:
        """The limit as text: `100 ms`, or `5 percent relative to the version that is authorized now`."""
        number = with_unit(with_commas(number_text(self.limit)), self.limit_unit)
        return number if self.versus is None else f"{number} relative to {self.versus.reference.words}"

    @property
    def limit_unit(self) -> str:
        """The unit of the limit: that of the metric, or percent."""
        return PERCENT if self.versus is not None and self.versus.measure is Measure.PERCENT else self.unit

    def is_named_in(self, text: str) -> bool:
        """False if the text has numbers in digits, but the limit is not among them, in no usual way to write it.

        Of `70 of 100` only the share counts, and it only tells of ratios.
        """
        shares = _SHARE.findall(text) if self.limit_unit == "ratio" else []
        words = [*shares, *_NUMBER.findall(_SHARE.sub("", text))]
        numbers = {Decimal(word.replace(",", "")) for word in words}
        return not numbers or any(abs(self.limit) * scale in numbers for scale in _SCALES)


def limit_fields(reader: Reader) -> dict[str, Any]:
    """Read the fields of a limit. Raises Invalid with the path of the first error."""
    if not reader.words("accept"):
        raise reader.fault("accept", f"must list at least one of {', '.join(Basis)}.")
    comparator = reader.choice("comparator", Comparator)
    statistic = reader.choice("statistic", Statistic, Statistic.VALUE)
    _check_statistic(reader, comparator, statistic)
    return {
        "metric": reader.text("metric"),
        "comparator": comparator,
        "limit": reader.number("limit"),
        "unit": reader.text("unit"),
        "accept": read_accepted(reader),
        "statistic": statistic,
        "min_n": reader.whole("min_n", 0),
        "versus": _versus(reader.mapping("versus")),
    }


def read_limit(reader: Reader) -> MetricLimit:
    """Read a limit that stands alone."""
    return MetricLimit(**limit_fields(reader))


def read_accepted(reader: Reader) -> tuple[Basis, ...]:
    """The listed bases and all stronger ones, so that a weaker basis never makes a metric value acceptable."""
    listed = reader.words("accept")
    if not set(listed) <= set(Basis):
        raise reader.fault("accept", f"may list only {', '.join(Basis)}.")
    if not listed:
        return ()
    return stronger_or_equal(min((Basis(word) for word in listed), key=lambda basis: basis.rank))


def _versus(reader: Reader) -> Versus | None:
    if not reader.has_keys:
        return None
    versus = Versus(reader.choice("reference", Reference), reader.choice("measure", Measure))
    reader.close()
    return versus


def _check_statistic(reader: Reader, comparator: Comparator, statistic: Statistic) -> None:
    # This bound becomes more favorable with more uncertainty, so weaker evidence would pass more easily.
    kinder = {Statistic.LOWER} if comparator.is_ceiling else {Statistic.UPPER, Statistic.P80}
    if statistic in kinder:
        wrong = f"cannot be {statistic} with {comparator}"
        raise reader.fault("statistic", f"{wrong}, because a wider interval would pass more easily.")
