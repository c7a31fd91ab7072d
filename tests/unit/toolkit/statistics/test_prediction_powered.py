"""The corrected mean of a judge: an independent computation, and the coverage of simulations."""

import numpy as np
import pytest

from weighbridge.statistics.prediction_powered import NORMAL, RESAMPLED, JudgedSample, ppi_mean

# Share of right answers, sensitivity and specificity of the judge.
CASES = [(0.8, 0.95, 0.70), (0.6, 0.90, 0.90), (0.9, 0.97, 0.50), (0.5, 0.60, 0.55)]
N, ALL, RUNS = 200, 1_000, 400


def simulated(rng, case, n=N, size=ALL):
    share, sensitivity, specificity = case
    human = (rng.random(size) < share).astype(np.float64)
    judge = np.where(human == 1, rng.random(size) < sensitivity, rng.random(size) >= specificity).astype(np.float64)
    return JudgedSample(human[:n], judge[:n], judge[n:])


def by_hand(judged):
    """The estimate, its error and lam, from the formulas of the paper and NumPy's moments."""
    human, judge, others = judged.human, judged.judge, judged.others
    n, m = len(human), len(others)
    every = np.concatenate([judge, others])
    lam = float(np.clip(np.cov(human, judge)[0, 1] / (every.var(ddof=1) * (1 + n / m)), 0, 1))
    value = lam * others.mean() + (human - lam * judge).mean()
    error = np.sqrt(lam**2 * others.var() / m + (human - lam * judge).var() / n)
    return value, error, lam


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_the_corrected_judge_covers_and_the_naive_one_does_not(case):
    rng, share = np.random.default_rng(21), case[0]
    corrected = naive = 0
    for run in range(RUNS):
        judged = simulated(rng, case)
        interval = ppi_mean(judged, 0.95, seed=run).interval
        corrected += interval.lower <= share <= interval.upper
        every = np.concatenate([judged.judge, judged.others])
        naive += abs(every.mean() - share) <= 1.96 * every.std() / np.sqrt(ALL)
    assert corrected / RUNS >= 0.92
    assert naive / RUNS < 0.8


def test_the_estimate_is_that_of_the_paper():
    judged = simulated(np.random.default_rng(22), CASES[1])
    value, error, lam = by_hand(judged)
    found = ppi_mean(judged, 0.95, seed=1)
    assert (found.interval.value, found.lam) == (pytest.approx(value, rel=1e-9), pytest.approx(lam, rel=1e-9))
    assert found.interval.upper - found.interval.lower == pytest.approx(2 * 1.959964 * error, rel=2e-3)
    assert (found.interval.method, found.interval.n) == (NORMAL, N)


def test_a_good_judge_makes_the_interval_narrower_and_a_useless_one_does_not():
    rng = np.random.default_rng(23)
    good, useless = (ppi_mean(simulated(rng, (0.6, s, s)), 0.95, seed=1) for s in (0.98, 0.5))
    widths = [each.interval.upper - each.interval.lower for each in (good, useless)]
    people = 2 * 1.96 * np.sqrt(0.6 * 0.4 / N)
    assert good.lam > 0.6
    assert useless.lam < 0.1
    assert widths[0] < 0.7 * people
    assert widths[1] == pytest.approx(people, rel=0.1)


def test_near_an_end_few_labels_are_resampled_and_many_are_not():
    rng = np.random.default_rng(24)
    few, many = (simulated(rng, (0.95, 0.97, 0.5), n=n) for n in (100, 400))
    assert ppi_mean(few, 0.95, seed=1).interval.method == RESAMPLED
    assert ppi_mean(many, 0.95, seed=1).interval.method == NORMAL
    assert ppi_mean(few, 0.95, seed=1) == ppi_mean(few, 0.95, seed=1)
    assert ppi_mean(few, 0.95, seed=1).interval.upper <= 1.0
    alone = ppi_mean(JudgedSample(few.human, few.judge, np.zeros(0)), 0.95, seed=1)
    assert (alone.interval.value, alone.interval.method) == (few.human.mean(), RESAMPLED)


def test_without_others_and_with_a_judge_of_one_opinion_people_alone_count():
    human = np.array([1.0, 0.0, 1.0, 1.0] * 20)
    names = np.repeat(np.arange(40), 2)
    for judged in (JudgedSample(human, human, np.zeros(0), names), JudgedSample(human, np.ones(80), np.ones(50))):
        found = ppi_mean(judged, 0.95, seed=1)
        assert (found.interval.value, found.lam) == (0.75, 0.0)


def test_clusters_make_the_interval_wider_and_differences_have_no_range():
    rng = np.random.default_rng(25)
    judged = simulated(rng, CASES[0])
    order = np.argsort(judged.human, kind="stable")
    names = np.empty(ALL, dtype=int)
    # Alike labels lie in the same clusters of ten.
    names[order], names[N:] = np.arange(N) // 10, 100 + np.arange(ALL - N)
    clustered = JudgedSample(judged.human, judged.judge, judged.others, names)
    widths = [
        each.interval.upper - each.interval.lower
        for each in (ppi_mean(judged, 0.95, seed=1), ppi_mean(clustered, 0.95, seed=1))
    ]
    assert widths[1] > 2 * widths[0]
    lower = ppi_mean(JudgedSample(-judged.human, -judged.judge, -judged.others), 0.95, seed=1, is_share=False).interval
    assert lower.value == pytest.approx(-ppi_mean(judged, 0.95, seed=1).interval.value)
