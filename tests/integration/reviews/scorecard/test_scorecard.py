"""KPIs and their actuals: typed in, from a file, by a program; all of them kept or none, and none after the cut-off."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction

from governance.audit.models import AuditEvent
from governance.inventory.models import ModelAsset
from governance.people.queries.people import person_of
from reviews.quarterly.actions import scorecard
from reviews.quarterly.actions.scorecard import SuppliedActual
from reviews.quarterly.queries import scores
from reviews.quarterly.queries.scores import ScorecardLine
from reviews.scorecard.domain.scorecard import KpiDirection, KpiStatus, KpiTrend
from reviews.scorecard.models import Kpi, KpiActual
from tests.factories.cycles import make_cycle, make_frozen, make_kpi, sheet
from tests.factories.models import make_version
from tests.factories.people import Cast
from tests.integration.reviews.quarterly.test_cycle import refused
from weighbridge.core.errors import Invalid, NotAllowed, NotFound, WrongState

pytestmark = pytest.mark.django_db


@pytest.fixture
def now() -> datetime:
    """In the fourth quarter of 2026."""
    return datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def asset(cast: Cast, now: datetime) -> ModelAsset:
    return make_version(by=cast.author, now=now).asset


def supply(
    asset: ModelAsset, value: str, *, by: User, now: datetime, quarter: str = "2026Q4", **changes: object
) -> object:
    actual = SuppliedActual(**{"asset": asset, "kpi": "conversion", "value": Decimal(value), **changes})
    return scorecard.supply(quarter=quarter, actuals=[actual], channel="form", by=by, now=now)


def lines_for(quarter: str, user: User) -> tuple[ScorecardLine, ...]:
    rows = scores.on_scorecard(quarter, person=person_of(user))
    return scores.lines_of(rows, quarter=quarter)


def test_a_value_against_its_target_and_the_quarter_before(cast: Cast, asset: ModelAsset, now: datetime) -> None:
    make_kpi(asset=asset, by=cast.author, now=now)
    make_cycle(now=now)
    supply(asset, "3.0", by=cast.author, now=now)
    supply(asset, "3.4", by=cast.product, now=now, source="Dashboard 7")
    later = now + timedelta(days=90)
    make_cycle(now=later)
    supply(asset, "3.1", by=cast.author, now=later, quarter="2027Q1")
    make_kpi(asset=asset, by=cast.author, now=now, target=Decimal(5))
    (line,) = lines_for("2027Q1", cast.auditor)
    said = line.score
    assert (said.target, said.actual, said.before) == (Decimal("3.2"), Decimal("3.1"), Decimal("3.4"))
    assert (said.status, said.trend, said.supplied_by, said.channel) == (
        KpiStatus.MISSED,
        KpiTrend.WORSE,
        "Author",
        "typed in",
    )
    (before,) = lines_for("2026Q4", cast.author)
    assert (before.score.actual, before.score.supplied_by, before.score.trend) == (
        Decimal("3.4"),
        "Product",
        KpiTrend.FIRST,
    )
    assert lines_for("2026Q4", cast.outsider) == ()
    assert next(iter(scores.scorecard_table("2027Q1", person=person_of(cast.auditor)).rows))[:7] == (
        "search/visual-search",
        "Conversion of searches",
        "accuracy",
        "%",
        "higher",
        Decimal("3.2"),
        Decimal("3.1"),
    )


def test_nothing_is_supplied_after_the_cut_off(cast: Cast, asset: ModelAsset, now: datetime) -> None:
    make_kpi(asset=asset, by=cast.author, now=now)
    make_frozen(now=now)
    refused(lambda: supply(asset, "3", by=cast.author, now=now), WrongState, "The cut-off of 2026Q4 has passed")
    refused(
        lambda: supply(asset, "3", by=cast.author, now=now, quarter="2030Q1"),
        NotFound,
        "no review cycle",
        field="quarter",
    )
    refused(lambda: supply(asset, "3", by=cast.author, now=now, quarter="soon"), Invalid, "not a quarter")


def test_all_values_are_kept_or_none(cast: Cast, asset: ModelAsset, now: datetime) -> None:
    make_cycle(now=now)
    make_kpi(asset=asset, by=cast.author, now=now)
    good = SuppliedActual(asset=asset, kpi="conversion", value=Decimal(3), row=2)

    def take(*actuals: SuppliedActual, by: User = cast.author) -> Callable[[], object]:
        return lambda: scorecard.supply(quarter="2026Q4", actuals=actuals, channel="csv", by=by, now=now)

    bad = SuppliedActual(asset=asset, kpi="clicks", value=Decimal(3), row=3)
    refused(take(good, bad), NotFound, "Row 3: Visual search has no KPI 'clicks'; it has conversion", field="kpi")
    huge = SuppliedActual(asset=asset, kpi="conversion", value=Decimal("1e16"))
    refused(take(good, huge), Invalid, "^The value must be a number", field="value")
    refused(take(), Invalid, "Supply 1 to 2,000 values", field="actuals")
    refused(take(good, by=cast.outsider), NotAllowed, "not a requester of the team 'search'")
    refused(take(good, by=cast.auditor), NotAllowed, "Only a requester")
    take(good, good, by=cast.product)()
    assert KpiActual.objects.count() == 2
    assert AuditEvent.objects.filter(kind="scorecard.kpi_supplied").count() == 1


def test_what_a_kpi_must_say(cast: Cast, asset: ModelAsset, now: datetime) -> None:
    def take(**changes: object) -> Callable[[], object]:
        return lambda: scorecard.set_kpi(asset=asset, sheet=sheet(cast.author, **changes), by=cast.author, now=now)

    refused(take(slug="Not this"), Invalid, "short name", field="slug")
    refused(take(metric=" "), Invalid, "Write 1 to 120 characters", field="metric")
    refused(take(target=Decimal("NaN")), Invalid, "The target must be", field="target")
    closed = User.objects.get(pk=cast.finance.pk)
    closed.is_active = False
    refused(take(owner=closed), Invalid, "is closed", field="owner")
    take(better=KpiDirection.LOWER)()
    refused(
        lambda: scorecard.set_kpi(asset=asset, sheet=sheet(cast.author), by=cast.reviewer_one, now=now),
        NotAllowed,
        "Only a requester",
    )


def test_a_retired_kpi_asks_for_nothing_and_keeps_what_was_supplied(
    cast: Cast, asset: ModelAsset, now: datetime
) -> None:
    make_cycle(now=now)
    kpi = make_kpi(asset=asset, by=cast.author, now=now)
    supply(asset, "3", by=cast.author, now=now)
    scorecard.retire_kpi(kpi=kpi, by=cast.product, now=now)
    refused(lambda: scorecard.retire_kpi(kpi=kpi, by=cast.product, now=now), WrongState, "already retired")
    refused(lambda: supply(asset, "4", by=cast.author, now=now), NotFound, "it has none yet", field="kpi")
    assert scores.active_kpis(asset) == []
    assert len(lines_for("2026Q4", cast.author)) == 1
    assert lines_for("2027Q1", cast.author) == ()
    make_kpi(asset=asset, by=cast.author, now=now)
    assert [row.pk for row in scores.active_kpis(asset)] == [kpi.pk] == [Kpi.objects.get().pk]
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        connection.cursor().execute("UPDATE scorecard_kpiactual SET value = 9")
