"""The page on which a person supplies the values of all their KPIs at once: all are stored, or none."""

from datetime import datetime
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.inventory.models import ModelAsset
from governance.people.queries.people import person_of
from reviews.quarterly.models import ReviewCycle
from reviews.quarterly.queries import scores
from reviews.scorecard.domain.scorecard import KpiDirection, totals
from reviews.scorecard.models import Kpi, KpiActual
from tests.factories.cycles import make_cycle, make_frozen, make_kpi
from tests.factories.models import make_version
from tests.factories.people import Cast
from tests.factories.snapshots import snapshot
from tests.integration.reviews.quarterly.test_pages import asset, entered, said

__all__ = ["asset"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(cast: Cast, asset: ModelAsset, now: datetime) -> Client:
    """Who may supply two KPIs of a model, and one of another."""
    other = make_version(by=cast.author, now=now, slug="other", seed=5).asset
    for slug, of in (("conversion", asset), ("clicks", asset), ("conversion", other)):
        make_kpi(asset=of, by=cast.author, now=now, slug=slug)
    return entered(cast.author)


def stored() -> dict[str, tuple[Decimal, str]]:
    rows = KpiActual.objects.select_related("kpi__asset").order_by("pk")
    return {f"{row.kpi.asset.slug}/{row.kpi.slug}": (row.value.normalize(), row.source) for row in rows}


def test_one_form_stores_the_values_entered_and_leaves_the_other_rows(
    owner: Client, asset: ModelAsset, now: datetime
) -> None:
    make_cycle(now=now)
    base = f"search/{asset.slug}"
    page = said(owner, "/scorecard/")[1]
    assert page.count('name="search/') == 6
    assert page.count("Save values") == 1
    sent = {
        f"{base}/conversion-value": "3.5",
        f"{base}/conversion-source": "Analytics",
        f"{base}/clicks-value": "",
        f"{base}/clicks-source": "",
        "search/other/conversion-value": "0",
        "quarter": ReviewCycle.objects.get().quarter,
    }
    assert said(owner, "/scorecard/", sent)[0] == 302
    assert stored() == {f"{asset.slug}/conversion": (Decimal("3.5"), "Analytics"), "other/conversion": (Decimal(0), "")}
    assert "2 values for" in said(owner, "/scorecard/")[1]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"clicks-value": "many"}, "Enter a number."),
        ({"clicks-source": "Analytics"}, "Enter the value that comes from this source."),
    ],
)
def test_one_wrong_row_stores_none_and_keeps_what_was_typed(
    owner: Client, asset: ModelAsset, now: datetime, wrong: dict[str, str], reason: str
) -> None:
    make_cycle(now=now)
    sent = {"conversion-value": "3.5", **wrong}
    status, page = said(owner, "/scorecard/", {f"search/{asset.slug}/{name}": value for name, value in sent.items()})
    assert (status, page.count(reason), 'value="3.5"' in page) == (400, 1, True)
    assert stored() == {}


def test_nothing_entered_is_refused_and_so_is_a_kpi_of_nobody(owner: Client, asset: ModelAsset, now: datetime) -> None:
    make_cycle(now=now)
    for sent in ({}, {f"search/{asset.slug}/gone-value": "1"}, {"ads/x/conversion-value": "1"}):
        status, page = said(owner, "/scorecard/", sent)
        assert (status, "Enter at least one value." in page) == (400, True)
    assert stored() == {}


def test_values_are_stored_for_the_quarter_that_the_page_showed_or_not_at_all(
    owner: Client, asset: ModelAsset, now: datetime
) -> None:
    """The quarter is frozen while the page is open: form and file are refused, and so are those of no quarter."""
    ended = make_cycle(now=now)
    page = said(owner, "/scorecard/")[1]
    assert page.count(f'<input type="hidden" name="quarter" value="{ended.quarter}">') == 2
    make_frozen(now=now)
    began = make_cycle(now=ended.cut_off_at)
    assert began.quarter > ended.quarter
    typed = {f"search/{asset.slug}/conversion-value": "3.5"}
    late, before = f"The cut-off of {ended} has passed, so its values are frozen", snapshot()
    status, page = said(owner, "/scorecard/", typed | {"quarter": ended.quarter})
    assert (status, "Nothing is saved." in page, late in page, 'value="3.5"' in page) == (409, True, True, True)
    assert page.count(f'<input type="hidden" name="quarter" value="{began.quarter}">') == 2
    content = f"model,kpi,value\nsearch/{asset.slug},conversion,4\n".encode()
    for sent, expected in (({"quarter": ended.quarter}, 409), ({"quarter": "soon"}, 400), ({}, 400)):
        file = {"file": SimpleUploadedFile("a.csv", content)}
        assert said(owner, "/scorecard/upload/", sent | file)[0] == expected
        assert said(owner, "/scorecard/", sent | typed)[0] == expected
    assert snapshot() == before
    assert said(owner, "/scorecard/", typed | {"quarter": began.quarter})[0] == 302
    assert [(row.quarter, row.value) for row in KpiActual.objects.all()] == [(began.quarter, Decimal("3.5"))]


@pytest.mark.parametrize("better", list(KpiDirection))
@given(values=st.lists(st.decimals(-2, 2, places=1), max_size=3), target=st.decimals(-2, 2, places=1))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_database_counts_what_the_status_of_each_line_says(
    cast: Cast, asset: ModelAsset, now: datetime, better: KpiDirection, values: list[Decimal], target: Decimal
) -> None:
    kpi = Kpi.objects.filter(asset=asset, slug="counted").first()
    kpi = kpi or make_kpi(asset=asset, by=cast.author, now=now, slug="counted")
    with transaction.atomic():
        Kpi.objects.filter(pk=kpi.pk).update(better=better)
        given_by = {"channel": "api", "supplied_by": cast.author, "supplied_at": now}
        for value in values:
            KpiActual.objects.create(kpi=kpi, quarter="2026Q4", value=value, target=target, **given_by)
        rows = scores.on_scorecard("2026Q4", person=person_of(cast.author))
        lines = scores.lines_of(rows, quarter="2026Q4")
        assert scores.totals_of(rows, quarter="2026Q4") == totals(tuple(line.score for line in lines))
        assert tuple(scores.shown_lines(rows, quarter="2026Q4", count=len(lines))) == lines
        transaction.set_rollback(True)
