"""The spend of a bill: breakdowns that add up to the cent, narrowed by links, down to lines and to a new rule."""

import json
import re
from decimal import Decimal
from html import unescape

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from governance.bills.actions import allocation
from governance.bills.domain.allocation.breakdown import FIELDS, LINES, TAGS, TEAM, LineSelection, read_selection
from governance.bills.domain.allocation.drafts import EMPTY, with_rule
from governance.bills.domain.allocation.rules import FIELDS as RULE_FIELDS
from governance.bills.domain.allocation.rules import Rule
from governance.bills.enums import BillKind
from governance.bills.models import BillSlice, SpendLine
from governance.bills.queries import allocation as rules_in
from governance.bills.queries import breakdown
from governance.people.approvals import actions as approvals
from governance.people.approvals.models import Change
from governance.people.models import Team
from governance.site.web.formatting import format_exact
from tests.factories.allocation import publish_rules
from tests.factories.bills import csv_bytes, row
from tests.factories.changes import REASON
from tests.factories.snapshots import snapshot
from tests.integration.governance.bills.random_bills import LINE, made_lines
from tests.pages import html_of
from tests.unit.governance.bills.test_scheduler import JOB
from weighbridge.core.errors import Invalid

pytestmark = pytest.mark.django_db
ODD = 'a&b=c?#%+/"<ü>\n💶'
ROWS = [
    row(),  # allocated by its tag
    row(Tags="", EffectiveCost="3.005", SkuId="sku-1"),
    row(Tags=f'{{"cost center":{json.dumps(ODD)}}}', EffectiveCost="1.10", SkuId="sku-1"),
    row(Tags="", EffectiveCost="-0.5", ChargeCategory="Credit", SkuId="sku-2"),
    row(Tags="", EffectiveCost="7", BillingCurrency="EUR", ServiceName="Compute"),
]


@pytest.fixture
def bill(version, cast, now, read):
    publish_rules(cast=cast, now=now)
    return read(csv_bytes(ROWS))


def link(response, text):
    """The address behind the first link whose words are these."""
    found = re.search(rf'href="([^"]*)"[^>]*>\s*{re.escape(text)}', html_of(response))
    assert found, text
    return unescape(found[1])


def test_a_breakdown_says_cost_share_and_who_has_it(bill):
    found = breakdown.break_down(breakdown.lines_of(bill), by="service")
    (only,) = found.rows
    assert [(each.currency, each.cost, each.allocated) for each in found.totals] == [
        ("USD", Decimal("11.605"), Decimal(8)),
        ("EUR", Decimal(7), Decimal(0)),
    ]
    assert (only.value, only.cost, only.unallocated, only.share) == (
        "AmazonSageMaker",
        Decimal("11.605"),
        Decimal("3.605"),
        Decimal(1),
    )
    assert (only.owners, only.lines_unallocated, found.rest) == ((("Search", Decimal(8)),), 3, None)


def test_each_dimension_is_one_of_the_rules_and_the_other_way_round():
    assert set(FIELDS) == set(RULE_FIELDS.values())


def test_where_the_money_went_is_found_in_four_clicks(bill, as_, cast):
    client = as_(cast.finance)
    page, clicks = client.get("/bills/"), 0
    for text in (f"Bill {bill.pk}", format_exact(Decimal("3.605"), unit="USD"), "AmazonSageMaker", "sku-1"):
        page, clicks = client.get(link(page, text)), clicks + 1
        assert page.status_code == 200, text
    assert clicks == 4
    assert [each.label for each in page.context["chips"]] == [
        "Team: Unallocated",
        "Service: AmazonSageMaker",
        "SKU: sku-1",
    ]
    assert page.context["found"].total.cost == Decimal("4.105")
    assert client.get(link(page, "Allocate"), follow=True).status_code == 200


def test_every_link_of_a_page_opens_what_its_row_says(bill, as_, cast):
    client = as_(cast.finance)
    for by in (*FIELDS, TEAM, TAGS, "tags.model", "tags.cost center"):
        page = client.get(f"/bills/{bill.pk}/spend/", {"by": by})
        for each in page.context["rows"]:
            opened = client.get(each.href).context["found"]
            if by != TAGS:
                assert (opened.total.lines, opened.total.cost) == (each.row.lines, each.row.cost)
            if each.unallocated:
                loose = client.get(each.unallocated).context["found"].total
                assert (loose.cost, loose.allocated) == (each.row.unallocated, 0)


