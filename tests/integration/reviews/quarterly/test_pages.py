"""The pages and the API of the quarterly review: walked by a lead, closed to requesters, refusing in words."""

from collections.abc import Callable
from datetime import datetime, timedelta
from importlib import import_module

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from governance.inventory.models import ModelAsset
from reviews.quarterly.actions import cycles, meeting
from reviews.quarterly.domain.quorum import Side
from reviews.quarterly.models import ActionItem, AgendaItem, MeetingDecision, ReviewCycle
from reviews.scorecard.models import Kpi, KpiActual
from tests.factories.cycles import make_action, make_cycle, make_frozen, make_item, make_kpi, met_at, next_quarter
from tests.factories.models import make_version
from tests.factories.people import Cast
from tests.factories.snapshots import snapshot
from tests.pages import html_of, undo_form

pytestmark = pytest.mark.django_db


@pytest.fixture
def asset(cast: Cast, now: datetime) -> ModelAsset:
    return make_version(by=cast.author, now=now).asset


def entered(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def said(client: Client, path: str, data: dict[str, object] | None = None, **more: object) -> tuple[int, str]:
    answer = client.post(path, data, **more) if data is not None else client.get(path)
    return answer.status_code, html_of(answer)


@pytest.fixture
def held(cast: Cast, asset: ModelAsset, now: datetime) -> ReviewCycle:
    """A meeting somebody opened on the page."""
    cycle = make_frozen(now=now)
    make_item(cycle=cycle, by=cast.approver, now=now, asset=asset)
    lead, base = entered(cast.approver), f"/cycles/{cycle.quarter}/"
    assert said(lead, f"{base}start/", {})[0] == 302
    assert said(lead, f"{base}attendance/", {"person": "approver", "side": "engineering"})[0] == 302
    cycle.refresh_from_db()
    return cycle


def test_a_meeting_from_its_opening_to_its_minutes(cast: Cast, held: ReviewCycle, now: datetime) -> None:
    lead, base = entered(cast.approver), f"/cycles/{held.quarter}/"
    item = AgendaItem.objects.get()
    decision = {
        "kind": "keep",
        "rationale": "It earns its cost.",
        "owner": "author",
        "due_on": (now.date() + timedelta(days=20)).isoformat(),
        "amount_usd": "",
    }
    path = f"{base}meeting/{item.pk}/decisions/"
    before = snapshot()
    status, page = said(lead, path, decision)
    assert (status, "There is no quorum: a product lead must be present" in page) == (409, True)
    assert snapshot() == before
    said(lead, f"{base}attendance/", {"person": "product", "side": "product"})
    before = snapshot()
    status, page = said(lead, path, decision | {"owner": ""})
    assert (status, "A decision needs an owner" in page) == (400, True)
    status, page = said(lead, path, decision | {"due_on": ""})
    assert (status, "A decision needs a due date" in page, "It earns its cost." in page) == (400, True, True)
    assert snapshot() == before
    answer = lead.post(path, decision)
    assert (answer.status_code, answer.url) == (302, f"{base}close/")
    assert "The one item is decided." in said(lead, f"{base}close/")[1]
    assert MeetingDecision.objects.get().rationale == "It earns its cost."
    assert said(lead, f"{base}notes/", {"notes": "Short and good."})[0] == 302
    status, page = said(entered(cast.product), f"{base}close/", {})
    assert (status, "take the chair first" in page) == (403, True)
    assert said(lead, f"{base}close/", {})[0] == 302
    status, page = said(lead, base)
    assert (status, "Short and good." in page, "It earns its cost." in page) == (200, True, True)
    answer = lead.get(f"{base}minutes/")
    held.refresh_from_db()
    assert (answer.content.decode(), answer["X-Content-Digest"]) == (held.minutes, held.minutes_digest)
    status, page = said(lead, f"{base}close/", {})
    assert (status, "This cycle is already closed." in page) == (409, True)


def test_the_agenda_is_edited_on_its_page(cast: Cast, asset: ModelAsset, now: datetime) -> None:
    cycle, lead = make_cycle(now=now), entered(cast.product)
    base = f"/cycles/{cycle.quarter}/"
    ranker, written = {"title": "The ranker", "reason": "It is slow."}, f"{asset.team.slug}/{asset.slug}"
    assert f'<option value="{written}">{asset.name}</option>' in said(lead, base)[1]
    for wrong in (asset.slug, f"{written}s", str(asset.pk)):
        status, page = said(lead, f"{base}agenda/", ranker | {"model": wrong})
        assert (status, "write it as team/model" in page, AgendaItem.objects.count()) == (400, True, 0)
    assert said(lead, f"{base}agenda/", ranker | {"model": written})[0] == 302
    assert AgendaItem.objects.get().asset == asset
    assert said(lead, f"{base}agenda/", {"title": "The bidder", "reason": "It is dear."})[0] == 302
    first, second = AgendaItem.objects.order_by("position")
    assert said(lead, f"{base}agenda/{second.pk}/move/", {"position": 1})[0] == 302
    assert [item.title for item in AgendaItem.objects.all()] == ["The bidder", "The ranker"]
    status, page = said(lead, f"{base}agenda/{second.pk}/move/", {"position": 9})
    assert status == 400
    status, page = said(lead, f"{base}agenda/{first.pk}/remove/", {"reason": ""})
    assert (status, "This field is required" in page) == (400, True)
    assert said(lead, f"{base}agenda/{first.pk}/remove/", {"reason": "Not now."})[0] == 302
    assert "Removed (1)" in said(lead, base)[1]
    later = (cycle.cut_off_at + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
    assert said(lead, f"{base}cut-off/", {"cut_off_at": later, "reason": "Bills are late."})[0] == 302
    status, page = said(lead, f"{base}refresh/", {})
    assert (status, "while the cycle is collecting" in page) == (409, True)
    assert said(lead, f"{base}minutes/")[0] == 404
    assert said(lead, f"{base}agenda/999/remove/", {"reason": "Not now."})[0] == 404
    assert said(lead, "/cycles/2001Q1/")[0] == 404


def test_chair_and_attendance_change_hands(cast: Cast, held: ReviewCycle, now: datetime) -> None:
    product, base = entered(cast.product), f"/cycles/{held.quarter}/"
    assert said(product, f"{base}chair/", {})[0] == 302
    assert said(product, f"{base}attendance/leave/", {"person": "approver"})[0] == 302
    status, page = said(product, f"{base}attendance/leave/", {"person": "approver"})
    assert (status, "not recorded as present" in page) == (404, True)
    status, page = said(product, f"{base}attendance/", {"person": "auditor", "side": "product"})
    assert (status, "Auditor is not a product lead" in page) == (403, True)


def addresses() -> list[str]:
    """Every address of the quarterly review, on the pages and in the API."""
    parts = {"quarter": "2026Q4", "item_id": 1, "kind": "csv", "number": 1, "name": "spend"}
    found = []
    for space, module in (("reviews", "reviews.quarterly.urls"), ("api", "reviews.quarterly.api_urls")):
        for each in import_module(module).urlpatterns:
            if each.name.startswith("cycle") and each.name != "cycle-actuals":
                taken = {key: parts[key] for key in each.pattern.converters}
                found.append(reverse(f"{space}:{each.name}", kwargs=taken))
    return sorted(found)


def test_no_requester_finds_the_quarterly_review(
    cast: Cast, asset: ModelAsset, api: Callable[[User | None], APIClient], now: datetime
) -> None:
    item = make_action(cast=cast, now=now, asset=asset)
    before = snapshot()
    web, program = entered(cast.author), api(cast.author)
    wrong = {}
    for url in addresses():
        client = program if url.startswith("/api/") else web
        answers = {client.get(url).status_code, client.post(url, {}).status_code}
        if not answers <= {404, 405} or 404 not in answers:
            wrong[url] = answers
    assert wrong == {}
    assert len(addresses()) >= 43
    assert snapshot() == before
    assert said(web, f"/action-items/{item.ref}/")[0] == 200
    assert said(entered(cast.outsider), f"/action-items/{item.ref}/")[0] == 404


def test_readers_see_it_and_are_offered_nothing(cast: Cast, held: ReviewCycle, now: datetime) -> None:
    for user in (cast.auditor, cast.finance, cast.reviewer_one, cast.admin):
        status, page = said(entered(user), f"/cycles/{held.quarter}/")
        assert (status, "Close the meeting" in page, "Remove item" in page) == (200, False, False)
        assert said(entered(user), "/cycles/")[0] == 200


def test_an_action_item_is_closed_on_its_page_by_its_owner(cast: Cast, asset: ModelAsset, now: datetime) -> None:
    item = make_action(cast=cast, now=now, asset=asset)
    owner, base = entered(cast.author), f"/action-items/{item.ref}/"
    assert said(owner, f"{base}acknowledge/", {})[0] == 302
    status, page = said(owner, f"{base}drop/", {"outcome": "No use."})
    assert (status, "Only a platform lead or a product lead" in page) == (403, True)
    status, page = said(owner, f"{base}finish/", {"outcome": "x"})
    assert (status, "Describe the outcome in 5 to" in page) == (400, True)
    assert said(owner, f"{base}finish/", {"outcome": "Cut by half."})[0] == 302
    assert "Cut by half." in said(owner, base)[1]
    assert said(entered(cast.product), f"{base}drop/", {"outcome": "No use."})[0] == 409


def test_kpis_are_set_supplied_and_retired_on_pages(cast: Cast, asset: ModelAsset, now: datetime) -> None:
    shown = {"quarter": make_cycle(now=now).quarter}
    owner, base = entered(cast.author), f"/models/search/{asset.slug}/kpis/"
    kpi = {
        "slug": "conversion",
        "name": "Conversion",
        "metric": "accuracy",
        "unit": "%",
        "better": "higher",
        "target": "3",
        "owner": "author",
        "data_source": "Web",
        "how_estimated": "Orders over searches.",
    }
    assert said(owner, base, kpi)[0] == 302
    status, page = said(owner, base, kpi | {"slug": "Not This"})
    assert (status, "short name" in page) == (400, True)
    assert said(owner, "/scorecard/", shown | {f"search/{asset.slug}/conversion-value": "3.5"})[0] == 302
    good = f"model,kpi,value\nsearch/{asset.slug},conversion,4\n".encode()
    for content, status in (
        (good, 302),
        (good + b"ads/x,conversion,4\n", 400),
        (b"model\n", 400),
        (b"x" * 2_000_001, 400),
    ):
        sent = shown | {"file": SimpleUploadedFile("a.csv", content)}
        assert said(owner, "/scorecard/upload/", sent)[0] == status
    assert [str(each.value.normalize()) for each in KpiActual.objects.all()] == ["3.5", "4"]
    status, page = said(owner, "/scorecard/")
    assert (status, "Conversion" in page) == (200, True)
    answer = entered(cast.auditor).get(f"/cycles/{ReviewCycle.objects.get().quarter}/scorecard.csv")
    assert b"Conversion" in answer.content
    assert said(owner, f"{base}conversion/retire/", {})[0] == 302
    assert said(owner, f"{base}conversion/retire/", {})[0] == 302
    assert Kpi.objects.get().retired_at is not None
    assert said(owner, f"{base}clicks/retire/", {})[0] == 404
    assert said(owner, base)[0] == 200


def test_a_program_takes_the_whole_way(
    cast: Cast, asset: ModelAsset, api: Callable[[User | None], APIClient], now: datetime
) -> None:
    make_kpi(asset=asset, by=cast.author, now=now)
    cycle, author, lead = make_cycle(now=now), api(cast.author), api(cast.approver)
    actuals = f"/api/v1/cycles/{cycle.quarter}/scorecard/"
    metrics = {"actuals": [{"model": f"search/{asset.slug}", "kpi": "conversion", "value": "3.25"}]}
    kept = author.post(actuals, metrics, format="json")
    assert (kept.status_code, kept.json()[0]["value"], kept.json()[0]["channel"]) == (201, "3.25", "api")
    wrong = author.post(actuals, {"actuals": [metrics["actuals"][0] | {"model": "ads/x"}]}, format="json")
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "model")
    kpi = {
        "slug": "clicks",
        "name": "Clicks",
        "metric": "f1_macro",
        "unit": "%",
        "better": "higher",
        "target": "1",
        "owner": "author",
        "data_source": "Web",
        "how_estimated": "Counted.",
    }
    kpis = f"/api/v1/models/search/{asset.slug}/kpis/"
    assert author.post(kpis, kpi, format="json").status_code == 201
    assert [each["slug"] for each in author.get(kpis).json()] == ["clicks", "conversion"]
    make_item(cycle=make_frozen(now=now), by=cast.approver, now=now, asset=asset)
    base = f"/api/v1/cycles/{cycle.quarter}/"
    assert lead.post(f"{base}start/", {}, format="json").json()["state"] == "held"
    for person, side in (("approver", "engineering"), ("product", "product")):
        assert lead.post(f"{base}attendance/", {"person": person, "side": side}, format="json").status_code == 201
    whole = lead.get(base).json()
    assert (whole["missing"], whole["chair"]) == ([], "Approver")
    assert {line["kpi"]: line["score"]["actual"] for line in whole["scores"]} == {"clicks": None, "conversion": "3.25"}
    decide = f"{base}agenda/{whole['items'][0]['id']}/decisions/"
    bare = lead.post(decide, {"kind": "keep", "rationale": "It earns its cost."}, format="json")
    assert (bare.status_code, bare.json()["errors"][0]["field"]) == (400, "owner")
    decision = {"kind": "keep", "rationale": "It earns its cost.", "owner": "author", "due_on": str(now.date())}
    assert lead.post(decide, decision, format="json").status_code == 201
    ref = ActionItem.objects.get().ref
    assert author.get(f"/api/v1/action-items/{ref}/").json()["state"] == "open"
    done = author.post(f"/api/v1/action-items/{ref}/finish/", {"outcome": "Reported."}, format="json")
    assert (done.json()["state"], done.json()["outcome"]) == ("done", "Reported.")
    closed = lead.post(f"{base}close/", {}, format="json").json()
    assert (closed["state"], closed["minutes"].startswith("# Model Performance")) == ("closed", True)
    assert lead.post(f"{base}close/", {}, format="json").status_code == 409
    assert [each["state"] for each in lead.get("/api/v1/cycles/").json()] == ["closed"]


def test_the_list_before_anything_is_planned(cast: Cast) -> None:
    status, page = said(entered(cast.auditor), "/cycles/")
    assert (status, "No quarter is planned yet" in page) == (200, True)


def test_an_item_that_was_on_an_agenda_before_leads_there(cast: Cast, asset: ModelAsset, now: datetime) -> None:
    ModelAsset.objects.filter(pk=asset.pk).update(owner=cast.outsider)
    first = make_frozen(now=now)
    second = make_frozen(now=next_quarter(now))
    page = said(entered(cast.auditor), f"/cycles/{second.quarter}/")[1]
    assert f"Previously on the agenda of {first.quarter}" in page
    cycles.open_meeting(cycle=second, by=cast.approver, now=met_at(now))
    meeting.record_attendance(cycle=second, person=cast.approver, side=Side.ENGINEERING, by=cast.approver, now=now)
    ModelAsset.objects.filter(pk=asset.pk).update(owner=cast.approver)
    assert "This is your own model, so another lead" in said(entered(cast.approver), f"/cycles/{second.quarter}/")[1]


def test_a_removed_item_is_put_back_by_undo(cast: Cast, now: datetime) -> None:
    cycle, lead = make_cycle(now=now), entered(cast.approver)
    item = make_item(cycle=cycle, by=cast.approver, now=now)
    sent = {"reason": "Not now."}
    form = undo_form(lead.post(f"/cycles/{cycle.quarter}/agenda/{item.pk}/remove/", sent, follow=True))
    item.refresh_from_db()
    assert item.removed_at is not None
    assert f"“{item.title}” is on the agenda again." in html_of(lead.post("/undo/", form, follow=True))
    item.refresh_from_db()
    assert (item.removed_at, item.removed_by, item.removal_reason) == (None, None, "")


def test_an_undo_is_refused_once_the_review_is_closed(cast: Cast, now: datetime) -> None:
    cycle, lead = make_cycle(now=now), entered(cast.approver)
    item = make_item(cycle=cycle, by=cast.approver, now=now)
    path = f"/cycles/{cycle.quarter}/agenda/{item.pk}/remove/"
    form = undo_form(lead.post(path, {"reason": "Not now."}, follow=True))
    held = {"chair": cast.approver, "held_at": now, "minutes": "-", "minutes_digest": "-"}
    ReviewCycle.objects.update(state="closed", closed_at=now, closed_by=cast.approver, **held)
    assert f"The review of {cycle} is closed and cannot be changed." in html_of(lead.post("/undo/", form, follow=True))
    item.refresh_from_db()
    assert item.removed_at is not None


def test_a_message_in_a_fragment_can_be_undone_and_leads_to_no_step(cast: Cast, now: datetime) -> None:
    """The page shows it in place; its own address takes forms alone."""
    cycle, lead = make_cycle(now=now), entered(cast.approver)
    first, second = (make_item(cycle=cycle, by=cast.approver, now=now) for _ in range(2))
    base = f"/cycles/{cycle.quarter}/agenda/"
    lead.post(f"{base}{first.pk}/remove/", {"reason": "Not now."})
    fragment = lead.post(f"{base}{second.pk}/move/", {"position": 1}, headers={"HX-Request": "true"})
    form = undo_form(fragment)
    assert form["page"] == ""
    assert lead.post("/undo/", form)["Location"] == "/#announcements"
    first.refresh_from_db()
    assert first.removed_at is None
