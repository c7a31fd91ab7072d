"""The tree of budgets on the database: what hangs where, who delegates what, bills, findings, races."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from governance.audit.models import AuditEvent
from governance.audit.queries.trail import first_broken
from governance.budgets.actions import actuals, budgets, cost_centers
from governance.budgets.domain.actuals import Stated
from governance.budgets.domain.cost_centers import CenterLevel
from governance.budgets.domain.ledger import BudgetMode, EntryKind
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import BudgetAccount, CostCenter, LedgerEntry
from governance.budgets.queries import cost_centers as tree
from governance.budgets.queries.budgets import accounts, balance_of
from governance.budgets.queries.effects import BudgetEffect, effects
from governance.findings import actions as findings
from governance.findings.enums import Severity
from governance.findings.models import Finding
from governance.notifications.models import Notification
from governance.people.models import Team
from tests.factories.budgets import set_terms
from tests.factories.people import Cast
from tests.threads import together
from weighbridge.core.errors import Invalid, NotAllowed, Refused, WrongState

NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)
LATER = datetime(2027, 1, 1, 0, 5, tzinfo=UTC)
QUARTER = "2026Q4"
REF, OTHER = "MRR-2026-0001", "MRR-2026-0002"
D = Decimal


def counts() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (LedgerEntry, AuditEvent, BudgetAccount, CostCenter, Finding))


def give(center: CostCenter | Team, by: User, amount: str, *, key: str, quarter: str = QUARTER) -> BudgetAccount:
    more = {"quarter": quarter, "unit": BudgetUnit.USD, "amount": D(amount), "key": key, "by": by, "now": NOW}
    return budgets.allocate(holder=center, **more).account


def open_unit(
    by: User, slug: str = "retail", level: CenterLevel = CenterLevel.UNIT, parent: CostCenter | None = None
) -> CostCenter:
    return cost_centers.open_center(level=level, slug=slug, name=slug.title(), parent=parent, by=by, now=NOW)


def reserve(team: Team, by: User, usd: str, *, ref: str = REF, key: str = "r") -> None:
    budgets.reserve(team=team, quarter=QUARTER, amounts={BudgetUnit.USD: D(usd)}, ref=ref, key=key, by=by, now=NOW)


def commit(team: Team, by: User, usd: str, *, ref: str = REF, key: str = "c") -> None:
    budgets.commit(team=team, quarter=QUARTER, amounts={BudgetUnit.USD: D(usd)}, ref=ref, key=key, by=by, now=NOW)


def bill(
    account: BudgetAccount, amount: str, *, ref: str = REF, key: str = "b", period: str = "2026-10"
) -> LedgerEntry:
    stated = Stated(period=period, amount=D(amount), request_ref=ref)
    return actuals.book_actual(account=account, stated=stated, key=key, source="aws", by=None, now=NOW)


def terms(account: BudgetAccount, by: User, mode: BudgetMode, tolerance: int = 10) -> BudgetAccount:
    return cost_centers.set_terms(account=account, mode=mode, tolerance_percent=tolerance, by=by, now=NOW)


@pytest.fixture
def unit(cast: Cast, team: Team) -> CostCenter:
    """A unit with 1,000 USD, which holds the team Search with 100."""
    unit = open_unit(cast.finance)
    give(unit, cast.finance, "1000", key="unit")
    center = cost_centers.open_for_team(team=team, by=cast.finance, now=NOW)
    cost_centers.move_center(center=center, parent=unit, by=cast.finance, now=NOW)
    give(team, cast.finance, "100", key="team")
    return unit


def of(center: CostCenter) -> BudgetAccount:
    return BudgetAccount.objects.get(center=center, quarter=QUARTER)


def test_centers_open_where_they_belong(cast: Cast, team: Team, unit: CostCenter) -> None:
    project = open_unit(cast.finance, "ranker", CenterLevel.PROJECT, tree.of_team(team))
    assert [(row.level, row.slug, row.parent and row.parent.slug) for row in CostCenter.objects.order_by("pk")] == [
        ("organization", "organization", None),
        ("unit", "retail", "organization"),
        ("team", "search", "retail"),
        ("project", "ranker", "search"),
    ]
    assert project.team == team
    assert tree.is_above(unit, below=project)
    assert not tree.is_above(project, below=unit)
    assert [event.kind for event in AuditEvent.objects.filter(kind__startswith="cost_center").order_by("position")] == [
        "cost_center.opened",
        "cost_center.opened",
        "cost_center.opened",
        "cost_center.placed",
        "cost_center.opened",
    ]


def test_a_request_sees_what_its_team_has_delegated_to_projects(cast: Cast, team: Team, unit: CostCenter) -> None:
    def seen() -> BudgetEffect:
        amounts = {QUARTER: {BudgetUnit.USD: D(30)}}
        (found,) = effects(team=team, ref=REF, amounts=amounts, since=Quarter.parse(QUARTER), today=NOW.date())
        return found

    account = BudgetAccount.objects.get(center__team=team, center__level="team")
    assert (seen().available, seen().after) == (balance_of(account).available, 70) == (100, 70)
    project = open_unit(cast.finance, "ranker", CenterLevel.PROJECT, tree.of_team(team))
    give(project, cast.finance, "45", key="p")
    reserve(team, cast.author, "5", ref=OTHER, key="o")
    assert (seen().allocated, seen().available, seen().reserved_by_others) == (100, 50, 5)
    assert seen().available == balance_of(account).available
    give(project, cast.finance, "15", key="more")
    assert seen().available == balance_of(account).available == 35


def test_the_organization_is_opened_once_under_a_name_of_its_own(cast: Cast) -> None:
    root = open_unit(cast.finance, "acme", CenterLevel.ORGANIZATION)
    with pytest.raises(WrongState, match="already exists as Acme"):
        open_unit(cast.finance, "again", CenterLevel.ORGANIZATION)
    assert open_unit(cast.finance).parent == root


def test_a_team_that_bears_the_name_of_the_root_keeps_it(cast: Cast) -> None:
    namesake = Team.objects.create(slug="organization", name="Organization")
    give(namesake, cast.finance, "5", key="n")
    assert tree.root().slug == "the-organization"  # type: ignore[union-attr]
    assert tree.find("organization").team == namesake


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"slug": "a b"}, "slug"),
        ({"slug": "search"}, "slug"),
        ({"slug": "retail"}, "slug"),
        ({"name": " "}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"level": CenterLevel.TEAM}, "level"),
        ({"level": CenterLevel.PROJECT}, "parent"),
    ],
)
def test_a_center_that_cannot_be_is_refused(cast: Cast, unit: CostCenter, change: dict, field: str) -> None:
    before = counts()
    asked = {"level": CenterLevel.UNIT, "slug": "new", "name": "New", "parent": None} | change
    with pytest.raises(Invalid) as refusal:
        cost_centers.open_center(**asked, by=cast.finance, now=NOW)
    assert (refusal.value.field, counts()) == (field, before)


def test_only_finance_shapes_the_tree(cast: Cast, unit: CostCenter, team: Team) -> None:
    before, center = counts(), tree.of_team(team)
    for person in cast.everybody():
        if person != cast.finance:
            for act in (
                partial(open_unit, person, "new"),
                partial(give, unit, person, "1", key="x"),
                partial(cost_centers.move_center, center=center, parent=unit, by=person, now=NOW),
                partial(terms, of(unit), person, BudgetMode.OFF),
            ):
                with pytest.raises(NotAllowed, match="Only finance"):
                    act()
    assert counts() == before


def test_nobody_hands_out_more_than_they_hold(cast: Cast, unit: CostCenter, team: Team) -> None:
    other = Team.objects.get(slug="ads")
    center = cost_centers.open_for_team(team=other, by=cast.finance, now=NOW)
    cost_centers.move_center(center=center, parent=unit, by=cast.finance, now=NOW)
    before = counts()
    with pytest.raises(WrongState) as refusal:
        give(other, cast.finance, "900.01", key="o")
    assert (refusal.value.code, counts()) == ("over_parent", before)
    give(other, cast.finance, "900", key="o")
    assert balance_of(of(unit)).available == 0
    with pytest.raises(IntegrityError), transaction.atomic():
        LedgerEntry.objects.create(account=of(center), kind="allocate", amount=D("0.01"), key="x", booked_at=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        LedgerEntry.objects.create(account=of(unit), kind="allocate", amount=D("-0.01"), key="x", booked_at=NOW)


def test_a_new_account_above_takes_over_what_those_below_were_given(cast: Cast, unit: CostCenter) -> None:
    root = tree.root()
    with pytest.raises(WrongState) as refusal:
        give(root, cast.finance, "999.99", key="root")
    assert (refusal.value.code, BudgetAccount.objects.filter(center=root).count()) == ("less_than_below", 0)
    give(root, cast.finance, "1000", key="root")
    assert tree.account_above(of(unit)) == of(root)
    assert (balance_of(of(root)).allocated_below, balance_of(of(unit)).allocated_below) == (1000, 100)
    with pytest.raises(WrongState, match=r"Organization 2026Q4 USD has 0\.00 USD left to delegate"):
        give(unit, cast.finance, "1", key="more")


def test_a_team_moves_only_where_its_budget_is_borne(cast: Cast, unit: CostCenter, team: Team) -> None:
    small = open_unit(cast.finance, "small")
    give(small, cast.finance, "99.99", key="s")
    before, center = counts(), tree.of_team(team)
    with pytest.raises(WrongState, match=r"holds 99\.99 USD, and with Search it would allocate 100\.00 USD to the"):
        cost_centers.move_center(center=center, parent=small, by=cast.finance, now=NOW)
    assert (counts(), tree.of_team(team).parent) == (before, unit)  # type: ignore[union-attr]
    give(small, cast.finance, "0.01", key="s2")
    cost_centers.move_center(center=center, parent=small, by=cast.finance, now=NOW)
    assert (balance_of(of(unit)).allocated_below, balance_of(of(small)).allocated_below) == (0, 100)
    project = open_unit(cast.finance, "ranker", CenterLevel.PROJECT, center)
    for moved, parent in ((project, center), (unit, unit)):
        with pytest.raises(Invalid) as refusal:
            cost_centers.move_center(center=moved, parent=parent, by=cast.finance, now=NOW)
        assert refusal.value.field == "parent"
    with pytest.raises(IntegrityError), transaction.atomic():
        CostCenter.objects.filter(pk=unit.pk).update(parent=center)


def test_terms_are_inherited_by_the_next_quarter(cast: Cast, team: Team, unit: CostCenter) -> None:
    account = of(tree.of_team(team))  # type: ignore[arg-type]
    set_terms(account, mode=BudgetMode.OBSERVE, tolerance=25, cast=cast, now=NOW)
    assert AuditEvent.objects.get(kind="budget.terms").details == {
        "before": {"mode": "enforce", "tolerance_percent": 10},
        "after": {"mode": "observe", "tolerance_percent": 25},
    }
    following = give(team, cast.finance, "1", key="n", quarter="2027Q1")
    assert (following.mode, following.tolerance_percent) == ("observe", 25)
    for tolerance in (-1, 101):
        with pytest.raises(Invalid) as refusal:
            terms(account, cast.finance, BudgetMode.OFF, tolerance)
        assert refusal.value.field == "tolerance_percent"


def test_the_three_modes_refuse_tell_and_ignore(cast: Cast, team: Team, unit: CostCenter) -> None:
    account = of(tree.of_team(team))  # type: ignore[arg-type]
    with pytest.raises(WrongState):
        reserve(team, cast.author, "100.01")
    set_terms(account, mode=BudgetMode.OFF, cast=cast, now=NOW)
    reserve(team, cast.author, "100.01")
    assert not Finding.objects.exists()
    set_terms(account, mode=BudgetMode.OBSERVE, cast=cast, now=NOW)
    reserve(team, cast.author, "5", ref=OTHER, key="o")
    found = Finding.objects.get()
    assert (found.kind, found.severity, found.subject) == ("budget.observed", "medium", f"{OTHER} on Search 2026Q4 USD")
    assert "Search 2026Q4 USD has -0.01 USD available, and this needs 5.00 USD" in found.text
    assert (found.state, found.key) == ("open", "budget.observed:o:reserve:USD")
    assert balance_of(account).available == D("-5.01")


def test_bills_draw_down_and_running_over_is_found_once(cast: Cast, team: Team, unit: CostCenter) -> None:
    commit(team, cast.approver, "50")
    account = of(tree.of_team(team))  # type: ignore[arg-type]
    first = bill(account, "40")
    assert bill(account, "999") == first
    assert (first.kind, first.note, balance_of(account).available) == ("actual", "aws", D(50))
    bill(account, "15", key="b2", period="2026-11")
    assert not Finding.objects.exists()  # 55 of 50 is within ten percent
    restated = bill(account, "15.01", key="b3", period="2026-11")
    assert (restated.kind, restated.amount) == ("correction", D("0.01"))
    found = Finding.objects.get()
    assert (found.kind, found.severity, found.subject) == ("budget.overrun", "high", f"{REF} on Search 2026Q4 USD")
    assert found.text == (
        "55.01 USD was billed or accrued, and 50.00 USD is committed: 5.01 USD more, which is above the tolerance of "
        "10 %."
    )
    bill(account, "20", key="b4", period="2026-11")
    assert Finding.objects.count() == 1
    bill(account, "50.01", key="b5", ref="")
    assert Finding.objects.latest("pk").subject == "Search 2026Q4 USD"
    assert first_broken() is None


def test_what_is_delegated_is_no_budget_of_the_account_that_gave_it(cast: Cast, team: Team, unit: CostCenter) -> None:
    center = tree.of_team(team)
    assert center is not None
    give(open_unit(cast.finance, "ranker", CenterLevel.PROJECT, center), cast.finance, "90", key="below")
    bill(of(center), "50", ref="")
    assert balance_of(of(center)).over == 40
    assert Finding.objects.get().text.startswith("50.00 USD was billed or accrued, and 10.00 USD is allocated: 40.00")


def test_an_account_that_is_off_books_its_bills_in_silence(cast: Cast, team: Team, unit: CostCenter) -> None:
    account = set_terms(of(tree.of_team(team)), mode=BudgetMode.OFF, cast=cast, now=NOW)  # type: ignore[arg-type]
    bill(account, "500", ref="")
    assert (balance_of(account).available, Finding.objects.count()) == (-400, 0)


@pytest.mark.parametrize(("period", "amount", "field"), [("2026Q4", "1", "period"), ("2026-10", "0.001", "amount")])
def test_a_bill_that_cannot_be_booked_moves_nothing(
    cast: Cast, team: Team, unit: CostCenter, period: str, amount: str, field: str
) -> None:
    before = counts()
    with pytest.raises(Invalid) as refusal:
        bill(of(unit), amount, period=period)
    assert (refusal.value.field, counts()) == (field, before)


@pytest.mark.parametrize("kind", [EntryKind.RELEASE, EntryKind.EXPIRE])
def test_what_is_left_of_a_commitment_is_given_back_once(
    cast: Cast, team: Team, unit: CostCenter, kind: EntryKind
) -> None:
    commit(team, cast.approver, "50")
    account = of(tree.of_team(team))  # type: ignore[arg-type]
    bill(account, "20")
    above = balance_of(of(unit))
    budgets.release_commitment(ref=REF, key="ended", kind=kind, by=cast.approver, now=NOW)
    row = LedgerEntry.objects.latest("pk")
    assert (row.kind, row.amount, row.is_commitment, balance_of(account).available) == (kind, D(30), True, D(80))
    assert (row.key, balance_of(of(unit))) == (f"ended:{kind}:{account.pk}", above)
    assert AuditEvent.objects.latest("position").kind == f"budget.{kind}"
    before = counts()
    budgets.release_commitment(ref=REF, key="again", kind=kind, by=cast.approver, now=NOW)
    assert counts() == before


def test_a_delegation_that_reaches_a_level_above_is_told_once(cast: Cast, team: Team, unit: CostCenter) -> None:
    rows = Notification.objects.filter(kind="budget_level", person=cast.approver).order_by("pk")
    bill(of(unit), "700", ref="")
    for amount, levels in (("30", ["80 "]), ("5", ["80 "]), ("165", ["80 ", "100"])):
        give(team, cast.finance, amount, key=amount)
        assert [row.sentence[:3] for row in rows.all()] == levels


def test_the_list_tells_levels_and_what_is_allocated_below(cast: Cast, unit: CostCenter) -> None:
    found = {row.team: row for row in accounts(teams=None)}
    assert (found["retail"].level, found["retail"].of_team, found["retail"].balance.allocated_below) == (
        "unit",
        "",
        100,
    )
    assert (found["search"].level, found["search"].of_team, found["search"].mode) == ("team", "search", "enforce")
    assert [row.team for row in accounts(teams=["search"])] == ["search"]


# findings


def sight(key: str = "k", **more: object) -> Finding:
    said = {"kind": "test.seen", "subject": "s", "text": "Something.", "severity": Severity.LOW, "key": key} | more
    return findings.raise_once(sighting=findings.Sighting(**said), by=None, now=NOW)  # type: ignore[arg-type]


def test_a_finding_is_raised_given_to_somebody_and_closed_once(cast: Cast) -> None:
    found = sight()
    assert sight(text="Other.") == found
    findings.assign(finding=found, owner=cast.author, due_on=NOW.date(), by=cast.approver, now=NOW)
    closed = findings.close(finding=Finding.objects.get(), note="Done.", by=cast.author, now=NOW)
    assert (closed.state, closed.owner, closed.closed_by, closed.closing_note) == (
        "closed",
        cast.author,
        cast.author,
        "Done.",
    )
    assert sight() == found
    for act in (
        partial(findings.close, finding=found, note="Again.", by=cast.finance, now=NOW),
        partial(findings.assign, finding=found, owner=cast.author, due_on=NOW.date(), by=cast.admin, now=NOW),
    ):
        with pytest.raises(WrongState, match="cannot be reopened"):
            act()
    with pytest.raises(IntegrityError), transaction.atomic():
        Finding.objects.update(state="open", closed_at=None, closed_by=None)
    assert [event.kind for event in AuditEvent.objects.filter(kind__startswith="finding").order_by("position")] == [
        "finding.raised",
        "finding.assigned",
        "finding.closed",
    ]


def test_what_holds_no_more_is_closed_by_nobody_and_says_why(cast: Cast) -> None:
    found = sight()
    assert findings.resolve(finding=found, note="It is fresh again.", now=NOW)
    assert not findings.resolve(finding=found, note="Twice.", now=NOW)
    found.refresh_from_db()
    assert (found.state, found.closed_by, found.closing_note) == ("closed", None, "It is fresh again.")
    assert AuditEvent.objects.filter(kind="finding.closed").count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        findings.resolve(finding=sight("other"), note="", now=NOW)


def test_who_may_do_what_with_a_finding(cast: Cast) -> None:
    found, before = sight(), AuditEvent.objects.count()
    keepers = {cast.approver, cast.finance, cast.admin}
    for person in set(cast.everybody()) - keepers:
        with pytest.raises(NotAllowed):
            findings.assign(finding=found, owner=person, due_on=NOW.date(), by=person, now=NOW)
        with pytest.raises(NotAllowed):
            findings.close(finding=found, note="Done.", by=person, now=NOW)
    assert AuditEvent.objects.count() == before
    closed = User.objects.create(username="gone", is_active=False)
    for owner, due, field in ((closed, NOW.date(), "owner"), (cast.author, NOW.date().replace(day=1), "due_on")):
        with pytest.raises(Invalid) as refusal:
            findings.assign(finding=found, owner=owner, due_on=due, by=cast.finance, now=NOW)
        assert refusal.value.field == field
    for note in ("", "  x ", "x" * 2001):
        with pytest.raises(Invalid) as refusal:
            findings.close(finding=found, note=note, by=cast.finance, now=NOW)
        assert refusal.value.field == "note"


# races


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("mode", "done", "found"), [("enforce", 3, 0), ("observe", 8, 5), ("off", 8, 0)])
def test_eight_approvals_at_once_never_overspend_an_account_that_enforces(
    cast: Cast, team: Team, mode: str, done: int, found: int
) -> None:
    account = give(team, cast.finance, "100", key="a")
    set_terms(account, mode=BudgetMode(mode), cast=cast, now=NOW)
    outcomes = together(
        [partial(commit, team, cast.approver, "30", ref=f"MRR-2026-000{n}", key=f"c{n}") for n in range(8)]
    )
    refused = [each for each in outcomes if isinstance(each, Refused)]
    assert [each for each in outcomes if isinstance(each, Exception) and not isinstance(each, Refused)] == []
    assert {each.code for each in refused} <= {"over_budget"}
    assert (8 - len(refused), balance_of(account).committed) == (done, 30 * done)
    assert (balance_of(account).available >= 0) == (mode == "enforce")
    assert Finding.objects.count() == found
    assert first_broken() is None


@pytest.mark.django_db(transaction=True)
def test_teams_allocated_at_once_never_take_more_than_their_unit_holds(cast: Cast) -> None:
    root = open_unit(cast.finance, "acme", CenterLevel.ORGANIZATION)
    give(root, cast.finance, "100", key="root")
    teams = [Team.objects.create(slug=f"t{n}", name=f"T{n}") for n in range(6)]
    outcomes = together([partial(give, each, cast.finance, "30", key=each.slug) for each in teams])
    assert [type(each) for each in outcomes if isinstance(each, Exception)] == [WrongState] * 3
    assert (balance_of(of(root)).allocated_below, balance_of(of(root)).available) == (90, 10)
