"""The balances that the database adds up are those that the ledger defines."""

from decimal import Decimal

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.budgets.domain import ledger
from governance.budgets.domain.ledger import SIGNED, SPENT, Balance, EntryKind, LedgerLine
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import BudgetAccount, LedgerEntry
from governance.budgets.queries.balances import own_balances
from governance.budgets.queries.budgets import entries_of, spent_by_request
from tests.factories.requests import allocate_budget
from tests.masses import analyze, asked, multiply

pytestmark = pytest.mark.django_db

refs, months = st.sampled_from(["MRR-1", "MRR-2", "MRR-3"]), st.sampled_from(["2026-10", "2026-11", "2026-12"])
above_zero = st.decimals(min_value="0.01", max_value=10_000, places=2)
signed = st.decimals(min_value=-10_000, max_value=10_000, places=2)
of_an_account = st.tuples(st.sampled_from(sorted(SIGNED)), signed.filter(bool), st.none(), st.just(False), st.just(""))
expired = st.tuples(st.just(EntryKind.EXPIRE), above_zero, st.none(), st.just(False), st.just(""))
held = st.tuples(
    st.sampled_from([EntryKind.RESERVE, EntryKind.COMMIT, EntryKind.PLAN, EntryKind.RELEASE]),
    above_zero,
    refs,
    st.just(False),
    st.just(""),
)
given_back = st.tuples(
    st.sampled_from([EntryKind.RELEASE, EntryKind.EXPIRE]), above_zero, refs, st.just(True), st.just("")
)
billed = st.tuples(st.sampled_from(sorted(SPENT)), signed, st.none() | refs, st.just(False), months)
postings = st.lists(of_an_account | expired | held | given_back | billed, max_size=30)


def book(account: BudgetAccount, lines: list, now) -> None:
    """Store postings without any rule but those of the database."""
    rows = []
    for kind, amount, ref, is_commitment, period in lines:
        line = LedgerLine(EntryKind(kind), amount, ref, "key", is_commitment=is_commitment, period=period)
        ledger.check_entry(line)
        rows.append(
            LedgerEntry(
                account=account,
                kind=kind,
                amount=amount,
                request_ref=ref or "",
                is_commitment=is_commitment,
                period=period,
                key=f"{account.pk}-{len(rows)}",
                booked_at=now,
            )
        )
    LedgerEntry.objects.bulk_create(rows)


def switch_triggers_off() -> None:
    """Until the transaction ends: the sums do not depend on what the triggers allow."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")


@pytest.fixture
def accounts(team, finance, now) -> list[BudgetAccount]:
    allocate_budget(team=team, by=finance, now=now)
    usd, gpu_h = BudgetAccount.objects.order_by("pk")
    return [usd, gpu_h]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(many=st.tuples(postings, postings))
def test_every_amount_is_that_of_the_ledger(accounts, now, many):
    with transaction.atomic():
        switch_triggers_off()
        for account, lines in zip(accounts, many, strict=True):
            book(account, lines, now)
        found = own_balances([each.pk for each in accounts])
        assert dict(found) == {each.pk: ledger.balance(entries_of(each)) for each in accounts}
        for account in accounts:
            held = ledger.holdings(entries_of(account)).items()
            spent = spent_by_request(quarter=account.quarter, unit=BudgetUnit(account.unit))
            assert spent == {ref: each.spent for ref, each in held if ref and each.billed}
        transaction.set_rollback(True)


def test_the_budgets_of_a_quarter_read_no_posting_of_another(as_, accounts, finance):
    first = accounts[0].entries.order_by("pk")[0]
    other = BudgetAccount.objects.create(center=accounts[0].center, quarter="2019Q1", unit=accounts[0].unit)
    multiply(first, count=5_000, account_id=str(other.pk), key="'other' || n")
    analyze()
    paths = ("/budgets/", f"/budgets/search/{accounts[0].quarter}/{accounts[0].unit}/")
    for path in paths:
        with asked() as statements:
            assert as_(finance).get(path).status_code == 200
        assert max(statements.rows_read().values()) < 500


def test_an_account_without_a_posting_has_nothing():
    assert own_balances([7])[7] == Balance(allocated=Decimal(0))


def test_entries_of_requests_are_a_part_of_all(accounts, now):
    lines = [(EntryKind.RESERVE, Decimal(each), f"MRR-{each}", False, "") for each in (1, 2, 3)]
    book(accounts[0], lines, now)
    assert [entry.request_ref for entry in entries_of(accounts[0], refs=["MRR-1", "MRR-3"])] == ["MRR-1", "MRR-3"]
    assert {entry.request_ref for entry in entries_of(accounts[0], refs=[""])} == {None}
    assert entries_of(accounts[0], refs=[]) == []
