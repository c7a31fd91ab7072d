"""Reads of the budget ledger: what is available now, and after this."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet

from governance.budgets.domain import ledger
from governance.budgets.domain import quarter_forecast as outlook
from governance.budgets.domain.ledger import ZERO, Balance, Entry, EntryKind, Holding
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import Unit
from governance.budgets.models import BudgetAccount, LedgerEntry
from governance.budgets.queries import cost_centres
from governance.people.approvals.enums import Changed, ChangeState
from governance.people.approvals.models import Change
from governance.people.models import Team

_Booked = tuple[BudgetAccount, list[Entry], Decimal]
"""An account, its entries, and what it hands out."""


@dataclass(frozen=True)
class AccountView:
    """One account as a person sees it; `team` is the slug of its cost centre, which for a team is the team's own.

    `is_generated` says that what its team spent in the quarter rests on generated bills.
    """

    team: str
    team_name: str
    quarter: str
    unit: str
    balance: Balance
    level: str
    mode: str
    tolerance_percent: int
    is_closed: bool
    of_team: str
    is_generated: bool


@dataclass(frozen=True, kw_only=True)
class BudgetEffect:
    """What a request takes from one account: what approving it would, or, once `is_booked`, what its approval did.

    `available` counts what the request itself holds as free, `committed` is what is promised or billed otherwise. A
    quarter that `is_later` than the decision's is planned, and refuses nothing. `forecast` is for the end of the
    quarter, without the request until it is booked. Of what the request was `granted` there, bills have drawn
    `billed`; `over` is beyond the tolerance.
    """

    unit: str
    quarter: str
    mode: str
    allocated: Decimal
    available: Decimal
    reserved_by_others: Decimal
    this: Decimal
    forecast: Decimal
    granted: Decimal
    billed: Decimal
    left: Decimal
    over: Decimal
    is_booked: bool
    is_later: bool

    @property
    def committed(self) -> Decimal:
        """What is promised or billed otherwise."""
        return self.allocated - self.available - self.reserved_by_others

    @property
    def after(self) -> Decimal:
        """What is available after it."""
        return self.available - self.this

    @property
    def forecast_after(self) -> Decimal:
        """The forecast with the request."""
        return self.forecast if self.is_booked else self.forecast + self.this

    @property
    def is_affordable(self) -> bool:
        """Whether the account bears it."""
        return self.is_booked or self.after >= 0


def entries_of(account: BudgetAccount) -> list[Entry]:
    """The account's bookings in order, as the ledger's arithmetic takes them."""
    return [_entry(row) for row in account.entries.order_by("pk")]


def entries_by_account(*, quarter: str, unit: Unit) -> list[list[Entry]]:
    """The bookings of every account of a quarter in that unit, each in order."""
    found: dict[int, list[Entry]] = defaultdict(list)
    for row in LedgerEntry.objects.filter(account__quarter=quarter, account__unit=unit).order_by("pk"):
        found[row.account_id].append(_entry(row))
    return list(found.values())


def _entry(row: LedgerEntry) -> Entry:
    return Entry(
        kind=EntryKind(row.kind),
        amount=row.amount,
        request_ref=row.request_ref or None,
        key=row.key,
        is_commitment=row.is_commitment,
        period=row.period,
    )


def handed_out(account: BudgetAccount, *, as_given: bool = False) -> Decimal:
    """What the accounts right below were given; `as_given` as if the account had been given something itself."""
    below = cost_centres.ids_below(account, as_given=as_given)
    rows = LedgerEntry.objects.filter(account__in=below, kind__in=[kind.value for kind in ledger.OF_THE_ACCOUNT])
    return ledger.allocated(_entry(row) for row in rows)


def balance_of(account: BudgetAccount, *, as_given: bool = False) -> Balance:
    """Where the account stands; `as_given` counts what those below hold even where it was given nothing itself."""
    return ledger.balance(entries_of(account), handed_out=handed_out(account, as_given=as_given))


def lock_accounts(which: Q) -> list[BudgetAccount]:
    """Accounts in the one order in which everybody locks them, so that no two bookings wait for each other."""
    wanted = list(BudgetAccount.objects.filter(which).values_list("pk", flat=True))
    rows = BudgetAccount.objects.select_for_update(of=("self",)).select_related("centre")
    return list(rows.filter(pk__in=wanted).order_by("pk"))


def of_team(*, team: Team, quarter: str) -> Q:
    """The accounts a team's requests draw on in a quarter."""
    return Q(centre__level="team", centre__team=team, quarter=quarter)


