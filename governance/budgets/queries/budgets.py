"""Reads of budget accounts, and functions that lock them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.contrib.auth.models import User
from django.db.models import Max, Q, QuerySet, Sum

from governance.budgets.domain import ledger
from governance.budgets.domain.ledger import Balance, EntryKind, LedgerLine
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import BudgetAccount, LedgerEntry
from governance.budgets.queries import cost_centers
from governance.budgets.queries.balances import own_balances
from governance.people.approvals.enums import Changed, ChangeState
from governance.people.approvals.models import Change
from governance.people.domain.roles import Role
from governance.people.models import Team

OF_THE_ACCOUNT = sorted(kind.value for kind in ledger.OF_THE_ACCOUNT)
"""The kinds of entries that change an allocation, as stored."""


@dataclass(frozen=True)
class AccountView:
    """An account as shown to a person; `team` is the slug of its cost center, `of_team` of the team it belongs to.

    `is_generated` means that the spend of its team in the quarter comes from generated bills.
    """

    team: str
    team_name: str
    level: str
    quarter: str
    unit: str
    mode: str
    tolerance_percent: int
    is_closed: bool
    balance: Balance
    of_team: str
    is_generated: bool


def entries_of(account: BudgetAccount, *, refs: Collection[str] | None = None) -> list[LedgerLine]:
    """The account's entries in order, as domain objects: of these requests, or all. "" stands for no request."""
    rows = account.entries.order_by("pk")
    return [entry_of(row) for row in (rows if refs is None else rows.filter(request_ref__in=refs))]


def spent_by_request(*, quarter: str, unit: BudgetUnit) -> dict[str, Decimal]:
    """The billed or accrued amount of each request that has a bill on an account of the quarter in that unit."""
    rows = LedgerEntry.objects.filter(account__quarter=quarter, account__unit=unit, kind__in=ledger.SPENT)
    return dict(rows.exclude(request_ref="").order_by().values_list("request_ref").annotate(spent=Sum("amount")))


def entry_of(row: LedgerEntry) -> LedgerLine:
    """A ledger row as a domain object."""
    return LedgerLine(
        kind=EntryKind(row.kind),
        amount=row.amount,
        request_ref=row.request_ref or None,
        key=row.key,
        is_commitment=row.is_commitment,
        period=row.period,
    )


def allocations_below(account: BudgetAccount, *, as_given: bool = False) -> list[LedgerLine]:
    """The entries that change the allocations of the accounts directly below.

    `as_given` treats the account as if it had an allocation.
    """
    below = cost_centers.ids_below(account, as_given=as_given)
    return [entry_of(row) for row in LedgerEntry.objects.filter(account__in=below, kind__in=OF_THE_ACCOUNT)]


def balance_of(account: BudgetAccount, *, as_given: bool = False) -> Balance:
    """The balance of the account. `as_given` counts the accounts below even if the account has no allocation."""
    below, own = allocations_below(account, as_given=as_given), own_balances([account.pk])[account.pk]
    return replace(own, allocated_below=ledger.allocated(below), expired_below=ledger.expired(below))


def latest_allocation(account: BudgetAccount) -> int:
    """The ID of the latest entry that changed the allocation of the account or of one below it; 0 without any."""
    accounts = [account.pk, *cost_centers.ids_below(account)]
    rows = LedgerEntry.objects.filter(account__in=accounts, kind__in=OF_THE_ACCOUNT, is_commitment=False)
    return rows.aggregate(last=Max("pk"))["last"] or 0


def accounts_to_close(*, now: datetime) -> QuerySet[BudgetAccount]:
    """The open accounts of past quarters."""
    return BudgetAccount.objects.filter(closed_at=None, quarter__lt=str(Quarter.of(now)))


def newest_account() -> int:
    """The ID of the account that was opened last; 0 without any."""
    return BudgetAccount.objects.aggregate(newest=Max("pk"))["newest"] or 0


def left_of_team(
    *, team: Team, quarter: str, without: str, superseded: Collection[str] = ()
) -> dict[BudgetUnit, Decimal]:
    """The available amounts of the team's accounts in a quarter, by unit, as if the request `without` held nothing.

    What the `superseded` requests still have committed counts as available, because an approval releases it.
    """
    left = {}
    for account in BudgetAccount.objects.filter(of_team(team=team, quarter=quarter)):
        entries = entries_of(account, refs={without, *superseded})
        given_back = ledger.holding_of(entries, ref=without).used + ledger.open_of(entries, refs=superseded)
        left[BudgetUnit(account.unit)] = balance_of(account).available + given_back
    return left


