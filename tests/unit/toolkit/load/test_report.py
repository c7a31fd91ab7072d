"""The document of a load test."""

import dataclasses
import hashlib
import json
from datetime import UTC, datetime

import numpy as np
import pytest

from tests.unit.toolkit.load.servers import pinned
from tests.unit.toolkit.load.test_judgment import calm
from weighbridge.core.errors import Invalid
from weighbridge.load.expectation import Expectation
from weighbridge.load.generator.generator import GeneratorResult
from weighbridge.load.plan import LoadCaps, LoadPlan
from weighbridge.load.results import report
from weighbridge.load.results.report import load_document, load_manifest, run_load, span_s
from weighbridge.load.results.samples import RequestOutcome
from weighbridge.measure.conditions.interference import Interference
from weighbridge.measure.conditions.manifest import seal_manifest

AT = datetime(2026, 11, 25, tzinfo=UTC)
PLAN = LoadPlan(url="http://localhost/", rate_per_s=1000, duration_s=2, headers=(("Authorization", "Bearer s3cret"),))
SEEN = Interference(
    others_cpus=0.1, steal_cpus=0.01, pressure_share=0.2, load_1min_before=0.5, canary_ratio=1.0, cpus=2
)


def fired(samples, **changes):
    usual = {
        "is_stopped": False,
        "lost_processes": 0,
        "opened": 64,
        "cpu_s": 0.25,
        "complaints": {"lost": "it was cut"},
    }
    return GeneratorResult(samples=samples, **(usual | changes))


def document(samples=None, *, plan=PLAN, **changes):
    return load_document(
        plan,
        fired(samples or calm(failed=3), **changes),
        described=load_manifest(plan, pinned(80)),
        seen=SEEN,
        now=AT,
    )


def test_a_document_holds_everything_and_no_secret():
    found = document()
    assert list(found) == [
        "schema",
        "measured_at",
        "is_partial",
        "loop",
        "headline",
        "verdict",
        "metrics",
        "missing",
        "errors",
        "within_limit",
        "bodies",
        "notes",
        "series",
        "run",
        "plan",
        "manifest",
    ]
    assert (found["schema"], found["is_partial"], found["headline"]) == (
        "weighbridge.load/1",
        False,
        "response_time_p99_ms",
    )
    assert found["errors"] == [{"kind": "lost", "count": 3, "first": "it was cut"}]
    assert found["run"] == {
        "connections_opened": 64,
        "connections_at_once": 0,
        "connections_limited_by": [],
        "requests_per_connection": 1,
        "generator_cpu_s": 0.25,
        "generator_processor_share": 0.0,
        "unsettled": 0,
        "interference": {"steal_cpus": 0.01, "pressure_share": 0.2, "load_1min_before": 0.5, "cpus": 2},
    }
    assert found["verdict"]["status"] == "indicative"
    assert [reason["code"] for reason in found["verdict"]["reasons"]] == ["errors.requests", "environment.co_located"]
    assert found["manifest"] == seal_manifest(found["manifest"])
    assert found["manifest"]["target"]["is_this_machine"] is True
    assert found["manifest"]["bodies"] is None
    assert "s3cret" not in json.dumps(found)
    assert len(found["series"]) == 2


def test_what_was_not_checked_and_what_the_loop_cannot_show_is_noted():
    assert (document()["loop"], [note["code"] for note in document()["notes"]]) == ("open", ["bodies.unchecked"])
    closed = document(
        plan=LoadPlan(url=PLAN.url, rate_per_s=0, duration_s=2, users=5, expect=Expectation(json_key="a"))
    )
    assert (closed["loop"], [note["code"] for note in closed["notes"]]) == ("closed", ["loop.closed"])
    assert "offered_per_s" in document()["metrics"]
    assert "offered_per_s" not in closed["metrics"]


def test_the_bodies_that_were_checked_are_counted():
    samples = calm(failed=3)
    samples.outcome[1:101:10] = RequestOutcome.CHECKED
    samples.outcome[1:31:10] = RequestOutcome.WRONG_ANSWER
    assert document(samples)["bodies"] == {"checked": 10, "of": 1997, "wrong": 3}


