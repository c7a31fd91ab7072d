"""The sums of months are those of the lines, whoever writes them; and what pages of spend read when there are years."""

from datetime import date
from decimal import Decimal
from threading import Event

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Count, Sum
from django.db.models.functions import TruncMonth
from django.test import Client

from governance.bills.actions import allocation
from governance.bills.models import BillSlice, MonthSum, SpendLine
from governance.bills.queries import spend
from governance.bills.queries.allocation import used_in
from governance.bills.web import spend as pages
from governance.budgets.domain.quarters import Quarter
from governance.people.queries.people import person_of
from tests.factories.allocation import RULES, publish_rules
from tests.factories.bills import csv_bytes, row
from tests.masses import analyze, asked, multiply, plan_of
from tests.pages import html_of
from tests.threads import in_the_middle, together

pytestmark = pytest.mark.django_db
SEPTEMBER, AMOUNTS = date(2026, 9, 1), ("billed", "effective", "gpu_hours", "server_hours")
ROWS = [
    row(),
    row(BillingCurrency="EUR", EffectiveCost="-3.0000001"),
    row(Tags="", SubAccountId="lab"),
    row(ChargePeriodStart="2026-08-31"),
]


def assert_exact() -> int:
    """The sums are those of the lines. Returns their number."""
    lines = (
        SpendLine.objects.order_by().annotate(month=TruncMonth("day")).values_list("slice", "month", "rule", "currency")
    )
    added = set(lines.annotate(Count("pk"), *map(Sum, AMOUNTS)))
    kept = MonthSum.objects.values_list("slice", "month", "rule", "currency", "lines", *AMOUNTS)
    assert set(kept) == added
    assert len(kept) == len(added)
    return len(added)


def test_sums_follow_bills_replacements_and_rules(read, version, cast, now):
    read(csv_bytes(ROWS))
    assert assert_exact() == 3
    publish_rules(cast=cast, now=now)
    allocation.assign(slices=list(BillSlice.objects.all()), now=now)
    assert assert_exact() == 4
    read(csv_bytes([*ROWS[:2], row(BillingPeriodStart="2026-10-01", BillingPeriodEnd="2026-11-01")]))
    assert assert_exact() == 3
    none_matches = RULES.replace("[visual-search, vs-*]", "[another]").replace("shared-*", "another")
    publish_rules(cast=cast, now=now, source=none_matches)
    allocation.assign(slices=list(BillSlice.objects.all()), now=now)
    assert assert_exact() == 3
    assert set(MonthSum.objects.values_list("rule", flat=True)) == {None}


def test_a_line_changed_by_hand_is_in_the_sums_and_none_without_lines_stay(read, now):
    read(csv_bytes(ROWS))
    SpendLine.objects.filter(currency="EUR").update(day=date(2026, 7, 31), effective=5)
    assert assert_exact() == 3
    assert MonthSum.objects.get(month=date(2026, 7, 1)).effective == Decimal(5)
    SpendLine.objects.all().delete()
    assert not MonthSum.objects.exists()


def test_all_are_summed_again(read, now):
    read(csv_bytes(ROWS))
    MonthSum.objects.filter(currency="EUR").delete()
    MonthSum.objects.update(lines=9)
    with connection.cursor() as cursor:
        cursor.execute("SELECT bills_sum_all()")
    assert assert_exact() == 3


@pytest.mark.django_db(transaction=True)
def test_a_bill_that_comes_in_while_all_are_summed_again_is_summed_once(read, now):
    """Lines that another transaction wrote, and did not commit before the sums were begun, are waited for."""
    read(csv_bytes(ROWS))
    is_written = Event()

    def write():
        with transaction.atomic():
            SpendLine.objects.filter(currency="EUR").delete()
            SpendLine.objects.filter(day__lt=SEPTEMBER).update(day=date(2026, 7, 1))
            is_written.set()
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(0.3)")

    def sum_all():
        is_written.wait()
        with connection.cursor() as cursor:
            cursor.execute("SELECT bills_sum_all()")

    assert together([write, sum_all]) == [None, None]
    assert assert_exact() == 2


@pytest.mark.django_db(transaction=True)
def test_emptied_lines_have_no_sums(read, now):
    read(csv_bytes(ROWS))
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE bills_spendline")
    assert assert_exact() == 0


@pytest.mark.django_db(transaction=True)
def test_a_bill_that_is_replaced_while_rules_are_applied_is_summed_once(read, version, cast, now, monkeypatch):
    read(csv_bytes(ROWS))
    publish_rules(cast=cast, now=now)

    def assigned():
        return allocation.assign(slices=list(BillSlice.objects.filter(is_current=True)), now=now)

    place = (allocation, "lock_team_accounts")
    ended = in_the_middle(monkeypatch, place, assigned, lambda: read(csv_bytes(ROWS[:3])).state)
    assert ended == [3, "done"]
    assert assert_exact() == 3


@pytest.mark.django_db(transaction=True)
def test_two_who_change_the_same_lines_add_up(read, version, cast, now):
    read(csv_bytes(ROWS))
    rules = publish_rules(cast=cast, now=now).rules.order_by("pk")
    first, second = rules[0].pk, None
    is_written = Event()

    def one():
        with transaction.atomic():
            SpendLine.objects.filter(currency="USD").update(rule=first)
            is_written.set()
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(0.3)")

    def other():
        is_written.wait()
        with transaction.atomic():
            SpendLine.objects.update(rule=second)

    assert together([one, other]) == [None, None]
    assert assert_exact() == 3


