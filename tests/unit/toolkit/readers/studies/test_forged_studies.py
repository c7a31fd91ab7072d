"""A study whose conclusions were changed is refused, and damaged ones raise nothing else than a refusal."""

import contextlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.toolkit.readers.studies.files import KINDS, changed, document_of, doubts
from tests.unit.toolkit.readers.test_broken_files import VALUES
from weighbridge.charts.drawing import svg
from weighbridge.core.errors import Invalid, Refused
from weighbridge.readers.studies.registry import read_study


def set_at(*path, to):
    def change(document):
        place = document
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = to

    return change


def bounds(value, lower, upper):
    return {"value": value, "lower": lower, "upper": upper, "confidence": 0.95, "n": 383, "unit": "1/s"}


CONTRADICTIONS = {
    "a better change": ("experiment", set_at("metrics", "business_kpi_delta", "value", to=0.2)),
    "a lower bound above zero": ("experiment", set_at("metrics", "business_kpi_delta", "lower", to=0.01)),
    "a better forecast": ("learning_curve", set_at("expected", 2, "value", to=0.9384)),
    "a narrower forecast": ("learning_curve", set_at("expected", 1, "lower", to=0.93)),
    "another winner": ("decision_matrix", set_at("winner", to="managed API")),
    "no winner": ("decision_matrix", set_at("winner", to=None)),
    "another situation": ("decision_matrix", set_at("situation", to="tied")),
    "a better price": ("decision_matrix", set_at("input", "options", 0, "values", "cost", "value", to=560_001)),
    "a limit that is met": ("load_test", set_at("within_limit", "is_within", to=True)),
    "a higher goodput": ("chat_load", set_at("metrics", "goodput_per_s", to=bounds(24.5, 24.4, 24.6))),
    "more good answers": ("chat_load", set_at("streaming", "good", "good", to=382)),
    "a drop that is acceptable": ("scores", set_at("slices", 0, "drops", 0, "is_non_inferior", to=True)),
    "a smaller drop": ("scores", set_at("drops", 0, "upper", to=0.2)),
    "a model that is better than it is": ("answers", set_at("comparison", "judge", "answer", to="better")),
    "a model that is not worse": ("answers", set_at("comparison", "scorers", "difference", "lower", to=-0.3)),
    "a judge that is not calibrated": ("answers", set_at("judge", "labels", to=99)),
    "a judge that is better than its labels": ("answers", set_at("judge", "calibration", to="few_labels")),
    "answers that did not come": ("answers", set_at("outcomes", "passed", to=407)),
    "passed answers that did not pass": ("answers", set_at("metrics", "pass_rate", "value", to=0.9)),
    "a rate that no trial had": (
        "max_rate",
        set_at("highest_rate_per_s", to={"value": 2000.0, "lower": 1000.0, "upper": 3000.0}),
    ),
    "a rate above those that missed": (
        "load_search",
        set_at("highest_rate_per_s", to={"value": 140.0, "lower": 139.0, "upper": 150.0}),
    ),
}


