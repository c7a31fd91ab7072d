"""Requests by month: supplied typed in, as a file and by programs; what they tell of the difference."""

import csv
import io
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction

from benchmarking.projections.models import CostProjection
from governance.audit.models import AuditEvent
from governance.bills.actions import rates
from governance.bills.domain.currencies import CurrencyRate
from reviews.evidence import actions as traffic
from reviews.evidence.domain.traffic_file import MonthTraffic
from reviews.evidence.models import RequestProjection, Traffic
from reviews.evidence.queries import comparison
from tests.factories.bills import csv_bytes
from tests.integration.governance.bills.conftest import read, send
from tests.integration.reviews.workflow.test_costs import billed, draft_after, estimated, months, rules
from tests.pages import html_of
from weighbridge.core.errors import Invalid, NotAllowed, WrongState

__all__ = ["draft_after", "estimated", "months", "read", "rules", "send"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def projected(decided, cast, now):
    """A load of 1,000 requests a month on one replica hour."""
    document = {
        "seed": 1,
        "snapshot": "s",
        "load": {"requests_per_year": 12_000.0},
        "draws": 1,
        "prices": [],
        "options": [{"id": "own", "parts": {"serving": {"quantities": {"replica_hours": 12.0}}}}],
    }
    projection = CostProjection.objects.create(
        token="t" * 20, title="T", spec={}, document=document, digest="sha256:" + "a" * 64, kept_at=now
    )
    return RequestProjection.objects.create(
        request=decided, number=1, projection=projection, option="own", stated_by=cast.author, stated_at=now
    )


def test_the_parts_stand_on_the_page_in_the_file_and_for_programs(
    as_, api, cast, decided, months, estimated, rules, read, projected
):
    """1,500 requests for 1,000, two GPU hours for one, 80 dollars an hour for 100: 50 + 50 - 40."""
    read(csv_bytes([billed(months[0], 160)]))
    path = f"/requests/{decided.ref}/bills/"
    assert "missing: the month&#x27;s number of requests" in html_of(as_(cast.author).get(path))
    said = {"month": f"{months[0]:%Y-%m}", "requests": "1500", "source": "gateway"}
    assert as_(cast.author).post(path, said).status_code == 302
    page = html_of(as_(cast.author).get(path))
    assert "volume $50.00" in page
    assert "40.00</span>" in page
    told = api(cast.author).get(f"/api/v1/requests/{decided.ref}/bills/").json()["months"][0]
    assert (told["parts"], told["difference"]) == ({"volume": "50", "efficiency": "50", "price": "-40"}, "60")
    text = as_(cast.author).get(f"/requests/{decided.ref}/bills.csv").content.decode("utf-8-sig")
    first = next(csv.DictReader(io.StringIO(text)))
    assert [first[f"x_Variance{name}"].lstrip("'") for name in ("Volume", "Efficiency", "Price", "Total")] == [
        "50.00",
        "50.00",
        "-40.00",
        "60.000000000000",
    ]


def test_a_later_row_takes_the_place_and_rows_are_never_changed(api, as_, cast, decided, months, now):
    path = f"/requests/{decided.ref}/bills/"
    file = SimpleUploadedFile("t.csv", f"month,requests\n{months[0]:%Y-%m},7\n{months[1]:%Y-%m},8\n".encode())
    assert as_(cast.product).post(path, {"file": file}).status_code == 302
    sent = {"traffic": [{"month": f"{months[0]:%Y-%m}", "requests": 9}]}
    answer = api(cast.author).post(f"/api/v1{path}", sent, format="json")
    assert answer.status_code == 201, answer.content
    assert [each["requests"] for each in answer.json()["months"][:2]] == [9, 8]
    assert list(Traffic.objects.values_list("channel", "requests")) == [("csv", 7), ("csv", 8), ("api", 9)]
    assert AuditEvent.objects.filter(kind="traffic.supplied").count() == 2
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        connection.cursor().execute("UPDATE evidence_traffic SET requests = 1")


def test_who_may_not_and_what_is_wrong_moves_nothing(as_, cast, decided, months, draft_after, now):
    good = MonthTraffic(months[0], 7)

    def refused(kind, words, *rows, by=cast.author, request=decided, at=now):
        with pytest.raises(kind, match=words):
            traffic.supply_traffic(request=request, months=rows, channel="form", by=by, now=at)

    refused(NotAllowed, "not a requester of the team", good, by=cast.outsider)
    refused(NotAllowed, "Only a requester", good, by=cast.auditor)
    refused(Invalid, "Supply 1 to 120 months")
    refused(
        Invalid, "Row 3: 1999-01 is not a month of", good, MonthTraffic(months[0].replace(year=1999, month=1), 7, row=3)
    )
    refused(Invalid, "^The number of requests must be", good, MonthTraffic(months[0], -1))
    refused(Invalid, "its first whole month has not begun", good, at=now - timedelta(days=100))
    refused(WrongState, "there is none yet", good, request=draft_after)
    path = f"/requests/{decided.ref}/bills/"
    page = as_(cast.author).post(path, {"month": "soon"})
    assert (page.status_code, "Enter the requests" in page.content.decode()) == (400, True)
    big = SimpleUploadedFile("t.csv", b"m" * 100_001)
    assert "more than 100,000 bytes" in as_(cast.author).post(path, {"file": big}).content.decode()
    assert as_(cast.author).post(path, {"month": "soon", "requests": "1"}).status_code == 400
    assert Traffic.objects.count() == 0


def test_the_year_before_is_the_bar_where_bills_hold_it(as_, cast, decided, months, estimated, rules, read, now):
    year = [months[0].replace(year=months[0].year - 1)]
    while len(year) < 12:
        year.append(comparison.month_end(year[-1]))
    read(csv_bytes([billed(month, 90, "model") for month in year[:11]]))
    assert comparison.compare_costs(request=decided, now=now).outlook.naive is None
    read(csv_bytes([billed(year[11], 45, "model"), billed(year[11], 45) | {"BillingCurrency": "EUR"}]))
    assert comparison.compare_costs(request=decided, now=now).outlook.naive is None, "a part has no exchange rate"
    rate = CurrencyRate("EUR", comparison.month_end(year[11]) - timedelta(days=1), Decimal(1), "ECB")
    rates.set_rate(rate=rate, by=cast.finance, now=now)
    assert comparison.compare_costs(request=decided, now=now).outlook.naive == Decimal(1080)
    assert "As the year before" in as_(cast.author).get(f"/requests/{decided.ref}/bills/").content.decode()
