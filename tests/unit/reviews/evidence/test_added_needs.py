"""Splitting a need over several requests for one artifact escapes no review that the whole would need."""

from dataclasses import replace
from decimal import Decimal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from governance.rulebook.domain import defaults
from governance.rulebook.domain.evaluation.policies import PolicyOutcome, evaluate
from governance.rulebook.domain.policy import parse_policy
from governance.rulebook.domain.scopes import EvaluationSubject
from reviews.evidence.domain.added_needs import ClearedNeed, with_needs, with_words
from tests.unit.reviews.evidence.test_claims import NOW, value
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.core.metrics.values import MetricValue, best

TOTAL, TRAINING, SERVING, HOURS = (
    "total_cost_1y_usd",
    "training_cost_usd",
    "inference_cost_1y_usd",
    "training_gpu_hours",
)
POLICY = parse_policy(yaml.safe_load(defaults.text_of(defaults.POLICY)))
STAGING = EvaluationSubject(
    team="search", tier="T1", environment="staging", kind="file", format="onnx", task="classification"
)


def need(values: list[MetricValue], *, own: bool = True, ref: str = "MRR-1") -> ClearedNeed:
    return ClearedNeed(ref=ref, of_own_team=own, values=values)


def costs(training: Decimal, serving: Decimal, hours: Decimal) -> list[MetricValue]:
    return [value(training, TRAINING), value(serving, SERVING), value(hours, HOURS)]


def added(own: list[MetricValue], *needs: ClearedNeed, name: str = HOURS) -> Decimal | None:
    found = best(with_needs(own, needs=needs, catalog=STANDARD), name=name, catalog=STANDARD)
    return None if found is None else found.value


def needs_review(values: list[MetricValue], *needs: ClearedNeed) -> bool:
    counted = with_needs(values, needs=needs, catalog=STANDARD)
    outcome = evaluate(POLICY, subject=STAGING, metric_values=counted, catalog=STANDARD, now=NOW).outcome
    return outcome.rank >= PolicyOutcome.REVIEW_REQUIRED.rank


@pytest.mark.parametrize(
    ("needs", "expected"),
    [
        ((), 10),
        ((need([value(20)]),), 30),
        ((need([value(20)]), need([value(5)], own=False)), 35),
        ((need([value(20), value(90, basis=Basis.MEASURED)]),), 100),  # the value that counts
        ((need([value(7, SERVING)]),), 10),  # another metric
        ((need([]),), 10),
    ],
)
def test_amounts_of_cleared_needs_are_added(needs: tuple[ClearedNeed, ...], expected: int) -> None:
    assert added([value(10)], *needs) == expected


def test_the_total_follows_its_parts() -> None:
    own = [value(5_000, TRAINING), value(10_000, SERVING)]
    other = [value(1_000, TRAINING), value(2_000, SERVING)]
    assert added(own, need(other), name=TOTAL) == 18_000
    assert added([*own, value(20_000, TOTAL)], need([*other, value(4_000, TOTAL)]), name=TOTAL) == 24_000
    assert added([*own, value(15_000, TOTAL)], need(other), name=TOTAL) == 18_000
    assert added([value(5_000, TRAINING)], need(other), name=TOTAL) is None


def test_ranges_are_added_at_their_upper_ends() -> None:
    own = value(10, basis=Basis.ESTIMATED, lower=Decimal(8), upper=Decimal(14), p80=Decimal(12))
    other = value(20, basis=Basis.ESTIMATED, lower=Decimal(1), upper=Decimal(26))
    (found,) = with_needs([own], needs=[need([other])], catalog=STANDARD)
    expected = {"value": 30, "lower": Decimal(8), "upper": 40, "p80": 38, "source": "added up"}
    assert found == replace(own, **expected)  # type: ignore[arg-type]
    (plain,) = with_needs([value(10)], needs=[need([other])], catalog=STANDARD)
    assert (plain.value, plain.upper, plain.p80) == (30, None, None)


@pytest.mark.parametrize("name", ["cost_per_1k_usd", "latency_p95_ms", "accuracy"])
def test_what_is_no_amount_is_not_added(name: str) -> None:
    own = [value("0.5", name)]
    assert with_needs(own, needs=[need([value("0.5", name)])], catalog=STANDARD) == tuple(own)


@pytest.mark.parametrize(
    ("needs", "words"),
    [
        ([need([])], "With MRR-1, which is"),
        ([need([]), need([], ref="MRR-2")], "With MRR-1 and MRR-2, which are"),
        ([need([]), need([], ref="MRR-2"), need([], ref="MRR-3")], "With MRR-1, MRR-2 and MRR-3, which are"),
        ([need([], own=False)], "With a request of another team, which is"),
        ([need([], own=False), need([], own=False)], "With 2 requests of other teams, which are"),
        ([need([], own=False), need([], ref="MRR-2")], "With MRR-2 and a request of another team, which are"),
    ],
)
def test_the_sentence_names_requests_of_the_own_team_alone(needs: list[ClearedNeed], words: str) -> None:
    assert with_words(needs, environment="staging") == f"{words} cleared for the same artifact in staging"


@given(
    parts=st.lists(
        st.tuples(*[st.decimals(0, high, places=2) for high in (10_500, 60_000, 210)]), min_size=1, max_size=5
    )
)
def test_splitting_a_need_escapes_no_review(parts: list[tuple[Decimal, Decimal, Decimal]]) -> None:
    cleared: list[ClearedNeed] = []
    for training, serving, hours in parts:
        own = costs(training, serving, hours)
        if not (needs_review(own) or needs_review(own, *cleared)):
            cleared.append(need(own))
    whole = [sum(amounts, Decimal(0)) for amounts in zip(*parts, strict=True)]
    assert (len(cleared) < len(parts)) == needs_review(costs(*whole))
