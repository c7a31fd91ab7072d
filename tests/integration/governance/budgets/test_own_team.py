"""Nobody moves money for their own team alone: every one of those steps is proposed or refused, and nothing moves."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from rest_framework.test import APIClient

from governance.budgets.actions import budgets, cost_centers
from governance.budgets.domain.cost_centers import CenterLevel
from governance.budgets.domain.ledger import BudgetMode
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import BudgetAccount, CostCenter, LedgerEntry
from governance.budgets.queries import cost_centers as tree
from governance.budgets.queries.budgets import balance_of
from governance.people.actions import people
from governance.people.approvals import actions as approvals
from governance.people.approvals import queries as reads
from governance.people.approvals.models import Change
from governance.people.domain.roles import Role
from governance.people.models import Team
from tests.factories.changes import REASON
from tests.factories.people import Cast, make_person
from tests.factories.snapshots import snapshot
from tests.refusals import has_code
from weighbridge.core.errors import Invalid, NotAllowed, WrongState

NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)
QUARTER = "2026Q4"
D = Decimal
Api = Callable[[User | None], APIClient]


@pytest.fixture
def insider(cast: Cast, team: Team) -> User:
    """A member of finance who also files requests of Search."""
    return make_person("inside.finance", Role.FINANCE, Role.REQUESTER, team=team, now=NOW)


def give(
    holder: Team | CostCenter,
    by: User,
    amount: str = "100",
    *,
    key: str = "k",
    reason: str = REASON,
    now: datetime = NOW,
    quarter: str = QUARTER,
) -> LedgerEntry | Change:
    wanted = {"quarter": quarter, "unit": BudgetUnit.USD, "amount": D(amount)}
    return budgets.allocate(holder=holder, key=key, reason=reason, by=by, now=now, **wanted)  # type: ignore[arg-type]


def given(holder: Team | CostCenter, by: User, amount: str = "100", **more: object) -> BudgetAccount:
    entry = give(holder, by, amount, **more)  # type: ignore[arg-type]
    assert isinstance(entry, LedgerEntry)
    return entry.account


def project_of(team: Team, by: User) -> CostCenter:
    center = cost_centers.open_for_team(team=team, by=by, now=NOW)
    wanted = {"level": CenterLevel.PROJECT, "slug": "ranker", "name": "Ranker"}
    return cost_centers.open_center(**wanted, parent=center, by=by, now=NOW)  # type: ignore[arg-type]


def test_money_for_ones_own_team_is_proposed_and_booked_by_an_outsider(cast: Cast, team: Team, insider: User) -> None:
    change = give(team, insider)
    assert isinstance(change, Change)
    assert change.description == "Allocate 100.00 USD to Search 2026Q4 USD"
    account = BudgetAccount.objects.get()
    assert (balance_of(account).available, LedgerEntry.objects.count()) == (0, 0)
    other = make_person("other.finance", Role.FINANCE, Role.REQUESTER, team=team, now=NOW)
    before = snapshot()
    for person, why in ((insider, "You proposed"), (other, "You belong to a team"), (cast.admin, "Only a platform")):
        with pytest.raises(NotAllowed, match=why):
            approvals.confirm(change=change, by=person, now=NOW)
    assert snapshot() == before
    assert reads.confirmers(change) == [cast.approver, cast.finance]
    approvals.confirm(change=change, by=cast.finance, now=NOW)
    assert (balance_of(account).available, LedgerEntry.objects.get().booked_by) == (100, cast.finance)


def test_without_a_reason_the_person_learns_why_one_is_needed_and_nothing_moves(team: Team, insider: User) -> None:
    before = snapshot()
    with pytest.raises(Invalid, match=r"because it is money for your own team \(search\)\. Give a reason") as refusal:
        give(team, insider, reason="")
    assert (refusal.value.field, snapshot()) == ("reason", before)


def test_a_project_of_ones_team_is_ones_team_and_another_team_is_not(cast: Cast, team: Team, insider: User) -> None:
    project = project_of(team, cast.finance)
    assert isinstance(give(project, insider), Change)
    assert isinstance(give(Team.objects.get(slug="ads"), insider, key="a"), LedgerEntry)
    root = tree.root()
    assert root is not None
    assert isinstance(give(root, insider, key="r"), LedgerEntry)


def test_who_left_the_team_is_of_it_for_ninety_days(cast: Cast, team: Team, insider: User) -> None:
    people.revoke_role(user=insider, role=Role.REQUESTER, team=team, by=cast.admin, now=NOW)
    soon, later = NOW + timedelta(days=89), NOW + timedelta(days=91)
    assert isinstance(give(team, insider, now=soon), Change)
    assert isinstance(give(team, insider, key="l", now=later), LedgerEntry)


def test_an_insider_confirms_nothing_for_their_team_even_after_leaving_it(
    cast: Cast, team: Team, insider: User
) -> None:
    change = give(team, make_person("other.finance", Role.FINANCE, Role.REQUESTER, team=team, now=NOW))
    people.revoke_role(user=insider, role=Role.REQUESTER, team=team, by=cast.admin, now=NOW)
    before = snapshot()
    with pytest.raises(NotAllowed, check=has_code("own_team")):
        approvals.confirm(change=change, by=insider, now=NOW)
    assert snapshot() == before


def test_a_proposal_of_a_closed_account_or_a_lost_role_is_not_confirmed(cast: Cast, team: Team, insider: User) -> None:
    change = give(team, insider)
    for loses in (
        partial(people.revoke_role, user=insider, role=Role.FINANCE),
        partial(people.close_account, user=insider),
    ):
        with transaction.atomic():
            loses(by=cast.admin, now=NOW)
            before = snapshot()
            with pytest.raises(WrongState, match="may no longer propose it"):
                approvals.confirm(change=change, by=cast.finance, now=NOW)
            assert snapshot() == before
            transaction.set_rollback(True)


@pytest.mark.parametrize(
    ("mode", "tolerance"), [(BudgetMode.OFF, 10), (BudgetMode.OBSERVE, 10), (BudgetMode.ENFORCE, 11)]
)
def test_looser_terms_take_two_people_for_any_team_and_level(
    cast: Cast, team: Team, insider: User, mode: BudgetMode, tolerance: int
) -> None:
    """Also of an account above: the second person belongs to no team below it."""
    account = given(team, cast.finance)
    above = given(tree.root(), cast.finance, "500", key="r")  # type: ignore[arg-type]
    for row in (account, above):
        change = cost_centers.set_terms(
            account=row, mode=mode, tolerance_percent=tolerance, reason=REASON, by=cast.finance, now=NOW
        )
        assert isinstance(change, Change)
        before = snapshot()
        for person in (cast.finance, insider, cast.admin):
            with pytest.raises(NotAllowed):
                approvals.confirm(change=change, by=person, now=NOW)
        with pytest.raises(IntegrityError), transaction.atomic():
            BudgetAccount.objects.filter(pk=row.pk).update(mode="off")
        assert snapshot() == before
        approvals.confirm(change=change, by=cast.approver, now=NOW)
        row.refresh_from_db()
        assert (row.mode, row.tolerance_percent) == (mode, tolerance)
        stricter = {"mode": BudgetMode.ENFORCE, "tolerance_percent": 10}
        assert cost_centers.set_terms(account=row, **stricter, by=cast.finance, now=NOW) == row  # type: ignore[arg-type]


def test_terms_that_changed_meanwhile_are_not_proposed_twice(cast: Cast, team: Team) -> None:
    account, looser = given(team, cast.finance), {"mode": BudgetMode.OFF, "tolerance_percent": 10}
    wish = partial(cost_centers.set_terms, account=account, **looser, reason=REASON, by=cast.finance, now=NOW)
    wish()
    before = snapshot()
    with pytest.raises(WrongState, check=has_code("already_open")):
        wish()
    assert snapshot() == before


def test_nobody_moves_their_own_team_to_other_limits(cast: Cast, team: Team, insider: User) -> None:
    center = cost_centers.open_for_team(team=team, by=cast.finance, now=NOW)
    wanted = {"level": CenterLevel.UNIT, "slug": "retail", "name": "Retail"}
    unit = cost_centers.open_center(**wanted, parent=None, by=insider, now=NOW)  # type: ignore[arg-type]
    before = snapshot()
    with pytest.raises(NotAllowed, match="Another member of finance must move this cost center") as refusal:
        cost_centers.move_center(center=center, parent=unit, by=insider, now=NOW)
    assert (refusal.value.code, snapshot()) == ("own_team", before)
    cost_centers.move_center(center=center, parent=unit, by=cast.finance, now=NOW)


def test_an_amount_that_looks_like_a_slip_takes_two_people(cast: Cast, team: Team) -> None:
    account = given(team, cast.finance, "10000")
    slip = give(team, cast.finance, "100000", key="s")
    assert isinstance(slip, Change)
    approvals.confirm(change=slip, by=cast.approver, now=NOW)
    assert balance_of(account).allocated == 110_000
    assert isinstance(give(Team.objects.get(slug="ads"), cast.finance, "10000000", key="x"), Change)


@pytest.mark.parametrize("quarter", ["1999Q1", "2999Q4"])
def test_a_quarter_out_of_reach_is_refused(cast: Cast, team: Team, quarter: str) -> None:
    before = snapshot()
    with pytest.raises(Invalid, match="A budget is for a quarter from 2023Q4 to 2029Q4"):
        give(team, cast.finance, quarter=quarter)
    assert snapshot() == before


def test_the_database_books_nothing_for_ones_own_team(cast: Cast, team: Team, insider: User) -> None:
    account = given(team, cast.finance)
    for kind in ("allocate", "transfer"):
        with pytest.raises(IntegrityError, match="nobody books money for their own team"), transaction.atomic():
            LedgerEntry.objects.create(account=account, kind=kind, amount=1, key="x", booked_by=insider, booked_at=NOW)


def test_page_and_program_say_whom_to_ask(
    cast: Cast, team: Team, insider: User, api: Api, as_: Callable[[User], Client], now: datetime
) -> None:
    quarter = str(Quarter.of(now))
    sent = {"team": "search", "quarter": quarter, "unit": "USD", "amount": "7"}
    refused = api(insider).post("/api/v1/budgets/", sent, format="json")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "reason")
    answer = api(insider).post("/api/v1/budgets/", sent | {"reason": REASON}, format="json")
    told = answer.json()
    assert (answer.status_code, told["state"]) == (202, "pending")
    assert told["can_be_confirmed_by"] == ["approver", "finance"]
    approvals.refuse(change=Change.objects.get(), reason=REASON, by=insider, now=now)
    page = as_(insider).post("/budgets/", sent | {"key": "k", "reason": REASON}, follow=True)
    change = Change.objects.latest("pk")
    assert [str(each) for each in page.context["messages"]] == [
        f"{change} is proposed. A second person must confirm it on its page, under Changes. Ask Approver or Finance."
    ]
    assert change.description in as_(cast.finance).get("/").content.decode()
    own = as_(insider).get("/").context["inbox"]
    assert (own.entries, [entry.ref for entry in own.waiting_on_others]) == ((), [str(change)])
    assert as_(cast.finance).get(f"/changes/{change.pk}/").context["cannot_confirm"] == ""
