"""Ledger and trail as files: the same rows, the same permissions, no formula."""

import csv
import io
import tracemalloc
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.http import HttpResponseBase
from django.test import Client
from openpyxl import load_workbook

from governance.audit.models import AuditEvent
from governance.bills.actions import rates
from governance.bills.actions.bills import Delivery, receive
from governance.bills.domain.currencies import CurrencyRate
from governance.bills.tasks import ingest_bill
from governance.exports.domain.tables import XLSX_ROWS_MAX, ExportTable, check_export
from governance.exports.web import IN_MEMORY_BYTES, export
from governance.findings.actions import Sighting, raise_once
from governance.findings.enums import Severity
from governance.people.actions import people
from governance.people.domain.roles import Role
from governance.people.models import Team
from reviews.requests.models import ReviewRequest
from tests.factories.bills import csv_bytes
from tests.factories.people import Cast
from tests.factories.requests import allocate_budget
from tests.pages import html_of
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
        check_export(ExportTable("x", (), (), 0), kind=kind)


def test_too_many_rows_for_a_spreadsheet_are_refused_before_one_is_read() -> None:
    with pytest.raises(TooLarge, match="Use CSV, or reduce the list"):
        check_export(ExportTable("x", (), iter(()), XLSX_ROWS_MAX + 1), kind="xlsx")
    check_export(ExportTable("x", (), (), XLSX_ROWS_MAX), kind="xlsx")
    check_export(ExportTable("x", (), (), XLSX_ROWS_MAX + 1), kind="csv")


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.django_db
def test_a_large_file_takes_no_more_memory_than_a_small_one(kind: str) -> None:
    def written(count: int) -> tuple[HttpResponseBase, int]:
        rows = ((f"row {number}", Decimal(number), "x" * 800) for number in range(count))
        tracemalloc.start()
        answer = export(ExportTable("x", ("a", "b", "c"), rows, count), kind=kind)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return answer, peak

    written(10)  # what is imported on the first call
    large, peak = written(9_000)
    assert peak < 3 * IN_MEMORY_BYTES
    content = large.getvalue()  # type: ignore[attr-defined]  # a response of a file has it, too
    if kind == "csv":
        large.file_to_stream.close()  # type: ignore[attr-defined]  # closing the answer would close the database, too
        assert len(content) == int(large["Content-Length"]) > 5 * IN_MEMORY_BYTES
        assert content.count(b"\r\n") == 9_001
    else:
        assert sum(1 for _ in load_workbook(io.BytesIO(content), read_only=True).active.rows) == 9_001


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


MONTH = "?month=2026-09-01"
PAGES = {
    **{name: f"/{name}/" for name in ("findings", "models", "runs", "bills", "exchange-rates", "spend", "budgets")},
    "spend/cost-centers": "/spend/",
    "spend/unallocated": f"/spend/unallocated/{MONTH}",
}
"""The page that links the file of each list. The one bill is of September, and no rule allocates its line."""


@pytest.mark.parametrize("name", PAGES)
def test_every_list_of_finance_is_a_file(as_: As, cast: Cast, decided: ReviewRequest, now: datetime, name: str) -> None:
    rates.set_rate(rate=CurrencyRate("EUR", now.date(), Decimal("1.1"), "=ECB"), by=cast.finance, now=now)
    bill = receive(upload=ContentFile(csv_bytes(), name="=bill.csv"), delivery=Delivery(), by=cast.finance, now=now)
    ingest_bill(bill.pk)
    seen = Sighting(kind="test", subject="=S", text="Seen.", severity=Severity.LOW, key="k")
    raise_once(sighting=seen, by=None, now=now)
    client = as_(cast.finance)
    query = MONTH if name == "spend/unallocated" else ""
    lines = table(client.get(f"/{name}.csv{query}").content)
    sheet = load_workbook(io.BytesIO(client.get(f"/{name}.xlsx{query}").content)).active
    assert (sheet.max_row, sheet.max_column) == (len(lines), len(lines[0]))
    assert len(lines) == 1 + (2 if name == "budgets" else 1)
    assert client.get(f"/{name}.pdf").status_code == 404
    assert f'href="/{name}.csv' in html_of(client.get(PAGES[name]))
    refused = as_(cast.outsider).get(f"/{name}.csv")
    if name in {"bills", "exchange-rates", "spend/cost-centers", "spend/unallocated"}:
        assert refused.status_code == 403
    else:
        assert len(table(refused.content)) == 1
    assert Client().get(f"/{name}.csv").status_code == 302
