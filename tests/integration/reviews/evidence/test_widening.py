"""The past of a team and of an estimator stands beside the next filing, and widens its ranges where that is
asked for.
"""

from datetime import timedelta
from decimal import Decimal

import pytest

from benchmarking.projections import actions as kept
from governance.audit.models import AuditEvent
from reviews.authorizations.models import Authorization
from reviews.evidence.models import MetricRecord, RequestProjection
from reviews.evidence.queries import comparison
from reviews.packets.queries.packet import packet_of
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.workflow.actions import projections, requests
from tests.factories import requests as walks
from tests.factories.bills import csv_bytes
from tests.factories.costs import cost_spec
from tests.integration.governance.bills.conftest import read, send
from tests.integration.reviews.requests.reading import enter, words
from tests.integration.reviews.workflow.test_costs import billed, draft_after, estimated, rules
from tests.refusals import has_code
from weighbridge.core.errors import Invalid

__all__ = ["draft_after", "estimated", "read", "rules", "send"]
pytestmark = pytest.mark.django_db
YEARLY = ("inference_cost_1y_usd", "total_cost_1y_usd")
LEVELS = ("p10", "p50", "p80", "p90")


@pytest.fixture
def past(decided, estimated, rules, read, now):
    """Bill the first whole months since the request was authorized 330 days ago; 100 dollars were projected, 200 the
    P90.
    """
    Authorization.objects.update(issued_at=now - timedelta(days=330))

    def bill(*amounts):
        months = [each.month for each in comparison.compare_costs(request=decided, now=now).months if each.is_over]
        assert len(months) >= 9
        read(csv_bytes([billed(month, usd) for month, usd in zip(months, amounts, strict=False)]))

    return bill


NINE = (100, 110, 120, 130, 140, 150, 160, 170, 260)


def state(request, by, now, *, widen=True):
    projection = kept.project_and_store(spec=cost_spec(), by=by, now=now)
    return projections.state(request=request, projection=projection, option="own", widen=widen, by=by, now=now)


def projected(row, name):
    metric_values = row.projection.document["options"][0]["metrics"][name]
    return tuple(Decimal(metric_values[level]) for level in LEVELS)


def on_record(request, name):
    metric = MetricRecord.objects.filter(request=request, name=name, basis="estimated").latest("pk")
    return metric, (metric.lower, metric.value, metric.p80, metric.upper)


def test_the_ranges_of_the_yearly_costs_are_as_wide_as_the_past_asks_for(draft_after, past, cast, now):
    past(*NINE)
    row = state(draft_after, cast.author, now)
    assert (row.widened_by, row.widened_on) == (Decimal("1.6"), 9)
    for name in YEARLY:
        low, middle, p80, high = projected(row, name)
        metric, metric_values = on_record(draft_after, name)
        factor = Decimal("1.6")
        assert metric_values == (
            max(Decimal(0), middle - (middle - low) * factor),
            middle,
            middle + (p80 - middle) * factor,
            middle + (high - middle) * factor,
        )
        assert metric.source.endswith("by 9 billed months of earlier projections")
        assert "range 1.6 times as wide as projected (" in metric.source
    for name in ("training_cost_usd", "cost_per_1k_usd"):
        metric, metric_values = on_record(draft_after, name)
        assert (metric_values, metric.source) == (projected(row, name), "projection 1, option own, seed 20260101")
    details = AuditEvent.objects.get(kind="projection.stated").details
    assert (Decimal(details["widened_by"]), details["widened_on"]) == (Decimal("1.6"), 9)
    assert packet_of(snapshot_of(draft_after, now=now)).projection.origin.endswith(
        "are 1.6 times as wide, based on 9 billed months of earlier projections."
    )


def test_unasked_nothing_is_widened(draft_after, past, cast, now):
    past(*NINE)
    row = state(draft_after, cast.author, now, widen=False)
    assert (row.widened_by, row.widened_on) == (None, None)
    assert on_record(draft_after, YEARLY[0])[1] == projected(row, YEARLY[0])
    assert "widened_by" not in AuditEvent.objects.get(kind="projection.stated").details
    assert packet_of(snapshot_of(draft_after, now=now)).projection.origin == "Stated by Author."


def test_the_same_projection_widened_is_another_row_and_again_the_same(draft_after, past, cast, now):
    past(*NINE)
    plain = state(draft_after, cast.author, now, widen=False)
    wide = state(draft_after, cast.author, now)
    assert state(draft_after, cast.author, now) == wide
    assert (plain.projection, wide.number, draft_after.projections.count()) == (wide.projection, 2, 2)


def test_with_too_few_months_the_wish_is_refused_and_nothing_moves(draft_after, past, cast, now):
    past(*NINE[:8])
    projection = kept.project_and_store(spec=cost_spec(), by=cast.author, now=now)
    before = (MetricRecord.objects.count(), AuditEvent.objects.count())
    with pytest.raises(Invalid, check=has_code("too_few_months")) as refusal:
        projections.state(request=draft_after, projection=projection, option="own", widen=True, by=cast.author, now=now)
    assert refusal.value.field == "widen"
    assert (MetricRecord.objects.count(), AuditEvent.objects.count(), draft_after.projections.count()) == (*before, 0)


