"""Prices of the organization: who publishes them, what holds, what the page and a program are told, what is
on record.
"""

import json
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client
from rest_framework.test import APIClient

from benchmarking.prices import actions as prices
from benchmarking.prices.models import PriceSource
from benchmarking.prices.queries import price_book, search_prices, sources_in_force
from benchmarking.prices.rules import check_price
from governance.audit.models import AuditEvent
from governance.people.domain.roles import Person, Role
from tests.factories.people import Cast
from tests.factories.snapshots import snapshot
from tests.pages import html_of
from tests.unit.toolkit.costs.builders import sheet
from weighbridge.core.errors import Invalid, NotAllowed, TooLarge, WrongState
from weighbridge.costs.prices.files.lists import list_document
from weighbridge.costs.prices.importers.litellm import read_litellm
from weighbridge.costs.prices.price import Meter
from weighbridge.costs.prices.published import SourceKind, read_published

Api = Callable[[User | None], APIClient]
DAY = date(2026, 10, 30)
G5 = "aws/us-east-1/g5.xlarge"
RATES = """
apiVersion: weighbridge/v1
kind: NegotiatedRates
organization: example
rates: [{sku: aws/*/g5.*, discount: 0.22, from: 2026-01-01, source: agreement 12}]
"""


def lab(usd: str = "1.25", **changes: Any) -> str:
    return json.dumps(sheet(prices=[{"name": "rack-a", "on_demand": usd, "gpu": "L4", "gpus": 2}], **changes))


def publish(cast: Cast, now: datetime, text: str = "") -> PriceSource:
    return prices.publish(text=text or lab(), by=cast.finance, now=now)


def client_of(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def test_a_published_list_stands_beside_the_shipped_book(cast: Cast, now: datetime) -> None:
    publish(cast, now)
    found = price_book(DAY)
    assert found.find("lab/basement/rack-a").usd == Decimal("1.25")
    assert found.find(G5).usd == Decimal("1.006")
    publish(cast, now, lab("1.40"))
    assert price_book(DAY).find("lab/basement/rack-a").usd == Decimal("1.40")
    assert [source.content for source in sources_in_force()] == [lab("1.40")]


def test_a_published_contract_takes_the_place_of_list_prices(cast: Cast, now: datetime) -> None:
    source = publish(cast, now, RATES)
    found = price_book(DAY).find(G5)
    assert (source.kind, source.name, found.usd) == ("rates", "example", Decimal("0.78468"))
    assert found.list_price is not None
    assert found.list_price.usd == Decimal("1.006")
    assert [price.usd for price in search_prices(book=price_book(DAY), wanted="US-EAST-1/G5.XL")] == [
        Decimal("0.78468")
    ]


def test_an_imported_list_brings_opinions_and_retirements(cast: Cast, now: datetime, tmp_path: Any) -> None:
    model = {
        "litellm_provider": "openai",
        "mode": "chat",
        "input_cost_per_token": 3e-07,
        "deprecation_date": "2027-01-01",
    }
    (tmp_path / "models.json").write_text(json.dumps({"gpt-4o-mini": model}))
    with (tmp_path / "models.json").open() as stream:
        publish(cast, now, json.dumps(list_document(read_litellm(stream, as_of=date(2026, 10, 1)))))
    found = price_book(DAY).find("openai/gpt-4o-mini", meter=Meter.INPUT)
    assert (found.usd, str(found.retirement and found.retirement.on)) == (Decimal("0.15"), "2027-01-01")
    assert [len(each.prices) for each in price_book(DAY).disagreements()] == [2]


def test_the_same_content_again_changes_nothing(cast: Cast, now: datetime) -> None:
    first = publish(cast, now)
    before = snapshot()
    assert publish(cast, now) == first
    assert snapshot() == before


def test_a_withdrawn_source_holds_no_longer_and_can_be_published_again(cast: Cast, now: datetime) -> None:
    source = publish(cast, now)
    prices.withdraw(source=source, reason=" It has ended. ", by=cast.approver, now=now)
    assert sources_in_force() == []
    with pytest.raises(WrongState, match="lab is no longer in force"):
        prices.withdraw(source=source, reason="Withdrawn again.", by=cast.approver, now=now)
    publish(cast, now)
    assert len(sources_in_force()) == 1
    kinds = AuditEvent.objects.filter(subject_type="price source").order_by("position")
    assert list(kinds.values_list("kind", "reason")) == [
        ("prices.published", ""),
        ("prices.withdrawn", "It has ended."),
        ("prices.published", ""),
    ]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("just words", "file"),
        ("[1]", "file"),
        ("{kind: Policy}", "file"),
        ("{", "file"),
        (lab(as_of="May"), "as_of"),
        (lab(name="x" * 121), "name"),
        (lab("-1"), "prices[0].on_demand"),
    ],
)
def test_what_is_no_source_is_refused_and_nothing_is_kept(text: str, field: str, cast: Cast, now: datetime) -> None:
    before = snapshot()
    with pytest.raises(Invalid) as refused:
        publish(cast, now, text)
    assert refused.value.field == field
    assert snapshot() == before


def test_a_source_beyond_four_megabytes_is_refused() -> None:
    with pytest.raises(TooLarge, match="larger than 4 MB"):
        read_published("#" * 4_000_001)
    assert read_published(RATES).kind is SourceKind.RATES


