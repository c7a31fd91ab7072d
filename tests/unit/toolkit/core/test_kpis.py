"""The KPI map: read strictly, written back the same, and set beside what was seen."""

from datetime import date
from decimal import Decimal

import pytest

from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.core.kpis import EffectMethod, KpiBetter, KpiEffect, TargetOutcome, as_documents, read_kpis

LINK = {
    "kpi": "fraud losses",
    "metric": "recall",
    "target": "0.8",
    "unit": "ratio",
    "better": "higher",
    "owner": "head of payments",
    "data_source": "chargeback ledger",
    "effect": {
        "method": "experiment",
        "low": "-150000",
        "high": "-90000",
        "unit": "USD a year",
        "evidence": "split test",
        "estimated_on": "2026-10-05",
    },
}


def read(*links):
    return read_kpis(Reader({"kpis": list(links)}))


def test_a_map_is_written_back_as_it_was_read():
    (link,) = read(LINK)
    assert as_documents((link,)) == [LINK]
    assert (link.target, link.better, link.effect.method) == (Decimal("0.8"), KpiBetter.HIGHER, EffectMethod.EXPERIMENT)
    assert link.effect.estimated_on == date(2026, 10, 5)
    assert read(*as_documents((link,))) == (link,)
    assert read() == ()


@pytest.mark.parametrize(
    ("better", "seen", "outcome"),
    [
        ("higher", "0.8", TargetOutcome.MET),
        ("higher", "0.79", TargetOutcome.MISSED),
        ("lower", "0.8", TargetOutcome.MET),
        ("lower", "0.81", TargetOutcome.MISSED),
        ("lower", None, TargetOutcome.NO_METRIC_VALUE),
    ],
)
def test_a_target_is_met_or_missed(better, seen, outcome):
    (link,) = read({**LINK, "better": better})
    assert link.outcome(None if seen is None else Decimal(seen)) is outcome


def test_a_change_moves_the_metric_value_between_two_ends():
    (link,) = read(LINK)
    assert link.move(Decimal(2)) == (Decimal(-300_000), Decimal(-180_000))
    assert link.move(Decimal(-1)) == (Decimal(90_000), Decimal(150_000))


@pytest.mark.parametrize(
    ("links", "field"),
    [
        (({**LINK, "better": "more"},), "kpis[0].better"),
        (({**LINK, "owner": ""},), "kpis[0].owner"),
        (({**LINK, "surprise": 1},), "kpis[0].surprise"),
        (({**LINK, "effect": {**LINK["effect"], "high": "-200000"}},), "kpis[0].effect.high"),
        (({**LINK, "effect": {**LINK["effect"], "estimated_on": "soon"}},), "kpis[0].effect.estimated_on"),
        (({**LINK, "effect": {**LINK["effect"], "more": 1}},), "kpis[0].effect.more"),
        ((LINK, LINK), "kpis[1].kpi"),
    ],
)
def test_what_is_no_map_is_refused_with_its_path(links, field):
    with pytest.raises(Invalid) as refused:
        read(*links)
    assert refused.value.field == field


def test_an_effect_made_by_hand_is_checked_too():
    with pytest.raises(Invalid, match="must not be above its high end"):
        KpiEffect(
            method=EffectMethod.JUDGMENT,
            low=Decimal(2),
            high=Decimal(1),
            unit="x",
            evidence="x",
            estimated_on=date(2026, 1, 1),
        )
