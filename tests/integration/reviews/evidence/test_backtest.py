"""Back-tests on the database: recorded policy evaluations repeat exactly, and another version is set beside the one in
force.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import yaml
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from rest_framework.test import APIClient

from governance.rulebook.actions import documents as rulebook
from governance.rulebook.domain.evaluation.policies import PolicyOutcome
from governance.rulebook.models import PolicyVersion
from reviews.evidence.models import PolicyEvaluation
from reviews.evidence.queries.backtests import backtest, cases
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import requests, waivers
from reviews.workflow.actions.drafting import amendments
from reviews.workflow.actions.drafting.amendments import Amendment
from tests.factories import requests as walks
from tests.factories.models import make_dataset, make_version
from tests.factories.people import Cast
from tests.factories.policies import LEAN
from tests.integration.reviews.evidence.repeated import again
from weighbridge.core.converter import to_document
from weighbridge.core.errors import Invalid, NotFound
from weighbridge.core.metrics.standard import STANDARD

DEV = {
    "environment": "dev",
    "declared": {"training_gpu_hours": "10", "training_cost_usd": "300", "inference_cost_1y_usd": "600"},
}


def drafted(now: datetime, **limits: int) -> PolicyVersion:
    """The lean policy with other limits, as a draft."""
    document = yaml.safe_load(LEAN)
    for rule in document["rules"]:
        rule["limit"] = limits.get(rule["metric"], rule["limit"])
    return rulebook.draft_policy(source=yaml.safe_dump(document), by=None, now=now)


@pytest.fixture
def history(policy: PolicyVersion, cast: Cast, now: datetime) -> dict[str, ReviewRequest]:
    """One request decided, one cleared, one waiting with a waived rule."""
    decided = walks.make_decided(cast=cast, now=now)
    version = decided.model_version
    trial = make_version(by=cast.author, now=now, slug="trial", seed=5)
    cleared = walks.make_submitted(by=cast.author, now=now, version=trial, purpose="Try it", title="A trial", **DEV)
    assert cleared.state == "cleared"
    waiting = walks.make_submitted(by=cast.author, now=now, version=version, purpose="Another")
    return {"decided": decided, "cleared": cleared, "waiting": waiting}


def run(version: PolicyVersion, policy: PolicyVersion, now: datetime, quarters: int = 4) -> backtest.Backtest:
    given = {"name": version.name, "number": version.number, "against": policy.number, "quarters": quarters}
    return backtest.run(backtest.question(**given, now=now))


def test_every_recorded_policy_evaluation_repeats_exactly(history: Any, cast: Cast, now: datetime) -> None:
    soft = next(rule.id for rule in backtest.policy_in(history["waiting"].policy).rules if rule.level == "soft")
    later = now + timedelta(minutes=5)
    waivers.grant(
        request=history["waiting"], rule_id=soft, reason="Tried by hand.", valid_days=1, by=cast.approver, now=later
    )
    walks.state_metric_value(
        request=history["waiting"], name="training_gpu_hours", value="9", by=cast.author, now=later + timedelta(hours=1)
    )
    rows = list(PolicyEvaluation.objects.select_related("policy"))
    assert len(rows) >= 6
    assert {row.occasion for row in rows} >= {"submission", "evidence", "decision", "waiver"}
    for row in rows:
        assert to_document(again(row)) == row.document


def test_quality_on_data_that_the_request_had_before_counts_no_longer(
    in_review: ReviewRequest, cast: Cast, now: datetime
) -> None:
    """As in the evaluation of the request itself."""
    [line] = run(in_review.policy, in_review.policy, now).lines
    before, later = line.compared.after.effects, now + timedelta(minutes=5)
    easier = make_dataset(by=cast.author, now=now, seed=8, name="easier photographs")
    row = amendments.amend(
        request=in_review, amendment=Amendment(dataset=easier), reason="It was asked for.", by=cast.author, now=later
    )
    walks.state_metric_value(
        request=row, name="training_gpu_hours", value="320", by=cast.author, now=later + timedelta(minutes=1)
    )
    recorded = PolicyEvaluation.objects.filter(request=row).latest("pk")
    assert recorded.evaluated_at > later
    [line] = run(in_review.policy, in_review.policy, later + timedelta(minutes=2)).lines
    effects = {each["rule_id"]: each["effect"] for each in recorded.document["results"] if each["effect"]}
    assert line.compared.after.effects == effects
    assert effects != before


def test_a_version_beside_itself_changes_nothing(history: Any, policy: PolicyVersion, now: datetime) -> None:
    said = run(policy, policy, now)
    assert (said.request_count, said.changed) == (3, ())
    assert {line.ref: line.recorded for line in said.lines} == {
        line.ref: line.compared.after.outcome for line in said.lines
    }
    assert said.after == said.before


def test_a_stricter_version_asks_for_more_and_says_of_what(history: Any, policy: PolicyVersion, now: datetime) -> None:
    said = run(drafted(now, training_gpu_hours=5, total_cost_1y_usd=5), policy, now)
    assert [(line.ref, line.recorded) for line in said.changed] == [(history["cleared"].ref, PolicyOutcome.CLEARED)]
    (line,) = said.changed
    assert line.compared.added_rules
    assert (said.stricter.count, said.stricter.usd, said.stricter.gpu_h, said.looser.count) == (1, 900, 10, 0)
    assert said.after[PolicyOutcome.CLEARED].count == 0
    assert said.lines[0] == line
    back = run(policy, drafted(now, training_gpu_hours=5, total_cost_1y_usd=5), now)
    assert (back.looser.count, back.stricter.count) == (1, 0)


def test_of_requests_that_another_policy_judges_nothing_more_is_read(
    history: Any, policy: PolicyVersion, django_assert_num_queries: Any
) -> None:
    evaluations, names = cases.last_evaluations(since=date(2000, 1, 1)), frozenset({"training_gpu_hours"})
    given = {"names": names, "catalog": STANDARD}
    every = list(cases.replayed(evaluations, **given))
    assert [case.request.ref for _, case in every if case] == [row.ref for row, _ in every]
    cleared = {case.request.subject for row, case in every if row.ref == history["cleared"].ref}
    some = list(cases.replayed(evaluations, **given, is_wanted=lambda subject: subject in cleared))
    assert [row for row, _ in some] == [row for row, _ in every]
    assert [case for _, case in some if case] == [case for row, case in every if row.ref == history["cleared"].ref]
    with django_assert_num_queries(1):
        none = list(cases.replayed(evaluations, **given, is_wanted=lambda _: False))
    assert none == [(row, None) for row, _ in every]


def test_only_the_quarters_asked_for_count(history: Any, policy: PolicyVersion, now: datetime) -> None:
    ReviewRequest.objects.filter(pk=history["cleared"].pk).update(submitted_at=now - timedelta(days=200))
    assert len(run(policy, policy, now, quarters=1).lines) == 2
    assert len(run(policy, policy, now, quarters=4).lines) == 3
    for quarters in (0, 41):
        with pytest.raises(Invalid) as refusal:
            run(policy, policy, now, quarters=quarters)
        assert refusal.value.field == "quarters"


def test_versions_that_are_not_there_are_not_found(policy: PolicyVersion, now: datetime) -> None:
    given = {"name": policy.name, "number": policy.number, "quarters": 1, "now": now}
    assert backtest.run(backtest.question(**given, against=None)).against == policy
    for missing in ({"against": 99}, {"number": 99, "against": None}):
        with pytest.raises(NotFound):
            backtest.run(backtest.question(**given | missing))
    source = yaml.safe_dump(yaml.safe_load(LEAN) | {"name": "other", "precedence": 1})
    other = rulebook.draft_policy(source=source, by=None, now=now)
    with pytest.raises(NotFound, match="No version of other is in force; choose a version to compare with"):
        backtest.run(backtest.question(**given | {"name": other.name, "number": other.number, "against": None}))


def test_the_questions_do_not_grow_with_the_requests(
    history: Any, policy: PolicyVersion, cast: Cast, now: datetime, django_assert_max_num_queries: Any
) -> None:
    for number in range(3):
        walks.make_submitted(
            by=cast.author, now=now, version=history["decided"].model_version, purpose=f"Purpose {number}", **DEV
        )
    with django_assert_max_num_queries(8):
        assert len(run(policy, policy, now).lines) == 6


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_the_page_shows_what_differs_and_links_there(
    history: Any, cast: Cast, policy: PolicyVersion, now: datetime
) -> None:
    draft = drafted(now, training_gpu_hours=5)
    url = f"/rulebook/policies/{draft.name}/{draft.number}/backtest/"
    answer = client_of(cast.approver).get(url, {"quarters": "1", "against": str(policy.number)})
    page = answer.content.decode()
    assert answer.context["notes"]["more"] == (1, "$900.00")
    assert f"/requests/{history['cleared'].ref}/" in page
    assert url in client_of(cast.approver).get(f"/rulebook/policies/{draft.name}/{draft.number}/").content.decode()
    assert url not in client_of(cast.author).get(f"/rulebook/policies/{draft.name}/{draft.number}/").content.decode()
    assert client_of(cast.author).get(url).status_code == 403
    assert client_of(cast.approver).get(url, {"quarters": "many"}).status_code == 400
    file = client_of(cast.auditor).get(f"{url}requests.csv").content.decode()
    assert f'"{history["cleared"].ref}","A trial","Search",' in file
    assert '"cleared","cleared","review_required","900.00","10.00","training-gpu-hours",""' in file


def test_nothing_judged_is_an_empty_page(cast: Cast, policy: PolicyVersion) -> None:
    page = client_of(cast.approver).get(f"/rulebook/policies/{policy.name}/{policy.number}/backtest/").content.decode()
    assert "No request was evaluated in these quarters" in page
    assert "No rule affects any of these requests." in page


def test_programs_ask_the_same(
    history: Any, api: Callable[[User | None], APIClient], cast: Cast, policy: PolicyVersion, now: datetime
) -> None:
    draft = drafted(now, training_gpu_hours=5)
    url = f"/api/v1/rulebook/policies/{draft.name}/{draft.number}/backtest/"
    said = api(cast.finance).get(url, {"quarters": 2}).json()
    assert (said["version"], said["against"], said["request_count"]) == (str(draft), str(policy), 3)
    assert [(each["ref"], each["before"], each["after"], each["usd"]) for each in said["changed"]] == [
        (history["cleared"].ref, "cleared", "review_required", "900")
    ]
    assert {each["outcome"]: each["after"] for each in said["shares"]} == {
        "cleared": 0,
        "advised": 0,
        "review_required": 3,
        "denied": 0,
    }
    assert api(cast.author).get(url).status_code == 403
    refused = api(cast.finance).get(url, {"quarters": 0})
    assert [error["field"] for error in refused.json()["errors"]] == ["quarters"]


def test_the_terminal_asks_the_same(history: Any, policy: PolicyVersion, now: datetime) -> None:
    draft = drafted(now, training_gpu_hours=5)
    out = StringIO()
    call_command("backtest", draft.name, str(draft.number), "--quarters", "2", stdout=out)
    lines = out.getvalue().splitlines()
    assert lines[0].startswith(f"{draft} compared with {policy}, 3 requests of ")
    assert lines[-1] == f"  {history['cleared'].ref} cleared -> review_required by training-gpu-hours"
    out = StringIO()
    call_command("backtest", policy.name, str(policy.number), stdout=out)
    assert out.getvalue().splitlines()[-1] == "No outcome differs."
    with pytest.raises(CommandError, match="There is no version 99"):
        call_command("backtest", policy.name, "99")


def test_a_withdrawn_request_counts_as_it_was_judged_last(
    history: Any, policy: PolicyVersion, cast: Cast, now: datetime
) -> None:
    requests.withdraw(request=history["waiting"], reason="Not needed.", by=cast.author, now=now)
    assert len(run(policy, policy, now).lines) == 3