def lock_touched(*, refs: Collection[str], team: Team, quarter: str) -> list[BudgetAccount]:
    """Lock every account that settling the requests may book on; ask before the first audit event of a transaction.

    Those are the team's from `quarter` on: an approval plans in later ones too.
    """
    own = Q(centre__level="team", centre__team=team, quarter__gte=quarter)
    return lock_accounts(Q(entries__request_ref__in=refs) | own)


def accounts(*, teams: list[str] | None, quarter: str | None = None) -> list[AccountView]:
    """Accounts of the named teams (None: of every cost centre), latest quarter first."""
    rows = BudgetAccount.objects.select_related("centre__team").order_by("-quarter", "centre__name", "unit")
    if teams is not None:
        rows = rows.filter(centre__team__slug__in=teams)
    if quarter:
        rows = rows.filter(quarter=quarter)
    booked: dict[int, list[Entry]] = defaultdict(list)
    for entry in LedgerEntry.objects.filter(account__in=rows.order_by()).order_by("pk"):
        booked[entry.account_id].append(_entry(entry))
    quarters = sorted({row.quarter for row in rows})
    given, generated = _handed_out(quarters=quarters), {each: _generated(Quarter.parse(each)) for each in quarters}
    return [
        _view(
            row,
            ledger.balance(booked[row.pk], handed_out=given.get(row.pk, ZERO)),
            is_generated=row.centre.team is not None and row.centre.team.slug in generated[row.quarter],
        )
        for row in rows
    ]


def _generated(quarter: Quarter) -> frozenset[str]:
    lines = "allocation_rules__lines"
    days = {f"{lines}__day__gte": quarter.start_on, f"{lines}__day__lte": quarter.end_on}
    generated = Team.objects.filter(**days, allocation_rules__lines__slice__bill__origin="generated")
    return frozenset(generated.values_list("slug", flat=True))


def _handed_out(*, quarters: list[str]) -> dict[int, Decimal]:
    """What each account of those quarters hands out, by its id."""
    own: dict[int, Decimal] = defaultdict(Decimal)
    kinds = [kind.value for kind in ledger.OF_THE_ACCOUNT]
    for row in LedgerEntry.objects.filter(account__quarter__in=quarters, kind__in=kinds):
        own[row.account_id] += ledger.allocated([_entry(row)])
    given: dict[int, Decimal] = defaultdict(Decimal)
    for quarter in quarters:
        for unit in Unit.values:
            for place in cost_centres.places(quarter=quarter, unit=unit).values():
                if place.above_id is not None:
                    given[place.above_id] += own[place.account_id]
    return given


def _view(row: BudgetAccount, balance: Balance, *, is_generated: bool) -> AccountView:
    centre = row.centre
    return AccountView(
        team=centre.slug,
        team_name=centre.name,
        quarter=row.quarter,
        unit=row.unit,
        balance=balance,
        level=centre.level,
        mode=row.mode,
        tolerance_percent=row.tolerance_percent,
        is_closed=row.closed_at is not None,
        of_team=centre.team.slug if centre.team else "",
        is_generated=is_generated,
    )


def effects(
    *, team: Team, ref: str, amounts: Mapping[str, Mapping[Unit, Decimal]] | None, since: Quarter, today: date
) -> tuple[BudgetEffect, ...]:
    """What the request `ref` does to the accounts of its team, by quarter and unit, as far as it takes anything.

    `amounts` is what approving it would take, by quarter; None asks for what its approval has booked. `since` is the
    quarter of the decision.
    """
    own = BudgetAccount.objects.filter(centre__level="team", centre__team=team)
    booked = own.filter(entries__request_ref=ref).values("quarter")
    accounts = _accounts(team, booked if amounts is None else list(amounts))
    quarters = sorted({quarter for quarter, _ in accounts}) if amounts is None else amounts
    found = []
    for quarter in quarters:
        for unit in Unit:
            none_yet: _Booked = (BudgetAccount(quarter=quarter, unit=unit.value), [], ZERO)
            account, entries, handed_out = accounts.get((quarter, unit.value), none_yet)
            amount = None if amounts is None else amounts[quarter].get(unit, ZERO)
            balance = ledger.balance(entries, handed_out=handed_out)
            held = ledger.holding_of(entries, ref=ref)
            found.append(_effect(account, balance, held, amount=amount, since=since, today=today))
    return tuple(each for each in found if each.this > 0)


