"""Authorizations: what the signature binds, and how they end."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from governance.audit.models import AuditEvent
from governance.audit.queries.keys import public_key
from governance.budgets.actions import actuals
from governance.budgets.domain import ledger
from governance.budgets.domain.actuals import Stated
from governance.budgets.domain.quarters import Quarter
from governance.budgets.models import BudgetAccount, LedgerEntry
from governance.budgets.queries.budgets import balance_of, entries_of
from governance.people.actions import people
from governance.people.domain.roles import Role
from reviews.authorizations.models import Authorization, Condition
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import authorizations as authorizations
from reviews.workflow.actions import requests, review
from reviews.workflow.actions.review import NewCondition
from tests.factories import requests as walks
from tests.factories.people import Cast
from tests.factories.snapshots import snapshot
from tests.integration.reviews.workflow.worlds import World
from tests.refusals import has_code
from tests.standstill import everything, refused
from weighbridge.core import attestation
from weighbridge.core.errors import Invalid, NotAllowed, WrongState

DAY = timedelta(days=1)


@pytest.fixture
def conditional(world: World) -> Authorization:
    """An approval the owner owes two things for, due in 30 and in 60 days."""
    promises = tuple(
        NewCondition(text=f"Promise {days}", owner=world.owner, due_on=world.day(days)) for days in (30, 60)
    )
    world.vote(world.before_the_last_vote(), world.cast.approver, stage_id="gpu-budget", conditions=promises)
    return Authorization.objects.get()


def state_of(row: Authorization) -> str:
    return str(Authorization.objects.get(pk=row.pk).state)


def approve_again(world: World, first: ReviewRequest, *, environment: str = "prod") -> Authorization:
    """The same artifact, approved for another purpose."""
    request = walks.make_ready(
        by=world.cast.author, now=world.now, version=first.model_version, purpose="Another", environment=environment
    )
    request = review.request_review(request=request, by=world.cast.author, now=world.now)
    walks.approve(request=request, cast=world.cast, now=world.now)
    return Authorization.objects.get(decision__request=request)


def test_the_statement_binds_artifact_environment_policy_and_evidence(decided: ReviewRequest, now: datetime) -> None:
    row = decided.decision.authorization
    assert (row.number, row.state, row.subject_digest, row.environment) == (
        decided.ref.replace("MRR", "AUT"),
        "active",
        decided.model_version.digest,
        "prod",
    )
    assert (row.issued_at, row.expires_at, row.warn_at) == (now, now + 365 * DAY, now + 335 * DAY)
    statement = attestation.verify(row.envelope, public_key_pem=public_key())
    assert statement["subject"] == [
        {"name": "Visual search 1.0.0", "digest": {"sha256": decided.model_version.digest.removeprefix("sha256:")}}
    ]
    granted = statement["predicate"]
    assert (granted["authorization"], granted["request"]) == (row.number, decided.ref)
    assert (granted["decision"], granted["environment"], granted["conditions"]) == ("approved", "prod", [])
    assert granted["policy"] == {"name": "default", "version": 1, "digest": decided.policy.digest}
    assert granted["evidence"] == {"digest": decided.revisions.get().digest}
    assert granted["approvers"] == ["approver", "reviewer_one", "reviewer_two"]
    event = AuditEvent.objects.get(kind="authorization.issued")
    assert event.details == {"statement": row.statement_digest, "expires_at": row.expires_at.isoformat()}


def test_no_other_key_made_it(decided: ReviewRequest) -> None:
    stranger = attestation.public_pem(attestation.new_key_pem())
    with pytest.raises(Invalid, check=has_code("bad_signature")):
        attestation.verify(decided.decision.authorization.envelope, public_key_pem=stranger)


def test_without_a_signing_key_nothing_is_decided(world: World, settings: object, tmp_path: object) -> None:
    request = world.before_the_last_vote()
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"SIGNING_KEY": tmp_path / "missing.pem"}
    with refused(WrongState, match="There is no signing key at"):
        world.vote(request, world.cast.approver, stage_id="gpu-budget")


def test_conditions_are_signed_too(conditional: Authorization, world: World) -> None:
    granted = attestation.verify(conditional.envelope, public_key_pem=public_key())["predicate"]
    assert granted["decision"] == "approved_with_conditions"
    assert granted["conditions"] == [f"Promise {days} (by {world.day(days):%Y-%m-%d})" for days in (30, 60)]


def test_it_warns_and_then_expires(decided: ReviewRequest, now: datetime) -> None:
    row = decided.decision.authorization
    assert authorizations.expire_due(now=row.warn_at - timedelta(seconds=1)) == []
    assert authorizations.expire_due(now=row.warn_at) == [row]
    assert state_of(row) == "pending_expiration"
    assert authorizations.expire_due(now=row.warn_at) == []
    assert authorizations.expire_due(now=row.expires_at - timedelta(seconds=1)) == []
    assert authorizations.expire_due(now=row.expires_at) == [row]
    assert state_of(row) == "expired"
    before = everything()
    assert authorizations.expire_due(now=row.expires_at + DAY) == []
    assert everything() == before
    warned, expired = AuditEvent.objects.filter(kind__in=["authorization.pending_expiration", "authorization.expired"])
    assert (warned.actor, warned.reason) == ("system", f"It expires on {row.expires_at:%Y-%m-%d}.")
    assert expired.details == {"before": "pending_expiration", "after": "expired"}


def test_an_end_that_moves_before_the_row_is_locked_is_left_to_the_next_tick(
    decided: ReviewRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = decided.decision.authorization
    granted, ended = row.expires_at, row.expires_at - DAY
    Authorization.objects.filter(pk=row.pk).update(expires_at=ended)

    def lock(which: object) -> None:
        Authorization.objects.filter(pk=row.pk).update(expires_at=granted)

    monkeypatch.setattr(authorizations, "lock_accounts", lock)
    assert authorizations.expire_due(now=ended) == []
    assert state_of(row) == "active"


def test_it_expires_even_if_nobody_looked_in_between(decided: ReviewRequest) -> None:
    row = decided.decision.authorization
    authorizations.expire_due(now=row.expires_at + 9 * DAY)
    assert state_of(row) == "expired"


def test_an_overdue_condition_suspends_and_its_fulfilment_reinstates(conditional: Authorization, world: World) -> None:
    first, second = conditional.conditions.order_by("due_on")
    assert authorizations.expire_due(now=world.now + 30 * DAY) == []
    assert authorizations.expire_due(now=world.now + 31 * DAY) == [conditional]
    assert state_of(conditional) == "suspended"
    assert authorizations.expire_due(now=world.now + 61 * DAY) == []
    by = world.cast.reviewer_one
    met = authorizations.confirm_condition(condition=first, by=by, now=world.now + 61 * DAY)
    assert (met.met_at, met.met_by, state_of(conditional)) == (world.now + 61 * DAY, by, "suspended")
    authorizations.confirm_condition(condition=second, by=by, now=world.now + 61 * DAY)
    assert state_of(conditional) == "active"
    assert AuditEvent.objects.filter(kind="authorization.condition_met").count() == 2
    assert AuditEvent.objects.get(kind="authorization.active").reason == "No condition is overdue any more."


def test_the_day_on_which_it_is_suspended_follows_its_open_conditions(conditional: Authorization, world: World) -> None:
    def day() -> date | None:
        return Authorization.objects.values_list("suspends_on", flat=True).get(pk=conditional.pk)

    first, second = conditional.conditions.order_by("due_on")
    assert day() == first.due_on
    authorizations.confirm_condition(condition=first, by=world.cast.reviewer_one, now=world.now)
    assert day() == second.due_on
    Condition.objects.filter(pk=second.pk).update(lifted_at=world.now, lifted_by=second.set_by)
    assert day() is None


def test_a_condition_met_in_time_changes_nothing_else(conditional: Authorization, world: World) -> None:
    first = conditional.conditions.order_by("due_on")[0]
    authorizations.confirm_condition(condition=first, by=world.cast.approver, now=world.now)
    assert state_of(conditional) == "active"
    with refused(WrongState, match="already confirmed"):
        authorizations.confirm_condition(condition=first, by=world.cast.approver, now=world.now)
    assert authorizations.expire_due(now=world.now + 31 * DAY) == []


def test_nobody_confirms_what_they_owe_or_profit_from(conditional: Authorization, world: World) -> None:
    condition = conditional.conditions.first()
    for person, words in (
        (world.cast.admin, "Only a reviewer or a platform lead"),
        (world.owner, "Only a reviewer or a platform lead"),
    ):
        with refused(NotAllowed, match=words):
            authorizations.confirm_condition(condition=condition, by=person, now=world.now)
    Condition.objects.filter(pk=condition.pk).update(owner=world.cast.reviewer_one)
    condition.refresh_from_db()
    with refused(NotAllowed, match="without a stake"):
        authorizations.confirm_condition(condition=condition, by=world.cast.reviewer_one, now=world.now)


def test_nobody_of_the_team_confirms_its_conditions(conditional: Authorization, world: World) -> None:
    """Nor who left it lately, whatever their other role is."""
    condition, lead, team = (
        conditional.conditions.first(),
        world.cast.approver,
        world.cast.author.role_grants.get().team,
    )
    wanted = {"user": lead, "role": Role.REQUESTER, "team": team, "by": world.cast.admin, "now": world.now}
    for change in (people.grant_role, people.revoke_role):
        change(**wanted)
        before = snapshot()
        with pytest.raises(NotAllowed, match="You belong to the team of this request"):
            authorizations.confirm_condition(condition=condition, by=lead, now=world.now)
        assert snapshot() == before
    authorizations.confirm_condition(condition=condition, by=world.cast.reviewer_one, now=world.now)


def test_the_database_wants_a_name_for_what_was_met(conditional: Authorization, world: World) -> None:
    with pytest.raises(IntegrityError, match="met_has_a_person"), transaction.atomic():
        conditional.conditions.update(met_at=world.now)
    with pytest.raises(IntegrityError, match="expires_after_issue"), transaction.atomic():
        Authorization.objects.update(expires_at=world.now)


def test_a_suspended_authorization_expires(conditional: Authorization, world: World) -> None:
    authorizations.expire_due(now=world.now + 31 * DAY)
    authorizations.expire_due(now=conditional.expires_at)
    assert state_of(conditional) == "expired"


def test_a_lead_takes_it_back_with_a_reason(conditional: Authorization, world: World) -> None:
    lead = world.cast.approver
    with refused(Invalid, match="Enter why", field="reason"):
        authorizations.revoke(authorization=conditional, reason="  ", by=lead, now=world.now)
    authorizations.revoke(authorization=conditional, reason="It leaks.", by=lead, now=world.now)
    event = AuditEvent.objects.get(kind="authorization.revoked")
    assert (state_of(conditional), event.reason, event.actor_id) == ("revoked", "It leaks.", str(lead.pk))
    with refused(WrongState, match="An authorization that is revoked cannot become revoked"):
        authorizations.revoke(authorization=conditional, reason="Again.", by=lead, now=world.now)
    assert authorizations.expire_due(now=conditional.expires_at) == []


@pytest.mark.parametrize("is_suspended", [False, True])
def test_a_newer_one_supersedes(conditional: Authorization, world: World, is_suspended: bool) -> None:
    if is_suspended:
        authorizations.expire_due(now=world.now + 31 * DAY)
    newer = approve_again(world, conditional.decision.request)
    assert (state_of(conditional), newer.state) == ("superseded", "active")
    assert Authorization.objects.filter(state="active").get() == newer


def test_another_environment_supersedes_nothing(conditional: Authorization, world: World) -> None:
    newer = approve_again(world, conditional.decision.request, environment="staging")
    assert (state_of(conditional), newer.state, newer.environment) == ("active", "active", "staging")


def test_withdrawing_takes_no_permission_back(decided: ReviewRequest, author: object, now: datetime) -> None:
    with refused(WrongState):
        requests.withdraw(request=decided, reason="Too late.", by=author, now=now)


def billed(request: ReviewRequest, now: datetime) -> BudgetAccount:
    """The account of the decision's quarter, which has borne 5,000 of what was committed on it."""
    account = BudgetAccount.objects.filter(unit="USD").earliest("quarter")
    stated = Stated(period="2026-10", amount=Decimal(5000), request_ref=request.ref)
    actuals.book_actual(account=account, stated=stated, key="b", by=None, now=now)
    assert balance_of(account).available == 100_000 - walks.usd_shares(now=now)[0]
    return account


