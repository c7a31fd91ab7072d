"""Spend over the tree of cost centers as a file, and the way from the spend to the unallocated lines."""

import csv
import io
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from html import unescape

import pytest
from django.test import Client
from openpyxl import load_workbook

from governance.bills.actions import rates
from governance.bills.domain.currencies import CurrencyRate
from governance.bills.enums import BillOrigin
from governance.bills.models import Bill
from governance.bills.queries import spend_tree
from governance.budgets.actions import budgets
from governance.budgets.enums import BudgetUnit
from governance.people.models import Team
from governance.site.web.formatting import format_exact
from tests.factories.allocation import publish_rules
from tests.factories.bills import csv_bytes, row
from tests.factories.snapshots import snapshot
from tests.pages import html_of

pytestmark = pytest.mark.django_db
MONTH = "2026-09-01"
HEADER = list(spend_tree.COLUMNS)


@pytest.fixture
def spent(version, cast, now, read):
    """Two bills of September: search has 8 USD, ads 7.25 USD, 3.005 USD and 5 EUR are unallocated."""
    publish_rules(cast=cast, now=now)
    first = read(csv_bytes([row(), row(Tags="", EffectiveCost="3.005", SkuId="sku-1")]))
    second = [
        row(BillingAccountId="101", Tags="", SubAccountId="shared-1", EffectiveCost="7.25"),
        row(BillingAccountId="101", Tags="", BillingCurrency="EUR", EffectiveCost="5"),
    ]
    return first, read(csv_bytes(second))


