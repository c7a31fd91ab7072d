"""Reports of clusters: replaced and not added, ordered by time, owned by their reporter; and what they never do."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from rest_framework.test import APIClient

from governance.audit.models import AuditEvent
from governance.people.actions import people
from governance.people.domain.scopes import TokenScope
from governance.people.queries.people import person_of
from reviews.feed.models import FeedEntry
from reviews.workloads.actions import reports
from reviews.workloads.models import ClusterReport, ObservedWorkload
from reviews.workloads.queries import workloads
from tests.factories.kinds import digest
from tests.factories.people import Cast, make_cast
from tests.integration.reviews.workloads.observed import cleared, container, document, store, workload
from tests.standstill import everything, refused
from tests.threads import together
from weighbridge.client.workloads.report import read_report
from weighbridge.core.errors import Invalid, NotAllowed, WrongState

URL = "/api/v1/workloads/reports/"
HOUR = timedelta(hours=1)
pytestmark = pytest.mark.django_db


def test_a_report_is_stored_with_its_event(cast: Cast, now: datetime) -> None:
    row = store(workload(since=(now - HOUR).isoformat(), model_digests=[digest("9")]), by=cast.author, now=now)
    assert (row.cluster, row.environment, row.observed_at, row.reporter) == ("gpu-1", "dev", now, cast.author)
    (one,) = row.workloads.all()
    assert (str(one), one.since, one.first_seen_at, one.gpus) == ("search/ranker", now - HOUR, now, {"H100": 4})
    assert (one.team.slug, one.owner, one.model_digests) == ("search", "search", [digest("9")])
    event = AuditEvent.objects.get(kind="workloads.reported")
    assert (event.subject, event.details) == (
        "gpu-1",
        {"environment": "dev", "workloads": 1, "digest": row.digest},
    )


def test_the_next_report_replaces_the_last_and_keeps_when_it_began(cast: Cast, now: datetime) -> None:
    first = store(workload(), workload(name="gone"), by=cast.author, now=now)
    later = store(workload(replicas=2), by=cast.author, now=now + HOUR)
    assert first.pk == later.pk
    (one,) = ObservedWorkload.objects.all()
    assert (one.name, one.replicas, one.first_seen_at, one.running_since) == ("ranker", 2, now, now)
    again = store(workload(replicas=2), by=cast.author, now=now + 2 * HOUR)
    assert again.observed_at == now + 2 * HOUR
    assert ObservedWorkload.objects.get().pk == one.pk, "the same again rewrites no row"
    assert AuditEvent.objects.filter(kind="workloads.reported").count() == 2, "the same again is no event"


def test_a_cluster_may_be_several_environments(cast: Cast, now: datetime) -> None:
    store(by=cast.author, now=now)
    store(by=cast.author, now=now, environment="prod")
    assert ClusterReport.objects.count() == 2


def test_an_empty_report_empties_the_cluster(cast: Cast, now: datetime) -> None:
    store(by=cast.author, now=now)
    store(by=cast.author, now=now + HOUR, workloads=[])
    assert not ObservedWorkload.objects.exists()


def test_a_clock_in_the_future_is_refused_and_a_small_difference_is_not(cast: Cast, now: datetime) -> None:
    with refused(Invalid, match="Set the clock of the reporter", field="observed_at", code="clock"):
        store(by=cast.author, now=now, at=now + timedelta(minutes=6))
    row = store(by=cast.author, now=now, at=now + timedelta(minutes=4))
    assert row.observed_at == now
    later = now + timedelta(minutes=1)
    assert store(by=cast.author, now=later, at=later).observed_at == later


def test_an_older_report_changes_nothing(cast: Cast, now: datetime) -> None:
    store(by=cast.author, now=now)
    with refused(WrongState, match="A later report of gpu-1", code="older_report"):
        store(workload(name="other"), by=cast.author, now=now, at=now - HOUR)


def test_an_unknown_environment_is_refused(cast: Cast, now: datetime) -> None:
    with refused(Invalid, match="prod, staging, dev", field="environment"):
        store(by=cast.author, now=now, environment="moon")


@pytest.mark.parametrize("who", ["reviewer_one", "auditor", "finance", "steward", "product"])
def test_who_may_not_report(cast: Cast, now: datetime, who: str) -> None:
    with refused(NotAllowed, match="report what a cluster runs"):
        store(by=getattr(cast, who), now=now)


@pytest.mark.parametrize("who", ["author", "outsider", "approver", "admin"])
def test_who_may_report(cast: Cast, now: datetime, who: str) -> None:
    assert store(by=getattr(cast, who), now=now).reporter == getattr(cast, who)


def test_nobody_replaces_the_report_of_another_account(cast: Cast, now: datetime) -> None:
    store(by=cast.author, now=now)
    with refused(NotAllowed, match="Another account reports the cluster gpu-1"):
        store(by=cast.outsider, now=now + HOUR, workloads=[])
    led = store(by=cast.approver, now=now + HOUR, workloads=[])
    assert led.reporter == cast.author, "a lead's report takes the cluster from nobody"
    store(by=cast.author, now=now + 2 * HOUR)


def test_one_account_reports_few_clusters(cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "CLUSTERS_MAX", 2)
    for number in range(2):
        store(by=cast.author, now=now, cluster=f"c{number}")
    with refused(WrongState, match="reports 2 clusters already", code="too_many"):
        store(by=cast.author, now=now, cluster="c2")
    store(by=cast.author, now=now + HOUR, cluster="c1")
    store(by=cast.outsider, now=now, cluster="c2")


def test_the_team_is_that_of_the_label_or_of_the_registered_artifact(cast: Cast, now: datetime) -> None:
    container(by=cast.author, now=now)
    rows = [workload(name="a", owner="ads"), workload(name="b", owner="nobody"), workload(name="c", owner="")]
    store(*rows, workload(name="d", owner="", image_digest=""), by=cast.author, now=now)
    teams = ObservedWorkload.objects.order_by("name").values_list("name", "team__slug")
    assert list(teams) == [("a", "ads"), ("b", "search"), ("c", "search"), ("d", None)]


def test_a_team_that_is_known_later_is_found_by_the_same_report(cast: Cast, now: datetime) -> None:
    store(workload(owner=""), by=cast.author, now=now)
    assert ObservedWorkload.objects.get().team is None
    container(by=cast.author, now=now)
    store(workload(owner=""), by=cast.author, now=now + HOUR)
    one = ObservedWorkload.objects.get()
    assert (one.team and one.team.slug, one.first_seen_at) == ("search", now)
    assert AuditEvent.objects.filter(kind="workloads.reported").count() == 1


def test_removing_a_cluster_takes_a_lead_and_a_reason(cast: Cast, now: datetime) -> None:
    row = store(by=cast.author, now=now)
    with refused(NotAllowed, match="remove a cluster"):
        reports.remove_cluster(report=row, reason="It is gone.", by=cast.author, now=now)
    with refused(Invalid, field="reason"):
        reports.remove_cluster(report=row, reason=" x ", by=cast.approver, now=now)
    reports.remove_cluster(report=row, reason="It is gone.", by=cast.approver, now=now)
    assert (ClusterReport.objects.count(), ObservedWorkload.objects.count()) == (0, 0)
    event = AuditEvent.objects.get(kind="workloads.cluster_removed")
    assert (event.subject, event.reason, event.details["workloads"]) == ("gpu-1", "It is gone.", 1)
    gone = ClusterReport(pk=row.pk or 1, cluster="gpu-1", environment="dev")
    with refused(WrongState, match="removed already"):
        reports.remove_cluster(report=gone, reason="Again.", by=cast.approver, now=now)
    assert store(by=cast.outsider, now=now).reporter == cast.outsider


@pytest.mark.usefixtures("policy")
def test_a_report_never_authorizes_anything(cast: Cast, now: datetime) -> None:
    """Whatever a program claims, standings, feed and requests stay as they are."""
    version = container(by=cast.author, now=now)
    cleared(version, by=cast.author, now=now)
    before = {name: row for name, row in everything().items() if "workloads_" not in name and "audit_" not in name}
    claims = [workload(name="mine", image_digest=digest("7"), model_digests=[version.digest], owner="search")]
    store(*claims, workload(name="theirs"), by=cast.outsider, now=now)
    after = {name: row for name, row in everything().items() if "workloads_" not in name and "audit_" not in name}
    assert after == before
    assert not FeedEntry.objects.filter(digest=digest("7")).exists()


def test_the_database_knows_the_bounds(cast: Cast, now: datetime) -> None:
    row = store(by=cast.author, now=now)
    for change in ({"image_digest": "latest"}, {"replicas": 0}):
        with pytest.raises(IntegrityError), transaction.atomic():
            row.workloads.update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        ClusterReport.objects.update(observed_at=now + HOUR)


@pytest.mark.django_db(transaction=True)
def test_two_reports_at_once_leave_one_whole_report(now: datetime) -> None:
    cast = make_cast(now=now)
    many = [[workload(name=f"{letter}{number}") for number in range(20)] for letter in "abcdef"]
    done = together([lambda rows=rows: store(*rows, by=cast.author, now=now) for rows in many])
    assert [each for each in done if isinstance(each, Exception)] == []
    (row,) = ClusterReport.objects.all()
    names = {name[0] for name in row.workloads.values_list("name", flat=True)}
    assert (len(names), row.workloads.count()) == (1, 20)


@pytest.fixture
def reporter(cast: Cast, now: datetime) -> APIClient:
    client = APIClient()
    token = people.create_token(user=cast.author, valid_days=1, scope=TokenScope.REPORT, by=None, now=now)
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


def test_a_token_of_the_scope_report_reports_and_does_nothing_else(reporter: APIClient, now: datetime) -> None:
    answer = reporter.post(URL, document(at=now), format="json")
    assert answer.status_code == 201, answer.json()
    assert answer.json()["counts"] == {"denied": 0, "unknown": 1, "conditional": 0, "authorized": 0}
    for path in (URL, "/api/v1/workloads/", "/api/v1/requests/", "/api/v1/gate/"):
        assert (reporter.get(path).status_code, reporter.get(path).json()["code"]) == (403, "scope")
    assert reporter.post("/api/v1/workloads/reports/remove/", {}, format="json").json()["code"] == "scope"


def test_a_repeated_call_is_answered_alike(reporter: APIClient, now: datetime) -> None:
    key = {"HTTP_IDEMPOTENCY_KEY": "k"}
    first, again = (reporter.post(URL, document(at=now), format="json", **key) for _ in range(2))
    assert (first.status_code, again.json()) == (201, first.json())
    assert ClusterReport.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"cluster": ""}, "cluster"),
        ({"cluster": "a b"}, "cluster"),
        ({"environment": "moon"}, "environment"),
        ({"observed_at": "now"}, "observed_at"),
        ({"observed_at": "2026-01-01T00:00:00"}, "observed_at"),
        ({"workloads": "x"}, "workloads"),
        ({"workloads": [{}] * 5_001}, "workloads"),
        ({"workloads": [{"name": "a", "image_digest": "latest"}]}, "workloads[0].image_digest"),
        ({"authorized": True}, "authorized"),
    ],
)
def test_bad_reports_name_the_field(reporter: APIClient, now: datetime, changes: dict[str, object], field: str) -> None:
    before = everything()
    answer = reporter.post(URL, document(at=now) | changes, format="json")
    assert answer.status_code == 400, answer.json()
    assert field in {fault["field"] for fault in answer.json()["errors"]}
    after = everything()
    assert {name for name in after if after[name] != before[name]} <= {"people_apitoken"}


def test_whoever_may_not_report_learns_that_first(
    api: Callable[[User | None], APIClient], cast: Cast, now: datetime
) -> None:
    assert api(cast.auditor).post(URL, {}, format="json").status_code == 403
    assert api(None).post(URL, document(at=now), format="json").status_code == 401
    assert api(cast.author).post("/api/v1/workloads/reports/remove/", {}, format="json").status_code == 403


def test_the_api_removes_a_cluster(api: Callable[[User | None], APIClient], cast: Cast, now: datetime) -> None:
    store(by=cast.author, now=now)
    store(by=cast.author, now=now, cluster="gpu-2")
    given = {"cluster": "gpu-1", "environment": "dev", "reason": "It was switched off."}
    answer = api(cast.admin).post(f"{URL}remove/", given, format="json")
    assert [row["cluster"] for row in answer.json()] == ["gpu-2"]
    assert api(cast.admin).post(f"{URL}remove/", given, format="json").status_code == 404


def test_a_cluster_that_stops_reporting_is_silent_and_not_stopped(cast: Cast, now: datetime) -> None:
    store(by=cast.author, now=now - timedelta(days=3))
    store(by=cast.author, now=now, cluster="gpu-2")
    rows = workloads.clusters(person=person_of(cast.auditor), now=now)
    assert [(row.cluster, row.is_silent, row.workloads) for row in rows] == [("gpu-1", True, 1), ("gpu-2", False, 1)]
    everything_seen = workloads.WorkloadSelection(approval="all")
    assert len(workloads.selected(person=person_of(cast.auditor), filters=everything_seen, now=now)) == 2


def test_the_toolkit_and_the_server_read_a_report_alike(now: datetime) -> None:
    report = read_report(document(at=now))
    assert read_report(report.as_document()) == report
