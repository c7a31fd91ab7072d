"""The decision screen: the question, the deciding metrics beside the version in production, and what is in doubt."""

import re
from datetime import datetime
from decimal import Decimal

import pytest
from django.contrib.auth.models import User

from benchmarking.runs.models import Run
from governance.rulebook.models import PolicyVersion
from governance.site.domain.charts.metric_scales import ScaleLimit
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import authorizations, measurements, requests
from reviews.workflow.domain.tabs import Tab
from tests.factories import requests as walks
from tests.factories.models import make_version
from tests.factories.people import Cast
from tests.integration.reviews.requests.reading import enter, page_of
from tests.pages import html_of

pytestmark = pytest.mark.django_db
TABS = ["" if tab is Tab.DECISION else tab.value for tab in Tab]


def screen_of(user: User, request: ReviewRequest):
    return enter(user).get(page_of(request)).context["screen"]


def sentences(user: User, request: ReviewRequest) -> list[str]:
    return [doubt.sentence for doubt in screen_of(user, request).doubts]


@pytest.mark.parametrize("tab", TABS)
def test_each_link_in_a_tab_has_its_target_and_each_id_is_there_once(rich: ReviewRequest, cast: Cast, tab: str) -> None:
    for reader in (cast.author, cast.approver, cast.auditor):
        page = enter(reader).get(page_of(rich, tab))
        assert page.status_code == 200
        html = html_of(page)
        ids = re.findall(r'\bid="([^"]+)"', html)
        assert sorted(set(ids)) == sorted(ids)
        assert set(re.findall(r'href="#([^"]+)"', html)) <= set(ids)
        tabs = html.partition('<nav class="tabs"')[2].partition("</nav>")[0]
        assert tabs.count('aria-current="page"') == 1


@pytest.mark.parametrize("tab", TABS)
def test_a_stranger_finds_no_tab(decided: ReviewRequest, cast: Cast, tab: str) -> None:
    assert enter(cast.outsider).get(page_of(decided, tab)).status_code == 404


def test_the_question_names_model_environment_and_costs(in_review: ReviewRequest, cast: Cast) -> None:
    question = screen_of(cast.reviewer_one, in_review).question
    model = in_review.model_version
    assert question.startswith(f"May {model.asset.name} {model.version} run in prod for ")
    assert question.endswith(" in the first year?")


@pytest.mark.parametrize("fixture", ["draft", "submitted", "in_review", "decided"])
def test_there_are_at_most_seven_deciding_metrics(fixture: str, request: pytest.FixtureRequest, cast: Cast) -> None:
    row = request.getfixturevalue(fixture)
    metrics = screen_of(cast.author, row).metrics
    assert 1 <= len(metrics.metrics) <= 7
    assert metrics.production is None


def test_the_version_in_production_stands_beside_the_next_one(
    decided: ReviewRequest, cast: Cast, now: datetime
) -> None:
    next_version = make_version(by=cast.author, now=now, version="2.0.0", seed=2)
    later = walks.make_submitted(by=cast.author, now=now, version=next_version)
    metrics = screen_of(cast.author, later).metrics
    assert (metrics.production.ref, metrics.production.model) == (decided.ref, str(decided.model_version))
    assert {scale.title: scale.production for scale in metrics.metrics}["Training GPU hours"] == 320
    assert decided.ref in html_of(enter(cast.author).get(page_of(later)))


def test_a_lower_claim_is_shown_with_the_value_on_record(submitted: ReviewRequest, cast: Cast, now: datetime) -> None:
    requests.withdraw(request=submitted, reason="Filed again.", by=cast.author, now=now)
    declared = {**walks.DECLARED, "training_gpu_hours": "50"}
    version = submitted.model_version
    lower = walks.make_submitted(by=cast.author, now=now, version=version, with_data=False, declared=declared)
    (scale,) = [scale for scale in screen_of(cast.author, lower).metrics.metrics if scale.title == "Training GPU hours"]
    assert (scale.measured, scale.claimed, scale.limit.status) == (320, 50, "fired")
    assert any("320 GPU h is on record" in sentence for sentence in sentences(cast.author, lower))


def test_the_badge_of_a_metric_is_that_of_its_rule_on_both_tabs(
    policy: PolicyVersion, cast: Cast, now: datetime
) -> None:
    """The policy asks for more than a number: a gain above 0, and a latency that was measured, not declared."""
    declared = {**walks.DECLARED, "business_kpi_delta": "0", "latency_p95_ms": "3"}
    request = walks.make_submitted(by=cast.author, now=now, declared=declared)
    scales = {
        scale.href.rstrip("/").rpartition("/")[2]: scale for scale in screen_of(cast.author, request).metrics.metrics
    }
    gain, latency = scales["business_kpi_delta"], scales["latency_p95_ms"]
    assert (gain.measured, gain.limit) == (0, ScaleLimit(Decimal(0), "above", is_upper=False, status="fired"))
    assert (latency.measured, latency.basis) == (3, "declared")
    assert latency.limit == ScaleLimit(Decimal(100), "at most", is_upper=True, status="indeterminate")
    evidence = enter(cast.author).get(page_of(request, Tab.EVIDENCE)).context["view"].metric_values
    statuses = {metric.kind.name: metric.limit.status for metric in evidence if metric.limit}
    assert {name: scale.limit.status for name, scale in scales.items() if scale.limit} == {
        name: status for name, status in statuses.items() if name in scales
    }


