"""Runs that were repeated until a limit held: exactly those that a valid earlier run contradicts, with its value."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.rulebook.domain.evaluation.limits import EvaluationCase
from governance.rulebook.domain.evaluation.metric_index import index_values
from governance.rulebook.domain.metric_limits import Comparator, MetricLimit, Reference, Statistic, Versus
from governance.rulebook.domain.metric_limits import Measure as RelativeTo
from governance.rulebook.domain.scopes import EvaluationSubject
from reviews.evidence.domain.repeated_runs import RepeatedRun, RunConditions, RunMeasurement, repeated_runs
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.core.metrics.values import MetricValue

NOW = datetime(2026, 5, 4, tzinfo=UTC)
SUBJECT = EvaluationSubject(team="search", tier="T1", environment="prod", kind="file", format="onnx", task="ranking")
P95 = "latency_p95_ms"
LIMIT = MetricLimit(
    metric=P95,
    comparator=Comparator.AT_MOST,
    limit=Decimal(100),
    unit="ms",
    accept=(Basis.MEASURED,),
    statistic=Statistic.UPPER,
)
SINGLE = RunConditions(scenario="SingleStream", hardware="cpu")


def run(number: int, upper: str | int | Decimal, **changes: object) -> RunMeasurement:
    """Run `number`, the later the larger, with this upper bound of the p95."""
    value = MetricValue(
        name=P95,
        value=Decimal(1),
        upper=Decimal(upper),
        unit="ms",
        basis=Basis.MEASURED,
        observed_at=NOW + timedelta(hours=number),
        valid_until=NOW + timedelta(days=180),
        id=str(number),
    )
    made = RunMeasurement(value=value, run_id=number, ref="", is_valid=True, conditions=SINGLE)
    return replace(made, **changes)  # type: ignore[arg-type]


def found(
    *runs: RunMeasurement, limit: MetricLimit = LIMIT, others: tuple[MetricValue, ...] = (), days: int = 1
) -> tuple[RepeatedRun, ...]:
    index = index_values([*(each.value for each in runs), *others], catalog=STANDARD)
    references = {(Reference.PRODUCTION, P95): Decimal(50)}
    case = EvaluationCase(subject=SUBJECT, index=index, now=NOW + timedelta(days=days), references=references)
    return repeated_runs(runs, limits=[limit, limit], case=case)


def test_the_fourth_run_that_meets_the_limit_tells_of_the_three_that_missed_it() -> None:
    (repeated,) = found(run(1, 103), run(2, 102), run(3, "101.4"), run(4, "99.8"))
    assert (repeated.run_id, repeated.number, repeated.observed) == (4, 4, "99.8 ms")
    assert [miss.run_id for miss in repeated.missed] == [1, 2, 3]
    assert repeated.sentence == (
        "Run 4 is measurement 4 of SingleStream on cpu for this artifact. It meets a limit that 3 valid earlier runs "
        "missed: Latency p95 (upper) at most 100 ms. It has 99.8 ms; run 1 had 103 ms, run 2 had 102 ms, run 3 had "
        "101.4 ms."
    )


def test_the_three_worst_runs_are_named_and_the_others_are_counted() -> None:
    (repeated,) = found(run(1, 101), run(2, 105, ref="MRR-2026-0001"), run(3, 103), run(4, 104), run(5, 100))
    assert repeated.sentence.endswith(
        "that 4 valid earlier runs missed: Latency p95 (upper) at most 100 ms. It has 100 ms; run 2 of MRR-2026-0001 "
        "had 105 ms, run 4 had 104 ms, run 3 had 103 ms (and 1 more missed it)."
    )


def test_a_floor_is_missed_from_below_and_a_miss_by_a_hair_is_not_rounded_away() -> None:
    floor = replace(LIMIT, comparator=Comparator.AT_LEAST, statistic=Statistic.UPPER)
    (repeated,) = found(run(1, "99.99999999"), run(2, 98), run(3, 101), limit=floor)
    assert repeated.sentence.endswith(
        "that 2 valid earlier runs missed: Latency p95 (upper) at least 100 ms. It has 101 ms; run 2 had 98 ms, run 1 "
        "had 99.99999999 ms."
    )


def test_a_limit_relative_to_a_reference_counts_too() -> None:
    relative = replace(LIMIT, limit=Decimal(10), versus=Versus(Reference.PRODUCTION, RelativeTo.PERCENT))
    (repeated,) = found(run(1, 56), run(2, 55), limit=relative)
    assert "1 valid earlier run missed: Latency p95 (upper) at most 10 percent relative to" in repeated.sentence
    assert repeated.sentence.endswith("It has 55 ms; run 1 had 56 ms.")


def test_an_earlier_run_keeps_having_missed_the_limit_after_its_value_expired() -> None:
    old = run(1, 103)
    expired = replace(old, value=replace(old.value, valid_until=NOW + timedelta(hours=2)))
    assert [each.number for each in found(expired, run(2, 99))] == [2]


def test_an_indicative_run_is_counted_and_does_not_miss() -> None:
    runs = (run(1, 103, is_valid=False), run(2, 102), run(3, 99))
    assert [(each.number, [miss.run_id for miss in each.missed]) for each in found(*runs)] == [(3, [2])]
    assert found(run(1, 103, is_valid=False), run(2, 99)) == ()


BILLED = MetricValue(
    name=P95, value=Decimal(1), upper=Decimal(1), unit="ms", basis=Basis.BILLED, observed_at=NOW, id="bill"
)


@pytest.mark.parametrize(
    ("runs", "others", "days"),
    [
        ((), (), 1),
        ((run(1, 99), run(2, 98)), (), 1),
        ((run(1, 103), run(2, 102)), (), 1),
        ((run(1, 99), run(2, 103)), (), 1),
        ((run(1, 103, conditions=replace(SINGLE, scenario="Server")), run(2, 99)), (), 1),
        ((run(1, 103, conditions=replace(SINGLE, hardware="gpu")), run(2, 99)), (), 1),
        ((run(1, 103, conditions=replace(SINGLE, data_digest="sha256:aa")), run(2, 99)), (), 1),
        ((run(1, 103), run(2, 99)), (BILLED,), 1),  # no run is behind the value that counts
        ((run(1, 103), run(2, 99)), (), 181),  # the value that counts has expired, so that it meets nothing
    ],
)
def test_what_is_no_repetition_until_a_limit_holds(
    runs: tuple[RunMeasurement, ...], others: tuple[MetricValue, ...], days: int
) -> None:
    limit = replace(LIMIT, accept=(Basis.MEASURED, Basis.BILLED)) if others else LIMIT
    assert found(*runs, others=others, limit=limit, days=days) == ()


@given(
    st.lists(
        st.tuples(
            st.integers(97, 103),
            st.booleans(),
            st.sampled_from(["SingleStream", "Server"]),
            st.sampled_from(["cpu", "gpu"]),
        ),
        max_size=6,
    )
)
def test_a_run_is_named_exactly_if_a_valid_earlier_one_of_the_same_scenario_and_hardware_missed_the_limit(
    drawn: list[tuple[int, bool, str, str]],
) -> None:
    runs = [
        run(number, upper, is_valid=is_valid, conditions=RunConditions(scenario=scenario, hardware=hardware))
        for number, (upper, is_valid, scenario, hardware) in enumerate(drawn, 1)
    ]
    missed: set[int] = set()
    if drawn and drawn[-1][0] <= 100:
        missed = {
            number
            for number, (upper, is_valid, *conditions) in enumerate(drawn[:-1], 1)
            if is_valid and upper > 100 and conditions == list(drawn[-1][2:])
        }
    assert {miss.run_id for each in found(*runs) for miss in each.missed} == missed
    assert [each.run_id for each in found(*runs)] == ([len(drawn)] if missed else [])