def years_of_lines(read, *, months: int, lines: int = 20) -> None:
    """A bill of September 2026, and of each month before as many lines."""
    read(csv_bytes([*ROWS, row(ResourceId=f"one of {months} months")]))
    part, line = BillSlice.objects.get(), SpendLine.objects.filter(currency="USD", day__gte=SEPTEMBER).first()
    earlier = "('2026-09-01'::date - n * interval '1 month')::date"
    multiply(part, count=months, period=earlier, period_end=f"({earlier} + interval '1 month')::date")
    first = BillSlice.objects.latest("pk").pk - months + 1
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {earlier} FROM generate_series(1, {months}) AS n")
        SpendLine.open_partitions(day for (day,) in cursor.fetchall())
    number = f"((n - 1) / {lines} + 1)"
    period = earlier.replace("n *", f"{number} *")
    of_slice = f"{first} - 1 + {number}"
    day = f"{period} + n::int %% 28"
    multiply(line, count=months * lines, slice_id=of_slice, period=period, day=day)
    analyze()


def partitions_read(lines) -> set[str]:
    """The partitions that a query of lines looked into."""
    found, nodes = set(), [plan_of(*lines.query.sql_with_params())]
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", ())
        if node.get("Relation Name", "").startswith("bills_spendline_p") and node["Actual Loops"]:
            found.add(node["Relation Name"].removeprefix("bills_spendline_p"))
    return found


def test_days_are_read_from_the_bills_that_have_them(read):
    years_of_lines(read, months=60)
    assert partitions_read(used_in(start=SEPTEMBER, end=date(2026, 9, 30))) == {"2026_09"}
    august = used_in(start=date(2026, 8, 1), end=date(2026, 8, 31))
    assert partitions_read(august) == {"2026_08", "2026_09"}
    assert august.count() == 21  # a line of the bill of September was used on August 31
    quarter = Quarter.of(date(2024, 5, 1))
    assert partitions_read(used_in(start=quarter.start_on, end=quarter.end_on)) == {"2024_04", "2024_05", "2024_06"}
    assert partitions_read(used_in(start=date(2026, 8, 15))) == {"2026_08", "2026_09"}
    assert partitions_read(used_in(start=date(2027, 1, 1))) == set()
    assert used_in(start=date(2021, 9, 1), end=date(2021, 9, 30)).count() == 20
    assert not used_in(start=date(2010, 1, 1), end=date(2010, 12, 31)).exists()


def costs(user: User, path: str) -> tuple[int, int, int]:
    """The queries of the page, the most rows that a part of one read, and its bytes."""
    browser = Client()
    browser.force_login(user)
    browser.get(path)
    with asked() as statements:
        response = browser.get(path)
    assert response.status_code == 200, path
    return len(statements.statements), int(max(statements.rows_read().values())), len(response.content)


def test_pages_of_spend_cost_the_same_with_ten_years_of_bills(read, version, cast, now):
    paths = ["/spend/", "/spend/?month=2026-08-01", "/spend/unallocated/?month=2026-09-01", "/workloads/"]
    publish_rules(cast=cast, now=now)
    years_of_lines(read, months=24)
    few = {path: costs(cast.finance, path) for path in paths}
    SpendLine.objects.all().delete()
    BillSlice.objects.all().delete()
    years_of_lines(read, months=120, lines=50)
    for path in paths:
        queries, rows, size = costs(cast.finance, path)
        assert queries == few[path][0], path
        assert rows <= 400, (path, rows)
        assert size <= few[path][2] * 1.1, (path, size, few[path][2])


def test_months_are_turned_and_a_month_opens_the_page_that_has_it(read, version, cast, now):
    assert spend.months_of_use() == []
    publish_rules(cast=cast, now=now)
    years_of_lines(read, months=60)
    SpendLine.objects.filter(day__year=2024).delete()
    browser = Client()
    browser.force_login(cast.finance)
    assert len(spend.months_of_use()) == 61 - 12
    first = browser.get("/spend/")
    shown = [each.month for each in first.context["months"]]
    assert (shown[0], shown[-1], len(shown)) == (SEPTEMBER, date(2023, 10, 1), 24)
    assert first.context["chosen"].month == SEPTEMBER
    old = browser.get("/spend/?month=2022-05-01")
    assert (old.context["chosen"].month, old.context["page"].number) == (date(2022, 5, 1), 2)
    assert date(2022, 5, 1) in [each.month for each in old.context["months"]]
    turned = browser.get("/spend/?page=3&month=2026-08-01")
    assert turned.context["chosen"].month == date(2026, 8, 1)
    assert [each.month for each in turned.context["months"]] == [date(2021, 9, 1)]
    assert browser.get("/spend/?month=2024-05-01").context["chosen"].month == SEPTEMBER
    of_month = "/spend/cost-centers.csv?month=2022-05-01"
    assert browser.get(of_month).content.decode("utf-8-sig").splitlines()[1].startswith('"2022-05-01",')
    members = Client()
    members.force_login(cast.author)
    assert members.get("/spend/").context["page"].paginator.count == len(
        spend.months_of_use(person=person_of(cast.author))
    )


def test_of_very_many_models_the_most_expensive_are_shown_and_the_files_have_all(read, version, cast, now, monkeypatch):
    publish_rules(cast=cast, now=now)
    read(csv_bytes(ROWS))
    monkeypatch.setattr(pages, "ROWS_SHOWN", 0)
    browser = Client()
    browser.force_login(cast.finance)
    page = browser.get("/spend/?month=2026-09-01")
    assert [row.is_allocated for row in page.context["rows"]] == [False]
    assert "The 0 most expensive of 1. The files list all." in html_of(page)
    assert "visual-search" in browser.get("/spend.csv").content.decode()
