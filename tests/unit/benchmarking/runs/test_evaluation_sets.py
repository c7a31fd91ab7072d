"""When quality on an evaluation set is measured, and when it is only declared."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarking.runs.domain.evaluation_sets import DatasetPurpose, DatasetStatus, EvaluationSet, balance_lines
from benchmarking.runs.domain.evaluation_sets import reason_not_measured as reason
from weighbridge.core.metrics.standard import is_quality_metric
from weighbridge.quality.scores import measure_quality
from weighbridge.quality.scoring.measuring import ScoreSettings

GOOD = EvaluationSet(
    name="held-out", version=2, purpose="acceptance", status="governed", steward_teams=frozenset({"data"})
)


def test_a_governed_set_for_acceptance_is_measured_on() -> None:
    assert reason(GOOD, team="search", accepted=()) == ""
    assert GOOD.title == "held-out@2"


@pytest.mark.parametrize(
    ("changes", "team", "accepted", "words"),
    [
        ({"status": "proposed"}, "search", (), "held-out@2 is not governed: no data steward has confirmed it."),
        ({"status": "retired"}, "search", (), "held-out@2 is retired."),
        ({"purpose": "development"}, "search", (), "held-out@2 is for development, not for acceptance."),
        ({}, "data", (), "The data steward of the evaluation set held-out@2 belongs to the team of the request."),
        (
            {},
            "search",
            ("other", "held-out@1"),
            "accept the evaluation set held-out@2, only other, held-out@1.",
        ),
    ],
)
def test_anything_else_is_declared_and_says_why(
    changes: dict[str, str], team: str, accepted: tuple[str, ...], words: str
) -> None:
    found = reason(replace(GOOD, **changes), team=team, accepted=accepted)  # type: ignore[arg-type]
    assert found.endswith(words)


@pytest.mark.parametrize("accepted", [("held-out",), ("held-out@2",), ("other", "held-out@2")])
def test_a_policy_accepts_a_name_or_a_version(accepted: tuple[str, ...]) -> None:
    assert reason(GOOD, team="search", accepted=accepted) == ""


@given(
    status=st.sampled_from(list(DatasetStatus)),
    purpose=st.sampled_from(list(DatasetPurpose)),
    stewards=st.frozensets(st.sampled_from(["search", "ads", "data"])),
    team=st.sampled_from(["search", "ads"]),
    accepted=st.lists(st.sampled_from(["held-out", "held-out@1", "held-out@2", "other"])).map(tuple),
)
def test_only_all_conditions_together_make_a_measurement(
    status: str, purpose: str, stewards: frozenset[str], team: str, accepted: tuple[str, ...]
) -> None:
    data = EvaluationSet(name="held-out", version=2, purpose=purpose, status=status, steward_teams=stewards)
    is_accepted = not accepted or bool({"held-out", "held-out@2"} & set(accepted))
    is_measured = status == "governed" and purpose == "acceptance" and team not in stewards and is_accepted
    assert (reason(data, team=team, accepted=accepted) == "") == is_measured


def test_the_balance_is_by_class_number() -> None:
    assert balance_lines({"10": 1, "2": 3}) == (("2", 3, 0.75), ("10", 1, 0.25))
    assert balance_lines({}) == ()


@pytest.mark.parametrize("truth", [np.arange(60) % 2, np.linspace(1, 2, 60)])
def test_every_metric_of_quality_is_known_as_one(truth: np.ndarray) -> None:
    answers = np.random.default_rng(0).normal(size=(60, 2 if truth.dtype.kind == "i" else 1))
    quality = measure_quality(
        lambda start, stop: answers[start:stop],
        truth,
        batch=60,
        score=ScoreSettings(resamples=100),
        on_tick=lambda _: None,
    )
    found = [*quality.measured.intervals]
    assert found
    assert all(map(is_quality_metric, found))
