"""Claims travel with the artifact: only evidence and votes lower what was claimed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.evidence.domain.claims import (
    CLAIMED,
    RecordedValue,
    binding_values,
    bound_values,
    counted_values,
    lowered_claims,
    values_on_record,
)
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.core.metrics.values import Contradiction, MetricValue, best

NOW = datetime(2026, 5, 4, tzinfo=UTC)
DAY = timedelta(days=1)
HOURS = "training_gpu_hours"


def value(
    number: str | int | Decimal,
    name: str = HOURS,
    *,
    basis: Basis = Basis.DECLARED,
    at: datetime = NOW,
    id: str = "1",  # noqa: A002 -- the name of the field
    **more: object,
) -> MetricValue:
    unit = STANDARD[name].unit
    return MetricValue(
        name=name,
        value=Decimal(number),
        unit=unit,
        basis=basis,
        observed_at=at,
        id=id,
        **more,  # type: ignore[arg-type]
    )


def recorded(
    one: MetricValue, request: int = 1, *, submitted_at: datetime = NOW, approved_at: datetime | None = None
) -> RecordedValue:
    return RecordedValue(value=one, request_id=request, submitted_at=submitted_at, approved_at=approved_at)


def counted(own: list[MetricValue], record: list[MetricValue], name: str = HOURS) -> MetricValue | None:
    return best(
        counted_values(own, binding=binding_values(own, on_record=record, catalog=STANDARD), catalog=STANDARD),
        name=name,
        catalog=STANDARD,
    )


def lowered(own: list[MetricValue], record: list[MetricValue]) -> tuple[Contradiction, ...]:
    return lowered_claims(own, binding=binding_values(own, on_record=record, catalog=STANDARD), catalog=STANDARD)


def test_a_lower_claim_does_not_count_and_is_a_contradiction() -> None:
    own, record = value(50), value(900, id="2")
    assert counted([own], [record]) == record
    (found,) = lowered([own], [record])
    assert (found.name, found.claimed, found.measured, found.is_worse) == (HOURS, own, record, True)
    assert found.message.startswith("Training GPU hours is declared as 50 GPU h, but 900 GPU h is on record")


def test_a_higher_or_equal_claim_counts() -> None:
    for number in ("900", "901"):
        own = value(number)
        assert counted([own], [value(900, id="2")]) == own
        assert lowered([own], [value(900, id="2")]) == ()


def test_for_metrics_where_more_is_better_the_lower_value_on_record_counts() -> None:
    record = value("0.70", "accuracy", id="2")
    assert counted([value("0.95", "accuracy")], [record], "accuracy") == record
    assert counted([value("0.60", "accuracy")], [record], "accuracy") == value("0.60", "accuracy")


@pytest.mark.parametrize("basis", [Basis.MEASURED, Basis.BILLED])
def test_evidence_lowers_a_claim_and_evidence_on_record_raises_one(basis: Basis) -> None:
    own = value(50, basis=basis)
    assert counted([own], [value(900, id="2")]) == own
    assert lowered([own], [value(900, id="2")]) == ()
    evidence = value(900, basis=basis, id="2")
    assert counted([value(50)], [evidence]) == evidence


@pytest.mark.parametrize("p80", [None, Decimal(100)])
def test_an_estimate_lowers_no_declaration_however_wide_its_range(p80: Decimal | None) -> None:
    estimate = value(80, basis=Basis.ESTIMATED, p80=p80, lower=Decimal(0), upper=Decimal(10**9))
    assert counted([estimate], [value(81, id="2")]) == value(81, id="2")
    assert counted([estimate], [value(80, id="2")]) == estimate


def test_a_recalculation_replaces_only_estimates_of_the_deployment_of_the_same_projection() -> None:
    for name, is_bound in (("inference_cost_1y_usd", False), ("training_cost_usd", True)):
        own, record = value(80, name, basis=Basis.ESTIMATED), value(110, name, basis=Basis.ESTIMATED, id="2")
        found = binding_values([own], on_record=[record], corrected={own.id, record.id}, catalog=STANDARD)
        assert found == ((record,) if is_bound else ())
        assert binding_values([own], on_record=[record], corrected={own.id}, catalog=STANDARD) == (record,)


def test_a_total_on_record_binds_a_computed_total_which_is_no_claim() -> None:
    own = [value(10, "training_cost_usd"), value(5, "inference_cost_1y_usd", id="2")]
    record = [value(900, "total_cost_1y_usd", id="3")]
    assert counted(own, record, "total_cost_1y_usd") == record[0]
    assert lowered(own, record) == ()


def test_a_stated_total_without_its_parts_is_bound_too() -> None:
    own, record = [value(10, "total_cost_1y_usd")], [value(900, "total_cost_1y_usd", id="2")]
    binding = binding_values(own, on_record=record, catalog=STANDARD)
    assert bound_values(own, binding=binding) == (record[0],)
    assert counted(own, record, "total_cost_1y_usd") is None
    assert lowered(own, record) == ()


def test_the_business_gain_is_of_one_purpose_and_does_not_travel() -> None:
    own = value("0.05", "business_kpi_delta")
    assert counted([own], [value("0.01", "business_kpi_delta", id="2")], "business_kpi_delta") == own


def test_a_value_on_record_raises_the_total_too() -> None:
    own = [value(10, "training_cost_usd"), value(5, "inference_cost_1y_usd", id="2")]
    found = counted(own, [value(600, "training_cost_usd", id="3")], "total_cost_1y_usd")
    assert found is not None
    assert found.value == 605


def test_a_request_without_a_claim_gets_none_from_the_record() -> None:
    assert counted([], [value(900)]) is None


def test_corrections_of_a_draft_are_not_on_record() -> None:
    rows = [
        recorded(value(9000, at=NOW - 2 * DAY), submitted_at=NOW),
        recorded(value(900, at=NOW - DAY, id="2"), submitted_at=NOW),
        recorded(value(100, at=NOW + DAY, id="3"), submitted_at=NOW),
    ]
    assert [one.id for one in values_on_record(rows, now=NOW + DAY, catalog=STANDARD)] == ["2", "3"]


def test_an_approval_settles_earlier_claims_and_keeps_its_own_latest() -> None:
    approved = NOW + 5 * DAY
    rows = [
        recorded(value(900), 1),
        recorded(value(700, id="2", at=NOW + DAY), 2, approved_at=approved),
        recorded(value(300, id="3", at=NOW + 2 * DAY), 2, approved_at=approved),
        recorded(value(250, id="4", at=NOW + 6 * DAY), 3),
    ]
    assert [one.id for one in values_on_record(rows, now=NOW + 9 * DAY, catalog=STANDARD)] == ["3", "4"]


def test_evidence_stays_on_record_until_it_expires() -> None:
    row = recorded(value(900, basis=Basis.MEASURED, valid_until=NOW + DAY))
    later = recorded(value(5, id="2"), 2, approved_at=NOW + DAY / 2)
    assert [one.id for one in values_on_record([row, later], now=NOW, catalog=STANDARD)] == ["1", "2"]
    assert [one.id for one in values_on_record([row, later], now=NOW + DAY, catalog=STANDARD)] == ["2"]


@pytest.mark.parametrize("basis", sorted(CLAIMED))
def test_a_claim_does_not_leave_the_record_by_its_own_end(basis: Basis) -> None:
    row = recorded(value(900, basis=basis, valid_until=NOW + DAY))
    assert [one.id for one in values_on_record([row], now=NOW + DAY, catalog=STANDARD)] == ["1"]


numbers = st.lists(st.integers(0, 1000), min_size=1, max_size=6)


@given(numbers, st.integers(0, 1000))
def test_no_sequence_of_claims_lowers_what_counts(claimed: list[int], own: int) -> None:
    record = [value(number, id=str(place)) for place, number in enumerate(claimed)]
    found = counted([value(own, id="own")], record)
    assert found is not None
    assert found.value == max(own, *claimed)
