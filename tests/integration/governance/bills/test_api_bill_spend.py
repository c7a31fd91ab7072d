"""The breakdown of a bill over the API: the numbers of the page, who reads them, and what is refused."""

from decimal import Decimal

import pytest
from django.test import Client

from tests.factories.allocation import publish_rules
from tests.factories.bills import csv_bytes, row
from tests.factories.people import make_person
from tests.factories.snapshots import snapshot

pytestmark = pytest.mark.django_db
ROWS = [
    row(),  # allocated by its tag
    row(Tags="", EffectiveCost="3.005", SkuId="sku-1"),
    row(Tags='{"cost center":"a,b\\n=1+1"}', EffectiveCost="1.10", SkuId="sku-1"),
    row(Tags="", EffectiveCost="-0.5", ChargeCategory="Credit", SkuId="sku-2"),
    row(Tags="", EffectiveCost="7", BillingCurrency="EUR", ServiceName="Compute"),
]
USD = {
    "currency": "USD",
    "lines": 4,
    "lines_unallocated": 3,
    "cost": "11.605",
    "allocated": "8",
    "gpu_hours": "8",
    "unallocated": "3.605",
}


@pytest.fixture
def bill(version, cast, now, read):
    publish_rules(cast=cast, now=now)
    return read(csv_bytes(ROWS))


@pytest.fixture
def asked(api, bill):
    def answer(user, query="", path="/"):
        return api(user).get(f"/api/v1/bills/{bill.pk}/spend{path}{query}")

    return answer


def test_a_breakdown_says_cost_share_and_who_has_it(asked, cast):
    found = asked(cast.finance).json()
    assert (found["by"], found["page"], found["next_page"], found["lines"], found["rest"]) == (
        "service",
        1,
        None,
        [],
        None,
    )
    assert found["total"] == USD
    assert found["totals"][0] == USD
    assert [(each["currency"], each["unallocated"]) for each in found["totals"]] == [("USD", "3.605"), ("EUR", "7")]
    assert found["rows"] == [
        {
            "value": "AmazonSageMaker",
            "name": "AmazonSageMaker",
            "lines": 4,
            "lines_unallocated": 3,
            "cost": "11.605",
            "allocated": "8",
            "gpu_hours": "8",
            "unallocated": "3.605",
            "share": "1",
            "owners": [{"team": "Search", "cost": "8"}],
        }
    ]


def test_a_selection_leads_to_the_lines(asked, cast):
    rows = asked(cast.finance, "?by=sku&team=&service=AmazonSageMaker").json()["rows"]
    assert [(each["value"], each["cost"], each["share"]) for each in rows] == [
        ("sku-1", "4.105", "1.138696"),
        ("sku-2", "-0.5", "-0.138696"),
    ]
    lines = asked(cast.finance, "?by=lines&sku=sku-1&sku=ml.g5.xlarge").json()["lines"]
    assert [(line["effective"], line["team"], line["rule"], line["tags"]) for line in lines] == [
        ("8", "search", "visual-search", {"model": "visual-search"}),
        ("3.005", None, None, {}),
        ("1.1", None, None, {"cost center": "a,b\n=1+1"}),
    ]
    assert asked(cast.finance, "?tags.cost%20center=a,b%0A=1%2B1").json()["total"]["lines"] == 1
    nothing = asked(cast.finance, "?sku=gone").json()
    assert (nothing["total"], nothing["totals"], nothing["rows"]) == (None, [], [])
    assert asked(cast.finance, "?currency=EUR").json()["total"]["cost"] == "7"


def test_the_page_and_the_api_show_the_same(asked, bill, cast):
    page = Client()
    page.force_login(cast.finance)
    for by in ("service", "sku", "team", "tags", "tags.model", "region"):
        shown = page.get(f"/bills/{bill.pk}/spend/", {"by": by}).context["found"]
        told = asked(cast.finance, f"?by={by}").json()
        assert [(each["value"], Decimal(each["cost"]), Decimal(each["allocated"])) for each in told["rows"]] == [
            (each.value, each.cost, each.allocated) for each in shown.rows
        ]
        for kind in ("csv", "xlsx"):
            name = f'attachment; filename="bill-{bill.pk}-by-'
            assert asked(cast.finance, f"?by={by}", f".{kind}")["Content-Disposition"].startswith(name)
        file = page.get(f"/bills/{bill.pk}/spend.csv", {"by": by})
        assert asked(cast.finance, f"?by={by}", ".csv").content == file.content
    lines = asked(cast.finance, "?by=lines", ".csv")
    assert lines["Content-Disposition"] == f'attachment; filename="bill-{bill.pk}-lines.csv"'


def test_pages_are_bounded_and_follow_each_other(api, cast, read):
    bill = read(csv_bytes([row(SkuId=f"sku-{number:03}", EffectiveCost=str(number)) for number in range(1, 61)]))
    address = f"/api/v1/bills/{bill.pk}/spend/?by="
    first, second = (api(cast.auditor).get(f"{address}sku&page={page}").json() for page in (1, 2))
    assert (len(first["rows"]), first["next_page"], first["rest"]["lines"]) == (50, 2, 10)
    assert (len(second["rows"]), second["next_page"], second["rest"]["lines"]) == (10, None, 50)
    assert Decimal(first["rest"]["cost"]) == sum(range(1, 11))
    assert [each["value"] for each in second["rows"]] == [f"sku-{number:03}" for number in range(10, 0, -1)]
    lines = api(cast.auditor).get(f"{address}lines&page=2").json()
    assert (len(lines["lines"]), lines["next_page"], lines["rows"]) == (10, None, [])


def test_whoever_answers_for_bills_reads_it_and_nobody_else_hears_of_it(asked, api, bill, cast, now):
    before = snapshot()
    for person in (cast.finance, cast.approver, cast.admin, cast.auditor):
        for path in ("/", ".csv", ".xlsx"):
            assert asked(person, path=path).status_code == 200
    strangers = (cast.author, cast.reviewer_one, cast.outsider, make_person("nobody", now=now))
    for person in strangers:
        for query in ("", "?by=nothing", "?page=0"):
            for path in ("/", ".csv", ".pdf"):
                refused = asked(person, query, path)
                assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    assert Client().get(f"/api/v1/bills/{bill.pk}/spend/").status_code in {401, 403}
    assert api(cast.finance).get("/api/v1/bills/9999999/spend/").status_code == 404
    before.pop("authtoken.Token", None)
    assert api(cast.finance).post(f"/api/v1/bills/{bill.pk}/spend/", {}).status_code == 405


@pytest.mark.parametrize(
    "query",
    [
        "by=x",
        "by=tags.",
        "page=0",
        "page=201",
        "page=x",
        "currency=DOLLARS",
        "color=red",
        "sku=%00",
        "&".join(f"sku={number}" for number in range(51)),
    ],
    ids=["by", "no-tag", "zero", "far", "letters", "currency", "unknown", "nul", "many"],
)
def test_what_cannot_be_meant_is_refused(asked, cast, query):
    assert asked(cast.finance, f"?{query}").status_code == 400
    assert asked(cast.finance, f"?{query}", ".csv").status_code == 400