@pytest.mark.parametrize("reason", ["", "  ", "Too short", "x" * 2_001])
def test_a_withdrawal_has_a_reason(reason: str, cast: Cast, now: datetime) -> None:
    source = publish(cast, now)
    with pytest.raises(Invalid) as refused:
        prices.withdraw(source=source, reason=reason, by=cast.finance, now=now)
    assert refused.value.field == "reason"
    assert sources_in_force() == [source]


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("is_active", [True, False])
def test_who_may_publish(role: Role, is_active: bool) -> None:
    person = Person(id=1, username="x", is_active=is_active, roles=frozenset({role}), teams=frozenset())
    if is_active and role in {Role.FINANCE, Role.PLATFORM_LEAD}:
        check_price(person)
        return
    with pytest.raises(NotAllowed, match="Only finance and platform leads"):
        check_price(person)


@pytest.mark.parametrize("name", ["author", "reviewer_one", "admin", "auditor", "outsider"])
def test_nobody_else_publishes_or_withdraws(name: str, cast: Cast, now: datetime) -> None:
    source, user = publish(cast, now), getattr(cast, name)
    before = snapshot()
    with pytest.raises(NotAllowed):
        prices.publish(text=RATES, by=user, now=now)
    with pytest.raises(NotAllowed):
        prices.withdraw(source=source, reason="No.", by=user, now=now)
    browser = client_of(user)
    upload = SimpleUploadedFile("rates.yaml", RATES.encode())
    for path, sent in (("publish", {"file": upload}), ("withdraw", {"source": source.pk, "reason": "No."})):
        page = html_of(browser.post(f"/prices/{path}/", sent, follow=True))
        assert "Only finance and platform leads publish" in page
    assert snapshot() == before


def test_the_database_keeps_sources_as_they_were(cast: Cast, now: datetime) -> None:
    source = publish(cast, now)
    fields = {"published_by": cast.finance, "published_at": now}
    for attempt in (
        lambda: PriceSource.objects.filter(pk=source.pk).update(content=""),
        source.delete,
        lambda: PriceSource.objects.create(kind="list", name="", **fields),
        lambda: PriceSource.objects.create(kind="gift", name="x", **fields),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            attempt()


def test_the_page_shows_price_day_source_and_marks(cast: Cast, now: datetime) -> None:
    browser = client_of(cast.finance)
    page = html_of(browser.get("/prices/"))
    assert "Nothing is published" in page
    upload = SimpleUploadedFile("rates.yaml", RATES.encode())
    page = html_of(browser.post("/prices/publish/", {"file": upload}, follow=True))
    assert "example is now in force" in page
    assert "1 negotiated rate)" in page
    page = html_of(browser.get("/prices/", {"q": "us-east-1/*g5.xlarge"}))
    for words in ("0.78468", "list 1.006", "agreement 12", "1.4084", "outdated: "):
        assert words in page
    page = html_of(browser.get("/prices/", {"q": "gpt-4o-mini"}))
    assert "successor gpt-6-luna" in page
    assert "No matching SKU" in html_of(browser.get("/prices/", {"q": "nothing-like-it"}))
    sent = {"source": PriceSource.objects.get().pk, "reason": "It has ended."}
    assert "example is withdrawn" in html_of(browser.post("/prices/withdraw/", sent, follow=True))


def test_a_disagreement_is_marked_on_the_page_and_for_programs(cast: Cast, api: Api, now: datetime) -> None:
    other = sheet(
        provider="aws", region="us-east-1", as_of="2026-05-01", prices=[{"name": "g5.xlarge", "on_demand": "2"}]
    )
    publish(cast, now, json.dumps(other))
    page = html_of(client_of(cast.author).get("/prices/", {"q": G5}))
    assert "other source: 2 on 2026-05-01, quotation 4711" in page
    assert page.count("other source:") == 2
    publish(cast, now, RATES)
    page = html_of(client_of(cast.author).get("/prices/", {"q": G5}))
    assert page.count("other source:") == 2, "a contract does not disagree with the list price it stands on"
    prices.withdraw(source=PriceSource.objects.get(kind="rates"), reason="It has ended.", by=cast.finance, now=now)
    assert "Only finance and platform leads publish" in page
    found = api(cast.author).get("/api/v1/prices/", {"q": G5, "on": "2026-10-30"}).json()["results"]
    assert [(row["usd"], row["as_of"], row["is_disputed"]) for row in found] == [
        ("1.006", "2026-07-20", True),
        ("2", "2026-05-01", True),
    ]
    assert found[0]["source"].startswith("karpenter-provider-aws")
    assert (found[0]["list_usd"], found[0]["retires_on"], found[0]["successor"]) == (None, None, "")
    model = api(cast.author).get("/api/v1/prices/", {"q": "openai/gpt-4o-mini"}).json()["results"][0]
    assert (model["retires_on"], model["successor"], model["is_disputed"]) == ("2027-01-14", "gpt-6-luna", False)


def test_forms_without_a_file_or_a_reason_say_so(cast: Cast, now: datetime) -> None:
    browser, source = client_of(cast.finance), publish(cast, now)
    for path, sent in (("publish", {}), ("withdraw", {"source": source.pk, "reason": ""})):
        answer = browser.post(f"/prices/{path}/", sent)
        assert answer.status_code == 400
        assert "This field is required" in html_of(answer)
    assert browser.post("/prices/withdraw/", {"source": source.pk + 1, "reason": "x"}).status_code == 404