def test_an_odd_value_survives_the_address_the_rule_and_the_way_back(bill, as_, cast, now):
    client = as_(cast.finance)
    page = client.get(f"/bills/{bill.pk}/spend/", {"by": "tags.cost center", TEAM: ""})
    odd = next(each for each in page.context["rows"] if each.row.value == ODD)
    form = client.get(odd.allocate, follow=True)
    assert form.context["taken"].costs == {"USD": Decimal("1.10")}
    address = form.request["PATH_INFO"] + "?" + form.request["QUERY_STRING"]
    given = {"account": "ads", "rule": "odd", "reason": REASON}
    assert client.post(address, given).status_code == 302
    approvals.confirm(change=Change.objects.latest("pk"), by=cast.admin, now=now)
    allocation.assign(slices=list(bill.slices.all()), now=now)
    (taken,) = SpendLine.objects.filter(rule__rule_id="odd")
    assert (taken.effective, taken.tags) == (Decimal("1.10"), {"cost center": ODD})


def test_a_rule_is_proposed_from_a_click_and_takes_what_its_preview_said(bill, as_, cast, now):
    client = as_(cast.finance)
    page = client.get(f"/bills/{bill.pk}/spend/?service=AmazonSageMaker&team=&by=sku")
    chosen = next(each for each in page.context["rows"] if each.row.value == "sku-1")
    before = snapshot()
    form = client.get(chosen.allocate, follow=True)
    assert snapshot() == before
    assert [each.label for each in form.context["chips"]] == [
        "Service: AmazonSageMaker",
        "SKU: sku-1",
        "Tag model: none",
        "Sub-account: 200",
    ]
    assert (form.context["overlap"], form.context["takes_others"]) == (None, False)
    assert form.context["form"].initial["rule"] == "amazonsagemaker-sku-1"
    preview = form.context["taken"]
    assert (preview.lines, preview.costs) == (2, {"USD": Decimal("4.105")})
    address = form.request["PATH_INFO"] + "?" + form.request["QUERY_STRING"]
    refused = client.post(address, {"account": "ads", "rule": "sku-1", "reason": "no"})
    assert refused.status_code == 400
    assert snapshot() == before
    client.post(address, {"account": "ads", "rule": "sku-1", "reason": REASON})
    change = Change.objects.latest("pk")
    assert (change.kind, change.proposed_by) == ("allocation", cast.finance)
    assert not SpendLine.objects.filter(rule__rule_id="sku-1").exists()
    approvals.confirm(change=change, by=cast.admin, now=now)
    allocation.assign(slices=list(bill.slices.all()), now=now)
    taken = SpendLine.objects.filter(rule__rule_id="sku-1", rule__team__slug="ads")
    assert (taken.count(), sum(line.effective for line in taken)) == (2, Decimal("4.105"))
    assert SpendLine.objects.filter(rule__rule_id="visual-search").count() == 1


def test_only_who_answers_for_bills_sees_them_and_only_who_handles_them_allocates(bill, as_, cast):
    pages = (f"/bills/{bill.pk}/spend/", f"/bills/{bill.pk}/spend.csv?by=lines", f"/bills/{bill.pk}/spend.xlsx")
    form = f"/bills/{bill.pk}/allocate/?sku=sku-1&tags.model="
    before = snapshot()
    for page in pages:
        for person in (cast.author, cast.outsider, cast.reviewer_one):
            assert as_(person).get(page).status_code == 404
        assert as_(cast.auditor).get(page).status_code == 200
    assert as_(cast.author).post(form, {}).status_code == 404
    assert as_(cast.auditor).post(form, {}).status_code == 403
    assert as_(cast.auditor).get(form).status_code == 403
    assert "Allocate …" not in html_of(as_(cast.auditor).get(f"{pages[0]}?sku=sku-1"))
    assert snapshot() == before


@pytest.mark.parametrize(
    "query",
    ["sku=%00", "tags.%00=x", "sku=" + "x" * 4_001, "&".join(f"sku={n}" for n in range(51))],
    ids=["nul", "nul-name", "long", "many"],
)
def test_an_address_that_cannot_be_meant_is_refused(bill, as_, cast, query):
    assert as_(cast.finance).get(f"/bills/{bill.pk}/spend/?{query}").status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        "by=x",
        "by=tags.",
        "page=0",
        "page=x",
        "page=99999999999",
        "currency=XXX",
        "color=red",
        "currency=%00",
        "by=tags.%00",
    ],
)
def test_an_unknown_choice_shows_the_first(bill, as_, cast, query):
    page = as_(cast.finance).get(f"/bills/{bill.pk}/spend/?{query}")
    assert (page.status_code, page.context["by"]) == (200, "service")


def test_a_selection_of_none_and_some_is_no_rule():
    selection = read_selection({"sku": ["", "a", "a"], "team": [""], "other": ["x"]})
    assert selection.values == (("sku", ("", "a")), ("team", ("",)))
    with pytest.raises(Invalid, match="cannot take lines without SKU together"):
        _ = selection.conditions


