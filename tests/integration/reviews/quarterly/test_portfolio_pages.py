"""The portfolio of a quarter: what runs and what is pending, filtered, with the optimizer's proposal."""

import html
import re
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarking.projections import actions as kept
from benchmarking.projections import queries as projection_reads
from governance.budgets.domain.ledger import holding_of
from governance.budgets.domain.quarters import Quarter
from governance.budgets.models import BudgetAccount
from governance.budgets.queries.budgets import balance_of, entries_of
from governance.inventory.models import ModelAsset, ModelVersion
from governance.people.models import Team
from governance.people.queries.people import person_of
from governance.rulebook.models import PolicyVersion
from governance.site.domain.memory import Recent
from governance.site.web.formatting import format_usd
from reviews.authorizations.domain.authorization_states import AuthorizationState
from reviews.authorizations.models import Authorization
from reviews.evidence.models import RequestProjection
from reviews.quarterly.domain.portfolio.candidate import NO_PROJECTION, SUSPENDED
from reviews.quarterly.domain.portfolio.frontier import frontier
from reviews.quarterly.queries import portfolio as reads
from reviews.quarterly.queries.portfolio_money import PortfolioMoney, accounts_of, money_of
from reviews.quarterly.web.cycles import PAGE_SIZE
from reviews.quarterly.web.portfolio_chart import NO_LIMIT, portfolio_chart
from reviews.quarterly.web.status_strip import strip_of_quarter
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import projections, requests
from reviews.workflow.queries.shown_states import quarters_of_requests
from tests.factories import requests as walks
from tests.factories.costs import cost_spec
from tests.factories.cycles import make_cycle, next_quarter
from tests.factories.models import make_version
from tests.factories.people import OTHER_TEAM, Cast
from tests.factories.snapshots import snapshot
from tests.integration.reviews.quarterly.test_pages import entered, said
from tests.masses import asked, multiply

pytestmark = pytest.mark.django_db


def valued_spec(**changes: Any) -> dict[str, Any]:
    """The projection of our own replicas, which answer more contacts than the managed API."""
    spec = cost_spec(**changes)
    for option in spec["options"]:
        metric = 0.4 if option["id"] == "own" else 0.3
        option["quality"] = {"kind": "level", "metric": metric, "source": "a log of May"}
    spec["value"] = {"baseline": "api", "stakes": {"kind": "deflection", "usd_per_contact": 0.01}}
    return spec


def state_value(request: ReviewRequest, cast: Cast, now: datetime, **changes: Any) -> None:
    projection = kept.project_and_store(spec=valued_spec(**changes), by=cast.author, now=now)
    projections.state(request=request, projection=projection, option="own", by=cast.author, now=now)


def value_later(request: ReviewRequest, cast: Cast, now: datetime) -> None:
    """State a value of a decided request, as if it had been stated before."""
    projection = kept.project_and_store(spec=valued_spec(), by=cast.author, now=now)
    RequestProjection.objects.create(
        request=request, number=9, projection=projection, option="own", stated_by=cast.author, stated_at=now
    )


def pending(cast: Cast, now: datetime) -> ReviewRequest:
    request = walks.make_draft(by=cast.author, now=now)
    state_value(request, cast, now)
    return requests.submit(request=request, by=cast.author, now=now)


