"""Changes of budgets and commitments: proposed by one, booked by another, whole or not at all."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from governance.audit.models import AuditEvent
from governance.audit.queries.trail import first_broken
from governance.budgets.actions import actuals, budget_changes, budgets, cost_centers
from governance.budgets.actions.rebookings import Rebooking
from governance.budgets.domain.actuals import Stated
from governance.budgets.domain.budget_changes import Aspect
from governance.budgets.domain.cost_centers import CenterLevel
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import BudgetAccount, LedgerEntry
from governance.budgets.queries import budgets as budget_reads
from governance.budgets.queries.budgets import balance_of
from governance.operations import tasks as approvals_tasks
from governance.people.actions import people
from governance.people.approvals import actions as approvals
from governance.people.approvals import queries as read
from governance.people.approvals.models import Change
from governance.people.domain.roles import Role
from governance.people.models import Team
from governance.people.queries.people import person_of
from tests.factories.people import Cast, make_person
from tests.refusals import has_code
from tests.threads import together
from weighbridge.core.errors import Invalid, NotAllowed, NotFound, Refused, WrongState

NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)
QUARTER, NEXT = "2026Q4", "2027Q1"
REF = "MRR-2026-0001"
D = Decimal


def give(
    team: Team, by: User, amount: str = "100", *, quarter: str = QUARTER, unit: BudgetUnit = BudgetUnit.USD
) -> BudgetAccount:
    key = f"{team.slug}{quarter}{unit}"
    entry = budgets.allocate(holder=team, quarter=quarter, unit=unit, amount=D(amount), key=key, by=by, now=NOW)
    return entry.account


@pytest.fixture
def account(cast: Cast, team: Team) -> BudgetAccount:
    """Search has 100 USD, of which a request has committed 60 and was billed 20."""
    account = give(team, cast.finance)
    amounts = {BudgetUnit.USD: D(60)}
    budgets.commit(team=team, quarter=QUARTER, amounts=amounts, ref=REF, key="c", by=cast.approver, now=NOW)
    stated = Stated(period="2026-10", amount=D(20), request_ref=REF)
    actuals.book_actual(account=account, stated=stated, key="b", by=None, now=NOW)
    return account


def propose(account: BudgetAccount, by: User, amount: str = "150", *, now: datetime = NOW, **wish: object) -> Change:
    asked = {"aspect": Aspect.AMOUNT, "account": account, "amount": D(amount)} | wish
    return budget_changes.propose(wish=Rebooking(**asked), reason="Prices rose.", by=by, now=now)  # type: ignore[arg-type]


def confirm(change: Change, by: User, *, now: datetime = NOW) -> Change:
    return approvals.confirm(change=change, by=by, now=now)


def counts() -> tuple[int, int, int]:
    return LedgerEntry.objects.count(), AuditEvent.objects.count(), Change.objects.count()


def last_lines(number: int) -> list[tuple[str, str, str]]:
    rows = LedgerEntry.objects.order_by("-pk")[:number]
    return [(row.kind, str(row.amount), row.request_ref) for row in reversed(rows)]


def test_a_confirmed_amount_is_booked_as_the_difference(cast: Cast, account: BudgetAccount) -> None:
    change = propose(account, cast.author)
    assert (change.state, str(change)) == ("pending", f"CHG-{change.pk}")
    assert change.description == "Set the budget of Search 2026Q4 USD to 150.00 USD"
    assert balance_of(account).allocated == 100
    confirmed = confirm(change, cast.finance)
    assert (confirmed.state, confirmed.closed_by, last_lines(1)) == (
        "confirmed",
        cast.finance,
        [("allocate", "50.00", "")],
    )
    kinds = AuditEvent.objects.order_by("-position").values_list("kind", flat=True)
    assert list(kinds[:2]) == ["change.confirmed", "budget.allocate"]
    lower = propose(account, cast.author, "60")
    confirm(lower, cast.approver)
    assert (last_lines(1), balance_of(account).available) == ([("allocate", "-90.00", "")], D(0))


def test_a_commitment_is_raised_lowered_and_moved(cast: Cast, team: Team, account: BudgetAccount) -> None:
    confirm(propose(account, cast.author, "80", request_ref=REF), cast.finance)
    assert last_lines(1) == [("commit", "20.00", REF)]
    change = propose(account, cast.author, "50", request_ref=REF)
    assert change.description == f"Set the commitment of {REF} on Search 2026Q4 USD to 50.00 USD"
    confirm(change, cast.finance)
    assert last_lines(1) == [("release", "30.00", REF)]
    following = give(team, cast.finance, quarter=NEXT)
    later = propose(account, cast.author, "30", request_ref=REF, aspect=Aspect.DATE, target=following)
    assert later.description == f"Move 30.00 USD of the commitment of {REF} on Search 2026Q4 USD to Search 2027Q1 USD"
    confirm(later, cast.finance)
    assert last_lines(2) == [("release", "30.00", REF), ("commit", "30.00", REF)]
    assert (balance_of(account).available, balance_of(following).available) == (80, 70)


def test_a_budget_moves_to_another_account(cast: Cast, account: BudgetAccount) -> None:
    ads = give(Team.objects.get(slug="ads"), cast.finance, "1")
    confirm(propose(account, cast.approver, "40", aspect=Aspect.ACCOUNT, target=ads), cast.finance)
    assert last_lines(2) == [("transfer", "-40.00", ""), ("transfer", "40.00", "")]
    assert (balance_of(account).available, balance_of(ads).available) == (0, 41)


@pytest.mark.parametrize(
    ("wish", "refused", "code"),
    [
        ({"amount": D("59.99")}, WrongState, "over_budget"),
        ({"request_ref": REF, "amount": D("100.01")}, WrongState, "over_budget"),
        ({"aspect": Aspect.ACCOUNT, "amount": D("40.01")}, WrongState, "over_budget"),
    ],
)
def test_what_the_accounts_cannot_bear_leaves_the_proposal_open(
    cast: Cast, account: BudgetAccount, wish: dict, refused: type[Refused], code: str
) -> None:
    if wish.get("aspect"):
        wish["target"] = give(Team.objects.get(slug="ads"), cast.finance, "1")
    change = propose(account, cast.approver, **wish)
    before = counts()
    with pytest.raises(refused) as refusal:
        confirm(change, cast.finance)
    change.refresh_from_db()
    assert (refusal.value.code, counts(), change.state) == (code, before, "pending")


@pytest.mark.parametrize(
    ("wish", "reason", "field"),
    [
        ({"amount": D(-1)}, "Prices rose.", "amount"),
        ({"amount": D("0.001")}, "Prices rose.", "amount"),
        ({"amount": D(0), "aspect": Aspect.DATE}, "Prices rose.", "target"),
        ({"aspect": Aspect.ACCOUNT, "target": "unit"}, "Prices rose.", "target"),
        ({"aspect": Aspect.ACCOUNT, "target": "gpu"}, "Prices rose.", "target"),
        ({"aspect": Aspect.DATE, "amount": D(0), "target": "next"}, "Prices rose.", "amount"),
        ({}, "Why?", "reason"),
        ({}, "x" * 2001, "reason"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(
    cast: Cast, team: Team, account: BudgetAccount, wish: dict, reason: str, field: str
) -> None:
    targets = {
        "unit": lambda: (
            budgets.allocate(
                holder=account.center.parent,
                quarter=QUARTER,
                unit=BudgetUnit.USD,
                amount=D(100),
                key="u",
                by=cast.finance,
                now=NOW,
            ).account
        ),  # type: ignore[arg-type]
        "gpu": lambda: give(team, cast.finance, unit=BudgetUnit.GPU_H),
        "next": lambda: give(team, cast.finance, quarter=NEXT),
    }
    asked = {"aspect": Aspect.AMOUNT, "account": account, "amount": D(5)} | wish
    if isinstance(asked.get("target"), str):
        asked["target"] = targets[asked["target"]]()
    before = counts()
    with pytest.raises(Invalid) as refusal:
        budget_changes.propose(wish=Rebooking(**asked), reason=reason, by=cast.approver, now=NOW)
    assert (refusal.value.field, counts()) == (field, before)


def test_who_proposes_confirms_and_refuses(cast: Cast, account: BudgetAccount) -> None:
    may_propose = {cast.author, cast.approver, cast.finance}
    for person in set(cast.everybody()) - may_propose:
        with pytest.raises(NotAllowed):
            propose(account, person)
    change, before = propose(account, cast.approver), counts()
    for person in set(cast.everybody()) - {cast.finance}:
        with pytest.raises(NotAllowed):
            confirm(change, person)
        if person != cast.approver:
            with pytest.raises(NotAllowed):
                approvals.refuse(change=change, reason="Not this quarter.", by=person, now=NOW)
    assert counts() == before
    people.grant_role(user=cast.finance, role=Role.REQUESTER, team=account.center.team, by=None, now=NOW)
    with pytest.raises(NotAllowed, match=r"You belong to a team whose money this changes \(search\)"):
        confirm(change, cast.finance)
    assert read.confirmers(change) == []
    second = make_person("second.lead", Role.PLATFORM_LEAD, now=NOW)
    assert read.confirmers(change) == [second]
    refused = approvals.refuse(change=change, reason="Not this quarter.", by=second, now=NOW)
    assert (refused.state, refused.closing_reason, balance_of(account).allocated) == (
        "refused",
        "Not this quarter.",
        100,
    )
    own = propose(account, cast.author)
    assert approvals.refuse(change=own, reason="Not needed now.", by=cast.author, now=NOW).state == "withdrawn"


def test_one_thing_is_proposed_once_and_closed_once(cast: Cast, account: BudgetAccount) -> None:
    change = propose(account, cast.author)
    with pytest.raises(WrongState, check=has_code("already_open")):
        propose(account, cast.approver, "7")
    propose(account, cast.author, "70", request_ref=REF)
    confirm(change, cast.finance)
    with pytest.raises(WrongState, match="is confirmed"):
        confirm(change, cast.approver)
    for statement in ({"details": {"amount": "1"}}, {"state": "pending"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Change.objects.filter(pk=change.pk).update(**statement)


def test_what_nobody_confirms_expires(cast: Cast, account: BudgetAccount) -> None:
    change = propose(account, cast.author)
    late = NOW + timedelta(days=7)
    with pytest.raises(WrongState, match="was not confirmed"):
        confirm(change, cast.finance, now=late)
    approvals_tasks.expire_changes(late)
    change.refresh_from_db()
    assert (change.state, change.closed_by, balance_of(account).allocated) == ("expired", None, 100)
    before = counts()
    approvals_tasks.expire_changes(late)
    assert counts() == before


def test_a_proposer_who_lost_the_role_proposes_nothing(cast: Cast, account: BudgetAccount) -> None:
    change = propose(account, cast.author)
    people.revoke_role(user=cast.author, role=Role.REQUESTER, team=account.center.team, by=cast.admin, now=NOW)
    before = counts()
    with pytest.raises(WrongState, match="may no longer propose it"):
        confirm(change, cast.finance)
    assert counts() == before


def test_nobody_changes_what_is_closed(cast: Cast, account: BudgetAccount) -> None:
    change = propose(account, cast.author)
    BudgetAccount.objects.update(closed_at=NOW)
    account.refresh_from_db()
    for act in (partial(propose, account, cast.approver, "5", request_ref=REF), partial(confirm, change, cast.finance)):
        with pytest.raises(WrongState, match="is closed") as refusal:
            act()
        assert refusal.value.code == "closed"


def test_who_sees_a_change(cast: Cast, account: BudgetAccount) -> None:
    change = propose(account, cast.author)
    seen = {person for person in cast.everybody() if change in read.listed(person=person_of(person))}
    assert seen == {cast.author, cast.approver, cast.finance, cast.admin, cast.auditor}
    assert read.find(change_id=change.pk, person=person_of(cast.author)) == change
    with pytest.raises(NotFound):
        read.find(change_id=change.pk, person=person_of(cast.outsider))
    gone = User.objects.create(username="gone", is_active=False)
    assert list(read.listed(person=person_of(gone))) == []
    assert budget_reads.waiting_on(account) == [change]
    assert list(read.listed(person=person_of(cast.finance), state="confirmed")) == []
    unit = cost_centers.open_center(level=CenterLevel.UNIT, slug="u", name="U", parent=None, by=cast.finance, now=NOW)
    assert budget_reads.team_of(BudgetAccount(center=unit)) == ""


@pytest.mark.django_db(transaction=True)
def test_two_confirmations_at_once_book_once(cast: Cast, account: BudgetAccount) -> None:
    change = propose(account, cast.author)
    outcomes = together([partial(confirm, change, person) for person in (cast.finance, cast.approver)])
    assert sorted(type(each).__name__ for each in outcomes) == ["Change", "WrongState"]
    assert balance_of(account).allocated == 150
    assert first_broken() is None
