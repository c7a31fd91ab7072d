"""Pass rates: several tries from repeated runs, with draws that hold the truth as often as they claim."""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.core.errors import Invalid
from weighbridge.costs.value.pass_rates import (
    FEW_CLUSTERS,
    ItemRuns,
    RepeatedRuns,
    drawn_rate,
    generator,
    independent_moments,
)
from weighbridge.costs.value.runs_file import read_runs


def runs_of(*pairs, clusters=None):
    clusters = clusters or [f"c{place}" for place in range(len(pairs))]
    return RepeatedRuns(
        tuple(
            ItemRuns(passed=passed, runs=runs, cluster=name)
            for (passed, runs), name in zip(pairs, clusters, strict=True)
        )
    )


def test_moments_of_one_chance_are_its_powers():
    assert independent_moments(0.5, 3) == (1, 0.5, 0.25, 0.125)
    assert independent_moments(0.3, 0) == (1,)


def test_at_temperature_0_a_second_try_helps_nobody():
    """Half of the items always pass and half never do: pass@k is 0.5 for every k, not 0.75 and 0.875."""
    found = runs_of(*[(5, 5), (0, 5)] * 10)
    assert [found.pass_at(tries) for tries in (1, 2, 5)] == [0.5, 0.5, 0.5]
    assert found.moments(3) == (1.0, 0.5, 0.5, 0.5)


@given(st.lists(st.tuples(st.integers(0, 6), st.just(6)), min_size=2, max_size=6), st.integers(1, 6))
def test_pass_at_k_is_the_share_of_k_runs_with_a_pass(pairs, tries):
    """By counting all choices of k of the runs of each item."""
    shares = []
    for passed, runs in pairs:
        outcomes = [place < passed for place in range(runs)]
        chosen = list(itertools.combinations(outcomes, tries))
        shares.append(sum(any(each) for each in chosen) / len(chosen))
    assert runs_of(*pairs).pass_at(tries) == pytest.approx(sum(shares) / len(shares))
    every = [sum(all(c) for c in itertools.combinations([p < a for p in range(b)], tries)) for a, b in pairs]
    mean = sum(every) / len(pairs) / math.comb(6, tries)
    assert runs_of(*pairs).moments(tries)[tries] == pytest.approx(mean)


def test_the_estimate_of_several_tries_has_no_bias():
    rng = np.random.default_rng(5)
    chances = rng.beta(1.2, 0.8, 4_000)
    found = runs_of(*((int(passed), 5) for passed in rng.binomial(5, chances)))
    truth = 1 - ((1 - chances) ** 3).mean()
    assert found.pass_at(3) == pytest.approx(truth, abs=0.012)
    independent = 1 - (1 - chances.mean()) ** 3
    assert independent - truth > 0.1  # what the assumption of independence would claim


def test_draws_move_around_the_estimate_and_share_weights_between_options():
    one, other = runs_of(*[(4, 5), (1, 5), (3, 5)] * 20), runs_of(*[(5, 5), (2, 5), (4, 5)] * 20)
    drawn, again = (each.draw(2, n=2_000, seed=3, stream="runs") for each in (one, other))
    assert [each.mean() for each in drawn] == pytest.approx(one.moments(2), abs=0.01)
    assert drawn[0] == pytest.approx(np.ones(2_000))
    # The other option passes one run more of each item: in every draw, its rate is higher by 0.2.
    assert again[1] - drawn[1] == pytest.approx(np.full(2_000, 0.2))
    assert np.array_equal(one.draw(2, n=2_000, seed=3, stream="runs"), drawn)


def test_many_clusters_are_drawn_in_blocks(monkeypatch):
    found = runs_of(*[(1, 2)] * 50)
    whole = found.draw(1, n=100, seed=1, stream="x")[1]
    monkeypatch.setattr("weighbridge.costs.value.pass_rates._BLOCK", 500)
    assert found.draw(1, n=100, seed=1, stream="x")[1] == pytest.approx(whole)