def lock_accounts(which: Q) -> list[BudgetAccount]:
    """Lock accounts in a fixed order, which prevents deadlocks."""
    wanted = list(BudgetAccount.objects.filter(which).values_list("pk", flat=True))
    rows = BudgetAccount.objects.select_for_update(of=("self",)).select_related("center")
    return list(rows.filter(pk__in=wanted).order_by("pk"))


def of_team(*, team: Team, quarter: str) -> Q:
    """The accounts for a team's requests in a quarter."""
    return Q(center__level="team", center__team=team, quarter=quarter)


def lock_touched(*, refs: Collection[str], team: Team, quarter: str) -> list[BudgetAccount]:
    """Lock all accounts on which a decision about the requests may book.

    Call this before the first audit event of a transaction. These are the team's accounts from `quarter` on, because an
    approval also plans in later quarters.
    """
    own = Q(center__level="team", center__team=team, quarter__gte=quarter)
    return lock_accounts(Q(entries__request_ref__in=refs) | own)


def accounts(*, teams: list[str] | None, quarter: str | None = None) -> list[AccountView]:
    """Accounts of the named teams (None: of every cost center), latest quarter first."""
    rows = BudgetAccount.objects.select_related("center__team").order_by("-quarter", "center__name", "unit")
    if teams is not None:
        rows = rows.filter(center__team__slug__in=teams)
    if quarter:
        rows = rows.filter(quarter=quarter)
    quarters = sorted({row.quarter for row in rows})
    found = balances([row.pk for row in rows], quarters=quarters)
    generated = {each: _generated(Quarter.parse(each)) for each in quarters}
    return [
        AccountView(
            team=row.center.slug,
            team_name=row.center.name,
            level=row.center.level,
            quarter=row.quarter,
            unit=row.unit,
            mode=row.mode,
            tolerance_percent=row.tolerance_percent,
            is_closed=row.closed_at is not None,
            balance=found[row.pk],
            of_team=team_of(row),
            is_generated=team_of(row) in generated[row.quarter],
        )
        for row in rows
    ]


def _generated(quarter: Quarter) -> frozenset[str]:
    sums = "allocation_rules__sums"
    months = {f"{sums}__month__gte": quarter.start_on, f"{sums}__month__lte": quarter.end_on}
    generated = Team.objects.filter(**months, allocation_rules__sums__slice__bill__origin="generated")
    return frozenset(generated.values_list("slug", flat=True))


def balances(accounts: Sequence[int], *, quarters: Sequence[str]) -> dict[int, Balance]:
    """The balances of accounts of those quarters, by ID, with what is delegated to the accounts below."""
    shown = set(accounts)
    all_above = cost_centers.accounts_above(quarters=quarters) if cost_centers.have_any_below(shown) else {}
    above_of = {pk: above for pk, above in all_above.items() if above in shown}
    own = own_balances({*shown, *above_of})
    found = {pk: own[pk] for pk in shown}
    for pk, above in above_of.items():
        before, below = found[above], own[pk]
        sums = (before.allocated_below + below.allocated, before.expired_below + below.expired)
        found[above] = replace(before, allocated_below=sums[0], expired_below=sums[1])
    return found


def team_of(account: BudgetAccount) -> str:
    """The slug of the team of an account; empty for a unit or the organization."""
    return account.center.team.slug if account.center.team else ""


def people_of(account: BudgetAccount) -> list[User]:
    """Who answers for an account: finance, platform leads, and the requesters of its team."""
    answering = Q(role_grants__role__in=[Role.FINANCE, Role.PLATFORM_LEAD])
    filing = Q(role_grants__role=Role.REQUESTER, role_grants__team=account.center.team)
    wanted = answering | filing if account.center.team else answering
    return list(User.objects.filter(wanted, is_active=True).distinct().order_by("username"))


def accounts_of(change: Change) -> list[BudgetAccount]:
    """The source account of a budget change and its target account, if any."""
    wanted = [each for each in (change.subject_id, change.details["target_id"]) if each is not None]
    account_by_id = BudgetAccount.objects.select_related("center__team").in_bulk(wanted)
    return [account_by_id[each] for each in wanted]


def waiting_on(account: BudgetAccount) -> list[Change]:
    """Open changes of this account."""
    rows = Change.objects.filter(kind=Changed.BUDGET, state=ChangeState.PENDING)
    return list(rows.filter(Q(subject_id=account.pk) | Q(details__target_id=account.pk)).order_by("pk"))


def targets_of(account: BudgetAccount) -> list[BudgetAccount]:
    """Possible targets for a move: open accounts of the same center in other quarters, and of other centers in the same
    quarter.
    """
    rows = BudgetAccount.objects.select_related("center").filter(closed_at=None, unit=account.unit)
    same = Q(center=account.center) | Q(quarter=account.quarter)
    return list(rows.filter(same).exclude(pk=account.pk).order_by("quarter", "center__name"))
