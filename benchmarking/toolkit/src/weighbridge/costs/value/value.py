"""Value of a model's answers: whether "5 % more accuracy for 20 % more cost" pays.

BV = sum over true class i and answer j of v_ij · n_ij: the value matrix over the confusion matrix (NannyML's business
value). At a low prevalence accuracy can rise while value falls; so the question is which metric, and at which
threshold.
"""

import dataclasses

import numpy as np

from weighbridge.costs.lines import Number
from weighbridge.costs.uncertainty import Draws


@dataclasses.dataclass(frozen=True, kw_only=True)
class Worth:
    """The value in US dollars of one answer of each kind; a loss is negative."""

    true_positive_usd: Number = 0.0
    false_negative_usd: Number = 0.0
    false_positive_usd: Number = 0.0
    true_negative_usd: Number = 0.0


def yearly_value_usd(worth: Worth, *, cases: Number, prevalence: Number, tpr: Number, fpr: Number) -> Number:
    """Return the yearly value of `cases`, of which the share `prevalence` is positive, at recall `tpr` and false-alarm
    rate `fpr`.

    N · [π (TPR v_TP + (1 - TPR) v_FN) + (1 - π) (FPR v_FP + (1 - FPR) v_TN)]; rates are shares of one.
    """
    positive = tpr * worth.true_positive_usd + (1 - tpr) * worth.false_negative_usd
    negative = fpr * worth.false_positive_usd + (1 - fpr) * worth.true_negative_usd
    return cases * (prevalence * positive + (1 - prevalence) * negative)


def drawn_rates(
    *, true_positives: int, false_negatives: int, false_positives: int, true_negatives: int, n: int, seed: int
) -> tuple[Draws, Draws]:
    """Return `n` draws of recall and false-alarm rate: Beta(TP + 1, FN + 1) and Beta(FP + 1, TN + 1)."""
    rng = np.random.default_rng(seed)
    recall = rng.beta(true_positives + 1, false_negatives + 1, n)
    return recall, rng.beta(false_positives + 1, true_negatives + 1, n)


def net_value_usd(
    gain_per_year_usd: Number, extra_cost_usd: Number, *, years: int, discount_rate: float, adoption: Number = 1.0
) -> Number:
    """Return a · sum of ΔBV / (1 + r)^t over the years, minus the extra cost (a present value); a is the share
    realized.
    """
    factor = sum((1 + discount_rate) ** -year for year in range(1, years + 1))
    return adoption * gain_per_year_usd * factor - extra_cost_usd


def break_even_gain(extra_cost_usd: Number, *, value_per_point_usd: Number, adoption: Number = 1.0) -> Number:
    """Return the increase of the metric that pays for the extra cost: ΔTCO / (a · dBV/dmetric)."""
    return extra_cost_usd / (adoption * value_per_point_usd)


def uplift_usd(*, visits: Number, conversion_gain: Number, order_usd: Number, margin: Number) -> Number:
    """Return visits · Δconversion · average order · margin; per year if the visits are per year."""
    return visits * conversion_gain * order_usd * margin


def error_cost_usd(*, error_fall: Number, usd_per_unit_error: Number, cases: Number) -> Number:
    """Return the savings from a smaller regression error: ΔMAE · US dollars per unit of error · cases."""
    return error_fall * usd_per_unit_error * cases


def deflection_usd(*, contacts: Number, resolved_gain: Number, usd_per_contact: Number) -> Number:
    """Return the savings from contacts that a model resolves: contacts · Δresolved · cost of a contact."""
    return contacts * resolved_gain * usd_per_contact