@pytest.mark.parametrize(("name", "change"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_changed_conclusion_contradicts_the_numbers_of_the_document(tmp_path, name, change):
    with pytest.raises(Invalid, match=r"contradicts itself|must have a value between its bounds") as refusal:
        changed(tmp_path, name, change)
    assert refusal.value.code in {"contradicts_itself", "invalid"}


def test_a_void_experiment_has_no_change_to_state(tmp_path):
    def change(document):
        document["arms"]["treatment"]["units"] = 15_000

    with pytest.raises(Invalid, match="it states the change a value, and its own numbers give none"):
        changed(tmp_path, "experiment", change)


def test_what_the_arms_give_is_judged_again(tmp_path):
    """Whoever removes the reasons of a verdict gets them again, if the arms have them."""

    def few(document):
        document["arms"] = {
            "control": {"units": 40, "mean": 0.5, "variance": 0.25641025641025644},
            "treatment": {"units": 40, "mean": 0.5, "variance": 0.25641025641025644},
        }
        document["metrics"] = {}

    status, messages = doubts(changed(tmp_path, "experiment", few))
    assert (status, len(messages)) == ("indicative", 2)
    assert messages[0].startswith("The control has few units")

    def rare(document):
        for name, mean in (("control", 0.0003), ("treatment", 0.0005)):
            variance = mean * (1 - mean) * 1.0005
            document["arms"][name] = {"units": 20_000, "mean": mean, "variance": variance}
        document["metrics"] = {}

    assert "has few units, successes or failures" in doubts(changed(tmp_path, "experiment", rare))[1][0]

    def lost(document):
        document["arms"]["treatment"]["units"] = 15_000
        document["metrics"] = {}

    assert doubts(changed(tmp_path, "experiment", lost))[0] == "invalid"


@pytest.mark.parametrize("name", ["experiment", "max_rate", "load_search", "load_test", "device"])
def test_a_measurement_without_a_verdict_is_no_evidence(tmp_path, name):
    study = changed(tmp_path, name, lambda document: document.pop("verdict"))
    assert doubts(study)[0] == "invalid"
    assert "The document states no verdict, and such a measurement always has one." in doubts(study)[1]


def test_a_verdict_is_no_better_than_its_status(tmp_path):
    def change(document):
        document["verdict"] = {"status": "invalid", "reasons": [{"status": "indicative", "message": "Hm."}]}

    assert doubts(changed(tmp_path, "experiment", change)) == (
        "invalid",
        ["Hm.", "The verdict is invalid, without a reason."],
    )


TOO_MUCH = {
    "points": ("sweep", lambda document: document.update(points=document["points"] * 20), "has 120 points"),
    "dimensions": (
        "sweep",
        set_at("points", 0, "dims", to={f"d{number}": 1 for number in range(9)}),
        "more than 8 dimensions",
    ),
    "trials": ("max_rate", lambda document: document.update(trials=document["trials"] * 40), "has 760 trials"),
    "sizes": ("learning_curve", lambda document: document.update(points=document["points"][:3]), "has 3 sizes"),
    "the order of sizes": ("learning_curve", lambda document: document["points"].reverse(), "sizes must rise"),
    "a deviation": ("learning_curve", set_at("points", 0, "deviation", to=0), "above zero"),
    "a variance": ("experiment", set_at("arms", "control", "variance", to=-1), "below zero"),
    "metrics": (
        "scores",
        lambda document: document["metrics"].update({f"m{n}": document["metrics"]["accuracy"] for n in range(60)}),
        "more than 60 metrics",
    ),
    "slices": ("scores", lambda document: document.update(slices=document["slices"] * 101), "more than 200 slices"),
    "draws": ("decision_matrix", set_at("draws", to=10_000_000), "draws must be a whole number from 100 to 10,000"),
    "a name": ("decision_matrix", set_at("input", "options", 0, "name", to="x" * 121), "too large to be shown"),
    "a number": ("load_test", set_at("metrics", "response_time_p50_ms", "value", to=1e17), "between 1e-30 and 1e16"),
    "bounds": ("load_test", set_at("metrics", "response_time_p99_ms", "lower", to=99), "a value between its bounds"),
    "a share": ("learning_curve", set_at("points", 0, "value", to=1.5), "from 0 to 1"),
}


@pytest.mark.parametrize(("name", "change", "words"), TOO_MUCH.values(), ids=TOO_MUCH)
def test_what_cannot_be_shown_is_refused_with_a_reason(tmp_path, name, change, words):
    with pytest.raises(Invalid, match=words):
        changed(tmp_path, name, change)


def test_texts_of_a_file_stay_one_line(tmp_path):
    study = changed(tmp_path, "load_test", set_at("plan", "url", to="http://x/\u202e\n<script>" + "y" * 900))
    target = {each.label: each.value for each in study.summary.details}["target"]
    assert target.startswith("http://x/")
    assert len(target) <= 500
    assert not {"\u202e", "\n"} & set(target)


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_is_in_a_study_it_is_read_and_drawn_or_refused(tmp_path, name, data):
    document = document_of(name)
    for _ in range(data.draw(st.integers(1, 3))):
        place = document
        while isinstance(place, dict | list) and place:
            key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
            if data.draw(st.integers(0, 3)) == 0 or not isinstance(place[key], dict | list):
                place[key] = data.draw(VALUES | st.floats(-10, 10) | st.sampled_from([0, 1e-300, 1e15, -1e15]))
                break
            place = place[key]
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(document))
    with contextlib.suppress(Refused):
        study = read_study(path)
        if study is not None and study.result.verdict.status != "invalid":
            assert "<svg" in svg(study.draw())
