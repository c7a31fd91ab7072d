"""The page of a request in each of its states, and for each kind of reader."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User

from benchmarking.runs.models import Run
from governance.budgets.actions import actuals
from governance.budgets.domain.actuals import Stated
from governance.budgets.domain.quarters import Quarter
from governance.budgets.models import BudgetAccount
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from governance.rulebook.models import PolicyVersion
from reviews.requests.models import ReviewRequest
from reviews.tickets import actions as effects
from reviews.tickets.ports import RemoteTicket
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import evidence, measurements, requests, review, waivers
from tests.factories import requests as walks
from tests.factories import tickets as sites
from tests.factories.people import Cast
from tests.integration.reviews.requests.reading import enter, page_of, words
from tests.masses import asked
from tests.pages import html_of

pytestmark = pytest.mark.django_db


def stations(page) -> list[tuple[str, str]]:
    return [(station.word, station.state) for station in page.context["progress_steps"]]


def test_a_stranger_finds_nothing(draft: ReviewRequest, cast: Cast) -> None:
    page = enter(cast.outsider).get(page_of(draft))
    assert page.status_code == 404
    assert f"There is no request {draft.ref} that you can see." in words(page)


@pytest.mark.parametrize("who", ["author", "reviewer_one", "approver", "finance", "admin", "auditor"])
def test_everybody_with_a_reason_reads_a_draft(draft: ReviewRequest, cast: Cast, who: str) -> None:
    page = enter(getattr(cast, who)).get(page_of(draft))
    assert page.status_code == 200
    assert stations(page)[0] == ("Draft", "current")
    assert ("Check and submit" in words(page)) is (who == "author")
    policy = enter(getattr(cast, who)).get(page_of(draft, "policy"))
    assert "The policy has not been evaluated yet" in words(policy)


def test_evidence_names_every_obstacle(submitted: ReviewRequest, author: User) -> None:
    page = enter(author).get(page_of(submitted))
    assert [each.code for each in page.context["view"].review_blockers] == [
        "run_unfinished",
        *["checklist_open"] * 5,
        "indeterminate",
        "indeterminate",
    ]
    assert stations(page)[2] == ("Evidence", "current")
    assert "8 open items before the review" in words(page)
    assert 'title="Complete the items above first."' in html_of(page)


def test_a_reader_without_a_stake_is_told_who_moves(submitted: ReviewRequest, auditor: User) -> None:
    text = words(enter(auditor).get(page_of(submitted)))
    assert "Waiting for Author" in text
    assert "Withdraw the request" not in text
    assert "State a metric value" not in words(enter(auditor).get(page_of(submitted, "evidence")))


def test_a_ready_request_offers_the_review(ready: ReviewRequest, author: User) -> None:
    page = enter(author).get(page_of(ready))
    assert "The evidence is complete" in words(page)
    assert page.context["view"].allowed_steps["request_review"].is_allowed


def test_a_contradiction_is_shown_until_it_is_explained(policy: PolicyVersion, author: User, now: datetime) -> None:
    declared = {**walks.DECLARED, "latency_p95_ms": "1.2"}
    request = walks.make_ready(by=author, now=now, declared=declared)
    page = enter(author).get(page_of(request))
    assert [each.part for each in page.context["view"].review_blockers] == ["metric-values"]
    assert "A measurement contradicts a claim." in words(enter(author).get(page_of(request, "evidence")))
    evidence.answer_contradiction(
        request=request, name="latency_p95_ms", text="Claimed for batch eight.", by=author, now=now
    )
    page = enter(author).get(page_of(request))
    assert page.context["view"].review_blockers == ()
    assert "Claimed for batch eight." in words(enter(author).get(page_of(request, "evidence")))


def test_the_page_of_a_review(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    page = enter(cast.reviewer_one).get(page_of(in_review))
    text = words(page)
    assert "Technical review: 2 more approvals needed" in text
    assert "Cast the vote" in text
    assert "Approve with conditions" not in text
    assert stations(page)[3] == ("Review", "current")
    first, *later = map(str, walks.usd_shares(now=now))
    budget = page.context["view"].budget
    assert [(account.unit, str(account.this), account.is_later) for account in budget] == [
        ("USD", first, False),
        ("gpu_h", "320.00", False),
        *(("USD", share, True) for share in later),
    ]
    assert [account.is_affordable for account in budget[:2]] == [True, True]
    assert [account.after for account in budget[2:]] == [-account.this for account in budget[2:]]
    text = words(enter(cast.reviewer_one).get(page_of(in_review, "costs")))
    assert "An approval plans these amounts; they never block it." in text
    assert text.count("nothing allocated yet") == len(later)


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        ("author", "You filed this request, and nobody votes on their own request"),
        ("approver", "The stage “Technical review” is voted on"),
        ("admin", "The stage “Technical review” is voted on"),
    ],
)
def test_who_cannot_vote_reads_why(in_review: ReviewRequest, cast: Cast, who: str, reason: str) -> None:
    text = words(enter(getattr(cast, who)).get(page_of(in_review)))
    assert reason in text
    assert "Cast the vote" not in text


def test_the_last_stage_may_set_conditions(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    for voter in (cast.reviewer_one, cast.reviewer_two):
        review.vote(request=in_review, stage_id="technical", choice=VoteChoice.APPROVE, by=voter, now=now)
    assert "Approve with conditions" in words(enter(cast.approver).get(page_of(in_review)))


def test_changes_requested_open_the_next_revision(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    review.vote(
        request=in_review,
        stage_id="technical",
        choice=VoteChoice.REQUEST_CHANGES,
        rationale="Measure returns.",
        by=cast.reviewer_one,
        now=now,
    )
    page = enter(cast.author).get(page_of(in_review))
    assert "A reviewer requested changes" in words(page)
    assert stations(page)[2] == ("Evidence", "current")
    requests.revise(request=in_review, reason="Returns are in.", by=cast.author, now=now)
    page = enter(cast.reviewer_one).get(page_of(in_review))
    assert [vote.is_void for vote in page.context["view"].votes] == [True]
    assert "void: it does not count" in words(page)


def test_the_page_of_a_decision(decided: ReviewRequest, cast: Cast, now: datetime) -> None:
    page = enter(cast.auditor).get(page_of(decided))
    text = words(page)
    assert stations(page)[-1] == ("Approved", "done")
    assert f"{decided.ref.replace('MRR', 'AUT')} lets this artifact run in prod" in text
    assert f"weighbridge gate {decided.model_version.digest} --env prod" in text
    first, *later = walks.usd_shares(now=now)
    costs = words(enter(cast.auditor).get(page_of(decided, "costs")))
    assert "The approval planned these amounts in later quarters" in costs
    assert [(a.unit, a.is_booked, str(a.this), str(a.after)) for a in page.context["view"].budget] == [
        ("USD", True, str(first), str(100_000 - first)),
        ("gpu_h", True, "320.00", "680.00"),
        *(("USD", True, str(share), str(-share)) for share in later),
    ]
    assert page.context["view"].open_stages == ()


def test_the_authorization_tells_quarter_by_quarter_what_bills_drew(
    decided: ReviewRequest, cast: Cast, now: datetime
) -> None:
    first, *later = walks.usd_shares(now=now)
    accounts = BudgetAccount.objects.filter(center__team=decided.team).order_by("quarter", "unit")
    present, hours = accounts.filter(unit="USD")[0], accounts.get(unit="gpu_h")
    for account, amount in (
        (present, first + 2000),
        (hours, Decimal(300)),
        (accounts.filter(unit="USD")[1], later[0] - 1),
    ):
        month = f"{Quarter.parse(account.quarter).start_on:%Y-%m}"
        stated = Stated(period=month, amount=amount, request_ref=decided.ref)
        actuals.book_actual(account=account, stated=stated, key=f"b{account.pk}", by=None, now=now)
    page = enter(cast.auditor).get(page_of(decided))
    assert [(each.granted, each.billed, each.remaining, each.overrun) for each in page.context["view"].budget] == [
        (first, first + 2000, 0, 2000),
        (320, 300, 20, 0),
        (later[0], later[0] - 1, 1, 0),
        *((share, 0, share, 0) for share in later[1:]),
    ]
    text = words(page)
    assert "Budget used by bills" in text
    assert text.count("Over $2,000.00") == 1


def test_a_rejection_spends_nothing(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    review.vote(
        request=in_review,
        stage_id="technical",
        choice=VoteChoice.REJECT,
        rationale="Too dear.",
        by=cast.reviewer_one,
        now=now,
    )
    page = enter(cast.author).get(page_of(in_review))
    assert stations(page)[-1] == ("Rejected", "stopped")
    assert page.context["view"].budget == ()
    assert page.context["view"].authorization is None


def test_a_cleared_request(policy: PolicyVersion, author: User, now: datetime) -> None:
    cheap = {"training_gpu_hours": "4", "training_cost_usd": "120", "inference_cost_1y_usd": "900"}
    request = walks.make_submitted(by=author, now=now, environment="staging", declared=cheap)
    page = enter(author).get(page_of(request))
    assert stations(page) == [("Draft", "done"), ("Screening", "done"), ("Cleared", "done")]
    assert "Cleared: no review is needed" in words(page)
    assert "No ticket is needed." in words(enter(author).get(page_of(request, "history")))


@pytest.mark.parametrize(("fixture", "passed"), [("draft", 1), ("submitted", 3), ("in_review", 4)])
def test_a_withdrawn_request_stops_where_it_was(
    fixture: str, passed: int, request: pytest.FixtureRequest, author: User, now: datetime
) -> None:
    row = request.getfixturevalue(fixture)
    requests.withdraw(request=row, reason="Superseded.", by=author, now=now)
    page = enter(author).get(page_of(row))
    assert stations(page) == [*stations(page)[:passed], ("Withdrawn", "stopped")]
    assert "Superseded." in words(page)


def test_a_expired_request_says_why(submitted: ReviewRequest, author: User, now: datetime) -> None:
    requests.expire(request=submitted, now=now + timedelta(days=60))
    assert "Expired: nobody acted before the deadline" in words(enter(author).get(page_of(submitted)))


def test_a_waiver_is_shown_with_its_reason(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    declared = {name: value for name, value in walks.DECLARED.items() if name != "business_kpi_delta"}
    request = walks.make_submitted(by=cast.author, now=now, declared=declared)
    assert "Waive a soft rule" in words(enter(cast.approver).get(page_of(request, "policy")))
    assert "Waive a soft rule" not in words(enter(cast.author).get(page_of(request, "policy")))
    waivers.grant(
        request=request,
        rule_id="business-gain-prod",
        reason="It saves energy, not money.",
        valid_days=30,
        by=cast.approver,
        now=now,
    )
    page = enter(cast.author).get(page_of(request))
    assert [(each.rule_id, each.granted_by, each.is_over) for each in page.context["view"].waivers] == [
        ("business-gain-prod", "Approver", False)
    ]
    assert "It saves energy, not money." in words(page)
    assert "It saves energy, not money." in words(enter(cast.author).get(page_of(request, "policy")))


def test_a_ticket_waits_and_says_why(submitted: ReviewRequest, cast: Cast) -> None:
    history = page_of(submitted, "history")
    assert "1 update pending" in words(enter(cast.author).get(history))
    OutboxMessage.objects.filter(kind="ticket.open").update(state=JobState.PAUSED, error="No Jira is configured.")
    page = enter(cast.author).get(history)
    assert page.context["view"].ticket.error == "No Jira is configured."
    assert "Updates of the ticket are waiting; none is lost." in words(page)
    assert "Open the integrations" not in words(page)
    assert "Open the integrations" in words(enter(cast.admin).get(history))


def test_a_linked_ticket_leads_to_the_tracker(submitted: ReviewRequest, author: User, now: datetime) -> None:
    remote = RemoteTicket("10001", "MR-1", "https://jira.test/browse/MR-1", "To Do")
    sites.link(submitted.ticket, remote=remote, now=now)
    page = enter(author).get(page_of(submitted, "history"))
    assert '<a href="https://jira.test/browse/MR-1">MR-1</a>' in html_of(page)


def test_a_lost_answer_of_the_tracker_is_told(submitted: ReviewRequest, author: User, now: datetime) -> None:
    effects.mark_uncertain(ticket=submitted.ticket, now=now)
    assert "Searching" in words(enter(author).get(page_of(submitted, "history")))


def test_a_run_is_watched_while_it_measures(submitted: ReviewRequest, author: User, now: datetime) -> None:
    client = enter(author)
    page = client.get(f"{page_of(submitted)}runs/")
    assert 'hx-trigger="every 2s"' in html_of(page)
    assert "Position 1 in the queue." in words(page)
    run = Run.objects.get(asked_for=submitted.ref)
    claimed = Run.claim(pk=run.pk, now=now, lease=timedelta(minutes=1))
    assert claimed is not None
    claimed.renew(now=now, lease=timedelta(minutes=1), state=JobState.RUNNING, progress=0.4, phase="warming up")
    text = words(client.get(f"{page_of(submitted)}runs/"))
    assert "Measuring: warming up" in text
    assert "40 %" in text


def test_results_under_way_to_the_evidence_are_still_watched(
    submitted: ReviewRequest, author: User, now: datetime
) -> None:
    run = walks.finish_run(run=Run.objects.get(asked_for=submitted.ref), now=now)
    client = enter(author)
    page = client.get(f"{page_of(submitted)}runs/")
    assert "The results are being added to the evidence." in words(page)
    measurements.record_measurements(request=submitted, run=run, now=now)
    page = client.get(f"{page_of(submitted)}runs/")
    assert "hx-trigger" not in page.content.decode().partition('id="contradictions"')[0]
    for part in ("state-line", "metric-values-table", "contradictions"):
        assert f'id="{part}" hx-swap-oob="true"' in html_of(page)


def test_the_decision_is_watched_while_benchmarks_run(submitted: ReviewRequest, author: User, now: datetime) -> None:
    client = enter(author)
    address = f"{page_of(submitted)}progress/"
    assert f'hx-get="{address}" hx-trigger="every 2s"' in html_of(client.get(page_of(submitted)))
    page = client.get(address)
    assert 'hx-trigger="every 2s"' in html_of(page)
    assert "Waiting for a worker" in words(page)
    run = walks.finish_run(run=Run.objects.get(asked_for=submitted.ref), now=now)
    measurements.record_measurements(request=submitted, run=run, now=now)
    page = client.get(address)
    assert "hx-trigger" not in page.content.decode()
    for part in ("steps", "next", "decision-evidence"):
        assert f'id="{part}"' in html_of(page)
    assert html_of(page).count('hx-swap-oob="true"') == 3
    assert "The benchmarks are finished" in words(page)


QUERIES_MAX = 48


def test_a_page_of_many_metric_values_asks_no_more_than_of_few(
    policy: PolicyVersion, cast: Cast, now: datetime, django_assert_max_num_queries
) -> None:
    request = walks.make_decided(cast=cast, now=now)
    client = enter(cast.auditor)
    with django_assert_max_num_queries(QUERIES_MAX):
        client.get(page_of(request))


def test_a_request_with_everything_asks_no_more(rich: ReviewRequest, cast: Cast, django_assert_max_num_queries) -> None:
    for reader in (cast.author, cast.approver, cast.auditor):
        client = enter(reader)
        with django_assert_max_num_queries(QUERIES_MAX):
            view = client.get(page_of(rich)).context["view"]
    assert (len(view.rivals), len(view.packets), len(view.revisions), len(view.runs)) == (2, 2, 2, 2)
    assert (len(view.projections), len(view.waivers), len(view.votes)) == (2, 1, 4)
    assert (len(view.budget), len(view.authorization.conditions), view.ticket.mirror.is_gone) == (6, 2, False)


def test_reviewers_see_what_the_next_revision_changed(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    assert enter(cast.reviewer_two).get(page_of(in_review)).context["view"].changes == ()
    requests.revise(request=in_review, reason="A better metric value.", by=cast.author, now=now)
    walks.state_metric_value(request=in_review, name="training_gpu_hours", value="280", by=cast.author, now=now)
    walks.state_metric_value(request=in_review, name="cost_per_1k_usd", value="0.04", by=cast.author, now=now)
    evidence.answer_item(
        request=in_review,
        item_id="owner-and-rollback",
        by=cast.author,
        now=now,
        text="The search team answers for it; the old model is back within two minutes.",
    )
    review.request_review(request=in_review, by=cast.author, now=now)
    page = enter(cast.reviewer_two).get(page_of(in_review))
    assert [(each.path, each.before, each.after) for each in page.context["view"].changes] == [
        ("metric_values[training_gpu_hours, declared]", "320 GPU h", "280 GPU h"),
        ("metric_values[cost_per_1k_usd, declared]", None, "0.04 USD"),
        (
            "answers[owner-and-rollback]",
            "The search team answers for it; the old model is back within five minutes.",
            "The search team answers for it; the old model is back within two minutes.",
        ),
    ]
    assert "Since the last revision" in words(page)


def test_only_the_tabs_that_show_money_and_events_read_them(decided: ReviewRequest, cast: Cast) -> None:
    browser, read = enter(cast.auditor), dict[str, set[str]]()
    for tab in ("", "evidence", "costs", "policy", "checklist", "history"):
        with asked() as statements:
            assert browser.get(page_of(decided, tab)).status_code == 200
        texts = [sql for sql, _ in statements.statements]
        of_trail = any('FROM "audit_auditevent"' in sql and "position" in sql.partition("ORDER BY")[2] for sql in texts)
        of_money = any('FROM "budgets_ledgerentry"' in sql for sql in texts)
        read[tab] = {name for name, is_read in {"trail": of_trail, "money": of_money}.items() if is_read}
    assert read == {
        "": {"trail", "money"},
        "evidence": set(),
        "costs": {"money"},
        "policy": set(),
        "checklist": set(),
        "history": {"trail"},
    }
