"""Pages and API of bills, allocation rules, rates and spend: who sees what, what is done once, and what is refused."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from governance.bills.actions import allocation
from governance.bills.models import AllocationVersion, Bill, ExchangeRate
from governance.jobs.enums import JobState
from governance.people.approvals.models import Change
from tests.factories.allocation import RULES, publish_rules
from tests.factories.bills import csv_bytes, row
from tests.factories.changes import REASON
from tests.factories.snapshots import snapshot
from tests.pages import html_of

pytestmark = pytest.mark.django_db
PAGES = ("/bills/", "/exchange-rates/", "/allocation-rules/")


def sent(content=None, name="bill.csv", **more):
    return {"file": SimpleUploadedFile(name, csv_bytes() if content is None else content), "kind": "focus", **more}


@pytest.mark.parametrize("page", PAGES)
def test_whole_bills_are_seen_by_those_who_answer_for_them(as_, cast, page):
    for person in (cast.finance, cast.approver, cast.admin, cast.auditor):
        assert as_(person).get(page).status_code == 200
    for person in (cast.author, cast.reviewer_one, cast.outsider):
        assert as_(person).get(page).status_code == 403


def test_a_file_is_sent_and_its_page_tells_of_it(as_, cast, read):
    client = as_(cast.finance)
    answer = client.post("/bills/", sent())
    bill = Bill.objects.get()
    assert (answer.status_code, answer["Location"], bill.origin) == (302, f"/bills/{bill.pk}/", "upload")
    page = html_of(client.get(answer["Location"]))
    assert "Waiting for a worker" in page
    assert "is received" in page
    assert "already received" in html_of(client.post("/bills/", sent(), follow=True))
    assert Bill.objects.count() == 1
    assert "HX-Refresh" not in client.get(f"/bills/{bill.pk}/live/")


def test_the_page_of_a_read_bill_shows_its_report(as_, cast, read, version, now):
    publish_rules(cast=cast, now=now)
    bill = read(csv_bytes([row(), row(Tags="", EffectiveCost="3"), row(BillingCurrency="x")]))
    page = as_(cast.auditor).get(f"/bills/{bill.pk}/")
    words = html_of(page)
    for told in ("BillingCurrency is &#x27;x&#x27;", "row 4", "Unallocated", "FOCUS 1.1", "Sep 2026"):
        assert told in words
    (owned,) = page.context["view"].owned
    assert (owned.currency, owned.allocated, owned.unallocated, owned.lines_unallocated) == ("USD", 8, 3, 1)
    assert "Cancel" not in words
    assert as_(cast.finance).get(f"/bills/{bill.pk}/live/")["HX-Refresh"] == "true"


@pytest.mark.parametrize(
    ("content", "more", "field", "reason"),
    [
        (b"hello\n", {}, "file", "not a CSV header"),
        (csv_bytes(), {"kind": "slurm"}, "cluster", "Give the name of the cluster"),
        (csv_bytes(), {"kind": "abacus"}, "kind", "Select a valid choice"),
    ],
)
def test_a_fault_stands_beside_its_field_and_nothing_moves(as_, cast, content, more, field, reason):
    client, before = as_(cast.finance), snapshot()
    answer = client.post("/bills/", sent(content) | more)
    assert answer.status_code == 200
    assert reason in answer.context["form"].errors[field][0]
    assert snapshot() == before


def test_others_move_nothing(as_, cast, send):
    bill = send(csv_bytes())
    before = snapshot()
    for person, status in ((cast.auditor, 403), (cast.author, 403)):
        assert as_(person).post("/bills/", sent()).status_code == status
        assert as_(person).post("/exchange-rates/", {}).status_code == status
        assert as_(person).post("/allocation-rules/new/", {"source": RULES}).status_code == 403
    for step in ("cancel", "retry"):
        assert as_(cast.author).post(f"/bills/{bill.pk}/{step}/").status_code == 404
        assert as_(cast.auditor).post(f"/bills/{bill.pk}/{step}/").status_code == 302
    assert snapshot() == before


def test_a_bill_is_canceled_and_read_again_from_its_page(as_, cast, send):
    bill, client = send(csv_bytes()), as_(cast.finance)
    assert "is not counted" in html_of(client.post(f"/bills/{bill.pk}/cancel/", follow=True))
    bill.refresh_from_db()
    assert bill.state == JobState.CANCELED
    assert "is queued again" in html_of(client.post(f"/bills/{bill.pk}/retry/", follow=True))
    bill.refresh_from_db()
    assert bill.state == JobState.QUEUED


def test_a_rate_is_set_once_it_is_right(as_, cast):
    client, given = as_(cast.finance), {"currency": "eur", "on": "2026-09-30", "usd": "1.1", "source": "ECB"}
    faulty = client.post("/exchange-rates/", given | {"currency": "usd"})
    assert "US dollars need no rate" in faulty.context["form"].errors["currency"][0]
    assert "1 EUR counts as 1.1 USD" in html_of(client.post("/exchange-rates/", given, follow=True))
    assert ExchangeRate.objects.get().currency == "EUR"


def test_rules_are_tried_saved_and_published_by_another(as_, cast, version, read):
    read(csv_bytes([row(), row(Tags="")]))
    client, before = as_(cast.finance), snapshot()
    tried = client.post("/allocation-rules/new/", {"source": RULES, "month": "2026-09-01", "try": "1"})
    assert [(each.rule, each.lines) for each in tried.context["preview"].rules] == [
        ("visual-search", 1),
        ("shared-gpus", 0),
    ]
    assert snapshot() == before
    saved = client.post("/allocation-rules/new/", {"source": RULES, "month": "2026-09-01", "save": "1"})
    assert saved["Location"] == "/allocation-rules/1/"
    assert "takes two people" in html_of(client.get("/allocation-rules/1/"))
    assert "Give a reason" in html_of(client.post("/allocation-rules/1/propose/", follow=True))
    client.post("/allocation-rules/1/propose/", {"reason": REASON})
    change = Change.objects.get()
    assert f'href="/changes/{change.pk}/"' in html_of(client.get("/allocation-rules/1/"))
    told = "You proposed this change; another person who handles bills must confirm it."
    assert client.get(f"/changes/{change.pk}/").context["cannot_confirm"] == told
    assert told in html_of(client.post(f"/changes/{change.pk}/confirm/", follow=True))
    assert AllocationVersion.objects.get().state == "draft"
    assert "in force" in html_of(as_(cast.admin).post(f"/changes/{change.pk}/confirm/", follow=True))
    assert AllocationVersion.objects.get().state == "published"
    page = as_(cast.auditor).get("/allocation-rules/1/?month=never")
    assert page.context["preview"] is None
    assert "Version 1" in html_of(as_(cast.auditor).get("/allocation-rules/"))
    assert RULES in client.get("/allocation-rules/new/").context["form"].initial["source"]


def test_overlapping_rules_are_refused_beside_the_text(as_, cast, version):
    source = RULES.replace("[shared*], tags: {model: []}", "[shared*]")
    answer = as_(cast.finance).post("/allocation-rules/new/", {"source": source, "save": "1"})
    assert "overlap: a row with subaccount" in answer.context["form"].errors["source"][0]
    assert as_(cast.finance).get("/allocation-rules/new/").context["form"].initial["source"].startswith("apiVersion")


def test_spend_is_of_ones_own_teams(as_, cast, version, read, now):
    publish_rules(cast=cast, now=now)
    read(csv_bytes([row(), row(Tags="", SubAccountId="shared"), row(Tags="", BillingCurrency="EUR")]))
    seen = {name: as_(getattr(cast, name)).get("/spend/") for name in ("author", "outsider", "finance", "reviewer_one")}
    assert {name: [row.team for row in page.context["rows"]] for name, page in seen.items()} == {
        "author": ["search"],
        "outsider": ["ads"],
        "finance": ["ads", "search", ""],
        "reviewer_one": [],
    }
    assert "have no exchange rate for this month" in html_of(seen["finance"])
    assert "No spend on record" in html_of(seen["reviewer_one"])
    assert as_(cast.finance).get("/spend/?month=2026-09-01").context["chosen"].month.month == 9
    file = html_of(as_(cast.author).get("/spend.csv"))
    assert ('"search","visual-search","8.000000000000"' in file, '"ads"' in file) == (True, False)


def test_programs_send_bills_and_read_reports(api, cast, read):
    client = api(cast.finance)
    answer = client.post("/api/v1/bills/", sent(), format="multipart")
    assert (answer.status_code, answer.json()["state"], answer.json()["origin"]) == (201, "queued", "api")
    number = answer.json()["id"]
    assert client.post(f"/api/v1/bills/{number}/cancel/", {}, format="json").json()["state"] == "canceled"
    assert client.post(f"/api/v1/bills/{number}/retry/", {}, format="json").json()["state"] == "queued"
    done = read(csv_bytes([row(SkuId="b")]))
    assert client.get(f"/api/v1/bills/{done.pk}/").json()["report"]["rows_kept"] == 1
    assert [each["id"] for each in client.get("/api/v1/bills/").json()["results"]] == [done.pk, number]
    refused = client.post("/api/v1/bills/", sent(b"hello\n"), format="multipart")
    assert (refused.status_code, refused.json()["code"]) == (400, "columns")
    assert api(cast.author).get("/api/v1/bills/").status_code == 403
    assert api(cast.author).post("/api/v1/bills/", sent(b"x,y\n"), format="multipart").status_code == 403
    assert api(cast.author).get(f"/api/v1/bills/{done.pk}/").status_code == 404


def test_programs_allocate_and_read_spend(api, cast, version, read, now):
    read(csv_bytes([row()]))
    finance, admin = api(cast.finance), api(cast.admin)
    tried = finance.post(
        "/api/v1/allocation-rules/preview/", {"source": RULES, "month": "2026-09-17"}, format="json"
    ).json()
    assert (tried["rules"][0]["costs"], tried["unallocated"]["lines"]) == ({"USD": "8"}, 0)
    drafted = finance.post("/api/v1/allocation-rules/", {"source": RULES}, format="json")
    assert (drafted.status_code, drafted.json()["number"], drafted.json()["source"]) == (201, 1, RULES)
    proposed = finance.post("/api/v1/allocation-rules/1/propose/", {"reason": REASON}, format="json")
    assert (proposed.status_code, proposed.json()["kind"]) == (201, "allocation")
    url = f"/api/v1/changes/{proposed.json()['id']}/confirm/"
    assert finance.post(url, {}, format="json").status_code == 403
    assert admin.post(url, {}, format="json").json()["state"] == "confirmed"
    assert [each["number"] for each in admin.get("/api/v1/allocation-rules/").json()] == [1]
    assert admin.get("/api/v1/allocation-rules/1/").json()["published_by"] == "admin"
    allocation.assign(slices=list(Bill.objects.get().slices.all()), now=now)
    (spent,) = api(cast.author).get("/api/v1/spend/?month=2026-09-30").json()
    assert (spent["team"], spent["model"], spent["effective_usd"], spent["month"]) == (
        "search",
        "visual-search",
        "8",
        "2026-09-01",
    )
    assert api(cast.outsider).get("/api/v1/spend/").json() == []
    assert b"visual-search" in api(cast.author).get("/api/v1/spend.csv").content
    rate = {"currency": "EUR", "on": "2026-09-30", "usd": "1.1", "source": "ECB"}
    assert finance.post("/api/v1/exchange-rates/", rate, format="json").status_code == 201
    assert admin.get("/api/v1/exchange-rates/").json()["results"][0]["usd"] == "1.1"
