"""An account with very many postings: its page shows them in pages, its totals and its file count all."""

import csv
import io
from decimal import Decimal

import pytest
from django.test import Client

from governance.budgets.enums import BudgetUnit
from governance.budgets.models import BudgetAccount, LedgerEntry
from governance.budgets.queries import ledger
from governance.budgets.queries.budgets import balance_of
from governance.budgets.web.budget_forms import REFS_LISTED
from governance.budgets.web.budgets import PAGE_SIZE
from tests.factories.requests import allocate_budget
from tests.masses import analyze, asked, multiply, search_entered_at_the_end
from tests.pages import html_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(team, finance, now) -> BudgetAccount:
    allocate_budget(team=team, by=finance, now=now)
    return BudgetAccount.objects.get(unit=BudgetUnit.USD)


def posted(account: BudgetAccount, *, requests: int, name: str = "REQ") -> None:
    """A commitment of a dollar and a bill of half a dollar for each of so many requests, and a bill without one."""
    first = account.entries.order_by("pk")[0]
    ref, month = f"'{name}-' || n", "'2026-11'"
    billed = {"kind": "'actual'", "period": month}
    with search_entered_at_the_end():  # a trigger adds up the account for each posting
        multiply(first, count=requests, kind="'commit'", amount="1", request_ref=ref, key=f"'{name} c' || n")
        multiply(first, count=requests, amount="0.5", request_ref=ref, key=f"'{name} a' || n", **billed)
        multiply(first, count=1, amount="2", key=f"'{name} {requests}'", **billed)
    analyze()


def address(account: BudgetAccount) -> str:
    return f"/budgets/search/{account.quarter}/USD/"


def costs(browser: Client, path: str) -> tuple[int, int]:
    """The queries and the bytes of the page."""
    browser.get(path)
    with asked() as statements:
        response = browser.get(path)
    assert response.status_code == 200
    return len(statements.statements), len(response.content)


def test_a_page_shows_part_of_the_postings_and_the_whole_balance(as_, account, finance, monkeypatch):
    monkeypatch.setattr(ledger, "BLOCK", 100)
    posted(account, requests=130)
    total, balance = LedgerEntry.objects.filter(account=account).count(), balance_of(account)
    browser, shown = as_(finance), []
    page = browser.get(address(account))
    assert page.context["statement"].balance == balance
    assert (balance.spent, balance.committed) == (Decimal(67), Decimal(65))
    assert "of 262 postings" in html_of(page)
    assert "of 130 requests" in html_of(page)
    assert page.context["pages"]["ledger"][0].available == balance.available
    for number in range(1, -(-total // PAGE_SIZE) + 1):
        turned = browser.get(address(account), {"part": "ledger", "page": number})
        shown += turned.context["pages"]["ledger"].object_list
    rows = list(csv.DictReader(io.StringIO(browser.get(f"{address(account)}ledger.csv").content.decode("utf-8-sig"))))
    assert [(line.kind, line.request_ref, line.available) for line in shown] == [
        (row["Posting"], row["Request"], Decimal(row["Available after"])) for row in rows
    ]
    assert len(shown) == total == 262
    assert (shown[-1].kind, shown[-1].available) == ("allocate", balance.budget)


def test_requests_are_turned_apart_and_one_over_its_commitment_is_first(as_, account, finance):
    posted(account, requests=120)
    first = account.entries.order_by("pk")[0]
    over = {"kind": "'actual'", "amount": "5", "period": "'2026-12'", "request_ref": "'REQ-99'", "key": "'over'"}
    multiply(first, count=1, **over)
    browser = as_(finance)
    page = browser.get(address(account), {"page": "2", "part": "requests"})
    assert (page.context["pages"]["requests"].number, page.context["pages"]["ledger"].number) == (2, 1)
    assert f'href="{address(account)}?page=3&amp;part=requests#requests"' in page.content.decode()
    assert '?page=2&amp;part=ledger#ledger"' in page.content.decode()
    turned = [browser.get(address(account), {"page": number, "part": "requests"}) for number in (1, 2, 3)]
    refs = [ref for each in turned for ref, _, _ in each.context["pages"]["requests"]]
    assert refs[0] == "REQ-99"
    assert refs[1:] == sorted({f"REQ-{n}" for n in range(1, 121)} - {"REQ-99"})


def test_a_long_ledger_makes_no_longer_page(as_, account, finance, author):
    posted(account, requests=60, name="FEW")
    path = address(account)
    few = {person: costs(as_(person), path) for person in (finance, author)}
    posted(account, requests=2_000, name="MANY")
    for person, (queries, size) in few.items():
        found = costs(as_(person), path)
        assert found[0] == queries
        assert found[1] <= size * 1.02


def test_of_many_requests_the_reference_is_typed(as_, account, author):
    posted(account, requests=REFS_LISTED)
    assert '<option value="REQ-7">' in as_(author).get(address(account)).content.decode()
    posted(account, requests=1, name="MORE")
    page = as_(author).get(address(account)).content.decode()
    assert '<option value="REQ-7">' not in page
    assert '<input type="text" name="request_ref"' in page
    sent = {"request_ref": "REQ-0", "aspect": "amount", "amount": "3", "reason": "It costs more than was said."}
    refused = as_(author).post(f"{address(account)}changes/", sent)
    assert (refused.status_code, refused.context["change_form"].errors["request_ref"]) == (
        400,
        ["Select a valid choice. REQ-0 is not one of the available choices."],
    )
    assert f'href="{address(account)}?page=2&amp;part=ledger#ledger"' in refused.content.decode()
    assert as_(author).post(f"{address(account)}changes/", sent | {"request_ref": " REQ-7 "}).status_code == 302
