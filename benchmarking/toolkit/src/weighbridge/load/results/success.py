"""The rates of right and failed answers. Statuses are counted in full; bodies are estimated from the checked sample."""

import dataclasses
import math

import numpy as np

from weighbridge.load.results.samples import LoadSamples, RequestOutcome
from weighbridge.statistics.order_statistics import Interval, failure_interval

METHOD = "counted statuses and sampled bodies (Clopper-Pearson, MOVER)"


def error_interval(samples: LoadSamples) -> Interval | None:
    """Return the failed share of the settled requests with its one-sided 95 % upper bound; None without any.

    With p the counted share of failures and q the share of wrong bodies among those checked, the failed share is
    1 - (1 - p)(1 - q). Its bound combines the bounds of Clopper and Pearson by MOVER on the log scale (Zou and Donner
    2008). Without a check of bodies, or with all checked, it is the bound of the count alone.
    """
    settled, wrong = int(samples.settled.sum()), wrong_bodies(samples)
    failed = settled - int(samples.answered.sum())
    counted = failure_interval(failed - (0 if wrong is None else _wrong(samples)), settled)
    if wrong is None or counted is None:
        return counted
    right = product_interval(_complement(counted), _complement(wrong))
    return Interval(1 - right.value, 0.0, 1 - right.lower, counted.confidence, settled, METHOD)


def wrong_bodies(samples: LoadSamples, *, confidence: float = 0.95) -> Interval | None:
    """Return the share of wrong bodies with its one-sided bound; None without checks, or if every body was checked."""
    checked = int(samples.checked.sum())
    return None if checked == _answers(samples) else failure_interval(_wrong(samples), checked, confidence)


def goodput(samples: LoadSamples, *, span_s: float) -> Interval:
    """Return right answers per second with a 95 % interval: of a Poisson count (Garwood 1936), and of the bodies.

    The share of right bodies is bounded by Clopper and Pearson on both sides.
    """
    wrong = wrong_bodies(samples, confidence=0.975)
    if wrong is None:
        return count_rate(int(samples.answered.sum()), span_s)
    right = failure_interval(round((1 - wrong.value) * wrong.n), wrong.n, 0.975) or wrong
    share = Interval(1 - wrong.value, 1 - wrong.upper, right.upper, 0.95, wrong.n)
    answers = count_rate(_answers(samples), span_s)
    return dataclasses.replace(product_interval(answers, share), n=answers.n, method=METHOD)


def count_rate(events: int, span_s: float) -> Interval:
    """Return a rate in 1/s with the 95 % interval of a Poisson count (Garwood 1936)."""
    from scipy.stats import chi2

    lower = float(chi2.ppf(0.025, 2 * events)) / 2 if events else 0.0
    upper = float(chi2.ppf(0.975, 2 * events + 2)) / 2
    return Interval(events / span_s, lower / span_s, upper / span_s, 0.95, events)


def bodies_checked(samples: LoadSamples) -> dict[str, int]:
    """Return how many of the answers with the expected status had their bodies checked, and how many were wrong."""
    return {"checked": int(samples.checked.sum()), "of": _answers(samples), "wrong": _wrong(samples)}


def _answers(samples: LoadSamples) -> int:
    """Count the answers with the expected status, whatever their bodies."""
    return int((samples.answered | samples.checked).sum())


def _wrong(samples: LoadSamples) -> int:
    return int(np.equal(samples.outcome, RequestOutcome.WRONG_ANSWER).sum())


def product_interval(first: Interval, second: Interval) -> Interval:
    """Return the product of two independent non-negative estimates; bounds by MOVER on the log scale.

    Zou and Donner (2008): the distance of a bound is the root of the summed squares of the distances of both parts.
    """
    value = first.value * second.value
    down = math.hypot(_log_ratio(first.value, first.lower), _log_ratio(second.value, second.lower))
    up = math.hypot(_log_ratio(first.upper, first.value), _log_ratio(second.upper, second.value))
    upper = first.upper * second.upper if math.isinf(up) else value * math.exp(up)
    return Interval(value, value * math.exp(-down), upper, first.confidence, min(first.n, second.n))


def _log_ratio(larger: float, smaller: float) -> float:
    if larger == smaller:
        return 0.0
    return math.log(larger / smaller) if smaller > 0 else math.inf


def _complement(share: Interval) -> Interval:
    """Return the interval of 1 - share."""
    return Interval(1 - share.value, 1 - share.upper, min(1.0, 1 - share.lower), share.confidence, share.n)
