"""Weights: the three ways to state them, pymcdm beside them, and what contradicts itself is named."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymcdm.weights.subjective import AHP

from tests.refusals import has_code
from weighbridge.core.errors import Invalid
from weighbridge.tradeoff.matrix.weights import Judgment, WeightMethod, ahp, consistency_ratio, direct, swing

NAMES = ("cost", "latency", "accuracy", "development")


def judgments(table) -> list[Judgment]:
    pairs = itertools.combinations(range(len(table)), 2)
    return [Judgment(NAMES[i], NAMES[j], float(table[i][j])) for i, j in pairs]


def test_direct_weights_are_shares_or_percentages() -> None:
    assert direct({"a": 0.7, "b": 0.3}).values == {"a": 0.7, "b": 0.3}
    found = direct({"a": 70, "b": 30})
    assert (found.method, found.values, found.given) == (
        WeightMethod.DIRECT,
        {"a": 0.7, "b": 0.3},
        {"direct": {"a": 70, "b": 30}},
    )
    with pytest.raises(Invalid, match=r"sum to 1 or percentages that sum to 100; these sum to 1\.2") as refused:
        direct({"a": 0.7, "b": 0.5})
    assert refused.value.field == "weights.direct"


def test_swings_are_scaled_by_their_sum() -> None:
    assert swing({"a": 100, "b": 60, "c": 40}).values == {"a": 0.5, "b": 0.3, "c": 0.2}
    with pytest.raises(Invalid, match="must have 100 points, the others fewer; the largest here is 80"):
        swing({"a": 80, "b": 60})


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_no_weight_is_negative_or_endless(value) -> None:
    with pytest.raises(Invalid, match="must be a number of zero or more") as refused:
        direct({"a": 1.0, "b": value})
    assert refused.value.field == "weights.direct.b"


def test_something_must_count() -> None:
    with pytest.raises(Invalid, check=has_code("weights_sum")):
        swing({"a": 0, "b": 0})


@given(st.lists(st.integers(1, 9), min_size=4, max_size=4))
def test_judgments_that_follow_from_points_give_the_points_back(points) -> None:
    ratios = [[points[i] / points[j] for j in range(4)] for i in range(4)]
    found = ahp(NAMES, judgments(ratios))
    assert list(found.values.values()) == pytest.approx([point / sum(points) for point in points])
    assert found.consistency_ratio == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("upper", [(2, 1, 3, 0.5, 2, 3), (3, 5, 7, 2, 3, 2), (1, 1, 1, 1, 1, 1), (0.5, 2, 4, 3, 5, 2)])
def test_ahp_agrees_with_pymcdm(upper) -> None:
    table = np.eye(4)
    for value, (i, j) in zip(upper, itertools.combinations(range(4), 2), strict=True):
        table[i, j], table[j, i] = value, 1 / value
    oracle = AHP(matrix=table)
    found = ahp(NAMES, judgments(table))
    assert list(found.values.values()) == pytest.approx(oracle())
    assert found.consistency_ratio == pytest.approx(oracle.get_cr(), abs=1e-12)
    assert consistency_ratio(table) < 0.1


def test_a_contradiction_names_the_judgment_and_what_would_fit() -> None:
    given_ = [
        Judgment("cost", "latency", 3),
        Judgment("cost", "accuracy", 1 / 9),
        Judgment("cost", "development", 5),
        Judgment("latency", "accuracy", 0.5),
        Judgment("latency", "development", 2),
        Judgment("accuracy", "development", 3),
    ]
    with pytest.raises(Invalid, match=r"consistency ratio is 0\.3") as refused:
        ahp(NAMES, given_)
    assert refused.value.code == "ahp_inconsistent"
    assert refused.value.field == "weights.ahp[1].times"
    assert (
        "cost over accuracy, 1/9 times; the others imply about 1.6, with which the ratio would be 0.00."
        in refused.value.reason
    )


def test_what_would_fit_may_lie_below_one() -> None:
    with pytest.raises(Invalid, match=r"imply about 1/\d"):
        ahp(
            NAMES[:3],
            [
                Judgment("cost", "latency", 9),
                Judgment("cost", "accuracy", 1 / 3),
                Judgment("latency", "accuracy", 3),
            ],
        )


def test_two_criteria_cannot_contradict() -> None:
    found = ahp(NAMES[:2], [Judgment("cost", "latency", 3)])
    assert found.values == {"cost": pytest.approx(0.75), "latency": pytest.approx(0.25)}
    assert found.consistency_ratio == 0
    assert found.given == {"ahp": [{"more": "cost", "than": "latency", "times": 3}]}


@pytest.mark.parametrize(
    ("made", "said", "field"),
    [
        ([Judgment("cost", "latency", 10)], "times must be between 1/9 and 9, not 10", "weights.ahp[0].times"),
        ([Judgment("cost", "color", 2)], "judges cost against color: not a pair", "weights.ahp[0]"),
        ([Judgment("cost", "cost", 2)], "judges cost against cost: not a pair", "weights.ahp[0]"),
        ([Judgment("cost", "latency", 2), Judgment("latency", "cost", 2)], "or already judged", "weights.ahp[1]"),
        (
            [Judgment("cost", "latency", 2)],
            "cost is not judged against accuracy; 2 of 3 pairs are open",
            "weights.ahp",
        ),
    ],
)
def test_judgments_that_are_none_are_refused(made, said, field) -> None:
    with pytest.raises(Invalid) as refused:
        ahp(NAMES[:3], made)
    assert said in refused.value.reason
    assert refused.value.field == field


def test_more_criteria_than_have_a_random_index_are_refused() -> None:
    with pytest.raises(Invalid, match="Pairwise judgments support 1 to 15 criteria, not 16"):
        ahp([str(index) for index in range(16)], [])
