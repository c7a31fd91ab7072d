"""Answer quality: how good the answers of each option are, and their yearly value, with the uncertainty of the test.

The quality of an option is a confusion matrix at one operating point, or a change of one rate relative to another
option, or one metric (an error, a conversion rate, a share resolved). Options are compared by value, because accuracy
can rise while value falls: BV = sum over true class i and answer j of v_ij · n_ij, the value matrix over the confusion
matrix (NannyML's business value).
"""

import dataclasses
import zlib
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from weighbridge.core.errors import Invalid
from weighbridge.costs.lines import Number
from weighbridge.costs.uncertainty import Amount, Bounds, Draws, Share, Signed, check_amounts

RATES = ("recall", "false_alarm_rate")
HOWS = ("points", "relative")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Confusion:
    """The counts of the test rows at `operating_point`, such as a score of 0.62 or more."""

    true_positives: int
    false_negatives: int
    false_positives: int
    true_negatives: int
    operating_point: str
    source: str

    def __post_init__(self) -> None:
        """Refuse tests without positive or without negative rows."""
        if self.true_positives + self.false_negatives < 1:
            raise Invalid("A test needs positive rows.", field="true_positives")
        if self.false_positives + self.true_negatives < 1:
            raise Invalid("A test needs negative rows.", field="true_negatives")

    @property
    def rates(self) -> tuple[float, float]:
        """Return the observed recall and false-alarm rate."""
        recall = self.true_positives / (self.true_positives + self.false_negatives)
        return recall, self.false_positives / (self.false_positives + self.true_negatives)

    def draw(self, *, n: int, seed: int, stream: str) -> tuple[Draws, Draws]:
        """Return `n` draws of both rates: Beta(TP + 1, FN + 1) and Beta(FP + 1, TN + 1)."""
        rng = np.random.default_rng(zlib.crc32(f"{seed} {stream}".encode()))
        recall = rng.beta(self.true_positives + 1, self.false_negatives + 1, n)
        return recall, rng.beta(self.false_positives + 1, self.true_negatives + 1, n)


