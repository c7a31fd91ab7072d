"""The search: a reference leads to its page, words list what the person may see, and a stranger finds nothing."""

from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile

from benchmarking.runs.models import Run
from governance.bills.actions import bills
from governance.bills.actions.bills import Delivery
from governance.findings.actions import Sighting, raise_once
from governance.findings.enums import Severity
from governance.notifications.models import TeamWebhook
from governance.operations.web.places import PLACES, may_see_tables, open_places
from governance.people.models import Team
from governance.people.queries.people import person_of
from reviews.quarterly.models import ActionItem
from reviews.requests.models import ReviewRequest
from reviews.search.queries.pages import STEPS
from tests.factories.absences import make_absence
from tests.factories.bills import csv_bytes
from tests.factories.cycles import make_action, make_cycle
from tests.factories.people import TEAM, Cast
from tests.integration.governance.budgets.audited import changed
from tests.integration.reviews.requests.reading import enter, words

pytestmark = pytest.mark.django_db


def led_to(user: User, text: str) -> str:
    """Where a search leads; "" if it lists hits."""
    response = enter(user).get("/search/", {"q": text})
    return response.headers.get("Location", "")


def hits(user: User, text: str) -> dict[str, list[str]]:
    groups = enter(user).get("/search/", {"q": text}).context["groups"]
    return {group.title: [hit.path for hit in group.hits] for group in groups}


def test_each_reference_leads_to_its_page(decided: ReviewRequest, cast: Cast, now: datetime) -> None:
    run = Run.objects.first()
    assert run is not None
    cycle = make_cycle(now=now)
    make_action(cast=cast, now=now, asset=decided.model_version.asset)
    action = ActionItem.objects.get()
    sighting = Sighting(kind="budget.overrun", subject="search", text="Over.", severity=Severity.HIGH, key="over")
    finding = raise_once(sighting=sighting, by=None, now=now)
    number = decided.decision.authorization.number
    assert led_to(cast.approver, decided.ref.lower()) == f"/requests/{decided.ref}/"
    assert led_to(cast.approver, number) == f"/requests/{decided.ref}/#authorization"
    assert led_to(cast.finance, str(finding)) == f"/findings/{finding.pk}/"
    assert led_to(cast.author, action.ref) == f"/action-items/{action.ref}/"
    assert led_to(cast.author, f"run {run.pk}") == f"/runs/{run.pk}/"
    assert led_to(cast.approver, cycle.quarter) == f"/cycles/{cycle.quarter}/"
    for text in (decided.ref, number, str(finding), action.ref, f"run {run.pk}", cycle.quarter):
        assert led_to(cast.outsider, text) == "", text
        assert f"Nothing that you can see has the reference {text}" in words(
            enter(cast.outsider).get("/search/", {"q": text})
        )


def test_a_change_is_found_by_its_reference_and_its_words(cast: Cast, now: datetime) -> None:
    change = changed(cast, now)
    path = f"/changes/{change.pk}/"
    assert led_to(cast.finance, str(change)) == path
    assert hits(cast.finance, change.description[:12])["Changes"] == [path]
    assert led_to(cast.outsider, str(change)) == ""
    assert hits(cast.outsider, change.description[:12]) == {}


def test_an_authorization_that_was_never_issued_is_not_found(in_review: ReviewRequest, cast: Cast) -> None:
    assert led_to(cast.approver, in_review.ref.replace("MRR", "AUT")) == ""


@pytest.mark.parametrize(
    "beginning", ["MRR-2", "mrr-{year}", "MRR-{year}-", "MRR-{year}-00", "AUT-{year}", "AUT-{year}-000"]
)
def test_the_beginning_of_a_reference_lists_what_begins_with_it(
    decided: ReviewRequest, cast: Cast, now: datetime, beginning: str
) -> None:
    beginning = beginning.format(year=now.year)
    assert led_to(cast.reviewer_one, beginning) == ""
    assert hits(cast.reviewer_one, beginning)["Requests"] == [f"/requests/{decided.ref}/"]
    assert "Nothing that you can see" not in words(enter(cast.reviewer_one).get("/search/", {"q": beginning}))
    assert hits(cast.outsider, beginning) == {}


def test_words_find_what_the_person_may_see(in_review: ReviewRequest, cast: Cast) -> None:
    asset = in_review.model_version.asset
    found = hits(cast.reviewer_one, "visual")
    assert found["Requests"] == [f"/requests/{in_review.ref}/"]
    assert found["Models"] == [f"/models/{asset.team.slug}/{asset.slug}/"]
    assert hits(cast.reviewer_one, in_review.model_version.digest)["Models"] == found["Models"]
    assert hits(cast.outsider, "visual") == {}
    assert hits(cast.author, "file a")["Steps"] == ["/requests/new/"]
    assert hits(cast.auditor, "file a") == {}
    assert hits(cast.author, " ") == {}


