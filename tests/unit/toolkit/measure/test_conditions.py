"""Conditions on the metrics of a result, and the reports of a pipeline."""

import hashlib
import json
import xml.etree.ElementTree as ET

import hypothesis.strategies as st
import pytest
from hypothesis import given

from tests.unit.toolkit.cli.test_cli import weighbridge
from tests.unit.toolkit.quality.prompts.builders import desk
from weighbridge.api.checking import check, sign_result, verify_result
from weighbridge.core import attestation
from weighbridge.core.errors import Invalid
from weighbridge.measure.conditions.manifest import seal_manifest
from weighbridge.measure.results.conditions import OPERATORS, metrics_in, read_condition

METRIC = {"value": 95.0, "lower": 90.0, "upper": 101.0, "unit": "ms"}
RESULT = {
    "schema": "weighbridge.result/1",
    "measured_at": "2026-11-01T12:00:00+00:00",
    "metrics": {"latency_p95_ms": METRIC, "model_size_mb": {"value": 2.5, "lower": None, "upper": None, "unit": "MB"}},
    "verdict": {
        "status": "indicative",
        "reasons": [{"code": "a.b", "status": "indicative", "message": "Busy | loud."}],
    },
    "manifest": seal_manifest({"model": {"digest": "sha256:" + "ab" * 32}}),
}
BASELINE = {"metrics": {"latency_p95_ms": {"value": 80.0, "lower": 78.0, "upper": 83.0, "unit": "ms"}}}


def answer_of(text, **given):
    return check(RESULT, [text], **given)["conditions"][0]["answer"]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("latency_p95_ms > 94.9", "true"),
        ("latency_p95_ms.value > 95", "false"),
        ("latency_p95_ms.upper>=101", "true"),
        ("latency_p95_ms.lower < 9e1", "false"),
        ("latency_p95_ms.lower <= +90.", "true"),
        ("latency_p95_ms.upper > 1.2 * baseline.upper", "true"),
        ("latency_p95_ms > baseline", "true"),
        ("latency_p95_ms.upper > baseline.lower + 23", "false"),
        ("latency_p95_ms.value < 1.5*baseline.value - 24.9", "true"),
        ("model_size_mb.upper > 1", "cannot_tell"),
        ("accuracy < 0.9", "cannot_tell"),
        ("model_size_mb > baseline", "cannot_tell"),
    ],
)
def test_a_condition_compares_one_end_of_a_metric(text, answer):
    assert answer_of(text, baseline=BASELINE) == answer


def test_without_a_baseline_nothing_is_told_of_it():
    found = check(RESULT, ["latency_p95_ms > baseline"])
    assert (found["answer"], found["conditions"][0]["left"], found["conditions"][0]["right"]) == (
        "cannot_tell",
        95,
        None,
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "latency",
        "latency > ",
        "> 5",
        "latency = 5",
        "latency > five",
        "a > 5 > 4",
        "a > 2 * 3",
        "a > baseline * 2",
        "a > nan",
        "a > 1e400",
        "a > 1e999 * baseline",
        "a > baseline + 9e999",
    ],
)
def test_other_words_are_no_condition(text):
    with pytest.raises(Invalid, match="is no condition: write METRIC"):
        read_condition(text)


@given(
    st.sampled_from(sorted(OPERATORS)),
    st.floats(-1e9, 1e9),
    st.floats(0.01, 100),
    st.floats(-1e6, 1e6),
    st.floats(-1e6, 1e6),
)
def test_a_condition_is_its_arithmetic(operator, left, factor, kept, offset):
    sign = "-" if offset < 0 else "+"
    condition = read_condition(f"m {operator} {factor!r} * baseline {sign} {abs(offset)!r}")
    found = condition.check({"m": {"value": left}}, {"m": {"value": kept}})
    assert found.answer == ("true" if OPERATORS[operator](left, factor * kept + offset) else "false")


def test_the_worst_answer_is_the_answer_of_all():
    conditions = ["latency_p95_ms > 1000", "gone > 1", "latency_p95_ms > 1"]
    assert [check(RESULT, conditions[:count])["answer"] for count in range(4)] == [
        "false",
        "false",
        "cannot_tell",
        "true",
    ]


def test_candidates_have_their_metrics_by_name():
    document = {
        "candidates": [
            {"name": "a", "metrics": {"accuracy": METRIC}, "speed_up": None, "quality_drops": []},
            {
                "name": "int8",
                "metrics": {},
                "speed_up": {"value": 2.0},
                "quality_drops": [{"metric": "accuracy", "value": 0.01}],
            },
        ]
    }
    assert set(metrics_in(document)) == {"a:accuracy", "int8:speed_up", "int8:accuracy_drop"}
    assert check(document, ["int8:accuracy_drop > 0.005"])["answer"] == "true"
    with pytest.raises(Invalid, match="has no metrics"):
        metrics_in({"candidates": []})


