"""How many prompts a comparison needs: the published table, clusters, and the power by simulation."""

import numpy as np
import pytest

from weighbridge.core.errors import Invalid
from weighbridge.quality.paired import score_bounds
from weighbridge.quality.prompts.planning import ComparisonPlan, paired_prompts, prompts_document, unpaired_prompts

PAIRED = {
    (0.01, 0.1): 7_847,
    (0.01, 0.2): 15_696,
    (0.01, 0.3): 23_545,
    (0.02, 0.1): 1_960,
    (0.02, 0.2): 3_923,
    (0.02, 0.3): 5_885,
    (0.03, 0.1): 870,
    (0.03, 0.2): 1_742,
    (0.03, 0.3): 2_614,
    (0.05, 0.1): 312,
    (0.05, 0.2): 626,
    (0.05, 0.3): 940,
    (0.10, 0.2): 155,
    (0.10, 0.3): 234,
}
UNPAIRED = {0.01: 25_580, 0.02: 6_507, 0.03: 2_940, 0.05: 1_091, 0.10: 291}


@pytest.mark.parametrize(("difference", "disagreement"), PAIRED)
def test_pairs_of_the_table(difference, disagreement):
    plan = ComparisonPlan(difference=difference, disagreement=disagreement)
    assert paired_prompts(plan) == PAIRED[difference, disagreement]


@pytest.mark.parametrize("difference", UNPAIRED)
def test_different_prompts_of_the_table(difference):
    assert unpaired_prompts(ComparisonPlan(difference=difference)) == UNPAIRED[difference]


@pytest.mark.parametrize(("icc", "effect"), [(0.0, 1.0), (0.1, 1.9), (0.3, 3.7)])
def test_clusters_multiply_by_the_design_effect(icc, effect):
    plan = ComparisonPlan(difference=0.05, cluster_size=10, icc=icc)
    assert plan.design_effect == pytest.approx(effect)
    # 625.547… prompts before rounding, from the formula with exact quantiles.
    assert paired_prompts(plan) == int(np.ceil(625.5473178337214 * plan.design_effect))


def test_the_plan_has_its_power():
    plan = ComparisonPlan(difference=0.1, disagreement=0.2)
    n, rng, runs, found = paired_prompts(plan), np.random.default_rng(31), 600, 0
    for better, worse, _ in rng.multinomial(n, [0.15, 0.05, 0.8], size=runs):
        found += score_bounds(better, worse, n, confidence=0.95)[0] > 0
    assert abs(found / runs - 0.8) < 0.07


def test_the_document_repeats_the_plan():
    document = prompts_document(ComparisonPlan(difference=0.02))
    assert (document["paired"], document["unpaired_each"], document["design_effect"]) == (3_923, 6_507, 1.0)
    assert document["plan"]["power"] == 0.8


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"difference": 0}, "difference"),
        ({"power": 1}, "power"),
        ({"icc": 1.1}, "icc"),
        ({"cluster_size": 0.5}, "cluster_size"),
        ({"difference": 0.3}, "disagreement"),
        ({"difference": 0.1, "pass_rate": 0.1}, "difference"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(changes, field):
    with pytest.raises(Invalid) as refused:
        ComparisonPlan(**{"difference": 0.02} | changes)
    assert refused.value.field == field
