"""How often the intervals of quality metrics and experiments hold the truth, on simulated data: 95 % is 93 to 97 %."""

import numpy as np
import pytest
from scipy.special import expit  # noqa: TID253 -- knows the truth

from weighbridge.cli.tables.metric_titles import metric_title
from weighbridge.quality.experiment.arms import Arm, Arms, arms_of_counts
from weighbridge.quality.experiment.changes import absolute_change, anytime_interval, fixed_interval, relative_change
from weighbridge.quality.metrics.prepared import units_of
from weighbridge.quality.metrics.registry import find_metric
from weighbridge.quality.predictions.rows import Rows
from weighbridge.quality.scoring.drops import drops_of
from weighbridge.quality.scoring.measuring import ScoreSettings, measure

LEVEL = 0.95
WORDS = np.array(["the", "cat", "sat", "on", "a", "mat", "dog", "ran"])


def holds(truth, interval):
    return interval.lower <= truth <= interval.upper


def interval_of(name, rows, groups=None, *, seed, confidence=LEVEL, resamples=500):
    units = units_of(len(rows), seed=seed, groups=groups)
    settings = ScoreSettings(resamples=resamples, seed=seed)
    return measure([find_metric(name)], rows, units, settings, confidence=confidence).intervals[find_metric(name).name]


def classes(rng, n, *, noise=1.0, truth_of=lambda p: p):
    """Two classes, whose stated probabilities are `truth_of` the true ones."""
    true = expit(noise * rng.normal(size=n))
    stated = truth_of(true)
    truth = (rng.random(n) < true).astype(np.int64)
    answers = (stated >= 0.5).astype(np.int64)
    scores = np.column_stack([1 - stated, stated])
    return Rows({"truth": truth, "prediction": answers, "scores": scores}, reading="probabilities")


def bold(probability):
    return probability**2 / (probability**2 + (1 - probability) ** 2)


def timid(probability):
    return np.clip(0.8 * probability, 0, 1)


@pytest.mark.parametrize(
    ("name", "n", "trials"),
    [("log_loss", 300, 600), ("brier", 300, 600), ("f1_macro", 300, 600), ("pr_auc", 300, 600)],
)
def test_classes(name, n, trials, share):
    rng = np.random.default_rng(1)
    big = classes(rng, 1_000_000, noise=1.5, truth_of=bold)
    truth = find_metric(name).prepare(big).value(units_of(len(big), seed=1))
    found = (interval_of(name, classes(rng, n, noise=1.5, truth_of=bold), seed=seed) for seed in range(trials))
    share(f"{name} of {n} (bootstrap)".replace("f1_macro", "macro-F1"), (holds(truth, held) for held in found))


def rare(rng, n):
    """Two classes, of which one has a row in twenty."""
    truth = (rng.random(n) < 0.05).astype(np.int64)
    is_right = rng.random(n) < np.where(truth == 1, 0.95, 0.98)
    return Rows({"truth": truth, "prediction": np.where(is_right, truth, 1 - truth)})


@pytest.mark.parametrize("name", ["precision", "recall", "f1", "precision_macro", "recall_macro", "f1_macro"])
def test_a_rare_class(name, share):
    rng = np.random.default_rng(12)
    big = rare(rng, 1_000_000)
    truth = find_metric(name).prepare(big).value(units_of(len(big), seed=1))
    found = (interval_of(name, rare(rng, 500), seed=seed) for seed in range(600))
    # The wider of two intervals holds the truth more often than either.
    share(f"{metric_title(name)} of a class of 25 rows in 500", (holds(truth, held) for held in found), high=1)


@pytest.mark.parametrize(("truth_of", "n"), [(bold, 2_000), (timid, 1_000), (bold, 500)])
def test_calibration_error(truth_of, n, share):
    rng = np.random.default_rng(2)
    big = classes(rng, 1_000_000, noise=1.5, truth_of=truth_of)
    truth = find_metric("ece").prepare(big).value(units_of(len(big), seed=1))
    found = (
        interval_of("ece", classes(rng, n, noise=1.5, truth_of=truth_of), seed=seed, resamples=100)
        for seed in range(600)
    )
    share(f"calibration error {truth:.2f} of {n:,} (bias-corrected)", (holds(truth, held) for held in found))


def test_calibration_error_of_calibrated_probabilities(share):
    rng = np.random.default_rng(3)
    found = (interval_of("ece", classes(rng, 1_000), seed=seed) for seed in range(400))
    # The lower bound is 0 unless perfect calibration is refuted at the level of one side.
    share("no calibration error of 1,000", (held.lower == 0 for held in found), low=0.95, high=1)


