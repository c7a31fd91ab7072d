"""Totals are computed from their parts: raised by people, never lowered, and unknown while a part is missing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.core.metrics.values import MetricValue, best
from weighbridge.costs.totals import least_total, total_of, with_parts, with_totals

NOW = datetime(2026, 5, 4, tzinfo=UTC)
TRAINING, SERVING, TOTAL = "training_cost_usd", "inference_cost_1y_usd", "total_cost_1y_usd"
amounts = st.decimals(0, 10**9, places=2)
bases = st.sampled_from([Basis.DECLARED, Basis.ESTIMATED])


def usd(name: str, value: str | Decimal, basis: Basis = Basis.DECLARED, **fields: object) -> MetricValue:
    return MetricValue(name=name, value=Decimal(value), unit="USD", basis=basis, observed_at=NOW, **fields)


def total(*values: MetricValue) -> MetricValue | None:
    return best(with_totals(values, catalog=STANDARD), name=TOTAL, catalog=STANDARD)


def test_a_total_below_its_parts_is_replaced_by_their_sum() -> None:
    found = total(usd(TRAINING, "900"), usd(SERVING, "900000"), usd(TOTAL, "100"))
    assert found is not None
    assert (found.value, found.basis, found.id) == (Decimal(900900), Basis.DECLARED, "")
    assert found.source == "computed: training_cost_usd 900 + inference_cost_1y_usd 900000"


def test_a_missing_total_is_computed_and_a_higher_one_stays() -> None:
    parts = (usd(TRAINING, "900"), usd(SERVING, "100"))
    assert [found.value for found in (total(*parts), total(*parts, usd(TOTAL, "1500"))) if found] == [1000, 1500]


@pytest.mark.parametrize("missing", [TRAINING, SERVING])
def test_a_total_without_a_part_is_unknown(missing: str) -> None:
    values = [value for value in (usd(TRAINING, "1"), usd(SERVING, "1"), usd(TOTAL, "5")) if value.name != missing]
    assert total(*values) is None
    assert total_of(values, name=TOTAL, catalog=STANDARD).missing == (missing,)


@pytest.mark.parametrize("basis", [Basis.MEASURED, Basis.BILLED])
def test_evidence_of_a_total_stays_as_it_is(basis: Basis) -> None:
    assert total(usd(TRAINING, "9"), usd(TOTAL, "5", basis)) == usd(TOTAL, "5", basis)


def test_medians_of_one_projection_do_not_add_up_and_stay() -> None:
    parts = [usd(name, "10", Basis.ESTIMATED, p80=Decimal(12)) for name in (TRAINING, SERVING)]
    projected = usd(TOTAL, "19.9", Basis.ESTIMATED, p80=Decimal(22))
    assert total(*parts, projected) == projected
    later = [replace(part, observed_at=NOW + timedelta(days=1)) for part in parts]
    found = total(*later, projected)
    assert found is not None
    assert (found.value, found.p80) == (20, 24)


def test_the_weakest_basis_the_widest_bounds_and_the_earliest_end_pass_to_the_sum() -> None:
    ends = NOW + timedelta(days=9)
    found = total(
        usd(TRAINING, "10", Basis.ESTIMATED, lower=Decimal(8), upper=Decimal(12), p80=Decimal(11), valid_until=ends),
        usd(SERVING, "5", lower=Decimal(4)),
    )
    assert found is not None
    assert (found.basis, found.lower, found.upper, found.p80) == (Basis.DECLARED, 12, None, None)
    assert found.valid_until == ends


@pytest.mark.parametrize(
    ("values", "least"),
    [
        ((), 0),
        ((usd(TOTAL, "700"),), 700),
        ((usd(SERVING, "900000"), usd(TOTAL, "100")), 900000),
        ((usd(TRAINING, "5"), usd(TOTAL, "100")), 100),
        ((usd(TRAINING, "5"), usd(SERVING, "6"), usd(TOTAL, "1")), 11),
    ],
)
def test_the_least_total_never_falls_below_claim_and_known_parts(values: tuple[MetricValue, ...], least: int) -> None:
    counted = with_totals(values, catalog=STANDARD)
    assert least_total(values, counted=counted, name=TOTAL, catalog=STANDARD) == least


@given(amounts, amounts, st.none() | amounts, bases, bases, bases)
def test_a_total_never_counts_below_its_parts(
    training: Decimal, serving: Decimal, stated: Decimal | None, first: Basis, second: Basis, third: Basis
) -> None:
    values = [usd(TRAINING, training, first), usd(SERVING, serving, second)]
    values += [usd(TOTAL, stated, third)] if stated is not None else []
    found = total(*values)
    assert found is not None
    assert found.value == max(training + serving, stated if stated is not None else Decimal(0))


HOURS, H100_HOURS = "training_gpu_hours", "training_h100_hours"


def hours(name: str, value: str | Decimal, basis: Basis = Basis.DECLARED) -> MetricValue:
    return MetricValue(name=name, value=Decimal(value), unit=STANDARD[name].unit, basis=basis, observed_at=NOW)


def counted(name: str, *values: MetricValue) -> MetricValue | None:
    return best(with_totals(values, catalog=STANDARD), name=name, catalog=STANDARD)


def test_hours_by_accelerator_add_up_to_gpu_hours_and_convert_to_those_of_one_card() -> None:
    by_type = (hours("training_hours_l4", "100"), hours("training_hours_b200", "10"))
    total_hours, converted = counted(HOURS, *by_type), counted(H100_HOURS, *by_type)
    assert total_hours is not None
    assert total_hours.value == 110
    assert converted is not None
    assert converted.value == Decimal("12.2") + Decimal("22.74")
    assert converted.source == (
        "computed: training_hours_l4 100 \N{MULTIPLICATION SIGN} 0.122 + "
        "training_hours_b200 10 \N{MULTIPLICATION SIGN} 2.274"
    )


def test_seven_slices_are_no_less_than_a_card() -> None:
    sliced, whole = counted(HOURS, hours("training_hours_a100_slices", "70")), hours("training_hours_a100", "10")
    assert sliced is not None
    assert whole.value <= sliced.value == Decimal("10.01")


def test_gpu_hours_of_unknown_type_stay_and_are_not_converted() -> None:
    assert counted(HOURS, hours(HOURS, "500")) == hours(HOURS, "500")
    assert counted(H100_HOURS, hours(HOURS, "500"), hours("training_hours_t4", "499")) is None
    # A stated conversion cannot replace what is missing.
    assert counted(H100_HOURS, hours(HOURS, "500"), hours(H100_HOURS, "1")) is None
    assert counted(H100_HOURS, hours(HOURS, "500"), hours("training_hours_h200", "500")) == replace(
        hours(H100_HOURS, "500"), source="computed: training_hours_h200 500"
    )
    assert counted(H100_HOURS, hours(H100_HOURS, "7")) == hours(H100_HOURS, "7")
    missing = total_of([hours(HOURS, "5")], name=H100_HOURS, catalog=STANDARD).missing
    assert missing == (HOURS,)


@given(st.dictionaries(st.sampled_from([part.name for part in STANDARD[HOURS].weighted_parts]), amounts), amounts)
def test_neither_total_counts_below_the_hours_by_accelerator(by_type: dict[str, Decimal], stated: Decimal) -> None:
    values = [hours(name, value) for name, value in by_type.items()]
    weights = {name: {part.name: part.weight for part in STANDARD[name].weighted_parts} for name in (HOURS, H100_HOURS)}
    least = {
        name: sum((value * weights[name][part] for part, value in by_type.items()), Decimal(0))
        for name in (HOURS, H100_HOURS)
    }
    whole = counted(HOURS, *values, hours(HOURS, stated))
    assert whole is not None
    assert whole.value == max(stated, least[HOURS])
    converted = counted(H100_HOURS, *values, hours(HOURS, stated), hours(H100_HOURS, "0"))
    if stated > least[HOURS]:
        assert converted is None
    elif by_type:
        assert converted is not None
        assert converted.value == least[H100_HOURS]


def test_the_parts_of_totals_are_found_through_parts_of_parts() -> None:
    total, unknown = "total_cost_1y_usd", "no_metric"
    found = with_parts({total, unknown}, catalogs=[STANDARD])
    assert found == {total, unknown, *STANDARD[total].parts}
    (weighted,) = [kind for kind in STANDARD.totals if kind.converts]
    assert found.isdisjoint({weighted.converts})
    assert with_parts([weighted.name], catalogs=[STANDARD]) >= {weighted.converts, *weighted.summed}
