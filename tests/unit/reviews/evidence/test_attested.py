"""Which attested results are measured again, and the chance that inflated ones are found."""

from decimal import Decimal

import numpy as np
import pytest

from governance.rulebook.domain.trust import Trust
from reviews.evidence.domain.attested import chance_words, inflated, is_drawn
from tests.unit.governance.rulebook.builders import metric_value
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.standard import STANDARD

TEAMS = 10_000


@pytest.mark.parametrize("share", ["0.05", "0.1", "0.3"])
@pytest.mark.parametrize("results", [1, 4, 12])
def test_of_ten_thousand_teams_as_many_are_found_as_the_page_says(share, results):
    """Each team files so many inflated results; a team is found if one of them is measured again."""
    draws = np.random.default_rng(results).random((TEAMS, results))
    audited = [any(is_drawn(share=Decimal(share), draw=Decimal(draw)) for draw in team) for team in draws]
    said = Trust(audit_share=Decimal(share)).chance_found(results)
    assert abs(sum(audited) / TEAMS - float(said)) < 0.02
    words = chance_words(share=Decimal(share), results=results)
    assert f"{(said * 100).quantize(Decimal('0.1'))} %" in words


@pytest.mark.parametrize(("share", "results"), [("0", 3), ("0.1", 0)])
def test_no_chance_is_stated_without_any(share, results):
    assert chance_words(share=Decimal(share), results=results) == ""


def test_all_or_nothing_is_drawn():
    assert not is_drawn(share=Decimal(0), draw=Decimal(0))
    assert is_drawn(share=Decimal(1), draw=Decimal("0.999999"))


@pytest.mark.parametrize(
    ("name", "attested", "lower", "upper", "is_found"),
    [
        ("latency_p95_ms", "8", "9", "11", True),  # faster than it can be
        ("latency_p95_ms", "9", "9", "11", False),
        ("latency_p95_ms", "20", "9", "11", False),  # worse than measured is no inflation
        ("accuracy", "0.95", "0.8", "0.9", True),
        ("accuracy", "0.9", "0.8", "0.9", False),
        ("accuracy", "0.95", None, None, False),  # a measurement without an interval says nothing
    ],
)
def test_what_is_better_than_the_measurement_allows_is_inflated(name, attested, lower, upper, is_found):
    claim = metric_value(name, attested, basis=Basis.ATTESTED)
    value = str((Decimal(lower) + Decimal(upper)) / 2) if lower else "0.85"
    own = metric_value(name, value, basis=Basis.MEASURED, lower=lower, upper=upper)
    assert bool(inflated([claim], measured={name: own}, catalog=STANDARD)) is is_found


def test_what_nobody_measured_again_is_not_judged():
    claim = metric_value("accuracy", "0.95", basis=Basis.ATTESTED)
    assert inflated([claim], measured={}, catalog=STANDARD) == []
