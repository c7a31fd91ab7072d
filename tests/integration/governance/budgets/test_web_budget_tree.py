"""The pages of the tree of budgets: drawing it, its terms, changes by two people, and findings."""

from decimal import Decimal

import pytest

from governance.budgets.actions import actuals
from governance.budgets.domain.actuals import Stated
from governance.budgets.domain.quarters import Quarter
from governance.budgets.models import BudgetAccount, CostCenter, LedgerEntry
from governance.budgets.web import budget_tree
from governance.findings import actions as findings
from governance.findings.actions import Sighting
from governance.findings.enums import Severity
from governance.findings.models import Finding
from governance.people.approvals.models import Change
from governance.people.models import Team
from governance.site.templatetags.weighbridge import quantity
from tests.factories.requests import allocate_budget, usd_shares
from tests.factories.snapshots import snapshot
from tests.pages import html_of

WHY = "Prices rose in this quarter."


@pytest.fixture
def quarter(now):
    return str(Quarter.of(now.date()))


@pytest.fixture
def account(team, finance, now):
    allocate_budget(team=team, by=finance, now=now)
    return BudgetAccount.objects.get(unit="USD")


@pytest.fixture
def url(quarter):
    return f"/budgets/search/{quarter}/USD/"


def said(answer):
    return [str(message) for message in answer.context["messages"]]


def change(**more):
    return {"request_ref": "", "aspect": "amount", "amount": "120000", "target": "", "reason": WHY} | more


def test_the_tree_is_drawn_in_its_order(as_, account, finance, author, quarter):
    client = as_(finance)
    opened = {"level": "unit", "slug": "retail", "name": "Retail", "team": ""}
    answer = client.post("/cost-centers/", opened, follow=True)
    assert said(answer) == ["Retail is created. Allocate a budget to it."]
    sent = {"team": "retail", "quarter": quarter, "unit": "USD", "amount": "200000", "key": "k"}
    client.post("/budgets/", sent)
    moved = client.post(f"/budgets/search/{quarter}/USD/parent/", {"parent": "retail"}, follow=True)
    assert said(moved)[-1] == "Search is now under Retail."
    page = client.get("/budgets/")
    assert [(each.team, each.depth, each.parent) for each in page.context["teams"]] == [
        ("organization", 0, ""),
        ("retail", 1, "Organization"),
        ("search", 2, "Retail"),
    ]
    assert "Delegated $100,000, not delegated and available $100,000" in html_of(page)
    assert [each.team for each in as_(author).get("/budgets/").context["teams"]] == ["search"]
    assert as_(author).get(f"/budgets/retail/{quarter}/USD/").status_code == 404


def test_many_cost_centers_have_pages_and_a_link_finds_its_own(as_, account, finance, cast, now, quarter, monkeypatch):
    monkeypatch.setattr(budget_tree, "PAGE_SIZE", 2)
    for number in range(3):
        team = Team.objects.create(slug=f"new-{number}", name=f"New {number}")
        allocate_budget(team=team, by=finance, now=now, usd="3000", gpu_h="1")
    client = as_(finance)

    def shown(query: str) -> list[str]:
        return [each.team for each in client.get(f"/budgets/?{query}").context["teams"]]

    every = [*shown("page=1"), *shown("page=2"), *shown("page=3")]
    assert every == ["organization", "new-0", "new-1", "new-2", "search"]
    for place, slug in enumerate(every):
        assert slug in shown(f"center={slug}")
        assert shown(f"center={slug}") == shown(f"page={place // 2 + 1}")
    assert shown("center=nowhere") == shown("page=1")
    words = html_of(client.get(f"/budgets/?quarter={quarter}&page=2"))
    assert "Page 2 of 3" in words
    assert f"quarter={quarter}&amp;page=1" in words
    assert len(client.get(f"/budgets.csv?quarter={quarter}").content.decode().splitlines()) == 2 * 4 + 1


def test_a_parent_shows_its_children_and_who_is_over(as_, account, finance, author, cast, quarter, now):
    ads = Team.objects.get(slug="ads")
    allocate_budget(team=ads, by=finance, now=now, usd="1000", gpu_h="1")
    client = as_(finance)
    sent = {"team": "organization", "quarter": quarter, "unit": "USD", "amount": "101000", "key": "k"}
    client.post("/budgets/", sent | {"reason": WHY})
    over = BudgetAccount.objects.get(unit="USD", center__team=ads)
    stated = Stated(period=f"{now:%Y-%m}", amount=Decimal(2550))
    actuals.book_actual(account=over, stated=stated, key="bill", by=None, now=now)
    page = client.get("/budgets/")
    rows = {each.team: each.accounts for each in page.context["teams"]}
    (money,) = [row for row in rows["organization"] if row.unit == "USD"]
    assert money.account.balance.available == 0
    assert (money.rolled.whole.available, money.rolled.over) == (Decimal(98450), Decimal(1550))
    assert money.rolled.names_over == ("Ads",)
    assert page.context["reach"] == Decimal("2.55")
    words = html_of(page)
    assert max(row.used_share for each in rows.values() for row in each) == Decimal("2.55")
    assert "Ads: $1,550 over budget" in words
    assert "Ads: $1,550 over budget" in html_of(client.get(f"/budgets/organization/{quarter}/USD/"))
    file = client.get(f"/budgets.csv?quarter={quarter}").content.decode("utf-8-sig").splitlines()
    assert file[0].endswith('"Available with all below","Over budget below"')
    assert [line.split(",")[1] for line in file[1:]] == ['"ads"', '"ads"', '"organization"', '"search"', '"search"']
    assert '"98450.00","1550.00"' in next(line for line in file if "organization" in line)
    own = as_(author).get("/budgets.csv").content.decode("utf-8-sig")
    assert "search" in own
    assert "ads" not in own
    assert "organization" not in own