def given_back(kind: str) -> list[tuple[str, str, str, Decimal]]:
    rows = LedgerEntry.objects.filter(is_commitment=True, kind=kind)
    return sorted((row.account.unit, row.account.quarter, row.request_ref, row.amount) for row in rows)


def every_rest(request: ReviewRequest, now: datetime) -> list[tuple[str, str, str, Decimal]]:
    """What is left of each quarter once 5,000 USD were billed in the first."""
    first, *later = walks.usd_shares(now=now)
    quarters = [Quarter.of(now)]
    while len(quarters) <= len(later):
        quarters.append(quarters[-1].next)
    usd = zip(quarters, [first - 5000, *later], strict=True)
    return [
        *(("USD", str(quarter), request.ref, rest) for quarter, rest in usd),
        ("gpu_h", str(quarters[0]), request.ref, Decimal(320)),
    ]


def test_revoking_gives_back_what_is_left_of_the_commitment(decided: ReviewRequest, cast: Cast, now: datetime) -> None:
    account = billed(decided, now)
    authorizations.revoke(
        authorization=decided.decision.authorization, reason="Withdrawn from sale.", by=cast.approver, now=now
    )
    assert given_back("release") == every_rest(decided, now)
    assert {row.booked_by for row in LedgerEntry.objects.filter(is_commitment=True)} == {cast.approver}
    assert (balance_of(account).available, balance_of(account).committed) == (95_000, 0)


