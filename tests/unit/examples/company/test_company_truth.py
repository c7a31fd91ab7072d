"""The generator of the demo's company: the same seed is the same truth, and its files carry exactly that truth."""

import csv
from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.company.portfolio import files
from examples.company.portfolio.calendar import latest_pair
from examples.company.portfolio.company_model import COMPANY, Twist
from examples.company.portfolio.oracle import parts, plan_of, restated_month, truth_of
from governance.budgets.domain.quarters import Quarter

QUARTERS = (Quarter(2026, 2), Quarter(2026, 3))
PLANS = {
    model.slug: plan_of(model, usd_a_month=Decimal("1234.56"), units_a_month=Decimal("1010.4"))
    for model in COMPANY.models
}
TRUTH = truth_of(COMPANY, plans=PLANS, quarters=QUARTERS)


def of(twist):
    return next(model for model in COMPANY.models if model.twist is twist)


def rows_of(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_the_same_seed_is_the_same_truth_and_another_is_not():
    assert truth_of(COMPANY, plans=PLANS, quarters=QUARTERS) == TRUTH
    assert truth_of(COMPANY, plans=PLANS, quarters=QUARTERS, seed=1) != TRUTH


@pytest.mark.parametrize(
    ("twist", "factor"),
    [(Twist.GROWN, "1.6"), (Twist.DEARER, "1.25"), (Twist.SPRAWLING, "5"), (Twist.IDLE, "1"), (Twist.RESTATED, "1")],
)
def test_what_happens_to_a_model_moves_its_bill_by_its_factor(twist, factor):
    billed = TRUTH.usd(TRUTH.of(of(twist).slug, QUARTERS[1]))
    planned = PLANS[of(twist).slug].usd * 3 * Decimal(factor)
    assert abs(billed / planned - 1) <= Decimal("0.016")


def test_new_models_run_from_the_second_month_of_the_second_quarter_on():
    new = [model.slug for model in COMPANY.models if model.is_new]
    months = {row.month for row in TRUTH.months if row.model in new}
    assert (len(new), months) == (2, {date(2026, 8, 1), date(2026, 9, 1)})


@pytest.mark.parametrize("month", sorted(TRUTH.loose))
def test_a_bill_carries_the_truth_of_its_month_to_the_cent(tmp_path, month):
    sums = defaultdict(Decimal)
    for row in rows_of(files.write_bill(tmp_path, company=COMPANY, truth=TRUTH, month=month)):
        sums[row["ResourceId"].removeprefix("endpoint/")] += Decimal(row["BilledCost"])
    assert sums == {row.model: row.usd for row in TRUTH.months if row.month == month} | {"": TRUTH.loose[month]}


def test_only_the_restated_month_has_a_first_bill_and_that_says_double(tmp_path):
    month, slug = restated_month(QUARTERS), of(Twist.RESTATED).slug
    (row,) = [row for row in TRUTH.months if row.first_usd is not None]
    assert (row.model, row.month, row.first_usd) == (slug, month, row.usd * 2)
    first = rows_of(files.write_bill(tmp_path, company=COMPANY, truth=TRUTH, month=month, is_first=True))
    assert sum(Decimal(line["BilledCost"]) for line in first if slug in line["ResourceId"]) == row.usd * 2


def test_the_accounting_adds_up_to_the_gpu_hours(tmp_path):
    for quarter in QUARTERS:
        path = files.write_accounting(tmp_path, company=COMPANY, truth=TRUTH, quarter=quarter)
        seconds = sum(int(row["ElapsedRaw"]) for row in rows_of(path))
        hours = sum(row.gpu_hours for row in TRUTH.months if Quarter.of(row.month) == quarter)
        assert Decimal(seconds) * files.JOB_GPUS / 3600 == hours > 0


@given(cents=st.integers(0, 10**9), count=st.integers(1, 31))
def test_parts_add_up_and_differ_by_a_cent_at_most(cents, count):
    amount = Decimal(cents) / 100
    found = parts(amount, count=count)
    assert (sum(found), len(found)) == (amount, count)
    assert max(found) - min(found) <= Decimal("0.01")


@pytest.mark.parametrize(
    ("day", "taken", "pair"),
    [
        ("2026-11-25", (), ("2026Q2", "2026Q3")),
        ("2026-10-12", (), ("2026Q1", "2026Q2")),
        ("2026-11-25", ("2026Q3",), ("2026Q1", "2026Q2")),
    ],
)
def test_the_quarters_are_the_latest_whose_reviews_could_have_been_held(day, taken, pair):
    found = latest_pair(now=datetime.fromisoformat(day).replace(tzinfo=UTC), taken=frozenset(taken))
    assert tuple(map(str, found)) == pair