def test_slices_have_their_metrics_by_column_and_value():
    drop = {"metric": "accuracy", "value": 0.02, "lower": 0.01, "upper": 0.03}
    places = {"country": "New Zealand", "device": 1}
    document = {
        "metrics": {"accuracy": METRIC},
        "drops": [drop],
        "slices": [{"slice": places, "name": "any", "metrics": {"accuracy": {"value": 0.5}}, "drops": [drop]}],
    }
    place = "country=New Zealand,device=1"
    assert set(metrics_in(document)) == {"accuracy", "accuracy_drop", f"{place}:accuracy", f"{place}:accuracy_drop"}
    assert check(document, [f" {place}:accuracy < 0.6 "])["answer"] == "true"
    assert check(document, ["accuracy_drop.upper >= 0.03"])["answer"] == "true"
    assert check(document, [f"{place}:accuracy_drop.lower > 0.01"])["answer"] == "false"
    assert check(document, ["country=Old Zealand:accuracy < 0.6"])["answer"] == "cannot_tell"


@pytest.fixture
def kept(tmp_path):
    (tmp_path / "r.json").write_text(json.dumps(RESULT))
    (tmp_path / "b.json").write_text(json.dumps(BASELINE))
    return tmp_path


@pytest.mark.parametrize(
    ("conditions", "code", "words"),
    [
        ((), 0, ""),
        (("latency_p95_ms > 1000",), 0, ""),
        (("latency_p95_ms.upper > 100",), 1, "True: latency_p95_ms.upper > 100."),
        (
            ("latency_p95_ms > 1000", "accuracy < 0.9"),
            2,
            "Cannot be told: accuracy < 0.9: The result has no accuracy.value; it has latency_p95_ms",
        ),
        (("odd",), 2, "is no condition"),
    ],
)
def test_the_exit_code_tells_the_answer(kept, conditions, code, words):
    options = [option for text in conditions for option in ("--fail-if", text)]
    done = weighbridge("result", "check", kept / "r.json", *options)
    assert (done.exit_code, words in done.stderr) == (code, True)


def test_an_invalid_measurement_fails_whatever_its_metrics(kept):
    invalid = {**RESULT, "verdict": {**RESULT["verdict"], "status": "invalid"}}
    (kept / "r.json").write_text(json.dumps(invalid))
    options = ("--fail-if", "gone > 1", "--junit", kept / "j.xml")
    assert weighbridge("result", "check", kept / "r.json", *options).exit_code == 1
    suite = ET.parse(kept / "j.xml").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "0", "2")


def test_reports_for_a_pipeline(kept):
    conditions = ("latency_p95_ms.upper > 100", "latency_p95_ms > 2 * baseline", "gone > 1")
    options = [option for text in conditions for option in ("--fail-if", text)]
    files = ("--baseline", kept / "b.json", "--junit", kept / "j.xml", "--markdown", kept / "m.md")
    assert weighbridge("result", "check", kept / "r.json", *options, *files).exit_code == 1
    suite = ET.parse(kept / "j.xml").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("4", "1", "1")
    assert [case.get("name") for case in suite] == [
        "the measurement is valid",
        "not latency_p95_ms.upper > 100",
        "not latency_p95_ms > 2 * baseline",
        "not gone > 1",
    ]
    assert suite[1][0].get("message") == "101 against 100"
    assert (kept / "m.md").read_text() == (
        "## Weighbridge\n\nMeasurement: **indicative**\n\n- Busy \\| loud.\n\n"
        "| condition | answer | compared |\n| --- | --- | --- |\n"
        "| `latency_p95_ms.upper > 100` | fails | 101 against 100 |\n"
        "| `latency_p95_ms > 2 * baseline` | passes | 95 against 160 |\n"
        "| `gone > 1` | cannot be told | The result has no gone.value; it has latency_p95_ms, model_size_mb. |\n\n"
        "| metric | value | lower | upper | unit |\n| --- | ---: | ---: | ---: | --- |\n"
        "| latency p95 | 95 | 90 | 101 | ms |\n| model size | 2.5 |  |  | MB |\n"
    )
    weighbridge("result", "check", kept / "b.json", "--markdown", kept / "m.md")
    assert "Measurement" not in (kept / "m.md").read_text()


