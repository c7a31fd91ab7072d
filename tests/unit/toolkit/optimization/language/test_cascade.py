"""Cascades: the threshold, its honest measurement on other clusters, and the simulation of both."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.toolkit.optimization.language.builders import (
    SMALL,
    candidate,
    compared,
    write_answers,
    write_confidence,
    write_prompts,
)
from tests.unit.toolkit.quality.prompts.builders import prompt
from weighbridge.core.errors import Invalid
from weighbridge.optimization.language.cascade import choose_threshold, halves, read_confidence
from weighbridge.quality.prompts.attempts import PromptValues
from weighbridge.quality.prompts.difference import difference_interval

N = 400
CASCADE = {"name": "both", "kind": "cascade", "first": "small", "confidence": "confidence.jsonl"}


@pytest.fixture
def folder(tmp_path):
    """The small model fails on every fourth prompt, where it is not confident; the large one on every tenth."""
    write_prompts(tmp_path, N, clusters=100)
    write_answers(tmp_path, "large", [place % 10 != 1 for place in range(N)])
    write_answers(tmp_path, "small", [place % 4 != 0 for place in range(N)])
    write_confidence(tmp_path, [0.2 if place % 4 == 0 else 0.9 for place in range(N)])
    return tmp_path


def test_a_cascade_is_measured_on_the_other_half_of_the_clusters(folder):
    document = compared(folder, SMALL, CASCADE)
    both = candidate(document, "both")
    routed = both["metrics"]["routed_share"]["value"]
    assert both["quality_drop"]["n"] == both["metrics"]["pass_rate"]["n"] == N // 2
    cost = both["metrics"]["cost_per_request_usd"]["value"]
    assert cost == pytest.approx(0.00055 + routed * 0.00275, rel=1e-12)
    assert 0.1 < routed < 0.4
    assert both["quality_drop"]["value"] < 0
    assert (both["made_by"], both["verdict"]["answer"]) == ("cascade of small and large", "worth_it")
    note = both["verdict"]["reasons"][0]
    assert note["code"] == "cascade.threshold"
    assert "below a confidence of 0.9, large is asked" in note["message"]
    assert "chosen on 200 prompts of other clusters" in note["message"]
    assert document["metrics"]["alternatives_measured"]["value"] == 2
    assert compared(folder, SMALL, CASCADE) == document


def test_the_threshold_does_not_see_the_measuring_half(folder):
    """Turning the answers of the measuring half around changes what is measured, and not the threshold."""
    before = candidate(compared(folder, SMALL, CASCADE), "both")
    choosing = halves([f"cluster c-{place % 100}" for place in range(N)], seed=20_260_101)
    write_answers(folder, "small", [bool(place % 4 != 0) == bool(choosing[place]) for place in range(N)])
    after = candidate(compared(folder, SMALL, CASCADE), "both")
    assert after["verdict"]["reasons"][0] == before["verdict"]["reasons"][0]
    assert after["quality_drop"]["value"] > 0.5 > before["quality_drop"]["value"]


def test_agreement_of_attempts_is_a_confidence_and_each_attempt_is_paid(folder):
    attempts = [[place % 4 != 0, place % 4 != 0, True] for place in range(N)]
    write_answers(folder, "small", attempts)
    agreeing = {key: value for key, value in CASCADE.items() if key != "confidence"}
    both = candidate(compared(folder, SMALL, agreeing | {"confidence_usd": 0.001}), "both")
    routed = both["metrics"]["routed_share"]["value"]
    assert "below a confidence of 1, large is asked" in both["verdict"]["reasons"][0]["message"]
    cost = both["metrics"]["cost_per_request_usd"]["value"]
    assert cost == pytest.approx(3 * 0.00055 + 0.001 + routed * 0.00275, rel=1e-12)


def test_stated_prices_are_paid_by_those_who_are_asked(folder):
    own = {"name": "small", "kind": "quantized", "answers": "small.jsonl", "usd_per_request": 0.0001}
    large = {"name": "large", "answers": "large.jsonl", "usd_per_request": 0.01}
    both = candidate(compared(folder, own, CASCADE, baseline=large), "both")
    routed = both["metrics"]["routed_share"]["value"]
    assert both["metrics"]["cost_per_request_usd"]["value"] == pytest.approx(0.0001 + routed * 0.01, rel=1e-12)


def test_where_nothing_keeps_the_quality_all_prompts_go_on(folder):
    write_confidence(folder, [0.5] * N)
    both = candidate(compared(folder, SMALL, CASCADE, margin=0.001), "both")
    assert both["metrics"]["routed_share"]["value"] == 1
    assert "always, large is asked: 100.0%" in both["verdict"]["reasons"][0]["message"]
    assert (both["verdict"]["answer"], both["quality_drop"]["value"]) == ("no_gain", 0.0)


def test_a_cascade_of_few_clusters_is_indicative_or_refused(tmp_path):
    write_prompts(tmp_path, 40, clusters=20)
    for name in ("large", "small"):
        write_answers(tmp_path, name, [place % 5 != 0 for place in range(40)])
    write_confidence(tmp_path, [0.5] * 40)
    both = candidate(compared(tmp_path, SMALL, CASCADE), "both")
    assert both["measurement"]["status"] == "indicative"
    assert any("10 clusters" in reason["message"] for reason in both["measurement"]["reasons"])
    write_prompts(tmp_path, 40, clusters=3)
    with pytest.raises(Invalid, match="prompts of 3 clusters"):
        compared(tmp_path, SMALL, CASCADE)


def test_a_confidence_is_needed_for_every_prompt_once(folder):
    write_confidence(folder, [0.5] * (N - 1))
    with pytest.raises(Invalid, match="no confidence for the prompt 't-399'"):
        compared(folder, SMALL, CASCADE)
    with pytest.raises(Invalid, match="two or more attempts at every prompt"):
        compared(folder, SMALL, {key: value for key, value in CASCADE.items() if key != "confidence"})
    line = json.dumps({"id": "t-0", "confidence": 1})
    (folder / "confidence.jsonl").write_text(f"{line}\n{line}\n")
    with pytest.raises(Invalid, match="repeats the prompt 't-0'"):
        read_confidence(folder / "confidence.jsonl")


scores = st.lists(st.tuples(st.integers(0, 5), st.integers(-1, 1), st.integers(1, 9)), min_size=1, max_size=30)


@settings(max_examples=100, deadline=None)
@given(rows=scores, margin=st.sampled_from([0.01, 0.2, 0.6]))
def test_the_threshold_is_the_cheapest_of_all_that_keep_the_quality(rows, margin):
    confidence, change, usd = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    found = choose_threshold(confidence, change, usd, baseline_change=np.zeros(len(rows)), margin=margin)

    def outcome(value):
        goes_on = confidence < value
        return -change[~goes_on].sum() / len(rows), usd[goes_on].sum()

    every = [outcome(value) for value in [*confidence, math.inf]]
    loss, cost = outcome(found.value)
    assert loss <= margin / 2 + 1e-9
    assert cost == min(each for lost, each in every if lost <= margin / 2 + 1e-9)


def test_a_second_model_that_loses_too_much_is_asked_always():
    half = np.array([1.0, 2.0])
    found = choose_threshold(half, -np.ones(2), half, baseline_change=-np.ones(2), margin=0.1)
    assert found.value == math.inf


@given(clusters=st.lists(st.sampled_from("abcdefgh"), min_size=20, max_size=60), seed=st.integers(0, 99))
def test_no_cluster_is_in_both_halves(clusters, seed):
    if len(set(clusters)) < 4:
        return
    choosing = halves(clusters, seed=seed)
    one = {name for name, is_so in zip(clusters, choosing, strict=True) if is_so}
    other = set(clusters) - one
    assert not one & {name for name, is_so in zip(clusters, choosing, strict=True) if not is_so}
    assert abs(len(one) - len(other)) <= 1


PROMPTS = tuple(prompt(f"t-{place}", cluster=f"c-{place % 120}") for place in range(480))
CLUSTERS = [each.cluster for each in PROMPTS]
LEVELS, FIRST, SECOND = 24, np.linspace(0.55, 0.95, 24), 0.85


def simulated(rng, seed):
    """One test: differences on both halves at the chosen threshold, and the true difference of that threshold.

    The confidence has 24 levels; prompts of a cluster share an effect on both models.
    """
    level = rng.integers(0, LEVELS, len(PROMPTS))
    effect = rng.normal(0, 0.05, 120)[np.arange(len(PROMPTS)) % 120]
    one = (rng.random(len(PROMPTS)) < FIRST[level] + effect).astype(float)
    base = (rng.random(len(PROMPTS)) < SECOND).astype(float)
    choosing = halves(CLUSTERS, seed=seed)
    threshold = choose_threshold(
        level[choosing].astype(float),
        (one - base)[choosing],
        np.ones(choosing.sum()),
        baseline_change=np.zeros(choosing.sum()),
        margin=0.06,
    )
    kept = ~threshold.goes_on(np.arange(LEVELS))
    truth = float(((FIRST - SECOND) * kept).mean())
    difference = np.where(threshold.goes_on(level), 0.0, one - base)
    return (
        difference[choosing].mean() - truth,
        PromptValues(
            tuple(each for each, is_so in zip(PROMPTS, choosing, strict=True) if not is_so), difference[~choosing]
        ),
        truth,
    )


def test_the_choosing_half_is_optimistic_and_the_measuring_half_covers():
    rng, optimism, errors, covered, runs = np.random.default_rng(3), [], [], 0, 800
    for seed in range(runs):
        optimistic, measured, truth = simulated(rng, seed)
        interval = difference_interval(measured, 0.95, seed=1)
        covered += interval.lower <= truth <= interval.upper
        optimism.append(optimistic)
        errors.append(interval.value - truth)
    spread = np.std(errors) / math.sqrt(runs)
    assert abs(np.mean(errors)) < 3 * spread
    assert np.mean(optimism) > 5 * spread
    assert 0.93 <= covered / runs <= 0.97
