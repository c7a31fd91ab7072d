"""Paired drops against the definition of the score test, McNemar's table and scikit-learn."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar  # noqa: TID253 -- an independent oracle
from scipy.stats import binom, norm  # noqa: TID253 -- an independent oracle
from sklearn.metrics import f1_score

from weighbridge.core.errors import Invalid
from weighbridge.quality import paired
from weighbridge.quality.metrics.prepared import units_of
from weighbridge.quality.metrics.registry import find_metric
from weighbridge.quality.predictions.rows import Rows
from weighbridge.quality.scoring.drops import drops_of
from weighbridge.quality.scoring.measuring import ScoreSettings, measure

ANY = np.zeros(3, dtype=np.int64)


def answers(b, c, both, neither):
    """Rows of the four kinds: truth, baseline, variant."""
    truth = np.ones(b + c + both + neither, dtype=np.int64)
    baseline = np.repeat([1, 0, 1, 0], [b, c, both, neither])
    variant = np.repeat([0, 1, 1, 0], [b, c, both, neither])
    return truth, baseline, variant


def test_a_drop_counts_the_rows_on_which_the_models_differ():
    drop = paired.accuracy_drop(*answers(b=166, c=61, both=1_500, neither=273))
    assert (drop.b, drop.c, drop.n, drop.confidence) == (166, 61, 2_000, 0.95)
    assert drop.value == pytest.approx(0.0525)
    # Twice the binomial tail, by hand.
    assert drop.p_value == pytest.approx(2 * binom.cdf(61, 227, 0.5), rel=1e-9)
    # With many rows the score interval is Wald's of the reference: SE = sqrt(b + c - (b - c)^2 / n) / n.
    half = 1.959964 * math.sqrt(227 - 105**2 / 2_000) / 2_000
    assert (drop.lower, drop.upper) == (pytest.approx(0.0525 - half, abs=4e-4), pytest.approx(0.0525 + half, abs=4e-4))


def test_models_that_never_differ_are_not_proven_equal():
    drop = paired.accuracy_drop(*answers(b=0, c=0, both=90, neither=10))
    z2 = norm.ppf(0.975) ** 2
    assert (drop.value, drop.p_value) == (0.0, 1.0)
    # Without a difference the score interval is z^2 / (n + z^2) wide on either side.
    assert drop.upper == pytest.approx(z2 / (100 + z2), rel=1e-6)
    assert drop.lower == pytest.approx(-drop.upper)


@pytest.mark.parametrize(("b", "c", "bounds"), [(5, 0, (None, 1.0)), (0, 5, (-1.0, None))])
def test_a_total_drop_ends_at_the_end_of_the_scale(b, c, bounds):
    drop = paired.accuracy_drop(*answers(b, c, both=0, neither=0))
    assert [side for side, bound in zip((drop.lower, drop.upper), bounds, strict=True) if bound is not None] == [
        bound for bound in bounds if bound is not None
    ]
    assert -1 <= drop.lower <= drop.value <= drop.upper <= 1


def score_by_search(b, c, n, difference):
    """The score statistic with the nuisance share found by maximizing the likelihood numerically."""
    low, high = max(0.0, -difference), (1 - difference) / 2

    def unlikely(share):
        cells = ((b, share + difference), (c, share), (n - b - c, 1 - 2 * share - difference))
        return -sum(count * math.log(max(p, 1e-300)) for count, p in cells if count)

    share = minimize_scalar(unlikely, bounds=(low, high), method="bounded", options={"xatol": 1e-12}).x
    return (b - c - n * difference) / math.sqrt(n * (2 * share + difference * (1 - difference)))


@settings(max_examples=50, deadline=None)
@given(n=st.integers(10, 400), shares=st.tuples(st.floats(0.02, 0.45), st.floats(0.02, 0.45)))
def test_bounds_are_where_the_score_test_stops_rejecting(n, shares):
    b, c = max(1, round(shares[0] * n)), max(1, round(shares[1] * n))
    lower, upper = paired.score_bounds(b, c, n, confidence=0.95)
    assert lower < (b - c) / n < upper
    assert score_by_search(b, c, n, lower) == pytest.approx(1.959964, rel=1e-3)
    assert score_by_search(b, c, n, upper) == pytest.approx(-1.959964, rel=1e-3)


@given(b=st.integers(0, 40), c=st.integers(0, 40), rest=st.integers(0, 200))
def test_exchanging_the_models_mirrors_the_drop(b, c, rest):
    if b + c + rest == 0:
        return
    there = paired.accuracy_drop(*answers(b, c, rest, 0))
    back = paired.accuracy_drop(*answers(c, b, rest, 0))
    assert (there.value, there.p_value) == (-back.value, back.p_value)
    assert (there.lower, there.upper) == (pytest.approx(-back.upper, abs=1e-9), pytest.approx(-back.lower, abs=1e-9))


def test_a_drop_of_any_metric_is_that_of_resampled_rows():
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 3, 500)
    baseline = np.where(rng.random(500) < 0.9, truth, rng.integers(0, 3, 500))
    variant = np.where(rng.random(500) < 0.85, baseline, rng.integers(0, 3, 500))

    rows, before = (Rows({"truth": truth, "prediction": said}) for said in (variant, baseline))
    settings, units = ScoreSettings(resamples=300), units_of(len(truth), seed=1)

    def drops():
        return drops_of([find_metric("f1_macro")], (rows, before), units, settings, margins={}, confidence=0.95)

    [drop] = drops()
    scores = [f1_score(truth, said, average="macro") for said in (baseline, variant)]
    assert drop["value"] == pytest.approx(scores[0] - scores[1])
    assert drop["lower"] < drop["value"] < drop["upper"]
    assert drops() == [drop]
    # Paired: narrower than one model's own interval, of which an unpaired drop would bear two.
    alone = measure([find_metric("f1_macro")], rows, units, settings, confidence=0.95).intervals["f1_macro"]
    assert drop["upper"] - drop["lower"] < alone.upper - alone.lower


@pytest.mark.parametrize(("upper", "margin", "answer"), [(0.0099, 0.01, True), (0.01, 0.01, False), (-0.1, 0.01, True)])
def test_not_inferior_is_an_upper_bound_below_the_margin(upper, margin, answer):
    assert paired.is_non_inferior(paired.QualityDrop(-0.2, -0.3, upper, 0.95, 10), margin) is answer


@pytest.mark.parametrize("margin", [0.0, -0.1, math.nan])
def test_a_margin_of_nothing_is_refused(margin):
    with pytest.raises(Invalid, match="above zero"):
        paired.is_non_inferior(paired.QualityDrop(0, 0, 0, 0.95, 10), margin)


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ((ANY, ANY, ANY[:2]), "data_shape"),
        ((ANY.reshape(1, 3),) * 3, "data_shape"),
        ((ANY[:0],) * 3, "data_empty"),
    ],
)
def test_answers_that_do_not_belong_together_are_refused(rows, code):
    with pytest.raises(Invalid) as refusal:
        paired.accuracy_drop(*rows)
    assert refusal.value.code == code