def test_trusted_certificates_are_named_by_their_content(tmp_path):
    (tmp_path / "ca.pem").write_bytes(b"certificates")
    plan = dataclasses.replace(PLAN, ca_file=str(tmp_path / "ca.pem"))
    found = document(plan=plan)
    assert found["manifest"]["trusted"] == f"sha256:{hashlib.sha256(b'certificates').hexdigest()}"
    assert (found["plan"]["ca_file"], document()["manifest"]["trusted"]) == ("ca.pem", None)


def test_another_plan_is_another_manifest():
    other = document(plan=dataclasses.replace(PLAN, rate_per_s=999))
    assert other["manifest"]["digest"] != document()["manifest"]["digest"]
    assert document()["manifest"]["digest"] == document()["manifest"]["digest"]


def test_bodies_are_named_by_their_content(tmp_path):
    (tmp_path / "b.jsonl").write_text("1\n2\n")
    (tmp_path / "c.jsonl").write_text("12\n")
    first, second = (
        document(plan=dataclasses.replace(PLAN, method="POST", body=str(tmp_path / name)))["manifest"]["bodies"]
        for name in ("b.jsonl", "c.jsonl")
    )
    assert (first["count"], second["count"]) == (2, 1)
    assert first["digest"] != second["digest"]


def test_a_stopped_test_is_partial_and_its_rates_are_of_the_time_it_ran():
    samples = calm(unsettled=1000)
    samples.taken_ns[1000:] = -1
    assert span_s(PLAN, fired(samples)) == 2
    assert span_s(PLAN, fired(samples, is_stopped=True)) == pytest.approx(0.999, abs=0.001)
    found = document(samples, is_stopped=True)
    assert found["is_partial"] is True
    assert found["metrics"]["offered_per_s"]["value"] == pytest.approx(1000, rel=0.01)
    assert document(lost_processes=1)["is_partial"] is True
    assert span_s(PLAN, fired(calm(0), is_stopped=True)) == 0.001


@pytest.mark.parametrize(("limit_ms", "is_within"), [(50.0, True), (1.0, False), (None, None)])
def test_a_limit_is_held_or_not(limit_ms, is_within):
    found = document(plan=dataclasses.replace(PLAN, p99_limit_ms=limit_ms))
    if limit_ms is None:
        assert found["within_limit"] is None
    else:
        assert found["within_limit"] == {"metric": "response_time_p99_ms", "limit_ms": limit_ms, "is_within": is_within}


def test_a_limit_between_the_bounds_is_not_known_and_one_without_a_metric_is_not_held():
    metric = document()["metrics"]["response_time_p99_ms"]
    between = (metric["lower"] + metric["upper"]) / 2
    assert document(plan=dataclasses.replace(PLAN, p99_limit_ms=between))["within_limit"]["is_within"] is None
    assert (
        document(calm(failed=100), plan=dataclasses.replace(PLAN, p99_limit_ms=50.0))["within_limit"]["is_within"]
        is False
    )


def test_nobody_looked_at_the_machine():
    assert (
        load_document(PLAN, fired(calm()), described=load_manifest(PLAN, pinned(80)), seen=None, now=AT)["run"][
            "interference"
        ]
        is None
    )


def test_a_plan_over_the_caps_never_starts(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "generate_load", lambda *_, **__: pytest.fail("it was started"))
    none = [dataclasses.replace(PLAN, **{name: "none"}) for name in ("body", "ca_file")]
    for plan, caps in ((PLAN, LoadCaps(rate_per_s=999)), *((plan, LoadCaps()) for plan in none)):
        with pytest.raises(Invalid):
            run_load(plan, pinned(80), caps=caps, folder=tmp_path, on_progress=print, should_stop=lambda: False, now=AT)


def test_a_run_asks_the_generator_for_all_of_it(tmp_path, monkeypatch):
    asked = []

    def stand_in(plan, target, **more):
        asked.append((list(more["share"].mine), more["share"].of, more["caps"].answer_bytes))
        return fired(calm())

    monkeypatch.setattr(report, "generate_load", stand_in)
    plan = dataclasses.replace(PLAN, processes=3)
    found, back = run_load(
        plan,
        pinned(80),
        caps=LoadCaps(answer_bytes=77),
        folder=tmp_path,
        on_progress=print,
        should_stop=lambda: False,
        now=AT,
    )
    assert asked == [([0, 1, 2], 3, 77)]
    assert found["measured_at"] == AT.isoformat()
    assert found["run"]["interference"]["cpus"] >= 1
    assert np.array_equal(back.samples.outcome, calm().outcome)