def test_an_authorization_that_ended_outweighs_the_approval(decided: ReviewRequest, cast: Cast, now: datetime) -> None:
    assert enter(cast.author).get(page_of(decided)).context["state_shown"] == "approved"
    authorization = decided.decision.authorization
    authorizations.revoke(authorization=authorization, reason="It leaks data of users.", by=cast.approver, now=now)
    assert enter(cast.author).get(page_of(decided)).context["state_shown"] == "revoked"


def test_a_total_below_its_parts_is_in_doubt(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    costs = {"total_cost_1y_usd": "1000", "training_cost_usd": "850", "inference_cost_1y_usd": "6100"}
    declared = {**costs, **{name: value for name, value in walks.DECLARED.items() if name not in costs}}
    request = walks.make_submitted(by=cast.author, now=now, declared=declared)
    raised = [sentence for sentence in sentences(cast.reviewer_one, request) if "add up to" in sentence]
    assert len(raised) == 1
    assert "1,000.00 USD was stated, but its parts add up to 6,950.00 USD, which counts." in raised[0]


def test_a_contradiction_is_in_doubt_until_it_is_explained(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    request = walks.make_ready(by=cast.author, now=now, declared={**walks.DECLARED, "latency_p95_ms": "1.2"})
    doubts = screen_of(cast.reviewer_one, request).doubts
    (doubt,) = [doubt for doubt in doubts if "Nobody has explained it yet." in doubt.sentence]
    assert doubt.part == "metric-values"
    assert f'href="/requests/{request.ref}/evidence/#metric-values"' in html_of(
        enter(cast.author).get(page_of(request))
    )


NEVER_MEASURED = "No value was measured: every value is declared or estimated."


def test_what_was_never_measured_is_in_doubt(submitted: ReviewRequest, cast: Cast, now: datetime) -> None:
    assert NEVER_MEASURED in sentences(cast.reviewer_one, submitted)
    run = walks.finish_run(run=Run.objects.get(asked_for=submitted.ref), now=now)
    measurements.record_measurements(request=submitted, run=run, now=now)
    assert NEVER_MEASURED not in sentences(cast.reviewer_one, submitted)


def test_each_metric_opens_where_it_comes_from(in_review: ReviewRequest, cast: Cast) -> None:
    client = enter(cast.reviewer_one)
    for scale in screen_of(cast.reviewer_one, in_review).metrics.metrics:
        assert f'href="{scale.href}"' in html_of(client.get(page_of(in_review)))
        page = client.get(scale.href)
        assert page.status_code == 200
        explained = page.context["explained"]
        assert explained.metric.kind.title == scale.title
        counted = [value.counts for value in explained.values].count(True)
        assert counted == (explained.metric.best is not None)
        assert enter(cast.outsider).get(scale.href).status_code == 404
    assert client.get(f"{page_of(in_review)}metrics/nothing/").status_code == 404


@pytest.mark.parametrize("tab", ["", "costs"])
def test_each_amount_of_the_budget_opens_its_account_for_those_who_may_see_it(
    in_review: ReviewRequest, cast: Cast, tab: str
) -> None:
    """The ledger there says where allocated, reserved, available and forecast come from."""
    client, path = enter(cast.approver), page_of(in_review, tab)
    page = client.get(path)
    accounts = [one for one in page.context["view"].budget if one.has_account]
    assert {one.unit for one in accounts if not one.is_later} == {"USD", "gpu_h"}
    for account in accounts:
        href = f"/budgets/search/{account.quarter}/{account.unit}/"
        assert f'href="{href}"' in html_of(page)
        opened = client.get(href)
        assert opened.status_code == 200
        assert in_review.ref in html_of(opened)
    shown = set(re.findall(r'href="(/budgets/search/[^"]+)"', html_of(page)))
    assert shown == {f"/budgets/search/{one.quarter}/{one.unit}/" for one in accounts}, "no link to what is not there"
    stranger = enter(cast.reviewer_one)
    assert "/budgets/search/" not in html_of(stranger.get(path))
    assert stranger.get(f"/budgets/search/{accounts[0].quarter}/{accounts[0].unit}/").status_code == 404


def test_a_value_says_who_stated_it_and_which_run_measured_it(ready: ReviewRequest, cast: Cast) -> None:
    client = enter(cast.reviewer_one)
    stated = client.get(f"{page_of(ready)}metrics/training_gpu_hours/").context["explained"]
    assert [(value.stated_by, value.run_id) for value in stated.values] == [("Author", None)]
    assert [rule.status for rule in stated.rules]
    measured = client.get(f"{page_of(ready)}metrics/latency_p95_ms/").context["explained"]
    run = Run.objects.get(asked_for=ready.ref)
    assert run.pk in [value.run_id for value in measured.values]


def test_a_total_shows_its_parts_and_the_lines_of_its_projection(rich: ReviewRequest, cast: Cast) -> None:
    page = enter(cast.reviewer_one).get(f"{page_of(rich)}metrics/total_cost_1y_usd/")
    explained = page.context["explained"]
    assert [addend.name for addend in explained.addends] == ["training_cost_usd", "inference_cost_1y_usd"]
    assert explained.cost_parts
    assert explained.prices
    assert explained.projection_token in html_of(page)
