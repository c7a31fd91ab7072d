"""The candidates file: what is written is read back, and what is wrong is refused with its place."""

import json
import math
from pathlib import Path

import pytest

from tests.unit.toolkit.tradeoff.builders import candidate, candidates, indicative
from weighbridge.core.errors import Invalid
from weighbridge.tradeoff.candidates import (
    Estimate,
    QualityDrop,
    RawLatencies,
    SpeedUp,
    VariantAnswer,
    candidates_from,
    read_candidates,
)


def whole():
    drop = QualityDrop("accuracy", 0.0145, 0.0097, 0.0193, 0.95, 10_000, 0.02, True, 300, 155, 2.6e-9)
    return candidates(
        candidate("fp32", answer=VariantAnswer.BASELINE, accuracy=(0.867, 0.007), latency_p95_ms=1.39),
        candidate(
            "int8",
            accuracy=(0.8525, 0.007),
            latency_p95_ms=0.76,
            file="variants/int8.onnx",
            digest="sha256:ab",
            quality_drop=drop,
            speed_up=SpeedUp(1.93, 1.9, 1.96, 0.95, 20, False),
            size_saved_ratio=0.7,
            measurement=indicative(),
            samples=RawLatencies((1, 2, 3), 4),
            result_file="variants/int8.result.json",
        ),
        noise_floor=0.03,
        learning_curve={"schema": "weighbridge.learning-curve/1"},
        manifest={"digest": "sha256:cd"},
    )


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "candidates.json"
    file.write_text(json.dumps(whole().as_document()))
    assert read_candidates(file) == whole()
    assert json.loads(file.read_text())["schema"] == "weighbridge.candidates/1"


def test_the_optional_may_be_absent_and_the_unknown_is_left_alone() -> None:
    document = json.loads(json.dumps(candidates(candidate("a", accuracy=1)).as_document()))
    (member,) = document["candidates"]
    for key in ("file", "samples", "speed_up", "measurement"):
        del member[key]
    member["color"] = "blue"
    found = candidates_from(document).named("a")
    assert (found.file, found.samples, found.measurement) == (None, None, None)
    assert found.metrics["accuracy"].value == 1.0


@pytest.mark.parametrize(
    ("path", "value", "place", "words"),
    [
        (
            ("candidates", 1, "metrics", "accuracy", "value"),
            "high",
            "candidates[1].metrics.accuracy.value",
            "finite number",
        ),
        (("candidates", 1, "metrics", "accuracy", "value"), math.nan, "candidates[1].metrics.accuracy.value", "nan"),
        (("candidates", 1, "metrics", "accuracy", "value"), True, "candidates[1].metrics.accuracy.value", "True"),
        (("candidates", 1, "metrics", "accuracy", "n"), 1.5, "candidates[1].metrics.accuracy.n", "whole number"),
        (("candidates", 1, "metrics", "accuracy", "n"), True, "candidates[1].metrics.accuracy.n", "whole number"),
        (("candidates", 1, "metrics"), [], "candidates[1].metrics", "a mapping"),
        (("candidates", 1, "metrics", "accuracy"), 3, "candidates[1].metrics.accuracy", "a mapping"),
        (("candidates", 1, "verdict", "answer"), "splendid", "candidates[1].verdict.answer", "worth_it"),
        (("candidates", 1, "verdict", "answer"), 7, "candidates[1].verdict.answer", "worth_it"),
        (("candidates", 1, "speed_up", "is_tied"), 1, "candidates[1].speed_up.is_tied", "true or false"),
        (
            ("candidates", 1, "metrics", "accuracy", "lower"),
            0.9,
            "candidates[1].metrics.accuracy",
            "within its bounds",
        ),
        (("candidates", 1, "metrics", "accuracy", "lower"), None, "candidates[1].metrics.accuracy", "together"),
        (("candidates",), "none", "candidates", "a list"),
        (("candidates",), [], "baseline", "there are none"),
        (("candidates", 1, "name"), "fp32", "candidates", "Two candidates"),
        (("baseline",), "fp64", "baseline", "not among"),
        (("schema",), "weighbridge.result/1", "schema", "weighbridge optimize"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(path, value, place, words) -> None:
    document = json.loads(json.dumps(whole().as_document()))
    holder = document
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    with pytest.raises(Invalid, match=words) as refusal:
        candidates_from(document)
    assert refusal.value.field == place


def test_a_missing_key_is_named() -> None:
    document = whole().as_document()
    del document["measured_at"]
    with pytest.raises(Invalid, match="measured_at is missing"):
        candidates_from(document)


@pytest.mark.parametrize("document", [None, [], {}, "text"])
def test_another_document_is_refused(document) -> None:
    with pytest.raises(Invalid, match=r"weighbridge\.candidates/1"):
        candidates_from(document)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="No such file"):
        read_candidates(tmp_path / "absent.json")
    (tmp_path / "torn.json").write_text('{"schema": ')
    with pytest.raises(Invalid, match=r"torn\.json is not valid JSON"):
        read_candidates(tmp_path / "torn.json")


def test_a_estimate_at_a_level_that_is_none_is_refused() -> None:
    with pytest.raises(Invalid, match="a confidence between 0 and 1"):
        Estimate(1, 0, 2, 95, 10, "ms")


def test_a_name_that_nobody_bears_is_refused() -> None:
    assert whole().named("int8").family == "cnn"
    with pytest.raises(Invalid, match="no candidate 'int4'"):
        whole().named("int4")