def test_what_expires_lets_the_rest_of_its_commitment_expire_once(decided: ReviewRequest, now: datetime) -> None:
    account, row = billed(decided, now), decided.decision.authorization
    authorizations.expire_due(now=row.expires_at - DAY)
    assert given_back("expire") == []
    authorizations.expire_due(now=row.expires_at)
    assert given_back("expire") == every_rest(decided, now)
    assert (balance_of(account).available, balance_of(account).committed) == (95_000, 0)
    assert AuditEvent.objects.filter(kind="budget.expire", actor="system").count() == len(every_rest(decided, now))
    before = everything()
    authorizations.expire_due(now=row.expires_at + DAY)
    assert everything() == before


def test_what_is_superseded_releases_the_rest_of_its_commitment(decided: ReviewRequest, world: World) -> None:
    account = billed(decided, world.now)
    newer = approve_again(world, decided)
    assert given_back("release") == every_rest(decided, world.now)
    entries = entries_of(account)
    assert ledger.holding_of(entries, ref=decided.ref) == ledger.Holding(committed=Decimal(5000), spent=Decimal(5000))
    assert ledger.holding_of(entries, ref=newer.decision.request.ref).open == walks.usd_shares(now=world.now)[0]


def test_a_suspension_keeps_the_commitment(conditional: Authorization, world: World) -> None:
    authorizations.expire_due(now=world.now + 31 * DAY)
    assert not LedgerEntry.objects.filter(is_commitment=True).exists()