def test_files_hold_every_row_and_every_line(bill, as_, cast):
    client = as_(cast.finance)
    text = client.get(f"/bills/{bill.pk}/spend.csv?by=sku&currency=USD").content.decode("utf-8-sig")
    assert text.splitlines() == [
        '"SKU","Currency","Lines","Effective cost","Allocated","Unallocated","GPU hours","Share"',
        '"ml.g5.xlarge","USD","1","8.000000000000","8.000000000000","0.000000000000","2.000000000000","0.689358"',
        '"sku-1","USD","2","4.105000000000","0","4.105000000000","4.000000000000","0.353727"',
        '"sku-2","USD","1","-0.500000000000","0","-0.500000000000","2.000000000000","-0.043085"',
    ]
    lines = client.get(f"/bills/{bill.pk}/spend.csv?by=lines&team=").content.decode("utf-8-sig")
    assert lines.count('"2026-09-03"') == 4
    shown = client.get(f"/bills/{bill.pk}/spend.csv?by=lines&team=&currency=EUR").content.decode("utf-8-sig")
    assert (shown.count('"2026-09-03"'), shown.count('"EUR"')) == (1, 1)
    assert client.get(f"/bills/{bill.pk}/spend.csv?by=lines&sku=gone&currency=EUR").content.count(b"\n") == 1
    assert client.get(f"/bills/{bill.pk}/spend.csv?sku=gone").content.decode("utf-8-sig").count("\n") == 1


def test_gpu_hours_without_cost_are_shown_the_most_first(read, as_, cast):
    jobs = [JOB | {"JobID": "18", "Account": "ads", "ElapsedRaw": "1800"}, JOB]
    bill = read(csv_bytes(jobs, delimiter="|"), "jobs.txt", kind=BillKind.SLURM, cluster="hpc")
    client, address = as_(cast.finance), f"/bills/{bill.pk}/spend"
    page = client.get(f"{address}/?by=subaccount")
    found = page.context["found"]
    assert [(row.value, row.cost, row.gpu_hours, row.share) for row in found.rows] == [
        ("search", 0, 6, None),
        ("ads", 0, 2, None),
    ]
    assert found.total.gpu_hours == 8
    assert re.findall(r'<td class="number">([68]|2)</td>', html_of(page)) == ["6", "2"]
    lines = client.get(f"{address}/?by=lines").context["found"].lines
    assert [line.gpu_hours for line in lines] == [6, 2]
    file = client.get(f"{address}.csv?by=subaccount").content.decode("utf-8-sig").splitlines()
    assert [line.split(",")[-2] for line in file] == ['"GPU hours"', '"6.000000000000"', '"2.000000000000"']


def test_teams_of_one_name_are_told_apart(version, cast, now, read):
    publish_rules(cast=cast, now=now)
    Team.objects.filter(slug="ads").update(name="Search")
    bill = read(csv_bytes([row(), row(Tags="", SubAccountId="shared-1", EffectiveCost="3")]))
    (only,) = breakdown.break_down(breakdown.lines_of(bill), by="service").rows
    assert only.owners == (("Search (search)", Decimal(8)), ("Search (ads)", Decimal(3)))


class AddsUp(TestCase):
    """The parts of each breakdown add up to the bill, and a rule takes what its preview said."""

    @settings(max_examples=15, deadline=None)
    @given(st.lists(LINE, min_size=1, max_size=8), st.integers(0, 7))
    def test_to_the_last_digit(self, changes, place):
        now = timezone.now()
        lines = made_lines(changes, now)
        for by in (*FIELDS, TEAM, "tags.model", "tags.t", LINES):
            for page in (1, 2):
                for total in breakdown.totals_of(lines):
                    found = breakdown.break_down(lines, by=by, currency=total.currency, page=page)
                    expected = sum(line.effective for line in lines if line.currency == total.currency)
                    assert found.total.cost == expected == found.total.allocated + found.total.unallocated
                    parts = [*found.rows, *([found.rest] if found.rest else [])]
                    if by != LINES:
                        assert sum(part.cost for part in parts) == expected
                        assert sum(part.lines for part in parts) == total.lines
                        assert sum(part.unallocated for part in parts) == total.unallocated
                    for each in found.rows:
                        assert sum(cost for _, cost in each.owners) == (0 if by == TEAM else each.allocated)
        line = list(lines)[place % len(lines)]
        selection = LineSelection((("sku", (line.sku,)), ("tags.t", (line.tags.get("t", ""),))))
        rule = Rule("new", selection.conditions, "search")
        preview = rules_in.would_take(rule, among=lines)
        source = with_rule(EMPTY, rule)
        allocation.publish(version=allocation.draft(source=source, by=None, now=now), by=None, now=now)
        allocation.assign(slices=list(BillSlice.objects.all()), now=now)
        taken = SpendLine.objects.filter(rule__rule_id="new")
        costs = {}
        for each in taken:
            costs[each.currency] = costs.get(each.currency, 0) + each.effective
        assert (preview.lines, preview.costs) == (taken.count(), costs)
        assert line.pk in {each.pk for each in taken}