@pytest.mark.parametrize(
    ("path", "sent", "words"),
    [
        ("/cost-centers/", {"level": "unit", "slug": "a b", "name": "A"}, "Enter a valid"),
        (
            "/cost-centers/",
            {"level": "project", "slug": "a", "name": "A"},
            "The parent of a project must be a cost center of the level",
        ),
        ("terms/", {"mode": "loud", "tolerance_percent": "5"}, "loud is not one of the available choices"),
        ("parent/", {"parent": "search"}, "That choice is not one of the available choices."),
        ("changes/", {"aspect": "amount", "amount": "-1", "reason": WHY}, "greater than or equal to 0"),
        ("changes/", {"aspect": "date", "amount": "1", "reason": WHY}, "Choose the target account."),
    ],
)
def test_what_makes_no_sense_is_told_and_moves_nothing(as_, account, finance, url, path, sent, words):
    client = as_(finance)
    before = snapshot()
    answer = client.post(path if path.startswith("/") else url + path, sent)
    assert answer.status_code == 400
    assert words in html_of(answer)
    for value in sent.values():
        assert value in html_of(answer), "nothing that was entered is lost"
    assert snapshot() == before


@pytest.mark.parametrize("path", ["/cost-centers/", "/budgets/", "terms/", "parent/", "changes/"])
def test_who_may_change_no_budget_is_told_so_and_not_what_is_missing(as_, account, auditor, url, path):
    before = snapshot()
    answer = as_(auditor).post(path if path.startswith("/") else url + path, {})
    assert answer.status_code == 403
    assert "This field is required" not in html_of(answer)
    assert snapshot() == before


def test_finance_sets_the_terms(as_, account, finance, author, approver, url):
    looser = {"mode": "observe", "tolerance_percent": "25"}
    why = "A second person must confirm this, because it loosens the enforcement of a budget."
    answer = as_(finance).post(f"{url}terms/", looser, follow=True)
    assert f"{why} Give a reason of 10 to 2,000 characters." in html_of(answer)
    answer = as_(finance).post(f"{url}terms/", looser | {"reason": WHY}, follow=True)
    proposed = Change.objects.get()
    assert said(answer)[0].startswith(f"{proposed} is proposed.")
    assert f"/changes/{proposed.pk}/" in html_of(answer)
    as_(approver).post(f"/changes/{proposed.pk}/confirm/")
    account.refresh_from_db()
    assert (account.mode, account.tolerance_percent) == ("observe", 25)
    answer = as_(finance).post(f"{url}terms/", {"mode": "enforce", "tolerance_percent": "25"}, follow=True)
    assert said(answer)[0].startswith("Enforce. Amounts above the budget are refused.")
    refused = as_(author).post(f"{url}terms/", {"mode": "off", "tolerance_percent": "25"})
    assert "Only finance may allocate a budget." in html_of(refused)
    assert as_(author).get(url).context["terms_form"] is None


def test_a_change_is_proposed_by_one_and_booked_by_another(as_, account, finance, author, approver, url):
    answer = as_(author).post(f"{url}changes/", change(), follow=True)
    proposed = Change.objects.get()
    waits = (
        f"{proposed} is proposed. A second person must confirm it on its page, under Changes. Ask Approver or Finance."
    )
    assert said(answer) == [waits]
    page = f"/changes/{proposed.pk}/"
    shown = as_(author).get(page)
    assert shown.context["cannot_confirm"] == "Only a platform lead or finance may confirm a change of a budget."
    assert "Author" not in [person.first_name for person in shown.context["confirmers"]]
    assert as_(approver).get(page).context["cannot_confirm"] == ""
    assert said(as_(author).post(f"{page}confirm/", follow=True)) == [shown.context["cannot_confirm"]]
    assert said(as_(approver).post(f"{page}confirm/", follow=True)) == [f"{proposed} is confirmed and booked."]
    assert LedgerEntry.objects.latest("pk").amount == Decimal(20000)
    assert [row.pk for row in as_(author).get("/changes/?kind=budget").context["page"]] == [proposed.pk]