def test_the_palette_offers_the_pages_and_steps_that_the_person_may_open(cast: Cast) -> None:
    keeper = User.objects.create_superuser("keeper", password="correct horse battery")
    for user in (cast.author, cast.admin, cast.auditor, cast.outsider, keeper):
        client, person = enter(user), person_of(user)
        offered = open_places(person=person, sees_tables=may_see_tables(user))
        tables = {*open_places(person=person, sees_tables=True)} - {*open_places(person=person, sees_tables=False)}
        assert {place.title for place in tables} == {"Tables"}
        assert tables <= {*offered} if user == keeper else not tables & {*offered}
        for place in offered:
            assert client.get(place.url, follow=True).status_code == 200, f"{place.title} for {user}"
        others = {place.title for place in {*PLACES} - {*offered} if client.get(place.url).status_code == 200}
        # Everybody opens the page of changes, and it lists what they may see; it is offered to those who read them all.
        assert others <= {"Changes"}, f"{others} for {user}"
        for step in STEPS:
            if step.may(person):
                page = client.get(step.path)
                assert page.status_code == 200, f"{step.title} for {user}"
                assert not step.anchor or f'id="{step.anchor}"' in page.content.decode(), f"{step.title} for {user}"


def test_pages_and_steps_are_found_by_their_titles(cast: Cast) -> None:
    assert hits(cast.admin, "audit trail")["Pages"] == ["/audit/"]
    assert hits(cast.admin, "webhooks")["Pages"] == ["/webhooks/"]
    assert hits(cast.author, "second factor")["Pages"] == ["/accounts/2fa/"]
    assert hits(cast.finance, "allocate")["Steps"] == ["/budgets/#allocate"]
    assert hits(cast.finance, "send a bill")["Steps"] == ["/bills/#send"]
    for words_ in ("audit trail", "webhooks", "allocate", "send a bill"):
        assert hits(cast.outsider, words_) == {}, words_


def test_people_teams_and_names_are_found_by_whoever_may_see_them(
    decided: ReviewRequest, cast: Cast, now: datetime
) -> None:
    data = decided.dataset
    assert data is not None
    make_cycle(now=now)
    make_action(cast=cast, now=now, asset=decided.model_version.asset)
    action = ActionItem.objects.get()
    policy = decided.policy
    assert policy is not None
    run = Run.objects.latest("pk")
    quarter = "2026Q" if now.year == 2026 else str(now.year)
    found = {
        "People": (cast.author.username, f"/requests/?q={cast.author.username}"),
        "Teams": (decided.team.name, f"/requests/?team={decided.team.slug}"),
        "Evaluation sets": (data.name, f"/datasets/{data.pk}/"),
        "Runs": (decided.model_version.asset.name, f"/runs/{run.pk}/"),
        "Policies and checklists": (policy.name, f"/rulebook/policies/{policy.name}/{policy.number}/"),
        "Action items": (action.ref[:8], f"/action-items/{action.ref}/"),
        "Cost centers": (decided.team.name, f"/budgets/?center={decided.team.slug}#{decided.team.slug}"),
        "Quarterly reviews": (quarter, f"/cycles/{action.ref[4:10]}/"),
    }
    for title, (text, path) in found.items():
        assert path in hits(cast.auditor, text)[title], title
        assert enter(cast.auditor).get(path).status_code == 200, title
    everybody_reads = {"Policies and checklists", "Evaluation sets"}
    for title, (text, path) in found.items():
        assert title in everybody_reads or path not in hits(cast.outsider, text).get(title, []), title
    assert "People" not in hits(cast.author, cast.author.username)
    assert hits(cast.author, decided.team.name)["Teams"] == [f"/requests/?team={decided.team.slug}"]
    listed = enter(cast.auditor).get("/requests/", {"q": cast.author.username}).content.decode()
    assert decided.ref in listed


def test_a_bill_a_webhook_and_an_absence_are_found_by_their_references(cast: Cast, now: datetime) -> None:
    upload = ContentFile(csv_bytes(), name="november.csv")
    bill = bills.receive(upload=upload, delivery=Delivery(), by=cast.finance, now=now)
    team = Team.objects.get(slug=TEAM)
    hook = TeamWebhook.objects.create(
        team=team, flavor="slack", name="x", host="example.org", address=b"x", created_by=cast.admin, created_at=now
    )
    absence = make_absence(cast.author, now=now)
    assert led_to(cast.finance, f"bill {bill.pk}") == f"/bills/{bill.pk}/"
    assert led_to(cast.admin, str(hook)) == f"/webhooks/{hook.pk}/"
    assert led_to(cast.author, str(absence)) == f"/absences/#{absence}"
    assert f'id="{absence}"' in enter(cast.author).get("/absences/").content.decode()
    assert hits(cast.finance, "november")["Bills"] == [f"/bills/{bill.pk}/"]
    for text in (str(bill), str(hook), str(absence), "november"):
        assert led_to(cast.outsider, text) == "", text
        assert hits(cast.outsider, text) == {}, text


def test_the_palette_suggests_the_page_of_a_reference_first(draft: ReviewRequest, cast: Cast) -> None:
    page = enter(cast.author).get("/search/suggestions/", {"q": draft.ref})
    assert [group.title for group in page.context["groups"]] == ["Reference", "Requests"]
    assert "<html" not in page.content.decode()
    assert "Nothing that you can see" in words(enter(cast.outsider).get("/search/suggestions/", {"q": draft.ref}))


def test_a_long_text_is_cut(cast: Cast) -> None:
    assert len(enter(cast.author).get("/search/", {"q": "x" * 5000}).context["words"]) == 200
