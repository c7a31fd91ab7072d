"""What a platform lead does in a quarter, in a browser: bills in, a budget changed, the meeting held to its minutes."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect

from governance.bills import tasks as bills_tasks
from governance.bills.actions import allocation
from governance.bills.models import AllocationVersion, Bill
from governance.budgets.models import BudgetAccount
from governance.jobs import outbox
from governance.jobs.models import OutboxMessage
from governance.people.approvals.models import Change
from governance.people.models import Team
from reviews.quarterly.domain.agenda import AgendaKind
from reviews.quarterly.models import ActionItem, MeetingDecision, ReviewCycle
from tests.factories.allocation import RULES
from tests.factories.bills import csv_bytes, row
from tests.factories.cycles import make_frozen, make_held, make_item, make_proposed
from tests.factories.models import make_version
from tests.factories.people import Cast
from tests.factories.requests import allocate_budget
from tests.functional.conftest import Visitor, follow
from tests.functional.test_pages import COLORS, EVERYTHING, WIDE_ENOUGH_PX, barriers

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.slow]

Visit = Callable[[User | None], Visitor]
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


def faults(visitor: Visitor) -> list[str]:
    """What this page may be blamed for, on a desk by day and by night, and on a phone."""
    found = [*visitor.violations(), *barriers(visitor, "light", EVERYTHING), *barriers(visitor, "dark", COLORS)]
    visitor.page.set_viewport_size(PHONE)
    found += barriers(visitor, "light", EVERYTHING)
    wider_px = visitor.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    visitor.page.set_viewport_size(DESK)
    return found + [f"{wider_px} px wider than a phone"] * (wider_px > WIDE_ENOUGH_PX)


def announced(page: Page, words: str) -> None:
    expect(page.locator("#announcements").get_by_text(words).first).to_be_visible()


def note_attendance(page: Page, person: str, side: str) -> None:
    form = page.locator("#attendance")
    form.get_by_label("Person").select_option(person)
    form.get_by_label("Side").select_option(side)
    form.get_by_role("button", name="Record attendance").click()


def edit_agenda(page: Page) -> None:
    """Something is added, put first, and something else taken off with a reason."""
    agenda = page.locator("#agenda")
    agenda.get_by_text("Add an item").click()
    agenda.get_by_label("Title").fill("The bidder")
    agenda.get_by_label("Why").last.fill("Nobody knows what it gains.")
    follow(agenda.get_by_role("button", name="Add item"))
    announced(page, "The item is added at the end")
    page.evaluate("window.stayed = true")
    position = agenda.get_by_label("Position of The bidder")
    position.fill("1")
    position.press("Enter")
    expect(agenda.get_by_role("heading", level=3).first).to_have_text("The bidder")
    assert page.evaluate("window.stayed") is True
    item = agenda.locator(".item").first
    item.get_by_text("Remove", exact=True).click()
    item.get_by_label("Why").last.fill("It is looked at in May.")
    item.get_by_role("button", name="Remove item").click()
    expect(page.locator("#agenda").get_by_text("Removed (1)")).to_be_visible()


def decide(page: Page, due_on: str) -> None:
    """What lacks an owner is refused beside its field, and the text stays; then it is decided."""
    page.locator("#agenda .item").first.get_by_role("link", name="Decide").click()
    item = page.locator("#decide")
    item.get_by_label("Decision").select_option("keep")
    item.get_by_label("Why").fill("It earns what it costs.")
    item.get_by_label("Owner").select_option("")
    item.get_by_label("Due").fill(due_on)
    item.get_by_role("button", name="Decide").click()
    expect(item.get_by_text("A decision needs an owner")).to_be_visible()
    expect(item.get_by_label("Owner")).to_be_focused()
    expect(item.get_by_label("Why")).to_have_value("It earns what it costs.")
    item.get_by_label("Owner").select_option("author")
    item.get_by_role("button", name="Decide").click()
    announced(page, "is queued")
    expect(page.get_by_text("The one item is decided.")).to_be_visible()


def test_the_meeting_is_held_from_its_opening_to_its_minutes(visit: Visit, cast: Cast, now: datetime) -> None:
    cycle = make_frozen(now=now)
    make_item(cycle=cycle, by=cast.product, now=now, asset=make_version(by=cast.author, now=now).asset)
    lead = visit(cast.approver)
    page = lead.page
    lead.go("/cycles/")
    assert faults(lead) == []
    page.get_by_role("link", name=cycle.quarter).click()
    expect(page.locator("#next-title")).to_have_text("Ready for the meeting")
    page.get_by_role("button", name="Open the meeting").click()
    expect(page.locator("#next-title")).to_have_text("No quorum yet")
    page.get_by_role("link", name="Record the attendance").click()
    note_attendance(page, "approver", "engineering")
    note_attendance(page, "product", "product")
    edit_agenda(page)
    expect(page.locator("#next-title")).to_have_text("0 of 1 item decided")
    decide(page, (now.date() + timedelta(days=20)).isoformat())
    lead.go(f"/cycles/{cycle.quarter}/")
    assert faults(lead) == []
    page.get_by_label("Notes").fill("Short and good.")
    follow(page.get_by_role("button", name="Save notes"))
    follow(page.get_by_role("link", name="Close the meeting"))
    assert faults(lead) == []
    page.get_by_role("button", name="Close the meeting").click()
    expect(page.locator("#next-title")).to_have_text("1 of 1 item was decided")
    with page.expect_download() as download:
        page.get_by_role("link", name="Minutes", exact=True).first.click()
    cycle = ReviewCycle.objects.get()
    assert Path(download.value.path()).read_text() == cycle.minutes
    for words in ("It earns what it costs.", "It is looked at in May.", "Short and good."):
        assert words in cycle.minutes
    lead.go(f"/cycles/{cycle.quarter}/")
    assert faults(lead) == []
    owner = visit(cast.author)
    owner.go("/")
    owner.page.locator("#waiting").get_by_role("link", name="Keep: The ranking model").click()
    follow(owner.page.get_by_role("button", name="Acknowledge"))
    assert faults(owner) == []
    assert ActionItem.objects.get().state == "acknowledged"
    refused = "Failed to load resource: the server responded with a status of 400"
    assert (lead.record.foreign, owner.record.complaints) == ([], [])
    assert [said for said in lead.record.complaints if not said.startswith(refused)] == []


def test_thirty_items_are_decided_by_keyboard_with_two_actions_each(visit: Visit, cast: Cast, now: datetime) -> None:
    cycle = make_held(cast=cast, now=now)
    make_proposed(cycle=cycle, cast=cast, now=now, count=15)
    make_proposed(cycle=cycle, cast=cast, now=now, count=14, kind=AgendaKind.SAVING_FOUND)
    (left,) = make_proposed(cycle=cycle, cast=cast, now=now, count=1)
    lead = visit(cast.approver)
    page = lead.page
    lead.go(f"/cycles/{cycle.quarter}/meeting/")
    title, counters = page.locator("#item-title"), page.locator("#counters")
    assert faults(lead) == []
    for number in range(1, 30):
        expect(title).to_have_text(f"Model number {number}")
        expect(title).to_be_focused()
        expect(title).to_be_in_viewport()
        expect(counters).to_contain_text(f"{number - 1} of 30 decided, {number - 1} action")
        if number <= 15:
            page.locator("#proposal").get_by_role("button", name="Accept the proposal").press("Enter")
        else:
            why = page.locator("#decide").get_by_label("Why")
            why.fill("The smaller variant is as good.")
            why.press("Control+Enter")
    expect(title).to_have_text("Model number 30")
    walk(page, "k", "Model number 29")
    walk(page, "ArrowLeft", "Model number 28")
    walk(page, "j", "Model number 29")
    walk(page, "ArrowRight", "Model number 30")
    page.keyboard.press("j")
    expect(title).to_have_text("Model number 30")
    page.keyboard.press("Tab")
    expect(title).not_to_be_focused()
    follow(page.get_by_role("link", name="Presenter"))
    assert faults(lead) == []
    page.keyboard.press("k")
    expect(page.get_by_role("heading", level=1)).to_have_text("Model number 29")
    lead.go(f"/cycles/{cycle.quarter}/close/")
    expect(page.get_by_text("1 of 30 items has no decision.")).to_be_visible()
    assert faults(lead) == []
    page.get_by_role("button", name="Close with undecided items").press("Enter")
    expect(page.locator("#minutes").get_by_role("heading", name="Not decided")).to_be_visible()
    expect(page.locator("#minutes").get_by_text(f"{left.title} (")).to_be_visible()
    assert MeetingDecision.objects.count() == 29
    lead.go(f"/cycles/{cycle.quarter}/portfolio/")
    expect(page.get_by_text("No model can be optimized")).to_be_visible()
    assert faults(lead) == []
    assert (lead.record.foreign, lead.record.complaints) == ([], [])


def walk(page: Page, key: str, title: str) -> None:
    page.keyboard.press(key)
    expect(page.locator("#item-title")).to_have_text(title)
    expect(page.locator("#item-title")).to_be_focused()


def test_a_bill_is_sent_read_and_given_to_whose_it_is(
    visit: Visit, cast: Cast, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bills_tasks, "PROGRESS_EVERY_S", 0.01)
    make_version(by=cast.author, now=now, slug="visual-search")
    file = tmp_path / "september.csv"
    file.write_bytes(csv_bytes([row(), row(Tags="", EffectiveCost="3"), row(BillingCurrency="x")]))
    lead = visit(cast.approver)
    page = lead.page
    lead.go("/bills/")
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#live").get_by_text("Waiting for a worker")).to_be_visible()
    bills_tasks.ingest_bill(Bill.objects.get().pk)
    expect(page.get_by_text("BillingCurrency is 'x'")).to_be_visible()  # the page follows by itself
    counts = page.locator(".stat")
    expect(counts.filter(has_text="Rows read")).to_contain_text("3")
    expect(counts.filter(has_text="Rows rejected")).to_contain_text("1")
    assert faults(lead) == []
    follow(page.get_by_role("link", name="Allocation rules").first)
    assert faults(lead) == []
    page.get_by_role("link", name="Draft a new version").first.click()
    page.get_by_label("YAML").fill(RULES)
    page.get_by_role("button", name="Try it").click()
    preview = page.locator("#preview")
    expect(preview.get_by_role("row", name="visual-search")).to_contain_text("$8.00")
    expect(preview.get_by_role("row", name="No rule")).to_contain_text("$3.00")
    assert faults(lead) == []
    assert not AllocationVersion.objects.exists()
    page.get_by_role("button", name="Save draft").click()
    page.get_by_label("Why").fill("The tags of the bills are complete now.")
    follow(page.get_by_role("button", name="Propose for publication"))
    assert faults(lead) == []
    admin = visit(cast.admin)
    admin.go("/changes/?kind=allocation")
    admin.page.get_by_role("link", name="Publish the allocation rules default v1").click()
    admin.page.get_by_role("button", name="Confirm").click()
    expect(admin.page.get_by_role("heading", level=1)).to_contain_text("Confirmed")
    assign = OutboxMessage.objects.get(kind=allocation.ASSIGN)
    assert outbox.deliver(pk=assign.pk, now=timezone.now()).state == "done"
    lead.go("/spend/")
    expect(page.get_by_role("row", name="Search")).to_contain_text("$8.00")
    expect(page.get_by_role("row", name="Unallocated").first).to_contain_text("$3.00")
    assert faults(lead) == []
    assert (lead.record.foreign, lead.record.complaints, admin.record.complaints) == ([], [], [])


def test_a_budget_is_changed_by_two_people(visit: Visit, cast: Cast, now: datetime) -> None:
    allocate_budget(team=Team.objects.get(slug="search"), by=cast.finance, now=now)
    account = BudgetAccount.objects.get(unit="USD")
    lead, finance = visit(cast.approver), visit(cast.finance)
    page = lead.page
    lead.go("/budgets/")
    assert faults(lead) == []
    page.get_by_role("link", name="Ledger of Search, USD").click()
    form = page.locator("#change")
    form.get_by_label("Amount").fill("45000")
    form.get_by_label("Why").fill("Prices rose in this quarter.")
    form.get_by_role("button", name="Propose").click()
    page.locator("#waiting").get_by_role("link", name="Set the budget of Search").click()
    expect(page.get_by_text("another platform lead or finance must confirm it")).to_be_visible()
    assert faults(lead) == []
    change = Change.objects.get()
    finance.go("/changes/?kind=budget")
    finance.page.get_by_role("link", name="Set the budget of Search").click()
    finance.page.get_by_role("button", name="Confirm").click()
    expect(finance.page.get_by_role("heading", level=1)).to_contain_text("Confirmed")
    change.refresh_from_db()
    assert (change.state, change.closed_by) == ("confirmed", cast.finance)
    lead.go(f"/budgets/{account.center.slug}/{account.quarter}/USD/")
    expect(page.locator("#balance")).to_contain_text("$45,000 allocated")
    assert faults(lead) == []
    assert sum(entry.amount for entry in account.entries.all()) == Decimal(45_000)
    assert (lead.record.foreign, lead.record.complaints, finance.record.complaints) == ([], [], [])