def rows_of(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def link(response, text):
    found = re.search(rf'href="([^"]*)"[^>]*>\s*{re.escape(text)}', html_of(response))
    assert found, text
    return unescape(found[1])


def test_the_file_agrees_with_the_page_and_names_the_path(spent, as_, cast, now):
    page = as_(cast.finance).get(f"/spend/?month={MONTH}")
    assert f'href="/spend/cost-centers.csv?month={MONTH}"' in html_of(page)
    found = rows_of(as_(cast.finance).get(f"/spend/cost-centers.csv?month={MONTH}").content)
    assert list(found[0]) == HEADER
    shown = page.context["tree"]
    assert [(each["Path"].split(" / ")[-1], Decimal(each["Spent USD with all below"])) for each in found] == [
        (center.name, center.whole) for center in shown
    ]
    total = page.context["chosen"].effective
    assert sum(Decimal(each["Spent USD"]) for each in found) == total == Decimal("18.255")
    assert sum(Decimal(each["Spent USD with all below"]) for each in found if each["Depth"] == "0") == total
    assert {each["Not converted"] for each in found if each["Path"] == "Unallocated"} == {"5 EUR"}
    sheet = load_workbook(io.BytesIO(as_(cast.finance).get(f"/spend/cost-centers.xlsx?month={MONTH}").content)).active
    assert [cell.value for cell in sheet[1]] == HEADER
    assert sheet.max_row == len(found) + 1


def test_each_center_has_its_budget_and_what_it_is_over(version, cast, now, read, as_):
    more = {"quarter": "2026Q3", "unit": BudgetUnit.USD, "by": cast.finance, "now": datetime(2026, 9, 10, tzinfo=UTC)}
    budgets.allocate(holder=version.asset.team, amount=Decimal(5), key="a", **more)
    publish_rules(cast=cast, now=now)
    read(csv_bytes([row(), row(Tags="", SubAccountId="shared-1", EffectiveCost="2"), row(Tags="")]))
    Bill.objects.update(origin=BillOrigin.GENERATED)
    rows = rows_of(as_(cast.auditor).get("/spend/cost-centers.csv").content)
    assert [[each[name] for name in ("Level", "Depth", "Quarter", *HEADER[-4:], "Basis")] for each in rows] == [
        ["organization", "0", "2026Q3", "5.00", "8.00", "8.00", "3.00", "generated"],
        ["team", "1", "2026Q3", "5.00", "8.00", "8.00", "3.00", "generated"],
        ["", "0", "2026Q3", "", "", "", "", "generated"],
        ["", "0", "2026Q3", "", "", "", "", "generated"],
    ]
    assert [each["Path"] for each in rows[1:]] == [
        f"{rows[0]['Path']} / Search",
        "Teams without a cost center",
        "Unallocated",
    ]
    assert {each["Month"] for each in rows} == {MONTH}


def test_a_team_without_a_budget_has_no_amounts_beside_those_that_have_one(version, cast, now, read, as_):
    more = {"quarter": "2026Q3", "by": cast.finance, "now": datetime(2026, 9, 10, tzinfo=UTC)}
    budgets.allocate(holder=version.asset.team, unit=BudgetUnit.USD, amount=Decimal(5), key="a", **more)
    ads = Team.objects.get(slug="ads")
    budgets.allocate(holder=ads, unit=BudgetUnit.GPU_H, amount=Decimal(5), key="b", **more)
    publish_rules(cast=cast, now=now)
    read(csv_bytes([row(), row(Tags="", SubAccountId="shared-1", EffectiveCost="2")]))
    rows = rows_of(as_(cast.auditor).get("/spend/cost-centers.csv").content)
    found = {each["Cost center"]: [each[name] for name in HEADER[-4:]] for each in rows}
    root = rows[0]["Cost center"]
    assert found == {
        root: ["5.00", "8.00", "8.00", "3.00"],
        "ads": [""] * 4,
        "search": ["5.00", "8.00", "8.00", "3.00"],
    }


def test_without_spend_the_file_has_its_header_alone(as_, cast):
    content = as_(cast.finance).get("/spend/cost-centers.csv").content.decode("utf-8-sig")
    assert content.splitlines() == [",".join(f'"{name}"' for name in HEADER)]


@pytest.mark.parametrize("who", ["author", "reviewer_one", "outsider"])
@pytest.mark.parametrize(
    "path", ["/spend/cost-centers.csv", "/spend/unallocated/", "/spend/unallocated.csv", "/spend/unallocated.xlsx"]
)
def test_others_do_not_see_what_all_teams_cost(spent, as_, cast, who, path):
    before = snapshot()
    assert as_(getattr(cast, who)).get(path).status_code == 403
    assert Client().get(path).status_code == 302
    assert snapshot() == before


def test_unallocated_money_is_found_in_four_clicks(spent, as_, cast):
    client = as_(cast.finance)
    page, clicks = client.get(f"/spend/?month={MONTH}"), 0
    for text in ("Unallocated", format_exact(Decimal("3.005"), unit="USD"), "AmazonSageMaker", "sku-1"):
        page, clicks = client.get(link(page, text)), clicks + 1
        assert page.status_code == 200, text
    assert clicks == 4
    assert [each.label for each in page.context["chips"]] == [
        "Team: Unallocated",
        "Month: 2026-09",
        "Service: AmazonSageMaker",
        "SKU: sku-1",
    ]
    assert page.context["found"].total.cost == Decimal("3.005")


def test_each_bill_says_what_is_unallocated_and_all_add_up_to_the_spend(spent, as_, cast, now):
    first, second = spent
    client = as_(cast.finance)
    address = f"/spend/unallocated/?month={MONTH}"
    page = client.get(address)
    assert [(each.bill, each.currency, each.lines, each.cost, each.usd) for each, _ in page.context["rows"]] == [
        (second, "EUR", 1, Decimal(5), None),
        (first, "USD", 1, Decimal("3.005"), Decimal("3.005")),
    ]
    assert "have no exchange rate" in html_of(page)
    rate = CurrencyRate("EUR", date(2026, 9, 30), Decimal("1.1"), "ECB")
    rates.set_rate(rate=rate, by=cast.finance, now=now)
    page = client.get(address)
    month = client.get(f"/spend/?month={MONTH}").context["chosen"]
    assert page.context["total"] == month.unallocated == Decimal("8.505")
    for each, opened in page.context["rows"]:
        found = client.get(opened).context["found"]
        assert (found.total.currency, found.total.cost, found.total.allocated) == (each.currency, each.cost, 0)
    file = rows_of(client.get(f"/spend/unallocated.csv?month={MONTH}").content)
    assert [(each["Bill"], Decimal(each["Effective USD"])) for each in file] == [
        (str(second), Decimal("5.5")),
        (str(first), Decimal("3.005")),
    ]
    assert "Nothing is unallocated" in html_of(client.get("/spend/unallocated/?month=2020-01-01"))
    assert client.get("/spend/unallocated/?month=x").status_code == 200
    assert "Nothing is unallocated" in html_of(client.get("/spend/unallocated/?month=9999-12-01"))


def test_a_corrected_bill_takes_the_place_of_the_first(version, cast, now, read, as_):
    publish_rules(cast=cast, now=now)
    odd = '{"a,b":"=1+1","Größe":"x\\n💶"}'
    first = read(csv_bytes([row(Tags="", EffectiveCost="3")]))
    second = read(csv_bytes([row(Tags=odd, EffectiveCost="4.5"), row(Tags=odd, EffectiveCost="-6", SkuId="credit")]))
    client = as_(cast.finance)
    page = client.get(f"/spend/unallocated/?month={MONTH}")
    ((each, address),) = page.context["rows"]
    assert (each.bill, each.lines, each.cost) == (second, 2, Decimal("-1.5"))
    assert client.get(address).context["found"].total.cost == Decimal("-1.5")
    assert page.context["total"] == client.get(f"/spend/?month={MONTH}").context["chosen"].unallocated
    replaced = client.get(f"/bills/{first.pk}/spend/")
    assert (replaced.context["found"].totals, replaced.context["found"].rows) == ((), ())
    assert "None of its lines is" in html_of(replaced)
    assert client.get(f"/bills/{second.pk}/spend/?team=nobody-of-that-name").context["found"].total is None
    shown = client.get(f"/bills/{second.pk}/spend/?by=tags").context["found"].rows
    assert [(tag.value, tag.cost) for tag in shown] == [("Größe", Decimal("-1.5")), ("a,b", Decimal("-1.5"))]
    file = client.get(f"/bills/{second.pk}/spend.csv", {"by": "tags.a,b"})
    assert rows_of(file.content)[0]["Tag a,b"] == "'=1+1"
    assert file["Content-Disposition"] == f'attachment; filename="bill-{second.pk}-by-tag-ab.csv"'


def test_the_lines_are_those_of_the_month_alone(version, cast, now, read, as_):
    publish_rules(cast=cast, now=now)
    august = {"ChargePeriodStart": "2026-08-31T00:00:00Z", "ChargePeriodEnd": "2026-08-31T01:00:00Z"}
    bill = read(csv_bytes([row(Tags="", EffectiveCost="3"), row(Tags="", EffectiveCost="4", **august)]))
    client = as_(cast.finance)
    for month, cost in (("2026-08-01", 4), ("2026-09-01", 3)):
        ((each, address),) = client.get(f"/spend/unallocated/?month={month}").context["rows"]
        assert (each.bill, each.cost) == (bill, cost)
        assert client.get(address).context["found"].total.cost == cost
    rows = client.get(f"/bills/{bill.pk}/spend/?by=month").context["found"].rows
    assert [(each.value, each.cost) for each in rows] == [("2026-08", 4), ("2026-09", 3)]
    chosen = client.get(f"/bills/{bill.pk}/spend/?month=2026-08&month=2026-09").context["found"]
    assert chosen.total.cost == 7
    for odd in ("2026-13", "", "9999-12", "x" * 50):
        assert client.get(f"/bills/{bill.pk}/spend/", {"month": odd}).context["found"].total is None
    assert client.get(f"/bills/{bill.pk}/allocate/?month=2026-08").status_code == 400
    form = client.get(f"/bills/{bill.pk}/allocate/?sku=ml.g5.xlarge&month=2026-08", follow=True)
    assert form.context["taken"].costs == {"USD": 7}