@pytest.mark.slow
def test_the_draws_of_clustered_runs_hold_the_truth_as_often_as_they_say():
    """Items of one cluster are alike; 90 % ranges hold the pass@2 of the population in 86 to 94 of 100 cases."""
    rng, held, plain = np.random.default_rng(11), 0, 0
    trials, clusters, size, strength = 250, 60, 4, 3.0
    chances_of = rng.beta(strength * 0.6, strength * 0.4, 400_000)
    truth = 1 - ((1 - chances_of) ** 2).mean()
    for trial in range(trials):
        chances = np.repeat(rng.beta(strength * 0.6, strength * 0.4, clusters), size)
        passed = rng.binomial(5, chances)
        names = [str(place // size) for place in range(len(passed))]
        found = runs_of(*((int(each), 5) for each in passed), clusters=names)
        low, high = np.quantile(_pass_2(found.draw(2, n=400, seed=trial, stream="x")), [0.05, 0.95])
        held += low <= truth <= high
        apart = runs_of(*((int(each), 5) for each in passed))
        low, high = np.quantile(_pass_2(apart.draw(2, n=400, seed=trial, stream="x")), [0.05, 0.95])
        plain += low <= truth <= high
    assert 0.86 <= held / trials <= 0.94
    assert plain / trials < 0.75  # as if the items of a cluster were independent


def _pass_2(moments):
    return 2 * moments[1] - moments[2]


def test_draws_of_counts_hold_the_rate_as_often_as_they_say():
    """Averaged over rates from 0.05 to 0.95, 90 % ranges of 200 items hold the rate in 88 to 92 of 100 cases."""
    rng, held = np.random.default_rng(2), []
    for trial, rate in enumerate(np.linspace(0.05, 0.95, 1_000)):
        passed = int(rng.binomial(200, rate))
        low, high = np.quantile(drawn_rate(passed, 200, n=1_000, seed=trial, stream="x"), [0.05, 0.95])
        held.append(low <= rate <= high)
    assert 0.88 <= np.mean(held) <= 0.92


def test_a_stream_has_its_own_draws():
    assert generator(1, "a").random() == generator(1, "a").random() != generator(1, "b").random()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: RepeatedRuns(()), "Give the runs of 1 to 100,000 items, not 0"),
        (lambda: runs_of((6, 5), (1, 5)), "has 6 passed of 5 runs"),
        (lambda: runs_of((0, 0), (1, 5)), "give 1 to 1,000 runs"),
        (lambda: runs_of((-1, 5), (1, 5)), "has -1 passed"),
        (lambda: runs_of((1, 5), (1, 5), clusters=["a", "a"]), "All items are of one cluster"),
        (lambda: runs_of((1, 5), (1, 2)).moments(3), "3 tries need 3 runs of each item, and one has 2"),
        (lambda: runs_of((1, 5), (1, 2)).pass_at(3), "3 tries need 3 runs"),
    ],
)
def test_runs_that_say_nothing_are_refused(make, words):
    with pytest.raises(Invalid, match=words):
        make()


LINES = (
    {"id": "t-1", "passed": [True, False, True], "cluster": "returns"},
    {"id": "t-2", "passed": 2, "runs": 3, "cluster": "returns"},
    {"id": "t-3", "passed": [False, False, False]},
)


def written(path, *lines):
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines) + "\n\n")
    return path


def test_a_file_has_an_item_a_line(tmp_path):
    found = read_runs(written(tmp_path / "runs.jsonl", *LINES))
    assert found.items == (
        ItemRuns(passed=2, runs=3, cluster="returns"),
        ItemRuns(passed=2, runs=3, cluster="returns"),
        ItemRuns(passed=0, runs=3, cluster="t-3"),
    )
    assert found.clusters == 2 < FEW_CLUSTERS


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "runs.jsonl, line 4 is not valid JSON"),
        ("[1]", "line 4 is not a JSON object"),
        ({"id": "t-1", "passed": [True]}, "line 4: the id 't-1' repeats"),
        ({"id": "t-4", "passed": [1, 0]}, "line 4.passed must list true and false"),
        ({"id": "t-4", "passed": 2}, "line 4.runs is missing"),
        ({"id": "t-4"}, "line 4.passed is missing"),
        ({"id": "t-4", "passed": [True], "score": 1}, "line 4.score is unknown"),
        ({"passed": [True]}, "line 4.id is missing"),
    ],
)
def test_a_faulty_line_is_named(tmp_path, line, words):
    with pytest.raises(Invalid, match=words):
        read_runs(written(tmp_path / "runs.jsonl", *LINES, line))


def test_a_file_has_a_bounded_number_of_items(tmp_path, monkeypatch):
    monkeypatch.setattr("weighbridge.costs.value.runs_file.ITEMS_MAX", 2)
    with pytest.raises(Invalid, match="has more than 2 items; take a sample"):
        read_runs(written(tmp_path / "runs.jsonl", *LINES))
    with pytest.raises(Invalid, match="none"):
        read_runs(tmp_path / "none.jsonl")