@dataclasses.dataclass(frozen=True, kw_only=True)
class QualityChange:
    """A claim relative to the baseline's operating point: `metric` changes `by` a number of points, or relatively.

    From a recall of 0.80, 0.05 points give 0.85 and 0.05 relative give 0.84.
    """

    metric: str
    by: float
    how: str
    source: str

    def __post_init__(self) -> None:
        """Refuse accuracy alone, because it does not determine value, and a change without its kind."""
        if self.metric not in RATES:
            text = (
                f"{self.metric} alone does not determine value: at a low prevalence it can rise while value falls. Say "
                f"which of {' or '.join(RATES)} changes, at the operating point of the baseline."
            )
            raise Invalid(text, field="metric", code="no_value")
        if self.how not in HOWS:
            raise Invalid(f"Say whether the change is in {' or '.join(HOWS)}, not {self.how!r}.", field="how")

    def of(self, recall: Number, false_alarms: Number) -> tuple[Number, Number]:
        """Return both rates after the change, limited to 0 to 1."""
        if self.metric == "recall":
            return self._moved(recall), false_alarms
        return recall, self._moved(false_alarms)

    def _moved(self, rate: Number) -> Number:
        return np.clip(rate + self.by if self.how == "points" else rate * (1 + self.by), 0.0, 1.0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class QualityLevel:
    """One metric of an option; a range if it was measured with one."""

    metric: Amount
    source: str

    def __post_init__(self) -> None:
        """Validate the amount."""
        check_amounts(self)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Detection:
    """The gain or loss in US dollars of each kind of answer, and the number and share of positive cases per year."""

    quality: ClassVar[tuple[type, ...]] = (Confusion, QualityChange)
    limits: ClassVar[Bounds] = Bounds(0.0, 1.0)
    prevalence: Share
    cases_per_year: Amount | None = None
    gain_per_true_positive_usd: Signed = 0.0
    loss_per_false_negative_usd: Amount = 0.0
    loss_per_false_positive_usd: Amount = 0.0
    gain_per_true_negative_usd: Signed = 0.0

    def __post_init__(self) -> None:
        """Validate the amounts and the prevalence."""
        check_amounts(self)

    def year_usd(self, rates: tuple[Number, Number], cases: Number) -> Number:
        """Return the yearly value of answers at a recall TPR and false-alarm rate FPR.

        N · [π (TPR v_TP + (1 - TPR) v_FN) + (1 - π) (FPR v_FP + (1 - FPR) v_TN)]; rates are shares of one.
        """
        recall, alarms = rates
        positive = recall * self.gain_per_true_positive_usd - (1 - recall) * self.loss_per_false_negative_usd
        negative = (1 - alarms) * self.gain_per_true_negative_usd - alarms * self.loss_per_false_positive_usd
        return cases * (self.prevalence * positive + (1 - self.prevalence) * negative)

    def per_point_usd(self, cases: Number) -> Number:
        """Return the yearly value of one more point of recall (0.01)."""
        return cases * self.prevalence * (self.gain_per_true_positive_usd + self.loss_per_false_negative_usd) / 100


@dataclasses.dataclass(frozen=True, kw_only=True)
class Uplift:
    """The metric is a conversion rate: visits · rate · order · margin."""

    quality: ClassVar[tuple[type, ...]] = (QualityLevel,)
    limits: ClassVar[Bounds] = Bounds(0.0, 1.0)
    order_usd: Amount
    margin: Signed
    cases_per_year: Amount | None = None

    def year_usd(self, metric: Number, cases: Number) -> Number:
        """Return the margin of a year's orders."""
        return cases * metric * self.order_usd * self.margin

    def per_point_usd(self, cases: Number) -> Number:
        """Return the yearly value of one more point of conversion (0.01)."""
        return self.year_usd(0.01, cases)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ForecastQuality:
    """The metric is a mean absolute error: each unit of error costs an amount per case."""

    quality: ClassVar[tuple[type, ...]] = (QualityLevel,)
    limits: ClassVar[Bounds] = Bounds(0.0)
    usd_per_unit_error: Amount
    cases_per_year: Amount | None = None

    def year_usd(self, metric: Number, cases: Number) -> Number:
        """Return the yearly cost of errors, as a negative amount."""
        return -(metric * self.usd_per_unit_error * cases)

    def per_point_usd(self, cases: Number) -> Number:
        """Return the yearly value of one unit less error."""
        return -self.year_usd(1.0, cases)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Deflection:
    """The metric is the share of contacts that the model resolves without a person."""

    quality: ClassVar[tuple[type, ...]] = (QualityLevel,)
    limits: ClassVar[Bounds] = Bounds(0.0, 1.0)
    usd_per_contact: Amount
    cases_per_year: Amount | None = None

    def year_usd(self, metric: Number, cases: Number) -> Number:
        """Return the yearly savings from resolved contacts."""
        return cases * metric * self.usd_per_contact

    def per_point_usd(self, cases: Number) -> Number:
        """Return the yearly value of one more point resolved (0.01)."""
        return self.year_usd(0.01, cases)


Stakes = Detection | Uplift | ForecastQuality | Deflection
Quality = Confusion | QualityChange | QualityLevel
STAKES: Mapping[str, type] = {
    "detection": Detection,
    "uplift": Uplift,
    "forecast": ForecastQuality,
    "deflection": Deflection,
}
QUALITY: Mapping[str, type] = {"confusion": Confusion, "change": QualityChange, "level": QualityLevel}


def kind_of(thing: object, kinds: Mapping[str, type]) -> str:
    """Return the name in `kinds` of a value's class."""
    return next(name for name, kind in kinds.items() if type(thing) is kind)
