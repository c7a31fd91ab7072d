"""Reports of hostile browsers: what cannot be a report of this session leaves no trace."""

import json

import numpy as np
import pytest

from tests.unit.toolkit.systems.device.sessions import body_of, report_of, session_in, times
from weighbridge.core.errors import Invalid, NotFound, Refused, TooLarge
from weighbridge.systems.device.job import MAX_SAMPLES
from weighbridge.systems.device.report import REPORT, read_refusal
from weighbridge.systems.device.session import MAX_OPEN_RUNS, MAX_REFUSALS

NAN, INFINITY = float("nan"), float("inf")


@pytest.fixture
def session(tmp_path):
    return session_in(tmp_path)


def begin(session) -> str:
    return session.begin()["run"]


def refused(session, body: bytes, kind: type[Refused] = Invalid) -> Refused:
    """The refusal of a body; nothing is kept, and no run is closed."""
    opened = len(session._open)
    with pytest.raises(kind) as refusal:
        session.accept(body)
    assert (session.results, session.refusals, len(session._open)) == ([], [], opened)
    return refusal.value


def test_an_honest_report_is_a_result_once(session):
    run = begin(session)
    body = body_of(report_of(session, run))
    document = session.accept(body)
    assert document["schema"] == "weighbridge.result/1"
    with pytest.raises(NotFound, match="not open"):
        session.accept(body)
    assert session.results == [document]


HOSTILE = {
    "no_object": [],
    "nothing": {},
    "samples_that_are_not_numbers": {"latencies": times(1.0, NAN)},
    "infinite_samples": {"latencies": times(1.0, INFINITY)},
    "negative_samples": {"latencies": times(1.0, -1.0)},
    "zero_samples": {"latencies": times(1.0, 0.0)},
    "no_samples": {"latencies": ""},
    "half_a_number": {"latencies": "AAAA"},
    "no_base64": {"latencies": "<script>"},
    "text_beyond_ascii": {"latencies": "\u00e4" * 8},
    "a_list_of_samples": {"latencies": [1.0, 2.0]},
    "samples_longer_than_the_run": {"latencies": times(*[100.0] * 200)},
    "a_sample_of_a_year": {"latencies": times(3e10)},
    "a_huge_sample": {"latencies": times(1e308, 1e308)},
    "negative_load_time": {"load_ms": -1.0},
    "a_time_that_is_text": {"load_ms": "12"},
    "a_time_that_is_true": {"load_ms": True},
    "no_block": {"block": 0},
    "a_block_of_half": {"block": 1.5},
    "a_huge_block": {"block": 10**40},
    "an_unknown_engine": {"backend": "../../etc/passwd"},
    "an_unknown_state": {"pressure": "high"},
    "an_extra_field": {"verdict": "valid"},
    "another_model": {"digest": "sha256:" + "0" * 64},
    "other_weights": {"weights": {"m.bin": "sha256:" + "0" * 64}},
    "a_run_of_a_day": {"duration_ms": 8e7, "latencies": times(1.0)},
    "a_charge_of_two": {"battery": {"first": 2.0, "last": 1.0, "is_charging": True}},
    "no_warm_up": {"warm_up": {"inferences": 0, "duration_ms": 0.0, "values_ms": []}},
    "a_negative_warm_up": {"warm_up": {"inferences": 9, "duration_ms": 5.0, "values_ms": [-1.0]}},
    "no_answers": {"answers": []},
    "answers_of_another_output": {"answers": [{"z": {"type": "float32", "dims": [1, 3], "data": ""}}] * 8},
    "answers_of_another_type": {"answers": [{"y": {"type": "float64", "dims": [1, 3], "data": ""}}] * 8},
    "answers_of_another_shape": {"answers": [{"y": {"type": "float32", "dims": [3, 1], "data": ""}}] * 8},
    "answers_that_are_short": {"answers": [{"y": {"type": "float32", "dims": [1, 3], "data": "AAAAAA=="}}] * 8},
    "answers_that_cannot_be_read": {"answers": [{"y": {"type": "float32", "dims": [1, 3], "data": "AAA"}}] * 8},
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_report_is_refused_and_leaves_no_trace(session, change):
    run = begin(session)
    refused(session, body_of({**report_of(session, run), **change} if isinstance(change, dict) and change else change))
    session.accept(body_of(report_of(session, run)))


@pytest.mark.parametrize(
    "change",
    [
        {"browser": "<b>Chrome</b>"},
        {"browser": "C" * 81},
        {"platform": "Android\n"},
        {"platform": "\u202eAndroid"},
        {"adapter": "a&b"},
        {"processors": 0},
        {"processors": 10**9},
        {"memory_gb": -1.0},
        {"memory_gb": 1e300},
        {"location": "51.5, -0.1"},
    ],
)
def test_a_description_is_plain_and_has_nothing_else(session, change):
    report = report_of(session, begin(session))
    refused(session, body_of(report | {"device": report["device"] | change}))


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_json_does_not_have_are_refused(session, text):
    body = body_of(report_of(session, begin(session))).replace(b'"load_ms": 12.5', f'"load_ms": {text}'.encode())
    assert text.encode() in body
    refused(session, body)


def test_more_samples_than_a_page_takes_are_refused(session):
    run = begin(session)
    report = report_of(session, run, latencies=times(*np.full(MAX_SAMPLES + 1, 1e-6)))
    refused(session, body_of(report))


def test_ten_million_samples_are_more_than_a_body_may_have(session):
    begin(session)
    refused(session, b'{"latencies": "' + b"A" * REPORT.bytes_max + b'"}', TooLarge)


def test_a_deep_document_is_refused(session):
    begin(session)
    refused(session, b"[" * 100_000)


@pytest.mark.parametrize("run", ["", "x" * 22, "../"])
def test_a_run_that_was_not_handed_out_has_no_result(session, run):
    begin(session)
    refused(session, body_of(report_of(session, run)), NotFound)


def test_a_run_cannot_be_longer_than_the_time_since_it_began(session):
    run = begin(session)
    report = report_of(session, run, duration_ms=2_500.0)
    assert "longer run than the time" in refused(session, body_of(report)).reason
    session.monotonic.now_ns += 1
    session.accept(body_of(report))


def test_the_oldest_of_too_many_open_runs_is_closed(session):
    first, *others = [begin(session) for _ in range(MAX_OPEN_RUNS + 1)]
    refused(session, body_of(report_of(session, first)), NotFound)
    session.accept(body_of(report_of(session, others[0])))


def test_a_device_that_cannot_measure_says_why_once(session):
    run = begin(session)
    body = json.dumps({"run": run, "reason": "no\x1b[31m operator"}).encode()
    session.refuse(body)
    assert session.refusals == ["no [31m operator"]
    with pytest.raises(NotFound):
        session.refuse(body)
    *runs, last = [json.dumps({"run": begin(session), "reason": "again"}).encode() for _ in range(MAX_REFUSALS)]
    for each in runs:
        session.refuse(each)
    with pytest.raises(NotFound):
        session.refuse(last)
    assert len(session.refusals) == MAX_REFUSALS


@pytest.mark.parametrize("body", [b"", b"[]", b'{"run": 1, "reason": "x"}', b'{"run": "a"}'])
def test_a_refusal_has_a_run_and_a_reason(body):
    with pytest.raises(Invalid):
        read_refusal(body)