def numbers(rng, n):
    truth = rng.normal(10, 2, n)
    return Rows({"truth": truth, "prediction": truth + rng.normal(0.3, 1, n), "scale": np.ones(n)})


@pytest.mark.parametrize(
    ("name", "n"), [("mae", 300), ("rmse", 300), ("r2", 300), ("mape", 300), ("pinball@0.9", 300), ("mae", 30)]
)
def test_numbers(name, n, share):
    rng = np.random.default_rng(4)
    big = numbers(rng, 1_000_000)
    truth = find_metric(name).prepare(big).value(units_of(len(big), seed=1))
    found = (interval_of(name, numbers(rng, n), seed=seed) for seed in range(800))
    share(f"{name} of {n} (bootstrap)", (holds(truth, held) for held in found))


def grouped(rng, groups, size):
    """Errors of which half the variance is that of the group."""
    shared = np.repeat(rng.normal(size=groups), size)
    truth = rng.normal(10, 2, groups * size)
    rows = Rows({"truth": truth, "prediction": truth + shared + rng.normal(size=groups * size)})
    return rows, np.repeat(np.arange(groups), size)


@pytest.mark.parametrize("groups", [30, 100])
def test_groups_are_resampled_whole(groups, share):
    rng, truth = np.random.default_rng(5), 2 / np.sqrt(np.pi)
    hits, alone = [], []
    for seed in range(800):
        rows, of_row = grouped(rng, groups, 8)
        hits.append(holds(truth, interval_of("mae", rows, of_row, seed=seed)))
        alone.append(holds(truth, interval_of("mae", rows, seed=seed)))
    share(f"mae of {groups} groups (bootstrap by group)", hits)
    share(f"mae of {groups} groups, groups ignored", alone, low=0, high=0.9)


def test_rows_in_blocks(share, monkeypatch):
    monkeypatch.setattr("weighbridge.quality.metrics.prepared.MAX_UNITS", 200)
    rng, truth, hits = np.random.default_rng(6), np.sqrt(2 / np.pi), []
    for seed in range(800):
        errors = rng.normal(size=3_000)
        rows = Rows({"truth": np.zeros(3_000), "prediction": errors})
        hits.append(holds(truth, interval_of("mae", rows, seed=seed)))
    share("mae of 3,000 in 200 blocks (bootstrap)", hits)


def ranking(rng, queries, size=6):
    relevance = rng.integers(0, 3, queries * size)
    relevance[::size] = 2
    scores = relevance + rng.normal(0, 1.5, queries * size)
    return Rows({"query": np.repeat(np.arange(queries), size), "relevance": relevance, "scores": scores})


@pytest.mark.parametrize("name", ["recall@2", "mrr"])
def test_rankings(name, share):
    rng = np.random.default_rng(7)
    big = ranking(rng, 30_000)
    truth = find_metric(name).prepare(big).value(units_of(len(big), seed=1))
    hits = []
    for seed in range(600):
        rows = ranking(rng, 100)
        hits.append(holds(truth, interval_of(name, rows, rows["query"], seed=seed)))
    share(f"{name} of 100 queries (bootstrap by query)", hits)


def texts(rng, n):
    words = rng.choice(WORDS, (n, 6))
    own = np.where(rng.random((n, 6)) < 0.75, words, rng.choice(WORDS, (n, 6)))
    truth = np.empty(n, dtype=object)
    truth[:] = [(" ".join(row[: rng.integers(3, 7)]),) for row in words]
    return Rows({"truth": truth, "prediction": np.array([" ".join(row) for row in own])})


@pytest.mark.parametrize("name", ["wer", "chrf", "token_f1"])
def test_texts(name, share):
    rng = np.random.default_rng(8)
    big = texts(rng, 20_000)
    truth = find_metric(name).prepare(big).value(units_of(len(big), seed=1))
    found = (interval_of(name, texts(rng, 80), seed=seed) for seed in range(400))
    share(f"{name} of 80 (bootstrap)", (holds(truth, held) for held in found))


def uplift(rng, n):
    scores = rng.normal(size=n)
    treatment = rng.integers(0, 2, n)
    outcome = (rng.random(n) < np.clip(0.3 + treatment * 0.1 * (1 + scores), 0, 1)).astype(float)
    return Rows({"treatment": treatment, "truth": outcome, "scores": scores})