def test_what_nobody_stated_a_value_of_is_named(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    request = walks.make_decided(cast=cast, now=now)
    cycle, lead = make_cycle(now=now), entered(cast.approver)
    base = f"/cycles/{cycle.quarter}/portfolio/"
    status, page = said(lead, base)
    assert (status, request.ref in page, "Running" in page) == (200, True, True)
    status, page = said(lead, f"{base}proposals/")
    assert (status, "No model can be optimized" in page, f"cannot be optimized, {NO_PROJECTION}." in page) == (
        200,
        True,
        True,
    )


def test_the_proposal_stands_beside_what_is_asked(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    request = pending(cast, now)
    quarter = Quarter.of(now)
    walks.allocate_budget(team=request.team, by=cast.finance, now=now, usd="5000")
    cycle, lead = make_cycle(now=now), entered(cast.approver)
    before = snapshot()
    found = reads.proposal_of(quarter=quarter)
    assert found.outcome is not None
    assert [(each.asked, each.variant) for each in found.outcome.choices] == [
        ("as asked: Own replicas", "wait: Managed API")
    ]
    assert next(use.name for use in found.outcome.totals.accounts).endswith("USD")
    assert reads.proposal_of(quarter=quarter).outcome == found.outcome
    page = said(lead, f"/cycles/{cycle.quarter}/portfolio/proposals/")[1]
    assert ("binds" in page, "as asked: Own replicas" in page, "wait" in page) == (True, True, True)
    assert snapshot() == before


def test_an_equal_problem_is_solved_once(
    policy: PolicyVersion, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = pending(cast, now)
    assert reads.proposal_of(quarter=Quarter.of(now)).why_not == reads.NO_BUDGET
    walks.allocate_budget(team=request.team, by=cast.finance, now=now)
    first = reads.proposal_of(quarter=Quarter.of(now)).outcome
    assert first is not None
    monkeypatch.setattr(reads, "optimized", refusing)
    assert reads.proposal_of(quarter=Quarter.of(now)).outcome == first


def test_a_model_with_a_pending_request_is_counted_once(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    running = walks.make_decided(cast=cast, now=now)
    value_later(running, cast, now)
    version = running.model_version
    again = walks.make_draft(by=cast.author, now=now, version=version, with_data=False, purpose="Find shoes")
    state_value(again, cast, now)
    again = requests.submit(request=again, by=cast.author, now=now)
    elsewhere = walks.make_draft(
        by=cast.author, now=now, version=version, with_data=False, purpose="Try it", environment="staging"
    )
    state_value(elsewhere, cast, now)
    elsewhere = requests.submit(request=elsewhere, by=cast.author, now=now)
    for standing in ("", "running", "pending"):
        problem = reads.proposal_of(quarter=Quarter.of(now), standing=standing).quarter_problem.problem
        assert problem is not None
        found = {each.name.partition("(")[2]: [one.name for one in each.variants] for each in problem.models}
        both = f"{again.ref}, {running.ref})"
        assert found[both] == [
            f"as asked: Own replicas (own, {again.ref})",
            f"keep running: Own replicas (own, {running.ref})",
            "retire: Managed API",
        ]
        assert list(found) == [both] if standing == "running" else set(found) == {both, f"{elsewhere.ref})"}


def test_a_suspended_model_does_not_run(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    request = walks.make_decided(cast=cast, now=now)
    value_later(request, cast, now)
    for state, words in ((AuthorizationState.PENDING_EXPIRATION, "pending expiration"), ("suspended", "suspended")):
        Authorization.objects.update(state=state)
        assert [each.state for each in reads.portfolio_rows()] == [f"authorization {words}"]
    (row,) = reads.portfolio_rows()
    assert (row.standing, reads.filtered([row], standing="running")) == ("suspended", ())
    found = reads.proposal_of(quarter=Quarter.of(now))
    assert (found.outcome, [reason for _, reason in found.quarter_problem.left_out]) == (None, [SUSPENDED])
    page = said(entered(cast.auditor), f"/cycles/{make_cycle(now=now).quarter}/portfolio/?standing=suspended")[1]
    assert f"{request.ref}, authorization suspended" in page


def test_filters_are_links(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    request = walks.make_decided(cast=cast, now=now)
    cycle, lead = make_cycle(now=now), entered(cast.auditor)
    base = f"/cycles/{cycle.quarter}/portfolio/"
    for query, is_shown in (
        ("?team=search", True),
        ("?team=ads", False),
        ("?standing=running", True),
        ("?standing=pending", False),
        ("?standing=%3Cb%3E", True),
    ):
        status, page = said(lead, base + query)
        assert (status, request.ref in page) == (200, is_shown)
    assert "?team=search&amp;standing=running" in said(lead, f"{base}?standing=running")[1]


def test_a_projection_that_cannot_be_drawn_again_is_named(
    policy: PolicyVersion, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = pending(cast, now)
    assert request.state in reads.PENDING
    monkeypatch.setattr(projection_reads, "read_spec", refusing)
    monkeypatch.setattr(projection_reads, "_DRAWS", Recent(most=2))
    (left,) = reads.proposal_of(quarter=Quarter.of(now)).quarter_problem.left_out
    assert left[1] == "its projection cannot be drawn again: The price is gone."
    monkeypatch.undo()
    monkeypatch.setattr(reads, "OPTIMIZED_MAX", 0)
    (left,) = reads.proposal_of(quarter=Quarter.of(now)).quarter_problem.left_out
    assert "at a time; choose a team" in left[1]
    monkeypatch.undo()
    walks.allocate_budget(team=request.team, by=cast.finance, now=now)
    monkeypatch.setattr(reads, "optimized", refusing)
    reads._outcome_of.cache_clear()
    assert reads.proposal_of(quarter=Quarter.of(now)).why_not == "The price is gone."
    cycle = make_cycle(now=now)
    assert "The optimizer refused" in said(entered(cast.auditor), f"/cycles/{cycle.quarter}/portfolio/proposals/")[1]


def refusing(*_: object, **__: object) -> None:
    from weighbridge.core.errors import Invalid

    raise Invalid("The price is gone.")


def test_the_chart_has_the_limits_of_the_policy_and_leads_to_the_request(
    policy: PolicyVersion, cast: Cast, now: datetime
) -> None:
    request = walks.make_decided(cast=cast, now=now)
    cycle, lead = make_cycle(now=now), entered(cast.auditor)
    (row,) = reads.with_limits(reads.portfolio_rows())
    assert (row.cost_limit_usd, row.latency_limit_ms, row.point.is_over_latency) == (50_000, 100, False)
    chart = portfolio_chart([row], best=frozenset())
    assert chart is not None
    assert [(each.name, each.value) for each in (*chart.across, *chart.references)] == [
        ("limit", 50_000.0),
        ("limit", 100.0),
    ]
    assert chart.finding == "No model is over a limit of its policy."
    page = said(lead, f"/cycles/{cycle.quarter}/portfolio/")[1]
    assert page.count(f'<a href="/requests/{request.ref}/" tabindex="-1">') == 1
    assert ("limit: $50,000" in page, "limit: 100\xa0ms" in page) == (True, True)


def test_who_is_over_a_limit_differs_by_shape_and_in_words(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    request = walks.make_decided(cast=cast, now=now)
    (row,) = reads.with_limits(reads.portfolio_rows())
    over = replace(row, ref="MRR-1", cost_usd=Decimal(60_000), latency_ms=Decimal(250), name="Slow")
    chart = portfolio_chart([row, over], best=frontier([row.point, over.point]))
    assert chart is not None
    assert [(each.name, [point.name for point in each.points]) for each in chart.series] == [
        ("on the frontier", [row.name]),
        ("over a limit", ["Slow"]),
    ]
    notes = [point.note.replace("\xa0", " ") for each in chart.series for point in each.points]
    assert notes == [
        f"{request.ref}, authorization active",
        "MRR-1, authorization active. Over the limit of $50,000. Over the limit of 100 ms",
    ]
    assert chart.finding == "Over a limit: Slow."
    free = replace(row, cost_limit_usd=None, latency_limit_ms=None)
    assert portfolio_chart([free], best=frozenset()).finding == NO_LIMIT  # type: ignore[union-attr]  # one point is drawn
    assert portfolio_chart([replace(row, cost_usd=None)], best=frozenset()) is None
    parts = [portfolio_chart(each, best=frozenset(), is_part=True) for each in ([row, over], [row], [free])]
    assert [chart.finding for chart in parts if chart] == [
        "Over a limit on this page: Slow.",
        "No model on this page is over a limit of its policy.",
        "No policy limits the cost or the latency of the models on this page.",
    ]


def test_the_strip_counts_the_requests_of_the_quarter_and_leads_to_their_lists(
    policy: PolicyVersion, cast: Cast, now: datetime
) -> None:
    decided = walks.make_decided(cast=cast, now=now)
    draft = walks.make_draft(by=cast.author, now=now)
    cycle = make_cycle(now=now)
    lead = entered(cast.auditor)
    for path in (f"/cycles/{cycle.quarter}/portfolio/", f"/cycles/{cycle.quarter}/"):
        page = said(lead, path)[1]
        assert "Requests of the quarter" in page
        found = re.findall(r'<li>\s*<a href="([^"]+)">', page.partition('class="strip-key"')[2].partition("</ul>")[0])
        assert [html.unescape(address) for address in found] == [
            f"/requests/?state=approved&quarter={cycle.quarter}",
            f"/requests/?state=draft&quarter={cycle.quarter}",
        ]
    for state, shown, hidden in (("approved", decided, draft), ("draft", draft, decided)):
        listed = said(lead, f"/requests/?state={state}&quarter={cycle.quarter}")[1]
        assert (shown.ref in listed, hidden.ref in listed) == (True, False)
    counted = said(lead, f"/cycles/{cycle.quarter}/portfolio/?team=ads")[1]
    assert "Requests of the quarter" not in counted


def test_the_strip_counts_what_the_person_may_see(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    walks.make_draft(by=cast.author, now=now)
    quarter = str(Quarter.of(now))
    own, other = (strip_of_quarter(quarter, person=person_of(user)) for user in (cast.author, cast.outsider))
    assert [(part.state, part.count) for part in own.parts] == [("draft", 1)]
    assert (other.total, other.parts) == (0, ())


def test_a_request_belongs_to_the_quarters_in_which_it_was_filed_decided_open_or_in_force(
    policy: PolicyVersion, cast: Cast, now: datetime
) -> None:
    request = walks.make_decided(cast=cast, now=now)
    this = Quarter.of(now)

    def quarters() -> list[bool]:
        return [
            strip_of_quarter(str(quarter), person=person_of(cast.auditor)).total == 1
            for quarter in (this.previous, this, this.next)
        ]

    assert quarters() == [False, True, True]
    Authorization.objects.update(state=AuthorizationState.REVOKED)
    assert quarters() == [False, True, False]
    parts = strip_of_quarter(str(this), person=person_of(cast.auditor)).parts
    assert [part.state for part in parts] == ["not_in_force"]
    listed = said(entered(cast.auditor), f"/requests/?state=not_in_force&quarter={this}")[1]
    assert request.ref in listed
    assert request.ref not in said(entered(cast.auditor), f"/requests/?state=approved&quarter={this}")[1]
    assert quarters_of_requests(now) == [str(this)]
    assert quarters_of_requests(next_quarter(now)) == [str(this.next), str(this)]


def test_the_table_tells_the_value_and_the_share_of_the_budget(
    policy: PolicyVersion, cast: Cast, now: datetime
) -> None:
    held = walks.make_decided(cast=cast, now=now, version=make_version(by=cast.author, now=now, slug="ranker"))
    stated, quarter = pending(cast, now), Quarter.of(now)
    rows = reads.portfolio_rows()
    money = money_of(rows, quarter=quarter, person=person_of(cast.finance))
    document = stated.projections.get().projection.document
    (gain,) = [Decimal(each["gain_usd"]["p50"]) for each in document["worth"] if each["option"] == "own"]
    account = BudgetAccount.objects.get(center__team=held.team, quarter=str(quarter), unit="USD")
    used, given = holding_of(entries_of(account), ref=held.ref).used, balance_of(account).allocated
    assert gain > 0
    assert used > 0
    assert money[stated.ref] == PortfolioMoney(value_usd=gain, budget_share=Decimal(0))
    assert money[held.ref] == PortfolioMoney(budget_share=used / given)
    nowhere = money_of(rows, quarter=quarter.next.next, person=person_of(cast.finance))
    assert {each.budget_share for each in nowhere.values()} == {None}
    with CaptureQueriesContext(connection) as one:
        money_of(rows[:1], quarter=quarter, person=person_of(cast.finance))
    with CaptureQueriesContext(connection) as both:
        money_of(rows, quarter=quarter, person=person_of(cast.finance))
    assert len(one) == len(both)
    cycle = make_cycle(now=now)
    page = said(entered(cast.auditor), f"/cycles/{cycle.quarter}/portfolio/")[1]
    assert (format_usd(gain) in page, f'data-value="{gain}"' in page) == (True, True)


def test_the_baseline_of_a_projection_has_no_value(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    request = walks.make_draft(by=cast.author, now=now)
    projection = kept.project_and_store(spec=valued_spec(), by=cast.author, now=now)
    projections.state(request=request, projection=projection, option="api", by=cast.author, now=now)
    requests.submit(request=request, by=cast.author, now=now)
    money = money_of(reads.portfolio_rows(), quarter=Quarter.of(now), person=person_of(cast.outsider))
    assert money == {request.ref: PortfolioMoney()}


def test_a_proposal_asks_as_many_questions_for_many_teams(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    request = pending(cast, now)
    walks.allocate_budget(team=request.team, by=cast.finance, now=now)
    path, lead = f"/cycles/{make_cycle(now=now).quarter}/portfolio/proposals/", entered(cast.approver)

    def queries() -> int:
        reads._outcome_of.cache_clear()
        lead.get(path)
        with asked() as statements:
            assert lead.get(path).status_code == 200
        return len(statements.statements)

    few = queries()
    version, ads = request.model_version, f"(SELECT id FROM people_team WHERE slug = '{OTHER_TEAM}')"
    multiply(version.asset, count=5, slug="'copy-' || n", team_id=ads)
    first = ModelAsset.objects.latest("pk").pk - 4
    digest = "'sha256:' || encode(sha256(n::text::bytea), 'hex')"
    multiply(version, count=5, asset_id=f"{first} + n - 1", digest=digest)
    first = ModelVersion.objects.latest("pk").pk - 4
    multiply(request, count=5, ref="'MRR-2026-900' || n", model_version_id=f"{first} + n - 1", team_id=ads)
    first = ReviewRequest.objects.latest("pk").pk - 4
    multiply(RequestProjection.objects.get(), count=5, request_id=f"{first} + n - 1")
    ads_team = Team.objects.get(slug=OTHER_TEAM)
    walks.allocate_budget(team=ads_team, by=cast.finance, now=now)
    assert queries() == few
    proposal = reads.proposal_of(quarter=Quarter.of(now))
    assert len(proposal.quarter_problem.included) == 6
    assert set(proposal.teams.values()) == {"search", OTHER_TEAM}
    accounts = accounts_of(reads.portfolio_rows(), quarter=Quarter.of(now)).values()
    assert len(accounts) == 4
    assert [each.balance for each in accounts] == [balance_of(each.account) for each in accounts]


def test_a_long_portfolio_has_pages_and_reads_no_more_for_more_models(
    policy: PolicyVersion, cast: Cast, now: datetime
) -> None:
    request = pending(cast, now)
    walks.allocate_budget(team=request.team, by=cast.finance, now=now)
    path, lead = f"/cycles/{make_cycle(now=now).quarter}/portfolio/", entered(cast.approver)

    def fill(first: int, count: int) -> None:
        multiply(request, count=count, ref=f"'MRR-2026-' || ({first} + n)", purpose=f"'Use ' || ({first} + n)")
        last = ReviewRequest.objects.latest("pk").pk - count + 1
        multiply(RequestProjection.objects.earliest("pk"), count=count, request_id=f"{last} + n - 1")

    def costs(address: str) -> tuple[int, int]:
        lead.get(address)
        with asked() as statements:
            answer = lead.get(address)
        return len(statements.statements), len(answer.content)

    fill(5000, PAGE_SIZE + 9)
    few = {address: costs(address) for address in (path, f"{path}proposals/")}
    fill(6000, 300)
    for address, (queries, size) in few.items():
        found = costs(address)
        assert (found[0], found[1] <= size * 1.05) == (queries, True), address
    shown = [each.ref for each in reads.portfolio_rows()]
    pages = [[row.ref for row, _ in lead.get(f"{path}?page={n}").context["rows"]] for n in range(1, 9)]
    assert [ref for page in pages for ref in page] == shown
    assert len(shown) == PAGE_SIZE + 310
    assert "of 360 models" in said(lead, path)[1]
    assert "These are the first 50 of 3" in said(lead, f"{path}proposals/")[1]


def test_what_requests_hold_is_read_as_the_ledger_has_it(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    held, other = walks.make_decided(cast=cast, now=now), pending(cast, now)
    accounts = accounts_of(reads.portfolio_rows(), quarter=Quarter.of(now))
    assert accounts
    for each in accounts.values():
        entries = entries_of(each.account)
        for ref in (held.ref, other.ref):
            holding = holding_of(entries, ref=ref)
            assert (each.held(ref), each.billed(ref)) == (float(holding.used), float(holding.counted))
