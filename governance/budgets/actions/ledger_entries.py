"""Writes single ledger entries, for all other budget writes. The caller must have locked the account."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from governance.budgets.domain import delegation as handing_out
from governance.budgets.domain import ledger
from governance.budgets.domain.budget_levels import level_reached
from governance.budgets.domain.ledger import GIVES_BACK, Balance, BudgetMode, LedgerLine, check_entry
from governance.budgets.models import BudgetAccount, LedgerEntry
from governance.budgets.queries.budgets import balance_of, latest_allocation, people_of, team_of
from governance.budgets.queries.cost_centers import account_above, find
from governance.budgets.rules import check_see_budget
from governance.findings import actions as findings
from governance.findings.actions import Sighting
from governance.findings.enums import Severity
from governance.notifications.domain.events import Occurrence
from governance.notifications.outbox.notices import notify
from governance.notifications.queries.relevance import found_at
from governance.people.domain.roles import Person

NOTE_CHARS_MAX = 200


def _check_seen(rest: str, person: Person) -> None:
    """Raise if the person may not see the budget at this address."""
    team = find(rest.partition("/")[0]).team
    check_see_budget(person, team=team.slug if team else "")


found_at("budgets", find=_check_seen)


def book(*, account: BudgetAccount, entry: LedgerLine, note: str = "", by: User | None, now: datetime) -> LedgerEntry:
    """Book an entry on a locked account. The database refuses duplicate keys."""
    check_entry(entry)
    with transaction.atomic():
        row = LedgerEntry.objects.create(
            account=account,
            kind=entry.kind.value,
            amount=entry.amount,
            request_ref=entry.request_ref or "",
            is_commitment=entry.is_commitment,
            period=entry.period,
            key=entry.key,
            note=note[:NOTE_CHARS_MAX],
            booked_by=by,
            booked_at=now,
        )
        details = {"amount": str(entry.amount), "unit": account.unit, "request": entry.request_ref or ""}
        if entry.period:
            details["period"] = entry.period
        audit.record(
            kind=f"budget.{entry.kind.value}", by=by, subject=("budget", str(account)), details=details, now=now
        )
        _notify_of_use(account, entry, by, now)
    return row


def book_checked(*, account: BudgetAccount, entry: LedgerLine, by: User, now: datetime) -> LedgerEntry:
    """Book an entry if the account covers it. An account that only observes books it anyway and raises a finding."""
    ledger.check_open(is_closed=account.closed_at is not None, account=str(account))
    balance = balance_of(account)
    if account.mode == BudgetMode.ENFORCE:
        ledger.check_available(balance, amount=entry.amount, unit=account.unit, account=str(account))
    with transaction.atomic():
        row = book(account=account, entry=entry, by=by, now=now)
        if account.mode == BudgetMode.OBSERVE and entry.amount > balance.available:
            why = "It was booked, because the mode of the account is to observe only."
            findings.raise_once(sighting=_seen(account, balance, entry, why), by=by, now=now)
    return row


def book_planned(*, account: BudgetAccount, entry: LedgerLine, by: User, now: datetime) -> LedgerEntry:
    """Book an amount of an approval in a later quarter: never refused, but above the budget it raises a finding.

    An account without an allocation raises none, because its quarter is not budgeted yet.
    """
    balance = balance_of(account)
    with transaction.atomic():
        row = book(account=account, entry=entry, by=by, now=now)
        if account.mode != BudgetMode.OFF and balance.allocated > 0 and entry.amount > balance.available:
            why = "It was planned, because its quarter has not started."
            findings.raise_once(sighting=_seen(account, balance, entry, why), by=by, now=now)
    return row


def book_allocation(*, account: BudgetAccount, entry: LedgerLine, by: User, now: datetime) -> LedgerEntry:
    """Book an allocation, or a reduction if negative, if this account and the account above cover it.

    Those of the account above are told if what is left to it makes its use reach a level.
    """
    ledger.check_open(is_closed=account.closed_at is not None, account=str(account))
    unit = account.unit
    handing_out.check_covers_delegated(
        balance_of(account, as_given=True),
        amount=entry.amount,
        unit=unit,
        account=str(account),
        enforces=account.mode == BudgetMode.ENFORCE,
    )
    above = account_above(account) if entry.amount > 0 else None
    if above is None:
        return book(account=account, entry=entry, by=by, now=now)
    enforces, before = above.mode == BudgetMode.ENFORCE, balance_of(above)
    handing_out.check_can_delegate(before, amount=entry.amount, unit=unit, account=str(above), enforces=enforces)
    with transaction.atomic():
        row = book(account=account, entry=entry, by=by, now=now)
        if level_reached(balance_of(above)) != level_reached(before):
            _notify_of_level(above, by, now)
    return row


def _notify_of_use(account: BudgetAccount, entry: LedgerLine, by: User | None, now: datetime) -> None:
    """Tell those of the account what an entry that uses it has reached."""
    if entry.kind not in GIVES_BACK and not (entry.is_of_the_account and entry.amount > 0):
        _notify_of_level(account, by, now)


def _notify_of_level(account: BudgetAccount, by: User | None, now: datetime) -> None:
    """Tell those of the account that most of it or all of it is used: once for each level of each allocation."""
    level = level_reached(balance_of(account)) if account.closed_at is None else None
    if level is not None:
        event = Occurrence(
            kind="budget_level",
            key=f"budget:{account.pk}:{level}:{latest_allocation(account)}",
            reference=str(account),
            path=f"/budgets/{account.center.slug}/{account.quarter}/{account.unit}/",
            sentence=f"{level} % or more of the budget of {account} is used.",
            team=team_of(account),
        )
        notify(event=event, people=people_of(account), by=by, now=now)


def _seen(account: BudgetAccount, balance: Balance, entry: LedgerLine, why: str) -> Sighting:
    shortfall = ledger.shortfall_text(balance, amount=entry.amount, unit=account.unit, account=str(account))
    return Sighting(
        kind="budget.observed",
        subject=f"{entry.request_ref} on {account}",
        text=f"{shortfall} {why}",
        severity=Severity.MEDIUM,
        source=f"{entry.kind.value} of {entry.request_ref}",
        key=f"budget.observed:{entry.key}",
    )