def _accounts(team: Team, quarters: QuerySet[BudgetAccount, Any] | list[str]) -> dict[tuple[str, str], _Booked]:
    """The team's accounts of those quarters by quarter and unit, with their entries and what they hand out.

    An account opens with its first entry. Only the team's projects stand below, which hand nothing on, and an account
    that was given nothing hands nothing out.
    """
    centre, above = Q(account__centre__level="team"), Q(account__centre__parent__level="team")
    whose = (centre & Q(account__centre__team=team)) | (above & Q(account__centre__parent__team=team))
    rows = LedgerEntry.objects.filter(whose, account__quarter__in=quarters).select_related("account__centre")
    accounts = {}
    own, below = defaultdict[Any, list[Entry]](list), defaultdict[Any, list[Entry]](list)
    for row in rows.order_by("pk"):
        place, entry = (row.account.quarter, row.account.unit), _entry(row)
        if row.account.centre.level == "team":
            accounts[place] = row.account
            own[place].append(entry)
        elif entry.kind in ledger.OF_THE_ACCOUNT:
            below[place].append(entry)
    is_given = {place: any(entry.kind in ledger.SIGNED for entry in entries) for place, entries in own.items()}
    return {
        place: (account, own[place], ledger.allocated(below[place]) if is_given[place] else ZERO)
        for place, account in accounts.items()
    }


def _effect(
    account: BudgetAccount, balance: Balance, held: Holding, *, amount: Decimal | None, since: Quarter, today: date
) -> BudgetEffect:
    taken = held.open + held.spent if amount is None else ZERO
    quarter = Quarter.parse(account.quarter)
    return BudgetEffect(
        unit=account.unit,
        quarter=account.quarter,
        mode=account.mode,
        allocated=balance.allocated,
        available=balance.available + held.reserved + taken,
        reserved_by_others=balance.reserved - held.reserved,
        this=taken if amount is None else amount,
        forecast=outlook.forecast(balance, quarter=quarter, today=today),
        granted=held.committed,
        billed=held.spent,
        left=held.open,
        over=outlook.overrun(held, tolerance_percent=account.tolerance_percent),
        is_booked=amount is None,
        is_later=account.quarter > str(since),
    )


def team_of(account: BudgetAccount) -> str:
    """The slug of the team an account belongs to; empty for a unit or the organisation."""
    return account.centre.team.slug if account.centre.team else ""


def accounts_of(change: Change) -> list[BudgetAccount]:
    """The account that a change of a budget is about, and the one it moves to."""
    wanted = [each for each in (change.subject_id, change.details["target_id"]) if each is not None]
    found = BudgetAccount.objects.select_related("centre__team").in_bulk(wanted)
    return [found[each] for each in wanted]


def waiting_on(account: BudgetAccount) -> list[Change]:
    """Changes of this account that wait for a second person."""
    rows = Change.objects.filter(kind=Changed.BUDGET, state=ChangeState.PENDING)
    return list(rows.filter(Q(subject_id=account.pk) | Q(details__target_id=account.pk)).order_by("pk"))


def targets_of(account: BudgetAccount) -> list[BudgetAccount]:
    """Where something of an account may move: its own other quarters, and other centres in the same
    quarter; open ones.
    """
    rows = BudgetAccount.objects.select_related("centre").filter(closed_at=None, unit=account.unit)
    same = Q(centre=account.centre) | Q(quarter=account.quarter)
    return list(rows.filter(same).exclude(pk=account.pk).order_by("quarter", "centre__name"))
