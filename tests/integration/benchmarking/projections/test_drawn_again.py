"""Draws of a kept projection: those of the whole price book of its day, read once."""

from datetime import datetime, timedelta

import pytest

from benchmarking.prices.queries import contents_in_force, price_book
from benchmarking.projections import queries as projections
from benchmarking.projections.models import CostProjection
from governance.site.domain.memory import Recent
from tests.factories.costs import cost_spec
from weighbridge.core.errors import Invalid
from weighbridge.costs.spec.spec_file import read_spec
from weighbridge.costs.value.quarter_draws import quarter_draws

pytestmark = pytest.mark.django_db


def kept(now: datetime) -> CostProjection:
    return CostProjection(spec=cost_spec(), kept_at=now)


def test_they_are_those_of_the_whole_book(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projections, "_DRAWS", Recent(most=2))
    row, asked = kept(now), {"seed": 7, "draws": 100, "contents": contents_in_force()}
    found = projections.quarter_draws_again(row, **asked)
    expected = quarter_draws(read_spec(row.spec, price_book(now.date())), seed=7, draws=100)
    assert repr(found) == repr(expected)
    assert len(found) == len(row.spec["options"])
    monkeypatch.setattr(projections, "price_book_for", None)  # a second time, no price is read
    assert projections.quarter_draws_again(kept(now), **asked) is found


def test_another_day_seed_or_source_is_drawn_anew_and_a_refusal_is_not_kept(now: datetime) -> None:
    asked = {"seed": 7, "draws": 100, "contents": contents_in_force()}
    found = projections.quarter_draws_again(kept(now), **asked)
    assert repr(projections.quarter_draws_again(kept(now), **(asked | {"seed": 8}))) != repr(found)
    assert projections.quarter_draws_again(kept(now + timedelta(days=1)), **asked) is not found
    for _ in range(2):
        with pytest.raises(Invalid):
            projections.quarter_draws_again(CostProjection(spec={"options": ["x"]}, kept_at=now), **asked)


def test_texts_are_looked_up_as_a_spec_reads_them() -> None:
    """A spec reads a SKU without the spaces around it."""
    assert set(projections._texts_in({"one": [" a/b ", {"two": "c"}], "three": 4})) == {"a/b", "c"}
