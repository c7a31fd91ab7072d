"""Decisions of the meeting: what they lack is refused and nothing moved; what they imply goes through the
same doors.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User

from governance.audit.models import AuditEvent
from governance.budgets.enums import BudgetUnit
from governance.findings.models import Finding
from governance.inventory.models import ModelAsset
from governance.jobs.models import OutboxMessage
from governance.people.actions import people
from governance.people.approvals.models import Change
from governance.people.models import Team
from governance.rulebook.models import PolicyVersion
from reviews.authorizations.models import Authorization, Condition
from reviews.quarterly.actions import action_items, agenda, cycles, meeting
from reviews.quarterly.domain.decisions import DecisionKind, TakenDecision
from reviews.quarterly.domain.quorum import Side
from reviews.quarterly.models import ActionItem, Attendance, MeetingDecision
from reviews.requests.models import ReviewRequest
from reviews.ticket_sync.actions import receiving as inbound
from reviews.ticket_sync.actions.accounts import link_account
from reviews.ticket_sync.queries.drafts import action_draft, page_of
from reviews.tickets import actions as effects
from reviews.tickets.domain.moves import MOVES
from reviews.tickets.models import Ticket
from reviews.tickets.ports import RemoteMove
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import authorizations, review
from tests.factories import requests as walks
from tests.factories import tickets as sites
from tests.factories.cycles import (
    decided,
    make_action,
    make_decision,
    make_frozen,
    make_held,
    make_item,
    met_at,
    next_quarter,
)
from tests.factories.models import make_version
from tests.factories.people import Cast
from tests.factories.snapshots import snapshot
from tests.integration.reviews.quarterly.test_cycle import refused
from tests.late_locks import late_locks
from weighbridge.core.errors import Invalid, NotAllowed, Refused, WrongState

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 25, 12, tzinfo=UTC)
K = DecisionKind


@pytest.fixture
def now() -> datetime:
    """In the fourth quarter of 2026."""
    return START


@pytest.fixture
def asset(cast: Cast, now: datetime) -> ModelAsset:
    return make_version(by=cast.author, now=now).asset


def decide(
    cast: Cast, now: datetime, asset: ModelAsset | None, by: User | None = None, **changes: object
) -> MeetingDecision:
    """Decide an item about the model in an open meeting."""
    item = make_item(cycle=make_held(cast=cast, now=now), by=cast.approver, now=now, asset=asset)
    return meeting.decide(item=item, decided=decided(cast, now, **changes), by=by or cast.approver, now=met_at(now))


def test_a_decision_becomes_an_action_item_with_a_ticket(cast: Cast, asset: ModelAsset, now: datetime) -> None:
    row = make_decision(cast=cast, now=now, asset=asset, kind=K.OPTIMIZE)
    action = row.action
    assert (action.ref, action.owner, action.state) == ("ACT-2026Q4-01", cast.author, "open")
    assert row.effect == "The owner makes it cheaper by the due date."
    message = OutboxMessage.objects.get(kind="ticket.open")
    assert (message.key, message.lane, message.payload) == (
        "ticket.open:ACT-2026Q4-01",
        "ticket:ACT-2026Q4-01",
        {"action_id": action.pk},
    )
    draft = action_draft(action)
    assert draft.summary == "ACT-2026Q4-01 Optimize: The ranking model"
    assert page_of(action.ticket) == "https://weighbridge.test/action-items/ACT-2026Q4-01/"
    assert action.ticket.label.endswith("act-2026q4-01")
    (event,) = AuditEvent.objects.filter(kind="cycle.decided")
    assert event.details["owner"] == "author"


def test_what_a_decision_lacks(cast: Cast, asset: ModelAsset, now: datetime) -> None:
    item = make_item(cycle=make_held(cast=cast, now=now), by=cast.approver, now=now, asset=asset)

    def take(**changes: object) -> Callable[[], object]:
        said = decided(cast, now, **changes)
        return lambda: meeting.decide(item=item, decided=said, by=cast.approver, now=met_at(now))

    refused(take(owner=None), Invalid, "needs an owner", field="owner")
    refused(take(due_on=None), Invalid, "needs a due date", field="due_on")
    refused(take(kind=K.OPTIMIZE, rationale=""), Invalid, "at least 10 characters", field="rationale")
    refused(take(rationale="Fine."), Invalid, "at least 10 characters", field="rationale")
    refused(take(kind=K.BUDGET_CHANGE), Invalid, "needs the new amount", field="amount_usd")
    refused(take(kind=K.APPROVE_INVESTMENT), Invalid, "Only an item with a request", field="kind")
    User.objects.filter(pk=cast.author.pk).update(is_active=False)
    cast.author.refresh_from_db()
    refused(take(), Invalid, "is closed; name an active person", field="owner")


def test_only_the_decision_to_keep_needs_no_reason(cast: Cast, asset: ModelAsset, now: datetime) -> None:
    row = decide(cast, now, asset, rationale=" ")
    assert (row.kind, row.rationale) == ("keep", "No reason was given; nothing changes.")


def test_no_decision_without_quorum_nor_by_somebody_who_is_not_there(
    cast: Cast, asset: ModelAsset, now: datetime
) -> None:
    cycle = make_held(cast=cast, now=now)
    item = make_item(cycle=cycle, by=cast.approver, now=now, asset=asset)

    def take(by: User) -> Callable[[], object]:
        return lambda: meeting.decide(item=item, decided=decided(cast, now), by=by, now=met_at(now))

    Attendance.objects.filter(person=cast.product).delete()
    refused(take(cast.approver), WrongState, "There is no quorum: a product lead must be present")
    refused(take(cast.product), NotAllowed, "ask a lead to record your attendance")
    meeting.record_attendance(cycle=cycle, person=cast.product, side=Side.GUEST, by=cast.approver, now=now)
    refused(take(cast.product), NotAllowed, "ask a lead to record your attendance")
    meeting.record_attendance(cycle=cycle, person=cast.product, side=Side.PRODUCT, by=cast.approver, now=now)
    take(cast.product)()
    refused(take(cast.product), WrongState, "already decided to keep here")


def test_nobody_decides_on_their_own_model(cast: Cast, asset: ModelAsset, now: datetime) -> None:
    ModelAsset.objects.filter(pk=asset.pk).update(owner=cast.approver)
    asset.refresh_from_db()
    item = make_item(cycle=make_held(cast=cast, now=now), by=cast.approver, now=now, asset=asset)
    take = {"item": item, "decided": decided(cast, now), "now": met_at(now)}
    refused(lambda: meeting.decide(**take, by=cast.approver), NotAllowed, "You cannot decide on your own model")
    assert meeting.decide(**take, by=cast.product).decided_by == cast.product


def test_nothing_is_decided_outside_the_meeting_nor_off_the_agenda(
    cast: Cast, asset: ModelAsset, now: datetime
) -> None:
    frozen = make_frozen(now=now)
    early = make_item(cycle=frozen, by=cast.approver, now=now, asset=asset)
    said = decided(cast, now)
    refused(
        lambda: meeting.decide(item=early, decided=said, by=cast.approver, now=met_at(now)),
        WrongState,
        "while the meeting of 2026Q4 is open",
    )
    held = make_held(cast=cast, now=now)
    early = agenda.remove(item=early, reason="Not now.", by=cast.approver, now=now)
    refused(
        lambda: meeting.decide(item=early, decided=said, by=cast.approver, now=met_at(now)),
        WrongState,
        "removed from the agenda",
    )
    kept = make_item(cycle=held, by=cast.approver, now=now, asset=asset)
    meeting.decide(item=kept, decided=said, by=cast.approver, now=met_at(now))
    refused(
        lambda: agenda.remove(item=kept, reason="Oh no.", by=cast.approver, now=now),
        WrongState,
        "has decided this item",
    )


def test_retiring_revokes_every_authorization_by_the_same_guarded_action(
    policy: PolicyVersion, cast: Cast, now: datetime
) -> None:
    request = walks.make_decided(cast=cast, now=now)
    asset = request.model_version.asset
    item = make_item(cycle=make_held(cast=cast, now=now), by=cast.approver, now=now, asset=asset)
    take = {"item": item, "decided": decided(cast, now, kind=K.RETIRE), "now": met_at(now)}
    refused(lambda: meeting.decide(**take, by=cast.product), NotAllowed, "Only a platform lead may revoke")
    row = meeting.decide(**take, by=cast.approver)
    held = Authorization.objects.get()
    assert (held.state, row.effect) == ("revoked", f"Revoked: {held.number}.")
    assert AuditEvent.objects.filter(kind="authorization.revoked", subject=held.number).count() == 1


@pytest.mark.parametrize("kind", [K.RETIRE, K.RE_REVIEW])
def test_all_authorizations_are_locked_before_the_first_change_is_recorded(
    policy: PolicyVersion, cast: Cast, now: datetime, kind: K
) -> None:
    for number in range(2):
        version = make_version(by=cast.author, now=now, version=f"{number}.0", seed=number)
        request = walks.make_decided(cast=cast, now=now, version=version, purpose=f"Purpose {number}")
    with late_locks() as late:
        row = decide(cast, now, request.model_version.asset, kind=kind)
    assert row.effect.endswith(f"{', '.join(Authorization.objects.order_by('pk').values_list('number', flat=True))}.")
    assert Authorization.objects.filter(state="revoked").count() == (2 if kind is K.RETIRE else 0)
    assert late == []


def test_reviewing_again_binds_the_authorization_or_suspends_it(
    policy: PolicyVersion, cast: Cast, now: datetime
) -> None:
    request = walks.make_decided(cast=cast, now=now)
    row = decide(cast, now, request.model_version.asset, kind=K.RE_REVIEW)
    condition = Condition.objects.get()
    assert (condition.owner, condition.due_on) == (cast.author, row.due_on)
    assert (
        row.effect == f"Must be reviewed again by {row.due_on}, or will be suspended: {condition.authorization.number}."
    )
    authorizations.expire_due(now=met_at(now) + timedelta(days=31))
    assert Authorization.objects.get().state == "suspended"
    with pytest.raises(WrongState, match="only be added to an authorization in force"):
        authorizations.add_condition(
            authorization=condition.authorization,
            text="Again.",
            owner=cast.author,
            due_on=row.due_on,
            by=cast.approver,
            now=now,
        )
    with pytest.raises(Invalid, match="cannot be in the past"):
        authorizations.add_condition(
            authorization=condition.authorization,
            text="Again.",
            owner=cast.author,
            due_on=row.due_on,
            by=cast.approver,
            now=now + timedelta(days=400),
        )


def test_whoever_owes_a_condition_can_see_its_request(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    request = walks.make_decided(cast=cast, now=now)
    asset, day = request.model_version.asset, met_at(now).date() + timedelta(days=30)
    item = make_item(cycle=make_held(cast=cast, now=now), by=cast.approver, now=now, asset=asset)
    words = decided(cast, now, kind=K.RE_REVIEW, owner=cast.outsider)
    granted, why = Authorization.objects.get(), f"Outsider may not see {request.ref}, and cannot be responsible"
    refused(
        lambda: meeting.decide(item=item, decided=words, by=cast.approver, now=met_at(now)), Invalid, why, field="owner"
    )
    for owner, reason in ((cast.outsider, why), (closed(cast.reviewer_one, cast, now), "Reviewer One may not see")):
        condition = {"authorization": granted, "text": "Again.", "owner": owner, "due_on": day}
        refused(
            lambda given=condition: authorizations.add_condition(**given, by=cast.approver, now=met_at(now)),
            Invalid,
            reason,
            field="owner",
        )
    assert (Condition.objects.count(), item.decisions.count(), ActionItem.objects.count()) == (0, 0, 0)


def closed(user: User, cast: Cast, now: datetime) -> User:
    people.close_account(user=user, by=cast.admin, now=now)
    return user


@pytest.mark.parametrize(
    ("kind", "effect"),
    [
        (K.RETIRE, "The model has no authorization, so nothing was revoked."),
        (K.RE_REVIEW, "The model has no authorization in force; file a new request to have it reviewed."),
    ],
)
def test_a_model_without_authorization(cast: Cast, asset: ModelAsset, now: datetime, kind: K, effect: str) -> None:
    assert decide(cast, now, asset, kind=kind).effect == effect


def test_approving_an_investment_casts_the_deciders_own_vote(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    request = walks.make_in_review(cast=cast, now=now)
    cycle = make_held(cast=cast, now=now)
    item = agenda.add(cycle=cycle, title="The ranker", reason="It waits.", request=request, by=cast.approver, now=now)
    assert (item.page, item.asset, item.team) == (
        f"/requests/{request.ref}/",
        request.model_version.asset,
        request.team,
    )
    take = {
        "item": item,
        "decided": decided(cast, now, kind=K.APPROVE_INVESTMENT),
        "by": cast.approver,
        "now": met_at(now),
    }
    refused(lambda: meeting.decide(**take), WrongState, "You cannot vote on")
    for by in (cast.reviewer_one, cast.reviewer_two):
        review.vote(request=request, stage_id="technical", choice=VoteChoice.APPROVE, rationale="Good.", by=by, now=now)
    walks.allocate_budget(team=request.team, by=cast.finance, now=met_at(now))
    row = meeting.decide(**take)
    request = ReviewRequest.objects.get()
    assert (request.state, request.votes.last().person) == ("decided", cast.approver)
    assert row.effect == f"A vote to approve {request.ref} was cast in stage GPU budget; the request is decided."


def test_a_budget_change_is_proposed_for_a_second_person(cast: Cast, asset: ModelAsset, now: datetime) -> None:
    from governance.budgets.actions import budgets

    amount = {"kind": K.BUDGET_CHANGE, "amount_usd": Decimal("7500.00")}
    item = make_item(cycle=make_held(cast=cast, now=now), by=cast.approver, now=now, asset=asset)
    take = {"item": item, "decided": decided(cast, now, **amount), "by": cast.approver, "now": met_at(now)}
    refused(lambda: meeting.decide(**take), Invalid, "has no budget in USD for 2027Q1", field="amount_usd")
    budgets.allocate(
        holder=Team.objects.get(slug="search"),
        quarter="2027Q1",
        unit=BudgetUnit.USD,
        amount=Decimal(5000),
        key="k",
        by=cast.finance,
        now=now,
    )
    row = meeting.decide(**take)
    change = Change.objects.get()
    assert (change.details["amount"], change.state, change.proposed_by) == ("7500.00", "pending", cast.approver)
    assert row.effect == f"{change} is proposed: {change.description}. A second person must confirm it."
    assert row.amount_usd == Decimal("7500.00")


def test_an_open_finding_of_a_budget_is_on_the_agenda_with_its_team(cast: Cast, now: datetime) -> None:
    from governance.budgets.actions import budgets
    from governance.findings import actions as findings
    from governance.findings.actions import Sighting
    from governance.findings.enums import Severity

    entry = budgets.allocate(
        holder=Team.objects.get(slug="search"),
        quarter="2026Q4",
        unit=BudgetUnit.USD,
        amount=Decimal(5000),
        key="k",
        by=cast.finance,
        now=now,
    )
    sighting = Sighting(
        kind="budget.overrun",
        subject=str(entry.account),
        text="100.00 USD more.",
        severity=Severity.HIGH,
        key=f"budget.overrun:{entry.account.pk}",
    )
    finding = findings.raise_once(sighting=sighting, by=None, now=now)
    item = make_frozen(now=now).items.get()
    assert (item.kind, item.subject, item.team) == ("over_budget", f"FND-{finding.pk}", Team.objects.get(slug="search"))
    assert item.page == "/budgets/search/2026Q4/USD/"
    assert Finding.objects.get() == finding


def test_an_action_item_is_seen_then_closed_for_good(cast: Cast, asset: ModelAsset, now: datetime) -> None:
    item = make_action(cast=cast, now=now, asset=asset)
    action_items.acknowledge(item=item, by=cast.author, now=now)
    refused(
        lambda: action_items.finish(item=item, outcome="", by=cast.author, now=now),
        Invalid,
        "Describe the outcome in 5",
        field="outcome",
    )
    done = action_items.finish(item=item, outcome=" Halved. ", by=cast.author, now=now)
    assert (done.state, done.outcome, done.closed_by) == ("done", "Halved.", cast.author)
    told = OutboxMessage.objects.filter(kind="ticket.tell").order_by("pk").values_list("payload__occasion", flat=True)
    assert list(told) == ["acknowledged", "done"]
    for step in (action_items.finish, action_items.drop):
        refused(
            lambda step=step: step(item=item, outcome="Again.", by=cast.product, now=now),
            WrongState,
            "cannot be reopened",
        )
    refused(lambda: action_items.acknowledge(item=item, by=cast.author, now=now), WrongState, "cannot be reopened")


def test_who_may_close_an_action_item(cast: Cast, asset: ModelAsset, now: datetime) -> None:
    item = make_action(cast=cast, now=now, asset=asset)
    for by in (cast.outsider, cast.reviewer_one, cast.admin):
        refused(
            lambda by=by: action_items.finish(item=item, outcome="Done.", by=by, now=now),
            NotAllowed,
            "Only a platform lead",
        )
    refused(
        lambda: action_items.drop(item=item, outcome="No.....", by=cast.author, now=now), NotAllowed, "Only a platform"
    )
    ActionItem.objects.filter(pk=item.pk)
    assert action_items.drop(item=item, outcome="No use.", by=cast.product, now=now).state == "dropped"


def test_what_is_left_open_is_first_on_the_next_agenda(cast: Cast, asset: ModelAsset, now: datetime) -> None:
    item = make_action(cast=cast, now=now, asset=asset)
    cycles.close(cycle=item.decision.item.cycle, by=cast.approver, now=met_at(now))
    follow_up = make_frozen(now=next_quarter(now)).items.first()
    assert (follow_up.kind, follow_up.subject, follow_up.page) == ("follow_up", item.ref, f"/action-items/{item.ref}/")
    assert follow_up.recurs == item.decision.item


def moved(status: str, category: str, author: str, number: int = 1) -> RemoteMove:
    return RemoteMove(id=str(number), author_id=author, author="Ada", status=status, category=category, at=START)


@pytest.mark.parametrize(
    ("status", "category", "account", "state", "meaning", "outcome"),
    [
        ("In Progress", "indeterminate", "author", "acknowledged", "acknowledge", "done"),
        ("Done", "done", "author", "done", "close", "done"),
        ("Won't Do", "done", "author", "open", "withdraw", "refused"),
        ("Won't Do", "done", "product", "dropped", "withdraw", "done"),
        ("Done", "done", "outsider", "open", "close", "refused"),
        ("Done", "done", "", "open", "close", "refused"),
        ("Done", "done", "nobody", "open", "close", "refused"),
        ("Backlog", "new", "author", "open", "none", "noted"),
    ],
)
def test_a_move_in_jira_may_see_close_or_drop_an_action_item(
    cast: Cast,
    asset: ModelAsset,
    now: datetime,
    status: str,
    category: str,
    account: str,
    state: str,
    meaning: str,
    outcome: str,
) -> None:
    item = make_action(cast=cast, now=now, asset=asset)
    for user in (cast.author, cast.product, cast.outsider):
        link_account(site=sites.a_site(now), user=user, account_id=user.username, by=None, now=now)
    ticket = Ticket.objects.get(action_item=item)
    judge = {"ticket": ticket, "is_last": True, "moves": MOVES, "decisions": ["Done"], "page": "/", "now": now}
    row = inbound.process_move(move=moved(status, category, account), **judge)
    item.refresh_from_db()
    assert (item.state, row.meaning, row.outcome) == (state, meaning, outcome)
    assert OutboxMessage.objects.filter(payload__occasion="refused").exists() == (outcome == "refused")
    assert inbound.process_move(move=moved(status, category, account), **judge) is None
    again = inbound.process_move(move=moved(status, category, account, 2), **judge)
    assert (again.outcome == "noted") == (state in {"done", "dropped", "acknowledged"} or meaning == "none")


@pytest.mark.parametrize(("status", "state"), [("Done", "done"), ("Won't Do", "dropped")])
def test_an_action_item_of_a_ticket_that_was_moved_on_stays_open(
    cast: Cast, asset: ModelAsset, now: datetime, status: str, state: str
) -> None:
    item = make_action(cast=cast, now=now, asset=asset)
    link_account(site=sites.a_site(now), user=cast.product, account_id="product", by=None, now=now)
    ticket = Ticket.objects.get(action_item=item)
    judge = {"ticket": ticket, "moves": MOVES, "decisions": ["Done"], "page": "/", "now": now}
    row = inbound.process_move(move=moved(status, "done", "product"), is_last=False, **judge)
    item.refresh_from_db()
    assert (item.state, row.outcome) == ("open", "noted")
    assert not OutboxMessage.objects.filter(payload__occasion="refused").exists()
    row = inbound.process_move(move=moved(status, "done", "product", 2), is_last=True, **judge)
    item.refresh_from_db()
    assert (item.state, row.outcome) == (state, "done")


def test_a_ticket_knows_what_it_is_of(cast: Cast, asset: ModelAsset, submitted: ReviewRequest, now: datetime) -> None:
    from reviews.ticket_sync.queries import drafts as inbound_queries
    from weighbridge.core.errors import NotFound

    item = make_action(cast=cast, now=now, asset=asset)
    of_item, of_request = item.ticket, submitted.ticket
    assert inbound_queries.title_of(of_item) == "ACT-2026Q4-01 The ranking model"
    assert inbound_queries.title_of(of_request) == f"{submitted.ref} {submitted.title}"
    assert inbound_queries.draft_for(of_request).summary.startswith(submitted.ref)
    assert inbound_queries.draft_for(of_item).summary.startswith("ACT-")
    assert inbound_queries.page_of(of_request).endswith(f"/requests/{submitted.ref}/")
    with pytest.raises(NotFound):
        inbound_queries.action_of(of_request)
    before = snapshot()
    with pytest.raises(Refused):
        meeting.decide(
            item=item.decision.item, decided=TakenDecision(**vars(decided(cast, now))), by=cast.author, now=now
        )
    assert snapshot() == before


def test_an_action_item_has_one_ticket_however_often_it_is_asked_for(
    cast: Cast, now: datetime, asset: ModelAsset
) -> None:
    item = make_action(cast=cast, now=now, asset=asset)
    opened = Ticket.objects.get(action_item=item)
    before = AuditEvent.objects.count(), OutboxMessage.objects.count()
    assert effects.open_action_ticket(item=item, by=cast.approver, now=now) == opened
    assert (AuditEvent.objects.count(), OutboxMessage.objects.count()) == before