@pytest.mark.parametrize("name", ["qini", "auuc"])
def test_uplift(name, share):
    rng = np.random.default_rng(9)
    big = uplift(rng, 1_000_000)
    truth = find_metric(name).prepare(big).value(units_of(len(big), seed=1))
    found = (interval_of(name, uplift(rng, 400), seed=seed, resamples=300) for seed in range(400))
    share(f"{name} of 400 (bootstrap)", (holds(truth, held) for held in found))


def pixels(rng, n):
    # A picture is easy or hard as a whole.
    truth = rng.integers(0, 3, (n, 30))
    right = rng.random((n, 30)) < rng.uniform(0.5, 0.95, (n, 1))
    return Rows({"truth": truth, "prediction": np.where(right, truth, rng.integers(0, 3, (n, 30)))})


def test_pictures(share):
    rng = np.random.default_rng(10)
    big = pixels(rng, 40_000)
    truth = find_metric("miou").prepare(big).value(units_of(len(big), seed=1))
    found = (interval_of("miou", pixels(rng, 60), seed=seed) for seed in range(600))
    share("miou of 60 pictures (bootstrap)", (holds(truth, held) for held in found))


def test_slices_hold_together(share):
    rng, truth, count = np.random.default_rng(11), np.sqrt(2 / np.pi), 10
    hits = []
    for seed in range(300):
        slices = [Rows({"truth": np.zeros(60), "prediction": rng.normal(size=60)}) for _ in range(count)]
        found = [interval_of("mae", rows, seed=seed, confidence=1 - (1 - LEVEL) / count) for rows in slices]
        hits.append(all(holds(truth, held) for held in found))
    share("ten slices of 60 together (standard error, Bonferroni)", hits, low=0.92, high=0.98)


def test_paired_drops_by_group(share):
    rng, hits = np.random.default_rng(12), []
    metrics, settings = [find_metric("rmse")], ScoreSettings(resamples=500)
    for _ in range(600):
        rows, groups = grouped(rng, 60, 5)
        worse = Rows({**rows.fields, "prediction": rows["prediction"] + rng.normal(0, 0.5, 300)})
        units = units_of(300, seed=1, groups=groups)
        (drop,) = drops_of(metrics, (worse, rows), units, settings, margins={}, confidence=LEVEL)
        hits.append(drop["lower"] <= np.sqrt(2.25) - np.sqrt(2) <= drop["upper"])
    share("paired drop of rmse (bootstrap by group)", hits)


def test_changes_of_shares(share):
    rng = np.random.default_rng(13)
    pairs = zip(rng.binomial(5_000, 0.05, 4_000), rng.binomial(5_000, 0.055, 4_000), strict=True)
    arms = [arms_of_counts((c, 5_000), (t, 5_000)) for c, t in pairs]
    share(
        "absolute change of a share, one look", (holds(0.005, fixed_interval(absolute_change(a), LEVEL)) for a in arms)
    )
    share("relative change of a share, one look", (holds(0.1, fixed_interval(relative_change(a), LEVEL)) for a in arms))


def revenue(rng, n, lift):
    outcomes = np.where(rng.random(n) < 0.2, rng.lognormal(1, 0.8, n), 0) * lift
    return Arm(n, float(outcomes.mean()), float(outcomes.var(ddof=1)))


def test_changes_of_revenue(share):
    rng = np.random.default_rng(14)
    arms = [Arms(revenue(rng, 4_000, 1), revenue(rng, 6_000, 1.1), is_share=False) for _ in range(2_000)]
    share("relative change of revenue, one look", (holds(0.1, fixed_interval(relative_change(a), LEVEL)) for a in arms))


@pytest.mark.parametrize("planned", [2_000, 10_000])
def test_changes_looked_at_all_the_time(planned, share):
    """Two hundred looks from 200 to 20,000 units: how often one of them sees a change where there is none."""
    rng, looks = np.random.default_rng(15), np.unique(np.geomspace(100, 10_000, 200).astype(int))
    alarms, naive = [], []
    for _ in range(400):
        counts = [np.cumsum(rng.random(10_000) < 0.1)[looks - 1] for _ in range(2)]
        every = (relative_change(arms_of_counts((c, n), (t, n))) for c, t, n in zip(*counts, looks, strict=True))
        found = [change for change in every if change is not None]
        alarms.append(any(not holds(0, anytime_interval(change, LEVEL, planned)) for change in found))
        naive.append(any(not holds(0, fixed_interval(change, LEVEL)) for change in found))
    share(f"equal arms told apart, looked at all the time, planned {planned:,}", alarms, low=0, high=0.05)
    share(f"equal arms told apart, one look looked at all the time, planned {planned:,}", naive, low=0.2, high=1)
