"""Every kind of notification, from the step that causes it: whom it tells, of what, and nobody twice."""

import ast
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import resolve

from benchmarking.runs.actions import runs
from benchmarking.runs.models import Run
from config import env
from governance.budgets.actions import budgets, ledger_entries
from governance.budgets.domain.ledger import EntryKind, LedgerLine
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import BudgetAccount
from governance.findings import actions as findings
from governance.findings.actions import Sighting
from governance.findings.enums import Severity
from governance.inventory.domain.retirement import Announcement
from governance.jobs import actions as jobs
from governance.jobs import outbox
from governance.jobs.models import OutboxMessage
from governance.notifications.actions import webhooks
from governance.notifications.domain.kinds import CATALOG, OF_TEAMS
from governance.notifications.models import Dispatch, Notification
from governance.notifications.queries.relevance import FINDS, readable
from governance.people.actions import grants, people
from governance.people.approvals import actions as approvals
from governance.people.approvals.models import Change
from governance.people.domain.roles import Role
from governance.people.models import Team
from governance.people.queries.people import person_of
from governance.rulebook.models import PolicyVersion
from reviews.authorizations.models import Authorization
from reviews.discussions.actions import comments
from reviews.inbox.actions import make_reminders
from reviews.packets.models import Packet
from reviews.quarterly.actions import cycles as quarterly
from reviews.quarterly.actions import quarterly_packets
from reviews.quarterly.models import CyclePacket
from reviews.requests.models import ReviewRequest
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import authorizations, requests, retirements, review
from reviews.workflow.actions.review import NewCondition
from tests.factories import cycles
from tests.factories import requests as walks
from tests.factories.absences import make_absence
from tests.factories.discussions import make_comment
from tests.factories.notices import make_webhook
from tests.factories.people import Cast, make_person

DAY = timedelta(days=1)
As = Callable[[User], Client]
WHY = "The vendor wrote it in its list."


@pytest.fixture(autouse=True)
def _every_path_is_a_page(db: None) -> Iterator[None]:
    """Whatever a test caused, each notification leads to a page of this site, which somebody who is told may see."""
    yield
    for path in set(Notification.objects.values_list("path", flat=True)):
        assert resolve(path).view_name
        assert path == "/" or path.split("/")[1] in FINDS
        rows = Notification.objects.filter(path=path, person__is_active=True).select_related("person")
        assert not rows or any(readable([row], person=person_of(row.person)) for row in rows)


def told(kind: str, about: str = "") -> list[str]:
    """Who was told of this kind, oldest first, with the absent person of a deputy."""
    rows = Notification.objects.filter(kind=kind, person__isnull=False).order_by("made_at", "pk")
    rows = rows.filter(reference=about) if about else rows
    return [
        f"{row.person.username}{f' for {row.in_place_of.username}' if row.in_place_of else ''}"
        for row in rows.select_related("person", "in_place_of")
        if row.person
    ]


@pytest.fixture
def channel(cast: Cast, now: datetime) -> Callable[[str], list[str]]:
    """What the webhook of the team, which gets everything that is offered, is told of a kind."""
    row = make_webhook(cast=cast, now=now)
    webhooks.change_webhook(webhook=row, name="All", kinds=OF_TEAMS, by=cast.admin, now=now)
    rows = Notification.objects.filter(webhook=row).order_by("pk")
    return lambda kind: list(rows.filter(kind=kind).values_list("reference", flat=True))


def sentences(kind: str, about: str = "") -> list[str]:
    rows = Notification.objects.filter(kind=kind, **({"reference": about} if about else {}))
    return sorted(set(rows.values_list("sentence", flat=True)))


def vote(
    request: ReviewRequest, by: User, now: datetime, choice: VoteChoice = VoteChoice.APPROVE, **more: object
) -> None:
    stage = more.pop("stage_id", "technical")
    review.vote(request=request, stage_id=stage, choice=choice, rationale="Measured twice.", by=by, now=now, **more)


