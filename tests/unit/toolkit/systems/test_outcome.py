"""What a child hands over is believed only where it fits what was asked of it."""

import copy
import json
import signal
from datetime import UTC, datetime, timedelta

import pytest

from weighbridge.measure.conditions.manifest import seal_manifest
from weighbridge.measure.conditions.model_file import digest_of_file
from weighbridge.systems.sandbox.limits import Limits
from weighbridge.systems.sandbox.outcome import ExpectedRun, partial_of, read_outcome
from weighbridge.systems.sandbox.process import ChildOutput, RunFailed

BEGUN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SETTINGS = {"scenario": {"name": "SingleStream", "min_samples": 700}, "bootstraps": 100}


@pytest.fixture
def order(tmp_path):
    model, data = tmp_path / "m.onnx", tmp_path / "d.npz"
    model.write_bytes(b"model")
    data.write_bytes(b"data")
    return ExpectedRun(
        model=model,
        data=data,
        settings=SETTINGS,
        isolation="a fence",
        begun_at=BEGUN,
        ended_at=BEGUN + timedelta(seconds=20),
    )


@pytest.fixture
def honest(order):
    manifest = {
        "model": {"digest": digest_of_file(order.model)},
        "data": {"digest": digest_of_file(order.data)},
        "settings": SETTINGS,
        "isolation": "a fence",
    }
    return {
        "schema": "weighbridge.result/1",
        "measured_at": (BEGUN + timedelta(seconds=1)).isoformat(),
        "verdict": {"status": "valid", "reasons": [{"code": "steady", "message": "It was steady."}]},
        "metrics": {"latency_p95_ms": {"value": 1.5}, "accuracy": {"value": None}},
        "run": {"duration_s": 15.0},
        "manifest": seal_manifest(manifest),
    }


def read(document, order, *, limits=None, **heard):
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    return read_outcome(ChildOutput(outcome=bytearray(text), **heard), expected=order, limits=limits or Limits())


def failure(*arguments, **options):
    with pytest.raises(RunFailed) as refusal:
        read(*arguments, **options)
    return refusal.value


def test_an_honest_result_is_taken_whole(honest, order):
    assert read({"result": honest}, order) == honest


def test_a_verdict_on_quality_is_taken(honest, order):
    reasons = [{"code": "quality.perfect", "status": "indicative", "message": "All right."}]
    honest["quality_verdict"] = {"status": "indicative", "reasons": reasons}
    assert read({"result": honest}, order) == honest


def test_a_run_without_data_says_so(honest, order):
    alone = ExpectedRun(**{**vars(order), "data": None})
    honest["manifest"] = seal_manifest({**honest["manifest"], "data": None})
    assert read({"result": honest}, alone) == honest
    assert "other data" in failure({"result": honest}, order).reason


def resealed(**changes):
    def change(result):
        result["manifest"] = seal_manifest({**result["manifest"], **changes})

    return change


def put(*path, value):
    def change(result):
        for key in path[:-1]:
            result = result[key]
        result[path[-1]] = value

    return change


def dropped(*path):
    def change(result):
        for key in path[:-1]:
            result = result[key]
        del result[path[-1]]

    return change


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (put("manifest", "isolation", value="ten fences"), "changed after it was sealed"),
        (resealed(isolation="ten fences"), "reports another isolation"),
        (resealed(model={"digest": "sha256:" + "0" * 64}), "is for another model"),
        (resealed(data={"digest": "sha256:" + "0" * 64}), "is for other data"),
        (resealed(data=None), "is for other data"),
        (resealed(settings={**SETTINGS, "bootstraps": 1}), "measured with other settings"),
        (put("measured_at", value="2026-02-01T00:00:00+00:00"), "measured at another time"),
        (put("measured_at", value="2026-03-01T12:00:23+00:00"), "measured at another time"),
        (put("run", "duration_s", value=22.5), "longer duration than the child ran"),
        (put("run", "duration_s", value=-1), "longer duration than the child ran"),
        (put("schema", value="weighbridge.result/2"), "another schema"),
        (put("verdict", "status", value="splendid"), "its verdict is invalid"),
        (put("metrics", "latency_p95_ms", "value", value=10**400), "not have the format"),
        (put("metrics", "latency_p95_ms", "value", value="fast"), "not have the format"),
        (put("metrics", "accuracy", value=5), "not have the format"),
        (put("metrics", "accuracy", "n", value="many"), "not have the format"),
        (put("quality_verdict", value={"status": "splendid", "reasons": []}), "verdict on its quality is invalid"),
        (put("quality_verdict", value={"status": "valid", "reasons": [1]}), "not have the format"),
        (put("quality_verdict", value="valid"), "not have the format"),
        (put("metrics", value=[1]), "not have the format"),
        (put("verdict", "reasons", value=[{"code": 1, "message": "x"}]), "not have the format"),
        (put("verdict", "reasons", 0, "message", value="a\0b"), "not have the format"),
        (put("verdict", "reasons", 0, "message", value="\ud800"), "not have the format"),
        (put("measured_at", value="yesterday"), "not have the format"),
        (put("measured_at", value="2026-03-01T12:00:01"), "not have the format"),
        (dropped("manifest", "model"), "changed after"),
        (resealed(model=None), "not have the format"),
        (dropped("run"), "not have the format"),
        (dropped("verdict"), "not have the format"),
    ],
)
def test_a_result_that_does_not_fit_is_refused(honest, order, tamper, words):
    forged = copy.deepcopy(honest)
    tamper(forged)
    refusal = failure({"result": forged}, order)
    assert (refusal.code, words in refusal.reason) == ("run_forged", True), refusal.reason
    assert "It was discarded" in refusal.reason


