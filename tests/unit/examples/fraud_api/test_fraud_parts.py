"""The law of the transactions, the steps that are kept, and the settings."""

import json

import numpy as np
import pytest

from examples.fraud_api import transactions
from examples.fraud_api.settings import FULL, QUICK, FraudSettings, StandIn
from examples.fraud_api.transactions import caught, generate
from examples.steps import cached
from weighbridge.core.errors import Invalid


def test_transactions_follow_their_law() -> None:
    drawn = generate(200_000, seed=3)
    assert (drawn.x.shape, drawn.x.dtype) == ((200_000, 12), np.float32)
    correlation = np.corrcoef(drawn.x.T)
    assert correlation[np.triu_indices(12, 1)] == pytest.approx(np.full(66, 0.2), abs=0.01)
    assert 0.01 < drawn.y.mean() < 0.025
    # Labels are the law's probabilities less what is never reported.
    expected = (1 / (1 + np.exp(-drawn.log_odds))).mean() * (1 - transactions.UNREPORTED)
    assert drawn.y.mean() == pytest.approx(expected, rel=0.03)
    assert np.array_equal(generate(100, seed=3).x, generate(100, seed=3).x)
    assert not np.array_equal(generate(100, seed=3).x, generate(100, seed=4).x)


def test_the_log_odds_are_the_formula_of_the_text() -> None:
    x = np.zeros((3, 12), dtype=np.float32)
    x[1] = 1
    x[2] = -1
    by_hand = [0, 1.5 + 1.1 + 0.9 - 0.7 + 0.5 + 1.2 - 0.9 + 1.1 + 0.7, -1.5 - 1.1 - 0.9 + 0.7 - 0.5 + 1.2 - 0.9 - 0.7]
    assert transactions.log_odds(x) - transactions.INTERCEPT == pytest.approx(by_hand)


def test_nobody_orders_better_than_the_law() -> None:
    drawn = generate(50_000, seed=5)
    best = caught(drawn.log_odds, drawn.y)
    linear = drawn.x @ np.array([1.5, 1.1, 0.9, -0.7, 0.5] + [0] * 7)
    assert caught(linear, drawn.y) < best
    assert caught(np.where(drawn.y == 1, 9.0, 0.0), drawn.y) == drawn.y.sum()


def test_caught_counts_above_the_threshold_of_false_alarms() -> None:
    labels = np.array([0] * 100 + [1] * 4)
    scores = np.concatenate([np.arange(100.0), [98.5, 98.0, 99.5, 200.0]])
    assert caught(scores, labels, false_alarms=0.01) == 3  # the 99th of 100 percentiles lies at 98.01


def test_a_step_is_done_once_for_each_key(tmp_path) -> None:
    made = []

    def make():
        made.append(1)
        return {"n": len(made)}

    path = tmp_path / "step.json"
    assert cached(path, {"seed": 1}, make) == cached(path, {"seed": 1}, make) == {"n": 1}
    assert cached(path, {"seed": 2}, make) == {"n": 2}
    for broken in ("{", "[]"):
        path.write_text(broken)
        assert cached(path, {"seed": 2}, make)["n"] == len(made)
    assert json.loads(path.read_text())["found"] == {"n": 4}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: FraudSettings(rows=100), "at least 2,000 transactions"),
        (lambda: StandIn(median_ms=0), "positive latency and limit"),
        (lambda: StandIn(error_rate=1.5), "share between 0 and 1"),
    ],
)
def test_settings_that_are_none_are_refused(make, said) -> None:
    with pytest.raises(Invalid, match=said):
        make()


def test_the_full_case_is_fired_at_with_a_thousand_a_second() -> None:
    assert (FULL.rate_per_s, QUICK.rate_per_s < FULL.rate_per_s) == (1_000, True)
    assert FULL.stand_in.words() == (
        "latency lognormal around 80 ms with sigma 0.35, 0.10% of the answers 503, above 2,000 a second 429"
    )