def test_voters_are_asked_stage_by_stage(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    assert told("vote_asked") == ["reviewer_one", "reviewer_two"]
    row = Notification.objects.filter(kind="vote_asked").first()
    assert row is not None
    assert (row.reference, row.path) == (in_review.ref, f"/requests/{in_review.ref}/")
    vote(in_review, cast.reviewer_one, now)
    assert told("vote_asked") == ["reviewer_one", "reviewer_two"]
    vote(in_review, cast.reviewer_two, now)
    assert told("vote_asked") == ["reviewer_one", "reviewer_two", "approver"]


def test_the_deputy_of_a_voter_is_asked(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    third = make_person("reviewer_three", Role.REVIEWER, now=now)
    make_absence(cast.reviewer_one, deputy=third, now=now)
    walks.make_in_review(cast=cast, now=now)
    assert sorted(told("vote_asked")) == ["reviewer_three", "reviewer_two"]


def test_requested_changes_and_decisions_reach_the_parties(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    vote(in_review, cast.reviewer_one, now, VoteChoice.REQUEST_CHANGES)
    assert (told("changes_requested"), sentences("changes_requested")) == (["author"], ["Measured twice."])
    assert told("decided", in_review.ref) == []


def test_a_decision_and_an_authorization_that_ends(decided: ReviewRequest, cast: Cast, now: datetime) -> None:
    assert told("decided", decided.ref) == ["author"]
    assert "approved. Fast and cheap." in sentences("decided", decided.ref)[0]
    row = Authorization.objects.get()
    authorizations.expire_due(now=row.warn_at)
    assert told("authorization_ends") == ["author"]
    authorizations.revoke(authorization=row, reason="It drifts.", by=cast.approver, now=row.warn_at)
    assert told("authorization_ends") == ["author", "author"]
    assert any(text.endswith("It drifts.") for text in sentences("authorization_ends"))


def test_a_request_that_is_withdrawn_or_expires(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    end = in_review.lapses_at
    assert end is not None
    requests.expire(request=in_review, now=end)
    assert told("decided", in_review.ref) == ["author"]
    assert "expired. Nobody acted before" in sentences("decided", in_review.ref)[0]


def test_reminders_tell_at_once(
    in_review: ReviewRequest, cast: Cast, now: datetime, channel: Callable[[str], list[str]]
) -> None:
    end = in_review.deadline_at
    assert end is not None
    before = end - timedelta(hours=20)
    make_reminders(now=before)
    once = sorted(told("lapses"))
    assert once == ["approver", "reviewer_one", "reviewer_two"]
    make_reminders(now=before)
    assert sorted(told("lapses")) == once
    assert channel("lapses") == [in_review.ref] * 2  # the reminder of the voters, and the escalation to the lead
    row = Notification.objects.filter(kind="lapses", person=cast.reviewer_one).get()
    assert (row.reference, row.until) == (in_review.ref, end)


def test_the_owner_of_a_condition_is_told_before_it_is_due(
    in_review: ReviewRequest, cast: Cast, now: datetime, channel: Callable[[str], list[str]]
) -> None:
    for voter in (cast.reviewer_one, cast.reviewer_two):
        vote(in_review, voter, now)
    due_on = now.date() + 20 * DAY
    condition = NewCondition(text="Publish the bill.", owner=cast.author, due_on=due_on)
    vote(in_review, cast.approver, now, stage_id="gpu-budget", conditions=(condition,))
    make_reminders(now=now + 2 * DAY)
    assert told("condition_due") == []
    for hours in (2, 3, 26):
        make_reminders(now=now + 19 * DAY + timedelta(hours=hours) - timedelta(hours=now.hour))
    assert set(told("condition_due")) == {"author"}
    assert "Publish the bill." in sentences("condition_due")[0]
    count = len(told("condition_due"))
    make_reminders(now=now + 19 * DAY)
    assert len(told("condition_due")) == count <= 2
    assert channel("condition_due") == [Authorization.objects.get().number] * count


def deliver_ends(now: datetime) -> None:
    for pk in OutboxMessage.objects.filter(kind="run.finished").values_list("pk", flat=True):
        outbox.deliver(pk=pk, now=now)


@pytest.fixture
def run(submitted: ReviewRequest) -> Run:
    row = Run.objects.first()
    assert row is not None
    return row


def test_a_failed_run_tells_whoever_started_it(run: Run, cast: Cast, now: datetime) -> None:
    held = jobs.claim(model=Run, pk=run.pk, now=now)
    assert held is not None
    jobs.fail(row=held, reason="It takes a batch of 3.", now=now)
    for _ in range(2):
        deliver_ends(now)
    assert told("failed") == ["author"]
    assert sentences("failed")[0].endswith("failed: It takes a batch of 3.")


def test_a_canceled_run_tells_nobody(run: Run, cast: Cast, now: datetime) -> None:
    jobs.cancel(row=run, by=cast.author, now=now)
    deliver_ends(now)
    assert told("failed") == []


def test_a_failed_run_that_nobody_asked_for_tells_whoever_started_it(
    submitted: ReviewRequest, cast: Cast, now: datetime
) -> None:
    plan = {"scenario": "SingleStream", "min_samples": 100}
    version = submitted.model_version
    row = runs.queue(key="x", version=version, dataset=None, plan=plan, asked_for="", by=cast.author, now=now)
    held = jobs.claim(model=Run, pk=row.pk, now=now)
    assert held is not None
    jobs.fail(row=held, reason="No memory.", now=now)
    deliver_ends(now)
    assert told("failed", f"Run {row.pk}") == ["author"]


def test_a_failed_packet_tells_the_parties(decided: ReviewRequest, cast: Cast, now: datetime) -> None:
    packet = Packet.objects.get()
    held = jobs.claim(model=Packet, pk=packet.pk, now=now)
    assert held is not None
    jobs.fail(row=held, reason="Out of ink.", now=now)
    assert told("failed") == ["author"]


def test_a_failed_quarterly_packet_tells_platform_leads(cast: Cast, now: datetime) -> None:
    packet = quarterly_packets.issue(cycle=cycles.make_frozen(now=now), by=None, now=now)
    held = jobs.claim(model=CyclePacket, pk=packet.pk, now=now)
    assert held is not None
    jobs.fail(row=held, reason="Out of ink.", now=now)
    assert told("failed") == ["approver"]


def test_a_dead_delivery_tells_operators(cast: Cast, now: datetime) -> None:
    outbox.enqueue(kind="ticket.tell", key="a", lane="a", payload={}, now=now)
    OutboxMessage.objects.update(attempts=12, error="Jira is down.")
    jobs.mark_dead(model=OutboxMessage, now=now)
    assert sorted(told("failed")) == ["admin", "approver"]
    assert sentences("failed") == ["A delivery used up its attempts: Jira is down."]


def test_a_digest_or_a_collected_message_that_tells_of_dead_deliveries_dies_in_silence(
    cast: Cast, now: datetime
) -> None:
    """Otherwise each digest that dies would be news for the next one."""

    def dies(key: str, kind: str = "ticket.tell", **payload: int) -> list[str]:
        outbox.enqueue(kind=kind, key=key, lane=key, payload=payload, now=now)
        OutboxMessage.objects.filter(key=key).update(attempts=12, error="No mail server.")
        before = Notification.objects.count()
        jobs.mark_dead(model=OutboxMessage, now=now)
        return list(Notification.objects.order_by("pk").values_list("person__username", flat=True)[before:])

    assert sorted(dies("a")) == ["admin", "approver"]
    for kind in ("", "failed"):
        dispatch = Dispatch.objects.create(key=f"d{kind}", person=cast.admin, kind=kind, made_at=now)
        assert len(dies(f"other{kind}", "notification.mail", dispatch=dispatch.pk)) == 2
        Notification.objects.filter(person=cast.admin, key__contains=":", dispatch=None).update(dispatch=dispatch)
        assert dies(f"own{kind}", "notification.mail", dispatch=dispatch.pk) == []


def test_a_budget_tells_at_80_and_at_100_percent_once(cast: Cast, now: datetime) -> None:
    team, quarter = Team.objects.get(slug="search"), str(Quarter.of(now))
    walks.allocate_budget(team=team, by=cast.finance, now=now, usd="1000", gpu_h="10")

    def reserve(amount: int, ref: str) -> None:
        amounts = {BudgetUnit.USD: Decimal(amount)}
        budgets.reserve(team=team, quarter=quarter, amounts=amounts, ref=ref, key=ref, by=cast.admin, now=now)

    reserve(799, "MRR-2026-0001")
    assert told("budget_level") == []
    reserve(1, "MRR-2026-0002")
    assert sorted(told("budget_level")) == ["approver", "author", "finance"]
    budgets.release(ref="MRR-2026-0002", key="r", by=cast.admin, now=now)
    reserve(2, "MRR-2026-0003")
    assert len(told("budget_level")) == 3
    reserve(199, "MRR-2026-0004")
    assert len(told("budget_level")) == 6
    assert [text[:5] for text in sentences("budget_level")] == ["100 %", "80 % "]
    row = Notification.objects.filter(kind="budget_level").first()
    assert row is not None
    assert row.path == f"/budgets/search/{quarter}/USD/"


def test_a_budget_tells_again_after_each_new_allocation(cast: Cast, now: datetime) -> None:
    """Also after one that was in force before: the level of 100 is told for each of 1000, 2000 and 1000 USD."""
    team, quarter = Team.objects.get(slug="search"), str(Quarter.of(now))
    walks.allocate_budget(team=team, by=cast.finance, now=now, usd="1000", gpu_h="10")

    def allocate(amount: int, key: str) -> None:
        about = {"holder": team, "quarter": quarter, "unit": BudgetUnit.USD, "reason": WHY, "by": cast.finance}
        budgets.allocate(amount=Decimal(amount), key=key, now=now, **about)

    def reserve(amount: int, ref: str) -> list[str]:
        before = len(told("budget_level"))
        amounts = {BudgetUnit.USD: Decimal(amount)}
        budgets.reserve(team=team, quarter=quarter, amounts=amounts, ref=ref, key=ref, by=cast.admin, now=now)
        return sorted(told("budget_level")[before:])

    everybody = ["approver", "author", "finance"]
    assert reserve(850, "MRR-2026-0001") == everybody
    assert reserve(1, "MRR-2026-0002") == []
    allocate(1000, "more")
    assert reserve(100, "MRR-2026-0003") == []
    assert reserve(700, "MRR-2026-0004") == everybody
    budgets.release(ref="MRR-2026-0004", key="r", by=cast.admin, now=now)
    account = BudgetAccount.objects.get(center__team=team, quarter=quarter, unit=BudgetUnit.USD)
    less = LedgerLine(EntryKind.ALLOCATE, Decimal(-1000), None, "less")
    ledger_entries.book_allocation(account=account, entry=less, by=cast.finance, now=now)
    assert sorted(told("budget_level")[6:]) == ["approver", "author"]
    assert reserve(1, "MRR-2026-0005") == ["finance"]
    assert reserve(1, "MRR-2026-0006") == []


def test_a_finding_that_comes_back_to_its_owner_is_told_again(cast: Cast, now: datetime, as_: As) -> None:
    sighting = Sighting(kind="drift", subject="AUT-1", text="Slower.", severity=Severity.LOW, key="a")
    row = findings.raise_once(sighting=sighting, by=None, now=now)
    steps = [cast.author, cast.author, cast.product, cast.author]
    for hours, owner in enumerate(steps):
        at, due_on = now + timedelta(hours=hours), now.date() + DAY
        findings.assign(finding=row, owner=owner, due_on=due_on, by=cast.approver, now=at)
    assert told("finding_assigned") == ["author", "product", "author", "author", "product"]
    assert [(each.path, each.sentence) for each in Notification.objects.filter(person=cast.author).order_by("pk")] == [
        (f"/findings/{row.pk}/", "AUT-1: Slower."),
        ("/", "Product is responsible for it now."),
        (f"/findings/{row.pk}/", "AUT-1: Slower."),
    ]
    assert "Slower." in as_(cast.author).get(f"/findings/{row.pk}/").content.decode()


def test_a_retirement_that_moves_back_is_told_each_time(draft: ReviewRequest, cast: Cast, now: datetime) -> None:
    version, second = draft.model_version, make_person("lead2", Role.PLATFORM_LEAD, now=now)
    first, sooner = now.date() + 60 * DAY, now.date() + 40 * DAY
    for hours, day in enumerate([first, sooner, first, sooner]):
        at = now + timedelta(hours=hours)
        announcement = Announcement(retires_on=day, source="https://vendor.test/")
        change = retirements.announce(version=version, announcement=announcement, reason=WHY, by=cast.approver, now=at)
        if change is not None:
            approvals.confirm(change=change, by=second, now=at)
    texts = Notification.objects.filter(kind="retirement", person=cast.author).order_by("pk")
    moved = [("never", first), (first, sooner), (sooner, first), (first, sooner)]
    assert list(texts.values_list("sentence", flat=True)) == [
        f"The retirement of {version} is {after}; it was {before}." for before, after in moved
    ]


def test_an_assigned_finding_tells_its_owner(cast: Cast, now: datetime) -> None:
    sighting = Sighting(kind="drift", subject="AUT-1", text="Slower.", severity=Severity.LOW, key="a")
    row = findings.raise_once(sighting=sighting, by=None, now=now)
    assert told("finding_assigned") == []
    findings.assign(finding=row, owner=cast.author, due_on=now.date() + DAY, by=cast.approver, now=now)
    assert (told("finding_assigned"), sentences("finding_assigned")) == (["author"], ["AUT-1: Slower."])
    owned = Sighting(kind="drift", subject="B", text="T", severity=Severity.LOW, key="b", owner=cast.product)
    for _ in range(2):
        findings.raise_once(sighting=owned, by=None, now=now)
    assert told("finding_assigned") == ["author", "product"]


def test_a_retirement_tells_the_owner_of_the_model(draft: ReviewRequest, cast: Cast, now: datetime) -> None:
    announcement = Announcement(retires_on=now.date() + 40 * DAY, source="https://vendor.test/")
    version = draft.model_version
    retirements.announce(version=version, announcement=announcement, reason=WHY, by=cast.approver, now=now)
    assert told("retirement") == ["author"]
    assert "it was" in sentences("retirement")[0]


def test_a_quarterly_review_tells_leads_when_it_collects_and_when_it_is_frozen(cast: Cast, now: datetime) -> None:
    cycle = cycles.make_frozen(now=now)
    assert sorted(set(told("quarter"))) == ["approver", "product"]
    rows = Notification.objects.filter(kind="quarter", person=cast.approver).order_by("pk")
    assert [row.meets_at for row in rows][-2:] == [cycle.cut_off_at, None]
    assert "are frozen" in rows[len(rows) - 1].sentence


def test_a_cut_off_that_moves_tells_those_who_know_the_earlier_one(cast: Cast, now: datetime) -> None:
    planned, why = cycles.make_cycle(now=now), "The bills are late."
    at = planned.cut_off_at
    quarterly.move_cut_off(cycle=planned, cut_off_at=at + DAY, reason=why, by=cast.product, now=now)
    assert told("quarter") == []
    cycle = cycles.make_collecting(now=now)
    make_person("late_lead", Role.PLATFORM_LEAD, now=now)
    told_at = max(now, cycle.collecting_at)
    for days, moved_at in ((2, told_at + DAY / 2), (1, told_at + DAY / 3)):
        quarterly.move_cut_off(cycle=cycle, cut_off_at=at + days * DAY, reason=why, by=cast.product, now=moved_at)
    assert told("quarter") == ["approver", "product"] * 3
    last = Notification.objects.filter(kind="quarter", person=cast.product).order_by("made_at")
    assert [row.meets_at for row in last] == [at + DAY, at + DAY, at + 2 * DAY]
    assert last[1].sentence == f"The cut-off of the review {cycle} is moved to {at + DAY:%Y-%m-%d %H:%M} UTC."


def test_a_change_waits_for_its_second_person_and_its_end_reaches_the_proposer(cast: Cast, now: datetime) -> None:
    second = make_person("admin2", Role.ADMIN, now=now)
    change = grants.propose_grant(user=cast.outsider, role=Role.REVIEWER, reason=WHY, by=cast.admin, now=now)
    assert told("change_waits") == ["admin2"]
    row = Notification.objects.get(kind="change_waits")
    assert (row.reference, row.path, row.until) == (str(change), f"/changes/{change.pk}/", change.expires_at)
    approvals.confirm(change=change, by=second, now=now)
    assert told("decided") == ["admin"]
    other = grants.propose_grant(user=cast.outsider, role=Role.FINANCE, reason=WHY, by=cast.admin, now=now)
    approvals.refuse(change=other, reason=WHY, by=cast.admin, now=now)
    assert told("decided") == ["admin"]
    grants.propose_grant(user=cast.outsider, role=Role.FINANCE, reason=WHY, by=cast.admin, now=now)
    approvals.expire(now=now + 8 * DAY)
    assert told("decided") == ["admin", "admin"]


def test_a_budget_change_waits_too(cast: Cast, now: datetime, channel: Callable[[str], list[str]]) -> None:
    leader = make_person("lead_of_search", Role.FINANCE, now=now)
    team = Team.objects.get(slug="search")
    people.grant_role(user=leader, role=Role.REQUESTER, team=team, by=None, now=now)
    budgets.allocate(
        holder=team,
        quarter=str(Quarter.of(now)),
        unit=BudgetUnit.USD,
        amount=Decimal(100),
        key="a",
        reason=WHY,
        by=leader,
        now=now,
    )
    assert "finance" in told("change_waits")
    assert "lead_of_search" not in told("change_waits")
    assert channel("change_waits") == [str(Change.objects.get())]


def test_who_is_mentioned_is_told_once_and_led_to_the_comment(
    draft: ReviewRequest, cast: Cast, now: datetime, channel: Callable[[str], list[str]]
) -> None:
    comment = make_comment(draft, "@author @reviewer_one look at returns.", by=cast.author, now=now)
    comments.edit(comment=comment, text="@reviewer_one @reviewer_two look at returns.", by=cast.author, now=now)
    assert told("mentioned") == ["reviewer_one", "reviewer_two"]
    row = Notification.objects.filter(kind="mentioned").first()
    assert row is not None
    assert (row.reference, row.path) == (draft.ref, f"/comments/{comment.pk}/")
    assert row.sentence == f"Author mentions Reviewer Two in a comment: {draft.title}."
    make_comment(draft, "@author, nobody else.", by=cast.author, now=now)
    assert channel("mentioned") == [draft.ref]


def test_every_kind_of_the_catalog_is_caused_by_a_step() -> None:
    """`kind="…"` of an occurrence stands somewhere in the source, for each kind, and no other does."""
    text = "\n".join(
        path.read_text()
        for package in ("governance", "benchmarking", "reviews")
        for path in Path(env.ROOT / package).rglob("*.py")
        if "notifications/domain" not in str(path)
    )
    named = {kind for kind in CATALOG if re.search(rf'"{kind}"', text)}
    assert named == set(CATALOG)


def test_a_webhook_is_offered_what_belongs_to_a_team_and_nothing_else() -> None:
    """The kinds of the occurrences that name a team, read in the source; others could never arrive."""
    named: set[str] = set()
    for package in ("governance", "benchmarking", "reviews"):
        for path in Path(env.ROOT / package).rglob("*.py"):
            for call in ast.walk(ast.parse(path.read_text())):
                if isinstance(call, ast.Call):
                    given = {word.arg: word.value for word in call.keywords}
                    is_of_a_team = "team" in given or ast.unparse(call.func).endswith(("notify_parties", "event_about"))
                    texts = ast.walk(given["kind"]) if is_of_a_team and "kind" in given else ()
                    named |= {one.value for one in texts if isinstance(one, ast.Constant)}
    assert named & set(CATALOG) == set(OF_TEAMS)