def test_a_change_moves_to_another_account_and_is_withdrawn(as_, account, finance, author, approver, url, quarter, now):
    other = {"team": "ads", "quarter": quarter, "unit": "USD", "amount": "5", "key": "k"}
    as_(finance).post("/budgets/", other)
    target = BudgetAccount.objects.get(center__slug="ads")
    sent = change(aspect="account", amount="10", target=str(target.pk))
    as_(approver).post(f"{url}changes/", sent, follow=True)
    proposed = Change.objects.get()
    assert proposed.details["target_id"] == target.pk
    page = f"/changes/{proposed.pk}/"
    assert len(as_(approver).get(page).context["accounts"]) == 2
    answer = as_(approver).post(f"{page}refuse/", {"reason": "Not needed any more."}, follow=True)
    assert said(answer) == [f"{proposed} is withdrawn. Nothing was changed."]


def test_the_ledger_tells_of_bills_and_requests(as_, decided, author, quarter, now):
    page = html_of(as_(author).get(f"/budgets/search/{quarter}/USD/"))
    assert f"forecast to quarter end {quantity(usd_shares(now=now)[0], 'USD')}" in page
    assert decided.ref in page


def test_the_account_tells_which_request_ran_over_in_its_quarter(as_, decided, author, quarter, now):
    first = usd_shares(now=now)[0]
    account = BudgetAccount.objects.get(quarter=quarter, unit="USD")
    stated = Stated(period="2026-11", amount=first + 2000, request_ref=decided.ref)
    actuals.book_actual(account=account, stated=stated, key="b", by=None, now=now)
    page = as_(author).get(f"/budgets/search/{quarter}/USD/")
    ((ref, held, over),) = page.context["statement"].holdings
    assert (ref, held.spent, held.open, over) == (decided.ref, first + 2000, 0, 2000)
    assert "Over</span>" in html_of(page)
    following = as_(author).get(f"/budgets/search/{Quarter.parse(quarter).next}/USD/")
    ((ref, held, over),) = following.context["statement"].holdings
    assert (ref, held.spent, over) == (decided.ref, 0, 0)
    assert "Over</span>" not in html_of(following)


def test_findings_are_given_and_closed(as_, finance, author, outsider, now):
    said_of = Sighting(kind="test.seen", subject="S", text="It ran over.", severity=Severity.HIGH, key="k")
    found = findings.raise_once(sighting=said_of, by=None, now=now)
    assert as_(author).get("/findings/").context["rows"] == []
    client = as_(finance)
    sent = {"owner": "author", "due_on": str(now.date())}
    assert said(client.post(f"/findings/{found.pk}/assign/", sent, follow=True)) == [
        f"Author is now responsible for {found}."
    ]
    refused = client.post(f"/findings/{found.pk}/assign/", {})
    assert (refused.status_code, sorted(refused.context["row"]["assign"].errors)) == (400, ["due_on", "owner"])
    assert as_(outsider).post(f"/findings/{found.pk}/close/", {"note": "Done."}).status_code == 404
    refused = as_(author).post(f"/findings/{found.pk}/close/", {"note": ""})
    rule = "Describe in 3 to 2,000 characters what was done about it."
    assert (refused.status_code, refused.context["row"]["close"].errors) == (400, {"note": [rule]})
    assert said(as_(author).post(f"/findings/{found.pk}/close/", {"note": "Done."}, follow=True)) == [
        f"{found} is closed."
    ]
    assert Finding.objects.get().closed_by == author
    assert "Done." in html_of(client.get("/findings/"))


def test_a_finding_leads_to_its_ledger_or_its_request(as_, finance, account, now):
    kinds = (("budget.overrun", "Search", f"budget.overrun:{account.pk}"), ("cost.breach", "MRR-2026-0003 (AUT)", "k"))
    for kind, subject, key in kinds:
        seen = Sighting(kind=kind, subject=subject, text="It ran over.", severity=Severity.HIGH, key=key)
        findings.raise_once(sighting=seen, by=None, now=now)
    page = html_of(as_(finance).get("/findings/"))
    for pk in Finding.objects.values_list("pk", flat=True):  # each field has a label of its own
        assert (page.count(f'for="close-{pk}-note"'), page.count(f'id="close-{pk}-note"')) == (1, 1)
        assert page.count(f'href="/findings/{pk}/#assign"') == 1
        own = html_of(as_(finance).get(f"/findings/{pk}/"))
        assert own.count('<div id="assign"') == 1
        for name in (f"assign-{pk}-owner", f"assign-{pk}-due_on", f"close-{pk}-note"):
            assert (own.count(f'for="{name}"'), own.count(f'id="{name}"')) == (1, 1)
    assert page.count('name="owner"') == 2, "people are listed once, however many findings there are; the other filters"
    ledger = f"/budgets/{account.center.slug}/{account.quarter}/{account.unit}/"
    assert f'<a href="{ledger}">Ledger</a>' in page
    assert '<a href="/requests/MRR-2026-0003/">Request</a>' in page
    assert ("high: Budget overrun" in page, "high: Cost breach" in page) == (True, True)


def test_the_root_has_no_account_of_its_own(account):
    assert CostCenter.objects.get(level="organization").accounts.count() == 0
