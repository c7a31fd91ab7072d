"""Results that were measured elsewhere: what is accepted, and forty ways to forge one that are refused."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from benchmarking.runs.actions import runs as run_actions
from benchmarking.runs.models import Run
from governance.audit.models import AuditEvent
from governance.findings.models import Finding
from governance.jobs import actions as jobs
from governance.rulebook.domain import defaults
from reviews.evidence.models import AttestedStatement, MetricRecord
from reviews.evidence.queries.attested import attested_views, audit_words, plan_of
from reviews.evidence.queries.metric_views import metric_views
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.packets.queries.packet_evidence import comparisons
from reviews.requests.models import ReviewRequest
from reviews.voting.queries.review_blockers import review_blockers
from reviews.workflow.actions import attestations, requests
from tests.factories import kinds
from tests.factories import requests as walks
from tests.factories.people import Cast
from tests.integration.reviews.requests.reading import enter, page_of, words
from tests.standstill import refused
from weighbridge.core import attestation
from weighbridge.core.attested_results import AttestedMetric, AttestedResult, result_statement
from weighbridge.core.errors import Invalid, NotAllowed, WrongState

SIGNED = kinds.Signed({"latency_p95_ms": "40", "map": "0.4", "map_50": "0.6"})
OTHER_KEY = attestation.new_key_pem()
Forge = Callable[[AttestedResult], AttestedResult]


@pytest.fixture
def request_elsewhere(cast: Cast, now: datetime) -> ReviewRequest:
    """A detector in a repository, submitted; the policy trusts one key and measures nothing again."""
    kinds.publish_shipped(now=now)
    version = kinds.register(task="detection", subject=kinds.MANIFEST, by=cast.author, now=now)
    return walks.make_submitted(by=cast.author, version=version, now=now)


def attest(request: ReviewRequest, envelope: Mapping[str, Any], cast: Cast, now: datetime) -> AttestedStatement:
    return attestations.record_attested(request=request, envelope=envelope, by=cast.author, now=now)


def test_the_values_of_a_signed_result_are_attested(
    request_elsewhere: ReviewRequest, cast: Cast, now: datetime
) -> None:
    request = request_elsewhere
    statement = attest(request, kinds.envelope_of(kinds.result_for(request, SIGNED, now=now)), cast, now)
    rows = {row.name: row for row in MetricRecord.objects.filter(statement=statement)}
    assert {name: (row.basis, row.value, row.n) for name, row in rows.items()} == {
        "latency_p95_ms": ("attested", 40, 3000),
        "map": ("attested", Decimal("0.4"), 3000),
        "map_50": ("attested", Decimal("0.6"), 3000),
    }
    assert rows["map"].source == "loadgen 5.0, signed by build cluster (cluster)"
    event = AuditEvent.objects.get(kind="evidence.attested")
    assert (event.subject, event.details["key"], event.details["audited"]) == (request.ref, "build cluster", False)
    (view,) = attested_views(request)
    assert (view.metrics, view.audit) == (("latency_p95_ms", "map", "map_50"), "not drawn to be measured again")
    assert audit_words(request, results=1) == ""


def test_page_and_packet_show_attested_values_beside_the_claims(
    request_elsewhere: ReviewRequest, cast: Cast, now: datetime
) -> None:
    attest(request_elsewhere, kinds.envelope_of(kinds.result_for(request_elsewhere, SIGNED, now=now)), cast, now)
    evidence = EvidenceSnapshot(request_elsewhere, now)
    views = {view.kind.name: view for view in metric_views(evidence)}
    assert (views["map"].measured.basis, views["map"].verdict) == ("attested", "valid")
    (row,) = [row for row in comparisons(evidence) if row.name == "latency_p95_ms"]
    assert (row.measured.value, row.measured.basis, row.measured.verdict) == (40, "attested", "valid")
    shown = words(enter(cast.reviewer_one).get(page_of(request_elsewhere, "evidence")))
    assert re.search(r"Latency p95 .{0,90}40\.00 ms attested", shown), shown


@pytest.mark.parametrize("values", [{"map_50": "0.3", "miou": "0.62"}, {"miou": "0.62"}], ids=["missed", "no value"])
def test_a_limit_of_which_one_is_enough_is_no_limit_of_its_metric(
    values: dict[str, str], request_elsewhere: ReviewRequest, cast: Cast, now: datetime
) -> None:
    """The policy asks for a map_50 or a miou of at least 0.5."""
    signed = kinds.Signed({"latency_p95_ms": "40", **values})
    attest(request_elsewhere, kinds.envelope_of(kinds.result_for(request_elsewhere, signed, now=now)), cast, now)
    evidence = EvidenceSnapshot(request_elsewhere, now)
    statuses = {result.rule_id: result.status for result in evidence.policy_evaluation.results}
    assert statuses["overlap-floor-prod"] == "passed"
    views = {view.kind.name: view for view in metric_views(evidence)}
    assert {name: views[name].limit for name in ("map_50", "miou") if name in views} == dict.fromkeys(values)
    limit = views["latency_p95_ms"].limit
    assert (limit.value, limit.rule_id, limit.status) == (100, "latency-p95-prod-elsewhere", "passed")
    rows = {row.name: row.limit for row in comparisons(evidence)}
    assert {name: rows[name] for name in values} == dict.fromkeys(values)


def other(field: str, value: Any) -> Forge:
    return lambda result: replace(result, **{field: value})


def metric(**changes: Any) -> Forge:
    return lambda result: replace(result, metrics=(replace(result.metrics[0], **changes), *result.metrics[1:]))


def added(name: str, unit: str, value: str = "1") -> Forge:
    extra = AttestedMetric(name=name, value=Decimal(value), unit=unit, n=10)
    return lambda result: replace(result, metrics=(*result.metrics, extra))


HOUR = timedelta(hours=1)
FORGED_RESULTS: dict[str, tuple[Forge, str]] = {
    "another subject": (other("subject", kinds.digest("9")), "attested_subject"),
    "a file of the subject alone": (other("subject", kinds.digest("2")), "attested_subject"),
    "the plan of another request": (other("plan", kinds.digest("8")), "attested_plan"),
    "begun before the request": (lambda one: replace(one, started_at=one.started_at - HOUR), "attested_started_at"),
    "ended before it began": (lambda one: replace(one, finished_at=one.started_at - HOUR), "attested_finished_at"),
    "ended in the future": (lambda one: replace(one, finished_at=one.finished_at + HOUR), "attested_finished_at"),
    "invalid by its own verdict": (other("verdict", "invalid"), "attested_verdict"),
    "a verdict of its own making": (other("verdict", "excellent"), "invalid"),
    "quality on other data": (other("data", kinds.digest("6")), "attested_data"),
    "quality on no data": (other("data", ""), "attested_data"),
    "no value at all": (other("metrics", ()), "invalid"),
    "the same metric twice": (lambda one: replace(one, metrics=one.metrics * 2), "invalid"),
    "an unknown metric": (added("speed", "ms"), "invalid"),
    "a cost": (added("total_cost_1y_usd", "USD"), "attested_metrics"),
    "GPU hours": (added("training_gpu_hours", "gpu_h"), "attested_metrics"),
    "a business gain": (added("business_kpi_delta", "ratio"), "attested_metrics"),
    "variants that nobody measured": (added("alternatives_measured", "variants"), "attested_metrics"),
    "another unit": (metric(unit="s"), "invalid"),
    "a negative latency": (metric(value=Decimal(-1), lower=None), "invalid"),
    "a value below its interval": (metric(value=Decimal(1)), "invalid"),
    "a value above its interval": (metric(value=Decimal(400)), "invalid"),
    "a confidence of certainty": (metric(confidence=Decimal(1)), "invalid"),
    "an implausible number": (metric(value=Decimal("1e20"), upper=None), "invalid"),
    "a tool without a name": (other("tool", ""), "invalid"),
    "a long name": (other("tool", "t" * 201), "invalid"),
}


@pytest.mark.parametrize("name", FORGED_RESULTS)
def test_a_forged_result_is_refused(request_elsewhere: ReviewRequest, cast: Cast, now: datetime, name: str) -> None:
    forge, code = FORGED_RESULTS[name]
    result = forge(kinds.result_for(request_elsewhere, SIGNED, now=now))
    envelope = kinds.envelope_of(result)
    with refused(Invalid, code=code):
        attest(request_elsewhere, envelope, cast, now)


def _signed(statement: Mapping[str, Any], key: str = kinds.KEY) -> dict[str, Any]:
    return dict(json.loads(json.dumps(attestation.sign(statement, private_key_pem=key))))


def _payload(envelope: Mapping[str, Any]) -> dict[str, Any]:
    return dict(json.loads(base64.b64decode(envelope["payload"])))


def _with_payload(envelope: Mapping[str, Any], payload: Mapping[str, Any]) -> dict[str, Any]:
    return {**envelope, "payload": base64.b64encode(json.dumps(payload).encode()).decode()}


def _lowered(envelope: Mapping[str, Any]) -> dict[str, Any]:
    payload = _payload(envelope)
    payload["predicate"]["metrics"][0]["value"] = "1"
    return _with_payload(envelope, payload)


FORGED_ENVELOPES: dict[str, Callable[[AttestedResult, dict[str, Any]], Any]] = {
    "another key": lambda result, _: kinds.envelope_of(result, key=OTHER_KEY),
    "a value changed after signing": lambda _, envelope: _lowered(envelope),
    "no signature": lambda _, envelope: {**envelope, "signatures": []},
    "an empty signature": lambda _, envelope: {**envelope, "signatures": [{"keyid": "", "sig": ""}]},
    "the name of the key without its signature": lambda result, envelope: {
        **kinds.envelope_of(result, key=OTHER_KEY),
        "signatures": [{"keyid": envelope["signatures"][0]["keyid"], "sig": base64.b64encode(b"\0" * 64).decode()}],
    },
    "the signature of another result": lambda result, envelope: {
        **kinds.envelope_of(replace(result, tool="another"), key=kinds.KEY),
        "signatures": envelope["signatures"],
    },
    "another payload type": lambda _, envelope: {**envelope, "payloadType": "application/json"},
    "no payload": lambda _, envelope: {**envelope, "payload": ""},
    "a payload that is no base64": lambda _, envelope: {**envelope, "payload": "%%%"},
    "a payload that is no statement": lambda *_: _signed({"hello": "world"}),
    "an authorization instead of a result": lambda result, _: _signed(
        result_statement(result, subject_name="s") | {"predicateType": attestation.PREDICATE_TYPE}
    ),
    "two subjects": lambda result, _: _signed(
        result_statement(result, subject_name="s")
        | {"subject": [{"name": "s", "digest": {"sha256": letter * 64}} for letter in "12"]}
    ),
    "a subject without a SHA-256": lambda result, _: _signed(
        result_statement(result, subject_name="s") | {"subject": [{"name": "s", "digest": {"md5": "1" * 32}}]}
    ),
    "a key of the document that nobody reads": lambda result, _: _signed(
        result_statement(result, subject_name="s") | {"note": "trust me"}
    ),
    "an empty envelope": lambda *_: {},
}


@pytest.mark.parametrize("name", FORGED_ENVELOPES)
def test_a_forged_envelope_is_refused(request_elsewhere: ReviewRequest, cast: Cast, now: datetime, name: str) -> None:
    result = kinds.result_for(request_elsewhere, SIGNED, now=now)
    with refused(Invalid):
        attest(request_elsewhere, FORGED_ENVELOPES[name](result, kinds.envelope_of(result)), cast, now)


def test_there_are_forty_forgeries() -> None:
    assert len(FORGED_RESULTS) + len(FORGED_ENVELOPES) >= 40


def test_a_result_is_filed_once_whoever_signs_it_again(
    request_elsewhere: ReviewRequest, cast: Cast, now: datetime
) -> None:
    result = kinds.result_for(request_elsewhere, SIGNED, now=now)
    attest(request_elsewhere, kinds.envelope_of(result), cast, now)
    with refused(WrongState, code="already_attested"):
        attest(request_elsewhere, _signed(result_statement(result, subject_name="another name")), cast, now)


def test_the_result_of_one_request_is_none_of_another(
    cast: Cast, request_elsewhere: ReviewRequest, now: datetime
) -> None:
    result = kinds.result_for(request_elsewhere, SIGNED, now=now)
    twin = walks.make_submitted(
        by=cast.author, version=request_elsewhere.model_version, purpose="Another purpose", with_data=False, now=now
    )
    with refused(Invalid, code="attested_plan", field="plan"):
        attest(twin, kinds.envelope_of(result), cast, now)


def test_a_key_that_the_policy_in_force_dropped_is_not_trusted(
    request_elsewhere: ReviewRequest, cast: Cast, now: datetime
) -> None:
    envelope = kinds.envelope_of(kinds.result_for(request_elsewhere, SIGNED, now=now))
    source = defaults.text_of("policies/detection.yaml")
    kinds.publish_policy(source, now=now + HOUR, trust=kinds.key_section(OTHER_KEY))
    with refused(Invalid, code="no_trusted_key", field="envelope"):
        attest(request_elsewhere, envelope, cast, now)


def test_a_key_of_another_team_signs_nothing(cast: Cast, now: datetime) -> None:
    kinds.publish_shipped(now=now, trust=kinds.key_section(teams=("ads",)))
    version = kinds.register(task="detection", subject=kinds.MANIFEST, by=cast.author, now=now)
    request = walks.make_submitted(by=cast.author, version=version, now=now)
    with refused(Invalid, code="no_trusted_key"):
        attest(request, kinds.envelope_of(kinds.result_for(request, SIGNED, now=now)), cast, now)


def test_nobody_else_files_it_and_no_draft_takes_it(
    request_elsewhere: ReviewRequest, cast: Cast, now: datetime
) -> None:
    envelope = kinds.envelope_of(kinds.result_for(request_elsewhere, SIGNED, now=now))
    for by in (cast.outsider, cast.reviewer_one, cast.auditor, cast.finance):
        with refused(NotAllowed):
            attestations.record_attested(request=request_elsewhere, envelope=envelope, by=by, now=now)
    draft = walks.make_draft(
        by=cast.author, version=request_elsewhere.model_version, purpose="Another", with_data=False, now=now
    )
    with refused(WrongState):
        attest(draft, envelope, cast, now)


def test_quality_on_data_that_nobody_governs_is_declared(cast: Cast, now: datetime) -> None:
    kinds.publish_shipped(now=now)
    version = kinds.register(task="detection", subject=kinds.MANIFEST, by=cast.author, now=now)
    draft = walks.make_draft(by=cast.author, version=version, with_data=False, now=now)
    draft.dataset = walks.make_dataset(by=cast.author, now=now, is_governed=False)
    draft.save()
    request = requests.submit(request=draft, by=cast.author, now=now)
    attest(request, kinds.envelope_of(kinds.result_for(request, SIGNED, now=now)), cast, now)
    bases = dict(request.metric_records.exclude(name__in=walks.DECLARED).values_list("name", "basis"))
    assert bases == {"latency_p95_ms": "attested", "map": "declared", "map_50": "declared"}


def test_a_drawn_result_is_measured_again_where_it_can_run(cast: Cast, now: datetime) -> None:
    kinds.publish_shipped(now=now, trust=kinds.key_section(share="0.25"))
    request = walks.make_submitted(by=cast.author, now=now)
    before = Run.objects.count()
    signed = kinds.Signed({"latency_p95_ms": "1"})
    for minute, draw in enumerate(("0.25", "0.2499")):
        result = kinds.result_for(request, signed, now=now, finished_at=now + timedelta(seconds=minute))
        attestations.record_attested(
            request=request, envelope=kinds.envelope_of(result), draw=Decimal(draw), by=cast.author, now=now
        )
    drawn, kept = attested_views(request)
    run = Run.objects.latest("pk")
    assert (kept.audit, drawn.audit) == ("not drawn to be measured again", f"measured again as run {run.pk}")
    assert (Run.objects.count(), run.asked_for) == (before + 1, request.ref)
    assert audit_words(request, results=2) == (
        "If the 2 results were inflated, the chance that one is measured again is 43.8 %."
    )


def test_a_drawn_result_is_not_measured_again_where_it_cannot_run(cast: Cast, now: datetime) -> None:
    kinds.publish_shipped(now=now, trust=kinds.key_section(share="1"))
    version = kinds.register(task="detection", subject=kinds.MANIFEST, by=cast.author, now=now)
    request = walks.make_submitted(by=cast.author, version=version, now=now)
    statement = attest(request, kinds.envelope_of(kinds.result_for(request, SIGNED, now=now)), cast, now)
    assert (statement.is_audited, statement.audit_run) == (True, None)
    assert not Run.objects.exists()
    assert audit_blockers(request, now) == []


def test_a_run_of_half_a_year_ago_is_no_evidence(request_elsewhere: ReviewRequest, cast: Cast, now: datetime) -> None:
    request = request_elsewhere
    envelope = kinds.envelope_of(kinds.result_for(request, SIGNED, now=now))
    with pytest.raises(Invalid, match="ended more than 180 days ago; measure again") as refusal:
        attest(request, envelope, cast, now + timedelta(days=181))
    assert refusal.value.field == "finished_at"
    assert not AttestedStatement.objects.exists()


def test_a_drawn_result_blocks_the_review_until_it_is_measured_again(cast: Cast, now: datetime) -> None:
    kinds.publish_shipped(now=now, trust=kinds.key_section(share="1"))
    request = walks.make_submitted(by=cast.author, now=now)
    walks.take_results(request=request, now=now)
    later = now + timedelta(minutes=10)
    signed = kinds.Signed({"latency_p95_ms": "1"})
    attest(request, kinds.envelope_of(kinds.result_for(request, signed, now=now)), cast, later)
    run = Run.objects.latest("pk")
    run = jobs.cancel(row=run, by=cast.author, now=later)
    assert audit_blockers(request, later) == [
        f"Run {run.pk} measures a signed result of loadgen 5.0 again and did not finish; run it again."
    ]
    again = run_actions.repeat(run=run, by=cast.author, now=later)
    assert audit_blockers(request, later) == []  # it waits for the new run
    again = jobs.cancel(row=again, by=cast.author, now=later)
    assert len(audit_blockers(request, later)) == 1
    run_actions.repeat(run=again, by=cast.author, now=later)
    walks.take_results(request=request, now=later)
    assert audit_blockers(request, later) == []


def audit_blockers(request: ReviewRequest, now: datetime) -> list[str]:
    blockers = review_blockers(EvidenceSnapshot(ReviewRequest.objects.get(pk=request.pk), now))
    return [blocker.reason for blocker in blockers if blocker.code == "audit_open"]


def test_whoever_was_drawn_cannot_draw_again_by_filing_again(cast: Cast, now: datetime) -> None:
    kinds.publish_shipped(now=now, trust=kinds.key_section(share="0.25"))
    signed, never, always = kinds.Signed({"latency_p95_ms": "1"}), Decimal("0.9"), Decimal("0.1")

    def attested(request: ReviewRequest, draw: Decimal, second: int) -> AttestedStatement:
        result = kinds.result_for(request, signed, now=now, finished_at=now + timedelta(seconds=second))
        envelope = kinds.envelope_of(result)
        return attestations.record_attested(request=request, envelope=envelope, draw=draw, by=cast.author, now=now)

    first = walks.make_submitted(by=cast.author, now=now)
    assert attested(first, always, 1).is_audited
    requests.withdraw(request=first, reason="We try again.", by=cast.author, now=now)
    second = walks.make_submitted(by=cast.author, now=now, version=first.model_version)
    assert attested(second, never, 2).is_audited
    walks.take_results(request=second, now=now)
    assert not attested(second, never, 3).is_audited


def test_an_inflated_result_is_found_when_it_is_measured_again(cast: Cast, now: datetime) -> None:
    kinds.publish_shipped(now=now, trust=kinds.key_section(share="1"))
    request = walks.make_submitted(by=cast.author, now=now)
    signed = kinds.Signed({"latency_p95_ms": "0.5", "throughput_per_s": "600"})
    attest(request, kinds.envelope_of(kinds.result_for(request, signed, now=now)), cast, now)
    walks.take_results(request=request, now=now)
    (finding,) = Finding.objects.filter(kind="attested.inflated")
    assert finding.subject == request.ref
    assert "Latency p95 was attested as 0.5 ms, and measured as 1.9 to 2.2 ms." in finding.text
    assert finding.owner == cast.approver


def test_the_plan_names_what_was_fixed_at_submission(request_elsewhere: ReviewRequest) -> None:
    plan = plan_of(request_elsewhere)
    assert (plan.request, plan.subject) == (request_elsewhere.ref, request_elsewhere.model_version.digest)
    assert plan.data == request_elsewhere.dataset.digest
    assert plan.document["benchmarks"][0]["scenario"] == "SingleStream"
