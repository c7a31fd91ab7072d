"""Whatever one person of finance does, in any order, their own team never has more than other people confirmed."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from governance.bills.actions import month_postings, rates
from governance.bills.domain.currencies import CurrencyRate
from governance.budgets.actions import actuals, budget_changes, budgets, cost_centers, quarter_end
from governance.budgets.actions.rebookings import Rebooking
from governance.budgets.domain.actuals import Stated
from governance.budgets.domain.budget_changes import REBOOKED, Aspect
from governance.budgets.domain.cost_centers import CenterLevel
from governance.budgets.domain.ledger import BudgetMode, EntryKind
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import BudgetAccount, CostCenter, LedgerEntry
from governance.budgets.queries.budgets import balance_of, team_of
from governance.budgets.queries.cost_centers import upwards
from governance.people.approvals import actions as approvals
from governance.people.approvals.enums import ChangeState
from governance.people.approvals.models import Change
from governance.people.domain.roles import Role
from governance.people.models import Team
from tests.factories.changes import REASON
from tests.factories.people import Cast, make_person
from weighbridge.core.errors import Refused

NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)
QUARTERS = ["2026Q4", "2027Q1"]
REF = "MRR-2026-0001"
D = Decimal
AMOUNTS = st.integers(-50, 2_000).map(D)
Step = tuple[str, int, Decimal]
STEPS = [
    "allocate",
    "allocate above",
    "allocate to a project",
    "loosen",
    "move the team",
    "propose",
    "confirm own",
    "bill",
    "rate",
    "post again",
    "release",
    "close quarters",
    "outsider confirms",
    "outsider refuses",
]


class World:
    """A company whose insider is finance and requester of Search, and an outsider who sometimes confirms."""

    def __init__(self, cast: Cast, insider: User, team: Team) -> None:
        self.cast, self.insider, self.team, self.number, self.confirmed = cast, insider, team, 0, D(0)
        self.center = cost_centers.open_for_team(team=team, by=cast.finance, now=NOW)
        wanted = {"by": cast.finance, "now": NOW}
        self.unit = cost_centers.open_center(
            level=CenterLevel.UNIT, slug="retail", name="Retail", parent=None, **wanted
        )
        self.project = cost_centers.open_center(
            level=CenterLevel.PROJECT, slug="ranker", name="Ranker", parent=self.center, **wanted
        )
        for quarter in QUARTERS:
            usd = {"quarter": quarter, "unit": BudgetUnit.USD, "amount": D(1000)}
            budgets.allocate(holder=team, key=f"first:{quarter}", **usd, **wanted)
        self.confirmed += 2000
        taken = {"amounts": {BudgetUnit.USD: D(300)}, "ref": REF, "key": "c"}
        budgets.commit(team=team, quarter=QUARTERS[0], by=cast.approver, now=NOW, **taken)

    def accounts(self) -> list[BudgetAccount]:
        return list(BudgetAccount.objects.select_related("center__team").order_by("pk"))

    def own(self) -> list[BudgetAccount]:
        return [row for row in self.accounts() if team_of(row) == self.team.slug]

    def allocated(self) -> Decimal:
        rows = LedgerEntry.objects.filter(account__in=self.own(), kind__in=["allocate", "transfer"])
        return sum((row.amount for row in rows), D(0))

    def take(self, step: Step) -> None:
        """Take the step, or be refused."""
        self.number += 1
        name, pick, amount = step
        act = getattr(self, name.replace(" ", "_"))
        before = self.allocated()
        try:
            with transaction.atomic():
                act(pick, amount)
        except Refused:
            return
        if name == "outsider confirms":
            self.confirmed += max(self.allocated() - before, D(0))

    def _allocate(self, holder: Team | CostCenter, pick: int, amount: Decimal) -> None:
        wanted = {"quarter": QUARTERS[pick % 2], "unit": BudgetUnit.USD, "amount": amount, "key": f"k{self.number}"}
        budgets.allocate(holder=holder, reason=REASON, by=self.insider, now=NOW, **wanted)  # type: ignore[arg-type]

    def allocate(self, pick: int, amount: Decimal) -> None:
        self._allocate(self.team, pick, amount)

    def allocate_above(self, pick: int, amount: Decimal) -> None:
        self._allocate(self.unit, pick, amount)

    def allocate_to_a_project(self, pick: int, amount: Decimal) -> None:
        self._allocate(self.project, pick, amount)

    def loosen(self, pick: int, amount: Decimal) -> None:
        rows = self.accounts()
        terms = {"mode": list(BudgetMode)[pick % 3], "tolerance_percent": abs(int(amount)) % 101}
        cost_centers.set_terms(
            account=rows[pick % len(rows)],
            reason=REASON,
            by=self.insider,
            now=NOW,
            **terms,  # type: ignore[arg-type]
        )

    def move_the_team(self, pick: int, _: Decimal) -> None:
        center = CostCenter.objects.get(pk=self.center.pk)
        parent = CostCenter.objects.exclude(level="project").order_by("pk")[pick % 3]
        cost_centers.move_center(center=center, parent=parent, by=self.insider, now=NOW)

    def propose(self, pick: int, amount: Decimal) -> None:
        rows = self.accounts()
        aspect = REBOOKED[pick % 3]
        target = None if aspect is Aspect.AMOUNT else rows[(pick + 1) % len(rows)]
        ref = REF if pick % 5 == 0 else ""
        wish = Rebooking(account=rows[pick % len(rows)], aspect=aspect, amount=amount, target=target, request_ref=ref)
        budget_changes.propose(wish=wish, reason=REASON, by=self.insider, now=NOW)

    def _waiting(self, pick: int) -> Change | None:
        rows = list(Change.objects.filter(state=ChangeState.PENDING).order_by("pk"))
        return rows[pick % len(rows)] if rows else None

    def confirm_own(self, pick: int, _: Decimal) -> None:
        if change := self._waiting(pick):
            approvals.confirm(change=change, by=self.insider, now=NOW)

    def outsider_confirms(self, pick: int, _: Decimal) -> None:
        if change := self._waiting(pick):
            approvals.confirm(change=change, by=self.cast.approver, now=NOW)

    def outsider_refuses(self, pick: int, _: Decimal) -> None:
        if change := self._waiting(pick):
            approvals.refuse(change=change, reason=REASON, by=self.cast.approver, now=NOW)

    def bill(self, pick: int, amount: Decimal) -> None:
        rows, periods = self.own(), ["2026-10", "2026-11", "2027-01"]
        stated = Stated(
            period=periods[pick % 3],
            amount=1_000 * (amount - 1_000),
            request_ref=REF if pick % 2 else "",
            is_estimate=pick > 6,
        )
        account = rows[pick % len(rows)]
        actuals.book_actual(account=account, stated=stated, key=f"b{self.number}", by=None, now=NOW)

    def rate(self, pick: int, amount: Decimal) -> None:
        rate = CurrencyRate("EUR", date(2026, 9, 1 + pick), abs(amount) / 100, "ECB")
        rates.set_rate(rate=rate, by=self.insider, now=NOW)

    def post_again(self, pick: int, _: Decimal) -> None:
        month_postings.post_months(
            months=[date(2026, 10 + pick % 3, 1)], cause=f"p{self.number}", sender=self.insider, now=NOW
        )

    def release(self, pick: int, _: Decimal) -> None:
        kind = EntryKind.EXPIRE if pick % 2 else EntryKind.RELEASE
        budgets.release_commitment(ref=REF, key=f"r{self.number}", kind=kind, by=None, now=NOW)
        budgets.release_commitment(ref=REF, key=f"again{self.number}", kind=kind, by=None, now=NOW)

    def close_quarters(self, pick: int, _: Decimal) -> None:
        quarter_end.close_quarters(now=NOW + timedelta(days=90 if pick == 9 else 0))


@settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # without shrinking: each example takes a database
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 9), AMOUNTS), min_size=4, max_size=14))
def test_one_person_never_makes_more_available_to_their_team(cast: Cast, team: Team, steps: list[Step]) -> None:
    with transaction.atomic():
        insider = make_person("inside.finance", Role.FINANCE, Role.REQUESTER, team=team, now=NOW)
        world = World(cast, insider, team)
        for step in steps:
            world.take(step)
            own = world.own()
            assert world.allocated() <= world.confirmed, step
            assert sum((balance_of(row).available for row in own if row.closed_at is None), D(0)) <= world.confirmed
            for row in own:
                assert balance_of(row).available <= balance_of(row).allocated, step
                assert BudgetMode(row.mode) is BudgetMode.ENFORCE or _is_confirmed(row), step
        assert set(upwards(CostCenter.objects.get(pk=world.center.pk))).isdisjoint({world.unit.pk})
        transaction.set_rollback(True)


def _is_confirmed(row: BudgetAccount) -> bool:
    return Change.objects.filter(part="terms", state=ChangeState.CONFIRMED, closed_by__username="approver").exists()
