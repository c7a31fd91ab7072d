"""Quality is measured only on a governed evaluation set; on other data it is a claim, and the page says why."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from benchmarking.runs.actions import datasets
from benchmarking.runs.models import Dataset
from benchmarking.runs.queries import runs
from governance.inventory.models import ModelVersion
from governance.people.actions import people
from governance.people.approvals import actions as approvals
from governance.people.domain.roles import Role
from governance.rulebook.actions import documents as rulebook
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import measurements, requests
from reviews.workflow.actions.requests import Filing
from tests.factories import requests as walks
from tests.factories.models import make_dataset, make_version, new_dataset, npz_bytes
from tests.factories.people import Cast
from tests.factories.policies import LEAN
from tests.integration.reviews.requests.reading import enter, page_of, words
from tests.standstill import refused
from weighbridge.core.errors import Invalid, NotAllowed

WHY = "The team holds these rows back."


def filing_of(version: ModelVersion, data: Dataset) -> Filing:
    return Filing(title="T", purpose="P", environment="prod", business_case="B", model_version=version, dataset=data)


def measured(data: Dataset, cast: Cast, now: datetime) -> ReviewRequest:
    """A submitted request of the author on this set, whose run is done and recorded."""
    version = make_version(by=cast.author, now=now)
    request = requests.create(filing=filing_of(version, data), by=cast.author, now=now)
    request = requests.submit(request=request, by=cast.author, now=now)
    run = walks.finish_run(run=runs.of_request(request.ref)[0], now=now)
    assert measurements.record_measurements(request=request, run=run, now=now)
    return request


def bases(request: ReviewRequest) -> dict[str, str]:
    return dict(request.metric_records.filter(run__isnull=False).values_list("name", "basis"))


def source(request: ReviewRequest) -> str:
    return request.metric_records.get(name="accuracy", run__isnull=False).source


def governed(cast: Cast, now: datetime) -> Dataset:
    return make_dataset(by=cast.author, now=now)


def own(cast: Cast, now: datetime) -> Dataset:
    return make_dataset(by=cast.author, now=now, is_governed=False)


def by_a_steward_of_the_team(cast: Cast, now: datetime) -> Dataset:
    people.grant_role(user=cast.steward, role=Role.REQUESTER, team=cast.author.role_grants.get().team, by=None, now=now)
    return datasets.register(entry=new_dataset(team="search", is_governed=True), by=cast.steward, now=now)


def by_a_steward_who_left(cast: Cast, now: datetime) -> Dataset:
    team = cast.author.role_grants.get().team
    people.grant_role(user=cast.steward, role=Role.REQUESTER, team=team, by=None, now=now)
    people.revoke_role(user=cast.steward, role=Role.REQUESTER, team=team, by=None, now=now)
    return datasets.register(entry=new_dataset(team="search", is_governed=True), by=cast.steward, now=now)


def by_a_steward_who_joins(cast: Cast, now: datetime) -> Dataset:
    row, team = governed(cast, now), cast.author.role_grants.get().team
    people.grant_role(user=cast.steward, role=Role.REQUESTER, team=team, by=None, now=now)
    return row


def by_a_steward_who_owns_a_model_since(cast: Cast, now: datetime) -> Dataset:
    row = governed(cast, now)
    make_version(by=cast.author, owner=cast.steward, slug="owned", seed=5, now=now)
    return row


def for_calibration(cast: Cast, now: datetime) -> Dataset:
    return datasets.register(
        entry=new_dataset(team="ads", purpose="calibration", is_governed=True), by=cast.steward, now=now
    )


def test_a_steward_who_left_the_team_a_minute_ago_confirms_nothing(cast: Cast, now: datetime) -> None:
    row, team = own(cast, now), cast.author.role_grants.get().team
    change = datasets.propose(dataset=row, reason=WHY, by=cast.author, now=now)
    people.grant_role(user=cast.steward, role=Role.REQUESTER, team=team, by=None, now=now)
    people.revoke_role(user=cast.steward, role=Role.REQUESTER, team=team, by=None, now=now)
    with refused(NotAllowed, match="You belong to the team that owns this evaluation set"):
        approvals.confirm(change=change, by=cast.steward, now=now)


@pytest.mark.usefixtures("policy")
def test_quality_on_a_governed_set_is_measured(cast: Cast, now: datetime) -> None:
    request = measured(governed(cast, now), cast, now)
    assert set(bases(request).values()) == {"measured"}
    assert source(request).endswith(", on held-out@1")
    page = words(enter(cast.author).get(page_of(request)))
    assert "held-out@1 Governed" in page
    assert "Quality is declared, not measured" not in page


@pytest.mark.usefixtures("policy")
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (own, "The evaluation set held-out@1 is not governed: no data steward has confirmed it."),
        (by_a_steward_of_the_team, "belongs to the team of the request."),
        (by_a_steward_who_left, "belongs to the team of the request."),
        (by_a_steward_who_joins, "belongs to the team of the request."),
        (by_a_steward_who_owns_a_model_since, "belongs to the team of the request."),
        (for_calibration, "The evaluation set held-out@1 is for calibration, not for acceptance."),
    ],
)
def test_quality_on_other_data_is_declared_and_says_why(
    cast: Cast, now: datetime, make: Callable[[Cast, datetime], Dataset], reason: str
) -> None:
    request = measured(make(cast, now), cast, now)
    assert bases(request)["accuracy"] == "declared"
    assert {name for name, basis in bases(request).items() if basis != "measured"} <= {"accuracy", "f1_macro"}
    assert bases(request)["latency_p95_ms"] == "measured", "speed does not depend on the labels"
    assert reason in source(request)
    client = enter(cast.author)
    page = words(client.get(page_of(request)))
    assert "Quality is declared, not measured." in page
    assert reason in page
    run = runs.of_request(request.ref)[0]
    assert reason in words(client.get(f"/runs/{run.pk}/"))


def test_the_api_says_why(cast: Cast, now: datetime, policy: object, api: Callable[[User | None], APIClient]) -> None:
    request = measured(own(cast, now), cast, now)
    answer: dict[str, Any] = api(cast.author).get(f"/api/v1/requests/{request.ref}/").json()
    assert answer["dataset"] | {"digest": "", "size_bytes": 0} == {
        "name": "held-out",
        "version": 1,
        "status": "proposed",
        "digest": "",
        "size_bytes": 0,
    }
    assert answer["dataset_doubt"] == "The evaluation set held-out@1 is not governed: no data steward has confirmed it."


@pytest.mark.usefixtures("policy")
@pytest.mark.parametrize(
    ("accepted", "basis"),
    [("held-out", "measured"), ("held-out@1", "measured"), ("held-out@2", "declared"), ("other", "declared")],
)
def test_a_policy_names_the_sets_that_count(cast: Cast, now: datetime, accepted: str, basis: str) -> None:
    draft = rulebook.draft_policy(source=f"{LEAN}\nevaluation_sets: [{accepted}]\n", by=None, now=now)
    rulebook.publish(version=draft, by=None, now=now)
    request = measured(governed(cast, now), cast, now)
    assert bases(request)["accuracy"] == basis
    assert ("The policy does not accept the evaluation set held-out@1" in source(request)) == (basis == "declared")


@pytest.mark.usefixtures("policy")
def test_what_was_measured_before_a_set_was_retired_stays_measured(cast: Cast, now: datetime) -> None:
    data = governed(cast, now)
    request = measured(data, cast, now)
    datasets.retire(dataset=data, reason=WHY, by=cast.steward, now=now)
    assert bases(request)["accuracy"] == "measured"


@pytest.mark.usefixtures("policy")
def test_a_request_uses_no_set_of_another_team_and_no_retired_one(cast: Cast, now: datetime) -> None:
    version, theirs = make_version(by=cast.author, now=now), make_dataset(by=cast.outsider, now=now, is_governed=False)
    with refused(Invalid, match="cannot be used: choose a governed one", field="dataset"):
        requests.create(filing=filing_of(version, theirs), by=cast.author, now=now)
    retired = make_dataset(by=cast.author, now=now, seed=1)
    retired = datasets.retire(dataset=retired, reason=WHY, by=cast.steward, now=now)
    with refused(Invalid, match="is retired; choose another one", field="dataset"):
        requests.create(filing=filing_of(version, retired), by=cast.author, now=now)


def test_another_teams_set_cannot_be_used_by_its_digest(
    cast: Cast, now: datetime, policy: object, api: Callable[[User | None], APIClient]
) -> None:
    version = make_version(by=cast.author, now=now)
    theirs = datasets.register(entry=new_dataset(content=npz_bytes(seed=9)), by=cast.outsider, now=now)
    fields = {
        "title": "T",
        "purpose": "P",
        "environment": "prod",
        "business_case": "B",
        "model_version": version.digest,
    }
    answers = [
        api(cast.author).post("/api/v1/requests/", fields | {"dataset": digest}, format="json")
        for digest in (theirs.digest, "sha256:" + "0" * 64)
    ]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert [answer.json()["code"] for answer in answers] == ["invalid", "invalid"]
    assert not ReviewRequest.objects.exists()