def test_a_result_is_signed_and_believed_by_its_key_alone(kept):
    assert weighbridge("result", "new-key", "--out", kept / "key").exit_code == 0
    assert weighbridge("result", "new-key", "--out", kept / "key").exit_code == 2, "a key is never written over"
    assert (kept / "key").stat().st_mode & 0o077 == 0
    signed = weighbridge("result", "sign", kept / "r.json", "--key", kept / "key", "--out", kept / "s.json")
    assert (signed.exit_code, "signed with the key sha256:" in signed.stdout) == (0, True)
    options = ("--key", kept / "key.pub", "--json", kept / "v.json")
    assert weighbridge("result", "verify", kept / "s.json", *options).exit_code == 0
    assert json.loads((kept / "v.json").read_text()) == RESULT
    weighbridge("result", "new-key", "--out", kept / "other")
    forged = weighbridge("result", "verify", kept / "s.json", "--key", kept / "other.pub")
    assert (forged.exit_code, "No signature on this statement" in forged.stderr) == (2, True)
    statement = attestation.verify(
        json.loads((kept / "s.json").read_text()), public_key_pem=(kept / "key.pub").read_text()
    )
    assert statement["subject"] == [{"name": "weighbridge.result/1", "digest": {"sha256": "ab" * 32}}]


@pytest.mark.parametrize("command", ["score", "experiment"])
def test_what_is_about_a_file_is_signed_for_that_file(kept, command):
    rows = "unit,arm,outcome\n" + "".join(f"{row},{'ab'[row % 2]},{row % 3 % 2}\n" for row in range(60))
    (kept / "rows.csv").write_text(rows)
    (kept / "key").write_text(attestation.new_key_pem())
    columns = ("--truth", "outcome", "--prediction", "outcome") if command == "score" else ()
    measured = weighbridge(command, kept / "rows.csv", *columns, "--json", kept / "d.json", "--quiet")
    assert measured.exit_code == 0, measured.stderr
    sign_result(kept / "d.json", kept / "s.json", key=kept / "key")
    public = attestation.public_pem((kept / "key").read_text())
    statement = attestation.verify(json.loads((kept / "s.json").read_text()), public_key_pem=public)
    digest = hashlib.sha256(rows.encode()).hexdigest()
    assert [each["digest"]["sha256"] for each in statement["subject"]] == [digest]


def test_scored_answers_are_signed_for_their_file(kept, tmp_path):
    files = desk(tmp_path, 60)
    (kept / "key").write_text(attestation.new_key_pem())
    options = ("--prompts", files["prompts"], "--answers", files["answers"], "--json", kept / "d.json", "--quiet")
    assert weighbridge("answers", "score", *options).exit_code == 0
    sign_result(kept / "d.json", kept / "s.json", key=kept / "key")
    public = attestation.public_pem((kept / "key").read_text())
    statement = attestation.verify(json.loads((kept / "s.json").read_text()), public_key_pem=public)
    digest = hashlib.sha256(files["answers"].read_bytes()).hexdigest()
    assert [each["digest"]["sha256"] for each in statement["subject"]] == [digest]


def test_what_cannot_be_signed_or_read_is_refused(kept):
    (kept / "key").write_text(attestation.new_key_pem())
    with pytest.raises(Invalid, match="names no manifest and no file that it is about"):
        sign_result(BASELINE, kept / "s.json", key=kept / "key")
    assert not (kept / "s.json").exists()
    with pytest.raises(Invalid, match="cannot be read"):
        sign_result(RESULT, kept / "s.json", key=kept / "gone")
    without_model = {**RESULT, "manifest": seal_manifest({"model": {"digest": None}})}
    sign_result(without_model, kept / "s.json", key=kept / "key")
    public = kept / "key.pub"
    public.write_text(attestation.public_pem((kept / "key").read_text()))
    assert verify_result(kept / "s.json", key=public)["schema"] == "weighbridge.result/1"
    other = attestation.sign(
        {"_type": attestation.STATEMENT_TYPE, "predicateType": "x"}, private_key_pem=(kept / "key").read_text()
    )
    with pytest.raises(Invalid, match="is not about a result"):
        verify_result(other, key=public)


@pytest.mark.parametrize("option", ["--json", "--junit", "--markdown"])
def test_a_file_that_cannot_be_written_is_named_before_anything_runs(tmp_path, option):
    done = weighbridge("profile", tmp_path / "gone.onnx", option, tmp_path / "no" / "file")
    assert (done.exit_code, "cannot be written" in done.stderr, "Nothing was run" in done.stderr) == (2, True, True)