@pytest.mark.parametrize(
    "text",
    [
        b"{",
        b"[]",
        b"5",
        b"null",
        b"{}",
        b'"result"',
        b'{"result": 5}',
        b'{"result": null}',
        b'{"result": NaN}',
        b"\xff",
        b'{"refusal": 5}',
        b'{"refusal": {}}',
        b'{"refusal": {"reason": "x", "code": "y"}}',
        b"[" * 200_000,
        b'{"result": {"a": ' + b"9" * 5_000 + b"}}",
    ],
)
def test_what_has_no_form_is_refused(order, text):
    assert failure(text, order).code == "run_forged"


def test_numbers_that_are_none_are_refused_wherever_they_stand(honest, order):
    text = json.dumps({"result": honest}).replace("15.0", "1e999").encode()
    assert failure(text, order).code == "run_forged"


def test_a_refusal_is_passed_on(order):
    said = {"reason": "There is no model file none.onnx.", "code": "model_missing", "field": "model"}
    refusal = failure({"refusal": said}, order)
    assert {"reason": refusal.reason, "code": refusal.code, "field": refusal.field} == said


@pytest.mark.parametrize(
    ("said", "reason", "code", "field"),
    [
        ({"reason": "a\0b\x1b", "code": "x", "field": None}, "a\ufffdb ", "x", None),
        ({"reason": "r" * 5_000, "code": "x", "field": None}, "r" * 2_000, "x", None),
        ({"reason": "r", "code": "DROP TABLE", "field": "a b"}, "r", "run_failed", None),
        ({"reason": ["r"], "code": 5, "field": 5}, "['r']", "run_failed", None),
        ({"reason": "r", "code": "c" * 41, "field": "data"}, "r", "run_failed", "data"),
    ],
)
def test_a_refusal_is_made_fit_to_store_and_show(order, said, reason, code, field):
    refusal = failure({"refusal": said}, order)
    assert (refusal.reason, refusal.code, refusal.field) == (reason, code, field)


@pytest.mark.parametrize(
    ("heard", "limits", "code", "words"),
    [
        ({"status": 0}, {}, "run_crash", "ended with exit status 0 without a result: no output"),
        (
            {"status": 1, "tail": b"first\nlast words\n"},
            {},
            "run_crash",
            "with exit status 1 without a result: last words",
        ),
        ({"status": -signal.SIGSEGV}, {}, "run_crash", "ended by signal SIGSEGV without a result: no output"),
        ({"status": -100}, {}, "run_crash", "ended by signal 100 without a result"),
        ({"status": -signal.SIGKILL}, {}, "run_killed", "killed by the system"),
        ({"status": -signal.SIGXCPU}, {"cpu_s": 2}, "run_cpu", "used its 2 s of processor time"),
        ({"status": 1, "tail": b"MemoryError"}, {"memory_mb": 50}, "model_memory", "exceeded its 50 MB of memory"),
        ({"status": 1, "tail": b"std::bad_alloc"}, {}, "model_memory", "exceeded its 8192 MB"),
        ({"status": 1, "tail": b"OpenBLAS error: Memory allocation still failed"}, {}, "model_memory", "memory"),
        ({"status": 1, "tail": b"x.so: failed to map segment from shared object"}, {}, "model_memory", "memory"),
        ({"status": 1, "tail": b"\x1b[31m\xffred"}, {}, "run_crash", "without a result:  [31m\ufffdred"),
    ],
)
def test_every_end_without_an_outcome_has_its_words(order, heard, limits, code, words):
    refusal = failure(b"", order, limits=Limits(**limits), **heard)
    assert (refusal.code, words in refusal.reason) == (code, True), refusal.reason


def test_an_outcome_of_a_child_that_died_is_not_read(honest, order):
    assert failure({"result": honest}, order, status=-signal.SIGSEGV).code == "run_crash"


def lines(*documents):
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


def test_the_last_outcome_counts(honest, order):
    earlier = {**honest, "is_partial": True}
    assert read(lines({"result": earlier}, {"result": honest}), order) == honest


def test_a_child_that_died_leaves_the_part_it_had_handed_over_whole(honest, order):
    earlier = {**honest, "is_partial": True}
    refusal = failure(lines({"result": earlier}) + b'{"result": {"sch', order, status=-signal.SIGSEGV)
    assert (refusal.code, refusal.partial) == ("run_crash", earlier)


@pytest.mark.parametrize(
    "outcome", [b"", b"{torn", b'{"result": {}}\n', b'{"refusal": {"reason": "x", "code": "y", "field": null}}\n']
)
def test_what_is_no_part_of_a_result_is_not_kept(order, outcome):
    assert partial_of(ChildOutput(outcome=bytearray(outcome)), expected=order) is None


def test_a_whole_result_is_not_a_part(honest, order):
    assert partial_of(ChildOutput(outcome=bytearray(lines({"result": honest}))), expected=order) is None


def test_a_part_of_another_order_is_not_kept(honest, order):
    other = {**honest, "is_partial": True, "measured_at": "2026-02-01T00:00:00+00:00"}
    assert partial_of(ChildOutput(outcome=bytearray(lines({"result": other}))), expected=order) is None
    assert partial_of(ChildOutput(outcome=bytearray(lines({"result": other}))), expected=None) == other
