"""Changes of a budget or a commitment, in amount, quarter or account: proposed by one person, booked by another.

The confirmation books the change, all of it or nothing, in the transaction in which it closes the proposal.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q

from governance.audit.actions import record as audit
from governance.budgets.actions import ledger_entries as bookings
from governance.budgets.domain import budget_changes as change_of
from governance.budgets.domain import ledger
from governance.budgets.domain.amounts import check_amount, check_hundredths
from governance.budgets.domain.budget_changes import Aspect, Place
from governance.budgets.domain.ledger import Entry, EntryKind
from governance.budgets.models import BudgetAccount, BudgetChange
from governance.budgets.queries.budget_changes import team_of, teams_of
from governance.budgets.queries.budgets import entries_of, lock_accounts
from governance.budgets.queries.cost_centres import account_above, is_above
from governance.budgets.rules import (
    check_confirm_budget_change,
    check_propose_budget_change,
    check_refuse_budget_change,
)
from governance.people.approvals.actions import REASON_CHARS_MAX, REASON_CHARS_MIN
from governance.people.approvals.enums import ChangeState
from governance.people.approvals.models import VALID
from governance.people.queries.people import person_of
from weighbridge.core.errors import Invalid, NotAllowed, WrongState


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What should change: the allocation of `account`, or what `request_ref` has committed on it.

    `amount` is the new total for a change of amount, and what moves to `target` for a change of date or account.
    """

    aspect: Aspect
    account: BudgetAccount
    amount: Decimal
    target: BudgetAccount | None = None
    request_ref: str = ""


def propose(*, wish: Wish, reason: str, by: User, now: datetime) -> BudgetChange:
    """Propose a change; a platform lead or finance who has no part in it confirms."""
    person = person_of(by)
    for account in (wish.account, wish.target):
        if account is not None:
            check_propose_budget_change(person, team=team_of(account))
            ledger.check_open(is_closed=account.closed_at is not None, account=str(account))
    _check_wish(wish)
    _check_reason(reason)
    expire(now=now)
    with _one_open(), transaction.atomic():
        _entries(wish.account, wish.aspect, wish.request_ref, wish.amount, key="")
        row = BudgetChange.objects.create(
            **{**vars(wish), "aspect": wish.aspect.value},
            reason=reason,
            proposed_by=by,
            proposed_at=now,
            expires_at=now + VALID,
        )
        _record("proposed", row, by, now, reason)
    return row


def confirm(*, change: BudgetChange, by: User, now: datetime) -> BudgetChange:
    """Book the change, if its proposer still may propose it and the accounts still bear it."""
    with transaction.atomic():
        lock_accounts(Q(pk__in=_concerned(change)))
        row = _waiting(change)
        check_confirm_budget_change(person_of(by), proposed_by_id=row.proposed_by_id, teams=teams_of(row))
        if row.expires_at <= now:
            raise WrongState(f"Nobody confirmed {row} by {row.expires_at:%Y-%m-%d %H:%M} UTC; propose it anew.")
        _check_proposer(row)
        _close(row, ChangeState.CONFIRMED, by, now)
        _apply(row, by, now)
        _record(row.state, row, by, now)
    return row


def refuse(*, change: BudgetChange, reason: str, by: User, now: datetime) -> BudgetChange:
    """Close a proposal without effect: refused, or withdrawn by whoever proposed it."""
    _check_reason(reason)
    with transaction.atomic():
        row = _waiting(change)
        check_refuse_budget_change(person_of(by), proposed_by_id=row.proposed_by_id)
        is_own = row.proposed_by_id == by.pk
        _close(row, ChangeState.WITHDRAWN if is_own else ChangeState.REFUSED, by, now, reason)
        _record(row.state, row, by, now, reason)
    return row


def expire(*, by: User | None = None, now: datetime) -> list[BudgetChange]:
    """Close what nobody confirmed in time; harmless when repeated."""
    with transaction.atomic():
        overdue = BudgetChange.objects.filter(state=ChangeState.PENDING, expires_at__lte=now)
        rows = list(overdue.select_for_update(skip_locked=True).order_by("pk"))
        for row in rows:
            _close(row, ChangeState.EXPIRED, None, now)
            _record(row.state, row, by, now)
    return rows


