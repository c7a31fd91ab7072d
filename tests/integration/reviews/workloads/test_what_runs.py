"""What runs and nobody approved: answers from the feed, who sees what, filters, exports, and the next step."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from governance.people.queries.people import person_of
from reviews.authorizations.domain.standing import Standing
from reviews.workloads.domain.approval import Approval, ArtifactAnswer
from reviews.workloads.queries import workloads
from reviews.workloads.queries.standings import answers_for
from reviews.workloads.queries.workloads import WorkloadSelection
from tests.factories import kinds
from tests.factories import requests as walks
from tests.factories.kinds import digest
from tests.factories.people import Cast, make_person
from tests.integration.reviews.workloads.billing import rule, spend
from tests.integration.reviews.workloads.observed import IMAGE, cleared, container, store, workload
from tests.pages import html_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("policy")]
ALL = WorkloadSelection(approval="all")


def answers(cast: Cast, now: datetime, **filters: str) -> dict[str, str]:
    """Name -> answer of what the filters leave, as the auditor sees it."""
    selection = WorkloadSelection(**{"approval": "all", **filters})
    several = workloads.selected(person=person_of(cast.auditor), filters=selection, now=now)
    return {row.name: row.approval for row in workloads.views(several, person=person_of(cast.auditor), now=now)}


def test_an_image_is_what_its_request_makes_of_it(cast: Cast, now: datetime) -> None:
    store(by=cast.author, now=now)
    assert answers(cast, now) == {"ranker": "unknown"}
    request = cleared(container(by=cast.author, now=now), by=cast.author, now=now)
    assert request.state == "cleared"
    assert answers(cast, now) == {"ranker": "authorized"}
    assert answers(cast, request.deadline_at) == {"ranker": "denied"}, "a permission that is over is no permission"


def test_the_environment_decides_too(cast: Cast, now: datetime) -> None:
    cleared(container(by=cast.author, now=now), by=cast.author, now=now)
    store(by=cast.author, now=now)
    store(by=cast.author, now=now, environment="staging", cluster="gpu-2", workloads=[workload(name="staged")])
    assert answers(cast, now) == {"ranker": "authorized", "staged": "unknown"}


def test_an_open_review_denies(cast: Cast, now: datetime) -> None:
    walks.make_submitted(by=cast.author, version=container(by=cast.author, now=now), with_data=False, now=now)
    store(by=cast.author, now=now, environment="prod")
    assert answers(cast, now) == {"ranker": "denied"}


def test_an_authorization_allows_and_a_model_that_is_named_is_a_claim(
    as_: Callable[[User], Client], cast: Cast, now: datetime
) -> None:
    decided = walks.make_decided(cast=cast, now=now)
    model = decided.model_version.digest
    rows = [workload(name="named", model_digests=[model]), workload(name="served", image_digest=model)]
    store(*rows, by=cast.author, now=now, environment=decided.environment)
    assert answers(cast, now) == {"named": "authorized", "served": "authorized"}
    assert answers(cast, now, approval="claimed") == {"named": "authorized"}
    assert answers(cast, now, approval="open") == {}
    page = html_of(as_(cast.auditor).get("/workloads/?approval=claimed"))
    assert page.count("Authorized by a claim") == 2, "the choice and the badge"


def test_a_part_of_a_cleared_pipeline_is_approved_as_its_part(cast: Cast, now: datetime) -> None:
    document = {"kind": "pipeline", "parts": [{"role": "rank", "subject": kinds.CONTAINER}]}
    whole = kinds.register(task="other", subject=document, slug="whole", by=cast.author, now=now)
    store(by=cast.author, now=now)
    assert answers(cast, now) == {"ranker": "unknown"}
    cleared(whole, by=cast.author, now=now)
    assert answers(cast, now) == {"ranker": "authorized"}
    found = answers_for(digests=[IMAGE, digest("f"), ""], environment="dev", now=now)
    assert found == {IMAGE: ArtifactAnswer(Standing.CLEARED, whole.digest)}


def test_the_answers_of_many_workloads_take_few_queries(
    cast: Cast, now: datetime, django_assert_max_num_queries: Callable[[int], object]
) -> None:
    rows = [workload(name=f"w{number}", image_digest=f"sha256:{number:064x}") for number in range(300)]
    store(*rows, by=cast.author, now=now)
    person = person_of(cast.auditor)
    with django_assert_max_num_queries(8):  # type: ignore[attr-defined]
        several = workloads.selected(person=person, filters=ALL, now=now)
        assert len(workloads.views(several[:50], person=person, now=now)) == 50


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"search": "RANKER:1"}, ["other", "ranker"]),
        ({"search": "OTH"}, ["other"]),
        ({"search": digest("9")}, ["other"]),
        ({"search": IMAGE}, ["ranker"]),
        ({"team": "ads"}, ["other"]),
        ({"environment": "dev"}, ["other", "ranker"]),
        ({"environment": "prod"}, []),
        ({"cluster": "gpu-1"}, ["other", "ranker"]),
        ({"cluster": "none"}, []),
        ({"approval": "unknown"}, ["other", "ranker"]),
        ({"approval": "conditional"}, []),
    ],
)
def test_filters(cast: Cast, now: datetime, filters: dict[str, str], names: list[str]) -> None:
    store(
        workload(),
        workload(name="other", owner="ads", model_digests=[digest("9")], image_digest=""),
        by=cast.author,
        now=now,
    )
    assert sorted(answers(cast, now, **filters)) == names


def test_the_denied_come_first(cast: Cast, now: datetime) -> None:
    walks.make_submitted(by=cast.author, version=container(by=cast.author, now=now), with_data=False, now=now)
    store(workload(name="a", image_digest=""), workload(name="z"), by=cast.author, now=now, environment="prod")
    assert list(answers(cast, now).values()) == [Approval.DENIED, Approval.UNKNOWN]


def test_a_team_sees_its_own_and_leads_see_all(cast: Cast, now: datetime) -> None:
    store(workload(), workload(name="other", owner="ads"), workload(name="whose", owner=""), by=cast.author, now=now)

    nobody = make_person("nobody", now=now)

    def seen(user: User) -> list[str]:
        several = workloads.selected(person=person_of(user), filters=ALL, now=now)
        return [row.name for row in workloads.views(several, person=person_of(user), now=now)]

    assert seen(cast.approver) == seen(cast.auditor) == ["other", "ranker", "whose"]
    assert (seen(cast.author), seen(cast.outsider), seen(nobody)) == (["ranker"], ["other"], [])
    cast.author.is_active = False
    cast.author.save()
    assert seen(cast.author) == []
    (row,) = workloads.clusters(person=person_of(cast.outsider), now=now)
    assert (row.cluster, row.workloads) == ("gpu-1", 1)
    assert workloads.clusters(person=person_of(nobody), now=now) == []


def test_what_was_billed_for_a_workload(cast: Cast, now: datetime) -> None:
    store(
        workload(name="ranker/server"),
        workload(name="endpoint/mystery", namespace=""),
        workload(name="free"),
        by=cast.author,
        now=now,
    )
    tags = {"workload": "ranker"}
    spend(now=now, account="gpu-1", subaccount="search", resource="", tags=tags, usd="0", hours="12")
    spend(now=now, account="other", subaccount="search", resource="", tags=tags, usd="9", hours="9")
    spend(now=now, resource="endpoint", usd="30", hours="5")
    spend(now=now, resource="endpoint", usd="7", hours="1", currency="EUR")
    assert billed_for(cast.auditor, now) == {
        "ranker/server": (Decimal(0), Decimal(12)),
        "endpoint/mystery": (Decimal(30), Decimal(6)),
        "free": (None, None),
    }
    assert set(billed_for(cast.author, now).values()) == {(None, None)}, "lines of nobody are not theirs to see"
    spend(now=now, resource="free", usd="3", hours="1", rule=rule(now=now))
    spend(now=now, resource="endpoint", usd="5", hours="1", rule=rule(now=now, team="ads"))
    assert billed_for(cast.author, now) == {
        "ranker/server": (None, None),
        "endpoint/mystery": (None, None),
        "free": (Decimal(3), Decimal(1)),
    }


def billed_for(user: User, now: datetime) -> dict[str, tuple[Decimal | None, Decimal | None]]:
    """Name -> dollars and GPU hours, as the person sees them."""
    person = person_of(user)
    several = workloads.selected(person=person, filters=ALL, now=now)
    return {row.name: (row.usd, row.gpu_hours) for row in workloads.views(several, person=person, now=now)}


def test_the_api_lists_and_exports(api: Callable[[User | None], APIClient], cast: Cast, now: datetime) -> None:
    store(workload(), workload(name="=HYPERLINK()", owner="ads"), by=cast.author, now=now)
    answer = api(cast.approver).get("/api/v1/workloads/", {"team": "search"}).json()
    assert answer["count"] == 1
    (row,) = answer["results"]
    assert (row["name"], row["approval"], row["gpus"], row["team"]) == ("ranker", "unknown", {"H100": 4}, "search")
    assert api(cast.outsider).get("/api/v1/workloads/").json()["count"] == 1
    assert api(cast.approver).get("/api/v1/workloads/", {"approval": "maybe"}).status_code == 400
    table = api(cast.approver).get("/api/v1/workloads.csv").content.decode()
    assert "'=HYPERLINK()" in table
    assert "4 H100" in table
    assert api(cast.approver).get("/api/v1/workloads.pdf").status_code == 404
    assert api(cast.author).get("/api/v1/workloads/reports/").json()[0]["is_silent"] is False


def test_the_page_shows_what_nobody_approved_with_the_next_step(
    as_: Callable[[User], Client], cast: Cast, now: datetime
) -> None:
    store(
        workload(),
        workload(name="tagged", image_digest="", owner="search"),
        by=cast.author,
        now=now - timedelta(days=3),
    )
    page = html_of(as_(cast.author).get("/workloads/"))
    assert "No digest is known. A tag can name another image tomorrow" in page
    assert "Last report <time" in page
    assert "3 days ago" in page
    assert "The cluster does not report. What ran then may still run." in page
    assert "Remove the cluster" not in page
    links = re.findall(r'href="(/requests/new/[^"]*)"', page)
    assert len(links) == 2
    form = html_of(as_(cast.author).get(links[0].replace("&amp;", "&")))
    assert f'value="registry.test/search/ranker@{IMAGE}"' in form
    assert 'value="ranker in gpu-1"' in form
    assert re.search(r'value="container"[^>]* checked', form)
    assert re.search(r'<option value="dev" selected', form)
    assert "File a request" not in html_of(as_(cast.auditor).get("/workloads/"))


def test_a_registered_artifact_is_filed_as_the_version_that_it_is(
    as_: Callable[[User], Client], cast: Cast, now: datetime
) -> None:
    version = container(by=cast.author, now=now)
    store(by=cast.author, now=now)
    page = html_of(as_(cast.author).get("/workloads/"))
    assert f"/requests/new/?title=ranker+in+gpu-1&amp;environment=dev&amp;team=search&amp;version={version.pk}" in page
    form = html_of(as_(cast.author).get(f"/requests/new/?version={version.pk}&environment=dev"))
    assert re.search(rf'<option value="{version.pk}" selected', form)


def test_the_page_of_a_lead_removes_a_cluster(as_: Callable[[User], Client], cast: Cast, now: datetime) -> None:
    store(by=cast.author, now=now)
    lead = as_(cast.approver)
    assert "Remove the cluster" in html_of(lead.get("/workloads/"))
    given = {"cluster": "gpu-1", "environment": "dev", "reason": "It was switched off."}
    assert as_(cast.author).post("/workloads/remove/", given).status_code == 403
    assert "Enter why the cluster is removed." in html_of(
        lead.post("/workloads/remove/", given | {"reason": ""}, follow=True)
    )
    assert "gpu-1 (dev) is removed." in html_of(lead.post("/workloads/remove/", given, follow=True))
    assert "There is no cluster gpu-1 in dev" in html_of(lead.post("/workloads/remove/", given, follow=True))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "Everything that is reported is authorized"),
        ("?approval=denied", "No workload fits these filters"),
        ("?approval=moon&team=moon&cluster=moon", "Everything that is reported is authorized"),
    ],
)
def test_empty_pages(as_: Callable[[User], Client], cast: Cast, now: datetime, query: str, words: str) -> None:
    assert "No cluster reports what it runs" in html_of(as_(cast.auditor).get("/workloads/"))
    store(by=cast.author, now=now, workloads=[])
    page = html_of(as_(cast.auditor).get(f"/workloads/{query}"))
    assert words in page
    assert "Every GPU hour on the bills of the quarter has a request or an authorization." in page
    own = html_of(as_(cast.author).get("/workloads/"))
    assert "allocated to your teams has a request" in own


def test_the_page_exports_what_it_shows(as_: Callable[[User], Client], cast: Cast, now: datetime) -> None:
    store(workload(), workload(name="other", owner="ads"), by=cast.author, now=now)
    table = as_(cast.author).get("/workloads.csv?approval=all").content.decode().splitlines()
    assert len(table) == 2
    assert table[1].startswith('"gpu-1","dev","search","ranker","unknown",')
    assert as_(cast.author).get("/workloads.xlsx").status_code == 200


def test_a_file_is_read_in_blocks(
    as_: Callable[[User], Client], cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(*(workload(name=f"w{number}") for number in range(5)), by=cast.author, now=now)
    whole = as_(cast.author).get("/workloads.csv?approval=all").content
    assert len(whole.splitlines()) == 6
    monkeypatch.setattr(workloads, "BLOCK", 2)
    assert as_(cast.author).get("/workloads.csv?approval=all").content == whole


def test_words_of_a_report_stay_text(as_: Callable[[User], Client], cast: Cast, now: datetime) -> None:
    script = "<script>alert(1)</script>"
    store(workload(name=script, image=script, image_digest="", owner=script, gpus={script: 1}), by=cast.author, now=now)
    page = as_(cast.approver).get("/workloads/").content.decode()
    assert script not in page
    assert "&lt;script&gt;" in page
