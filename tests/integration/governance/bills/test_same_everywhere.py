"""The page, the API and the files of a bill show the same amounts, and their parts add up to the bill exactly."""

import csv
import io
from decimal import Decimal

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from rest_framework.test import APIClient

from governance.bills.actions import allocation
from governance.bills.domain.allocation.breakdown import FIELDS, LINES, MONTH, TAGS, TEAM
from governance.bills.domain.allocation.drafts import EMPTY, with_rule
from governance.bills.domain.allocation.rules import FieldPattern, Rule
from governance.bills.models import BillSlice
from governance.exports.domain.spreadsheets import escaped
from governance.people.domain.roles import Role
from tests.factories.people import make_person
from tests.integration.governance.bills.random_bills import LINE, made_lines

BYS = (*FIELDS, TEAM, MONTH, TAGS, "tags.model", "tags.t", "tags.=1+1", LINES)


def rows_of(response):
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"), newline="")))


def amounts(rows):
    """Value, lines, GPU hours, cost, allocated and unallocated of each row, with exact amounts."""
    names = ("value", "lines", "gpu_hours", "cost", "allocated", "unallocated")
    return [tuple(Decimal(row[name]) if name != "value" else row[name] for name in names) for row in rows]


class SameEverywhere(TestCase):
    """For any bill, with any of its lines allocated."""

    @settings(max_examples=12, deadline=None)
    @given(st.lists(LINE, min_size=1, max_size=8), st.sampled_from(["a", "b", "none at all"]))
    def test_page_api_and_files_agree_and_add_up(self, changes, allocated):
        now = timezone.now()
        lines = made_lines(changes, now)
        source = with_rule(EMPTY, Rule("r", (FieldPattern("service", (allocated,)),), "search"))
        allocation.publish(version=allocation.draft(source=source, by=None, now=now), by=None, now=now)
        allocation.assign(slices=list(BillSlice.objects.all()), now=now)
        self.user = User.objects.filter(username="finance").first() or make_person("finance", Role.FINANCE, now=now)
        everything = list(lines.all())
        bill = everything[0].slice.bill
        for currency in {line.currency for line in everything}:
            of_currency = [line for line in everything if line.currency == currency]
            whole = sum(line.effective for line in of_currency)
            taken = sum(line.effective for line in of_currency if line.rule_id)
            for by in BYS:
                self.check(bill, {"by": by, "currency": currency}, whole, taken)

    def check(self, bill, query, whole, taken):
        browser, program = Client(), APIClient()
        browser.force_login(self.user)
        program.force_authenticate(self.user)
        page = browser.get(f"/bills/{bill.pk}/spend/", query).context["found"]
        told = program.get(f"/api/v1/bills/{bill.pk}/spend/", query).json()
        file = browser.get(f"/bills/{bill.pk}/spend.csv", query)
        assert program.get(f"/api/v1/bills/{bill.pk}/spend.csv", query).content == file.content
        assert (page.total.cost, page.total.allocated) == (whole, taken)
        assert page.total.allocated + page.total.unallocated == whole
        hours = page.total.gpu_hours
        assert amounts([told["total"] | {"value": ""}]) == [("", page.total.lines, hours, whole, taken, whole - taken)]
        if query["by"] == LINES:
            cells = rows_of(file)
            assert {row["Currency"] for row in cells} == {query["currency"]}
            costs = [Decimal(line["effective"]) for line in told["lines"]]
            assert costs == [line.effective for line in page.lines]
            assert sorted(costs) == sorted(Decimal(row["Effective cost"]) for row in cells)
            assert sum(costs) == whole
            return
        shown = amounts([vars(row) | {"unallocated": row.unallocated} for row in page.rows])
        assert amounts(told["rows"]) == shown
        names = ("Lines", "GPU hours", "Effective cost", "Allocated", "Unallocated")
        cells = [(next(iter(row.values())), *(Decimal(row[name]) for name in names)) for row in rows_of(file)]
        assert [(escaped(value), *rest) for value, *rest in shown] == cells
        if query["by"] != TAGS:
            assert sum(cost for _, _, _, cost, *_ in shown) == whole
            assert sum(row.gpu_hours for row in page.rows) == hours
            assert sum(cost for *_, cost in shown) == whole - taken
