"""Ledger and trail as files: the same rows, the same permissions, no formula."""

import csv
import io
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client
from openpyxl import load_workbook

from governance.audit.models import AuditEvent
from governance.exports.domain.tables import ROWS_MAX, ExportTable, content_of
from governance.people.actions import people
from governance.people.domain.roles import Role
from governance.people.models import Team
from tests.factories.people import Cast
from tests.factories.requests import allocate_budget
from weighbridge.core.errors import NotFound, TooLarge

As = Callable[[User], Client]
LEDGER = "/budgets/search/{}/USD/ledger.{}"


def table(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.fixture
def quarter(cast: Cast, team: Team, now: datetime) -> str:
    allocate_budget(by=cast.finance, now=now, team=team, usd="1234.50")
    return f"{now.year}Q{(now.month + 2) // 3}"


def test_a_ledger_as_csv_and_as_xlsx(as_: As, cast: Cast, quarter: str) -> None:
    response = as_(cast.author).get(LEDGER.format(quarter, "csv"))
    assert response["Content-Disposition"] == f'attachment; filename="ledger-search-{quarter}-USD.csv"'
    assert (response["Content-Type"], response["X-Content-Type-Options"]) == ("text/csv; charset=utf-8", "nosniff")
    header, booking = table(response.content)
    assert header[:3] == ["Booked", "Posting", "Request"]
    assert booking[1:8] == ["allocate", "", "", "Finance", "1234.50", "1234.50", "1234.50"]
    sheet = load_workbook(io.BytesIO(as_(cast.author).get(LEDGER.format(quarter, "xlsx")).content)).active
    assert Decimal(str(sheet["F2"].value)) == Decimal("1234.5")
    assert (sheet["F2"].data_type, sheet["B2"].value, sheet.max_row) == ("n", "allocate", 2)


def test_another_team_sees_no_ledger(as_: As, cast: Cast, quarter: str) -> None:
    assert as_(cast.outsider).get(LEDGER.format(quarter, "csv")).status_code == 404
    assert Client().get(LEDGER.format(quarter, "csv")).status_code == 302


@pytest.mark.parametrize("kind", ["pdf", "csvx"])
def test_other_kinds_are_not_there(as_: As, cast: Cast, quarter: str, kind: str) -> None:
    assert as_(cast.author).get(LEDGER.format(quarter, kind)).status_code == 404
    with pytest.raises(NotFound, match="Use csv or xlsx"):
        content_of(ExportTable("x", (), (), 0), kind=kind)


def test_too_many_rows_are_refused_before_one_is_read() -> None:
    with pytest.raises(TooLarge, match="Reduce the list"):
        content_of(ExportTable("x", (), iter(()), ROWS_MAX + 1), kind="csv")
    assert content_of(ExportTable("x", ("a",), (), ROWS_MAX), kind="csv").endswith(b'"a"\r\n')


def test_the_trail_as_csv_is_what_the_filters_say_and_holds_no_formula(as_: As, cast: Cast, now: datetime) -> None:
    evil = User.objects.create_user("=cmd|' /C calc'!A0")
    people.grant_role(user=evil, role=Role.REVIEWER, by=None, now=now)
    rows = table(as_(cast.auditor).get("/audit.csv?kind=role.granted").content)[1:]
    assert len(rows) == AuditEvent.objects.filter(kind="role.granted").count()
    assert rows[0][4] == "'=cmd|' /C calc'!A0"
    assert rows[0][11] == AuditEvent.objects.latest("position").hash
    book = load_workbook(io.BytesIO(as_(cast.auditor).get("/audit.xlsx").content))
    assert {cell.data_type for row in book.active.iter_rows() for cell in row} <= {"n", "s", "inlineStr"}


@pytest.mark.parametrize("person", ["author", "reviewer_one", "approver", "finance", "outsider"])
def test_nobody_else_takes_the_trail_away(as_: As, cast: Cast, person: str) -> None:
    assert as_(getattr(cast, person)).get("/audit.csv").status_code == 403


def test_the_pages_offer_their_files(as_: As, cast: Cast, quarter: str) -> None:
    assert b'href="/audit.csv?kind=role"' in as_(cast.auditor).get("/audit/?kind=role").content
    account = as_(cast.author).get(f"/budgets/search/{quarter}/USD/").content
    assert f'href="{LEDGER.format(quarter, "xlsx")}"'.encode() in account