def _check_wish(wish: Wish) -> None:
    target = _place(wish.target) if wish.target is not None else None
    change_of.check_places(aspect=wish.aspect, source=_place(wish.account), target=target)
    if wish.target is not None and not wish.request_ref and wish.aspect is Aspect.ACCOUNT:
        _check_not_nested(wish.account, wish.target)
    if wish.aspect is not Aspect.AMOUNT:
        check_amount(wish.amount)
        return
    check_hundredths(wish.amount)
    if wish.amount < 0:
        raise Invalid("A budget or a commitment is zero or more.", field="amount")


def _place(account: BudgetAccount) -> Place:
    return Place(account.centre.slug, account.quarter, account.unit)


def _check_not_nested(source: BudgetAccount, target: BudgetAccount) -> None:
    if is_above(source.centre, below=target.centre) or is_above(target.centre, below=source.centre):
        raise Invalid(
            "One of the two stands above the other: allocate from the upper one, or lower the amount of the lower one.",
            field="target",
        )


def _entries(account: BudgetAccount, aspect: Aspect, ref: str, amount: Decimal, *, key: str) -> tuple[Entry, ...]:
    booked = entries_of(account)
    if aspect is Aspect.AMOUNT:
        return (change_of.new_amount(booked, ref=ref, amount=amount, key=key),)
    return change_of.move(booked, ref=ref, amount=amount, key=key)


def _concerned(change: BudgetChange) -> list[int]:
    """The accounts it books on, and those above them."""
    accounts = [each for each in (change.account, change.target) if each is not None]
    above = [account_above(each) for each in accounts]
    return sorted({each.pk for each in (*accounts, *above) if each is not None})


def _apply(row: BudgetChange, by: User, now: datetime) -> None:
    new = _entries(row.account, Aspect(row.aspect), row.request_ref, row.amount, key=f"change:{row.pk}")
    for account, entry in zip(filter(None, (row.account, row.target)), new, strict=True):
        if entry.is_of_the_account:
            bookings.book_given(account=account, entry=entry, by=by, now=now)
        elif entry.kind is EntryKind.COMMIT:
            bookings.book_checked(account=account, entry=entry, by=by, now=now)
        else:
            bookings.book(account=account, entry=entry, by=by, now=now)


def _check_reason(reason: str) -> None:
    if len(reason.strip()) < REASON_CHARS_MIN or len(reason) > REASON_CHARS_MAX:
        raise Invalid(f"Say why in {REASON_CHARS_MIN} to {REASON_CHARS_MAX:,} characters.", field="reason")


@contextmanager
def _one_open() -> Iterator[None]:
    """The database refuses a second open proposal of the same thing; say so in words."""
    try:
        yield
    except IntegrityError as error:
        raise WrongState(
            "A change of this is proposed already and waits for a second person; confirm or refuse that one.",
            code="already_open",
        ) from error


def _waiting(change: BudgetChange) -> BudgetChange:
    row = BudgetChange.objects.select_for_update().get(pk=change.pk)
    if row.state != ChangeState.PENDING:
        raise WrongState(f"{row} is {row.state}; propose it anew if it is still wanted.")
    return row


def _check_proposer(row: BudgetChange) -> None:
    person = person_of(row.proposed_by)
    try:
        for account in filter(None, (row.account, row.target)):
            check_propose_budget_change(person, team=team_of(account))
    except NotAllowed as refusal:
        raise WrongState("Whoever proposed this may not do so any more; refuse it, and propose it anew.") from refusal


def _close(row: BudgetChange, state: ChangeState, by: User | None, now: datetime, reason: str = "") -> None:
    row.state, row.closed_by, row.closed_at, row.closing_reason = state, by, now, reason
    row.save(update_fields=["state", "closed_by", "closed_at", "closing_reason"])


def _record(word: str, row: BudgetChange, by: User | None, now: datetime, reason: str = "") -> None:
    details = {"what": row.what, "proposed_by": row.proposed_by.username}
    audit.record(
        kind=f"budget_change.{word}",
        by=by,
        subject=("budget_change", str(row)),
        details=details,
        reason=reason,
        now=now,
    )
