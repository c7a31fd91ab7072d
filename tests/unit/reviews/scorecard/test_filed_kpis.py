"""A line of a filed KPI map in the words of the scorecard."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from reviews.scorecard.domain.filed import FiledKpi, filed_kpi
from reviews.scorecard.domain.scorecard import KpiDirection
from weighbridge.core.kpis import EffectMethod, KpiEffect, KpiLink
from weighbridge.core.kpis import KpiBetter as FiledBetter

EFFECT = KpiEffect(
    method=EffectMethod.EXPERIMENT,
    low=Decimal(-150000),
    high=Decimal(-90000),
    unit="USD a year",
    evidence="split test",
    estimated_on=date(2026, 10, 5),
)
LINK = KpiLink(
    kpi="Fraud losses",
    metric="recall",
    target=Decimal("0.8"),
    unit="ratio",
    better=FiledBetter.HIGHER,
    owner="head of payments",
    data_source="chargeback ledger",
    effect=EFFECT,
)


def test_a_line_keeps_what_was_filed():
    assert filed_kpi(LINK, ref="MRR-2026-0001") == FiledKpi(
        slug="fraud-losses-recall",
        name="Fraud losses",
        metric="recall",
        unit="ratio",
        better=KpiDirection.HIGHER,
        target=Decimal("0.8"),
        data_source="chargeback ledger",
        how_estimated=(
            "Experiment of 2026-10-05: one unit of recall moves it by -150000 to -90000 USD a year (split test). "
            "Filed with MRR-2026-0001; its owner there: head of payments."
        ),
    )


@pytest.mark.parametrize(
    ("kpi", "slug"), [("!", "recall"), ("a" * 59, "a" * 59), ("Ä & b", "b-recall"), ("x" * 200, "x" * 60)]
)
def test_a_slug_is_what_the_scorecard_takes(kpi, slug):
    assert filed_kpi(replace(LINK, kpi=kpi), ref="MRR-2026-0001").slug == slug


def test_texts_are_cut_and_a_slug_is_never_empty():
    long = replace(LINK, kpi="?", metric="!" * 300, unit="u" * 99, data_source="d" * 999, better=FiledBetter.LOWER)
    line = filed_kpi(replace(long, owner="o" * 5000), ref="MRR-2026-0001")
    assert (line.slug, line.better) == ("kpi", KpiDirection.LOWER)
    assert [len(text) for text in (line.metric, line.unit, line.data_source, line.how_estimated)] == [
        120,
        60,
        200,
        4000,
    ]