def test_a_past_within_its_ranges_widens_nothing(draft_after, past, cast, now):
    past(*[90] * 9)
    row = state(draft_after, cast.author, now)
    assert (row.widened_by, row.widened_on) == (None, None)
    assert on_record(draft_after, YEARLY[0])[1] == projected(row, YEARLY[0])


def test_a_benchmark_keeps_the_factor_when_it_draws_anew(draft_after, past, cast, now):
    past(*NINE)
    request = requests.submit(request=draft_after, by=cast.author, now=now)
    state(request, cast.author, now)
    walks.take_results(request=request, now=now + timedelta(seconds=1))
    second = request.projections.get(number=2)
    assert (second.run is not None, second.widened_by, second.widened_on) == (True, Decimal("1.6"), 9)
    _, middle, _, high = projected(second, YEARLY[0])
    metric, metric_values = on_record(request, YEARLY[0])
    assert metric_values[3] == middle + (high - middle) * Decimal("1.6")
    assert "service time measured by run" in metric.source


def test_what_was_widened_before_is_measured_as_it_was_projected(decided, draft_after, past, cast, now):
    past(*NINE)
    RequestProjection.objects.create(
        request=decided,
        number=1,
        projection=kept.project_and_store(spec=cost_spec(), by=cast.author, now=now),
        option="own",
        stated_by=cast.author,
        stated_at=now,
        widened_by=2,
        widened_on=9,
    )
    found = comparison.widening_for(request=draft_after, estimator=cast.author, now=now)
    assert (found.factor, found.cases) == (Decimal("3.2"), 9)


def test_the_past_of_the_team_counts_for_whoever_never_estimated(draft_after, past, cast, now):
    past(*NINE)
    (team,) = comparison.records_for_filing(request=draft_after, estimator=cast.reviewer_one, now=now)
    assert (team.estimator, team.calibration.cases) == ("the team Search", 9)
    team, mine = comparison.records_for_filing(request=draft_after, estimator=cast.author, now=now)
    assert (mine.estimator, mine.calibration) == ("Author, who estimates this", team.calibration)


def test_the_page_shows_the_past_beside_the_form_and_then_what_was_widened(draft_after, past, cast, now):
    page = enter(cast.author)
    url = f"/requests/{draft_after.ref}/costs/"
    assert "No earlier projection of this team has a billed month yet" in words(page.get(url))
    past(*NINE[:3])
    told = words(page.get(url))
    assert "The team Search Months 3" in told
    assert "unknown: this needs nine months with a range" in told
    assert "Months" not in words(enter(cast.reviewer_one).get(url)).partition("State a projection")[2]
    projection = kept.project_and_store(spec=cost_spec(), by=cast.author, now=now)
    wish = {"link": projection.token, "option": "own", "widen": "on"}
    refused = page.post(f"/requests/{draft_after.ref}/projections/", wish)
    assert refused.status_code == 400
    assert "Fewer than nine billed months" in words(refused)


def test_the_wish_on_the_page_and_over_the_api(api, draft_after, past, cast, now):
    past(*NINE)
    projection = kept.project_and_store(spec=cost_spec(), by=cast.author, now=now)
    page, url = enter(cast.author), f"/requests/{draft_after.ref}/costs/"
    assert "1.6 times as wide" in words(page.get(url))
    page.post(f"/requests/{draft_after.ref}/projections/", {"link": projection.token, "option": "own", "widen": "on"})
    told = words(page.get(url))
    assert "the ranges of the yearly costs are 1.6 times as wide as here, because 9 billed months" in told
    costs = comparison.compare_costs(request=draft_after, now=now)
    assert {record.widened_high for record in costs.records} == {None}
    sent = {"token": projection.token, "option": "own"}
    program, where = api(cast.author), f"/api/v1/requests/{draft_after.ref}/projections/"
    plain, wide = program.post(where, sent, format="json").json()
    assert (plain["widened_by"], plain["widened_on"]) == (None, None)
    assert (Decimal(wide["widened_by"]), wide["widened_on"]) == (Decimal("1.6"), 9)
    again, *_ = program.post(where, sent | {"widen": True}, format="json").json()
    assert (again["number"], Decimal(again["widened_by"])) == (3, Decimal("1.6"))


def test_a_past_that_asks_for_nothing_is_said_on_the_page(draft_after, past, cast, now):
    past(*[90] * 9)
    projection = kept.project_and_store(spec=cost_spec(), by=cast.author, now=now)
    wish = {"link": projection.token, "option": "own", "widen": "on"}
    told = enter(cast.author).post(f"/requests/{draft_after.ref}/projections/", wish, follow=True)
    assert "Past months require no wider range." in words(told)
