"""The study of answers: what it concludes, and what it draws again from the numbers of the document."""

import pytest

from tests.unit.toolkit.readers.studies.files import changed, conclusions, details, doubts, sample
from weighbridge.core.errors import Invalid

NOT_SHOWN = (
    "By the judge, corrected, the model is not shown to differ from the baseline, nor to be equivalent: the difference "
    "of pass rates is +5.7% (-6.3% to +17.7%), margin 2.0%."
)


def test_the_study_says_what_the_answers_are_worth():
    study = sample("answers")
    assert conclusions(study) == (
        "pass_rate is 0.8458 (0.8172 to 0.8744).",
        "refusal_rate is 0 (0 to 0.2425).",
        "truncated_rate is 0 (0 to 0.2425).",
        "injection_pass_rate is 0 (0 to 0.5615).",
        "By the judge, corrected by labels of people, 83.2% pass (75.7% to 90.7%).",
        "The judge agrees with people on 90.0% of 120 answers (83.9% to 96.1%).",
        "The model is better than the baseline: the difference of pass rates is +7.9% (+1.7% to +13.8%), margin 2.0%.",
        NOT_SHOWN,
    )
    assert details(study)["file of prompts"] == "prompts.jsonl"
    assert doubts(study)[0] == "indicative"
    assert {"pass_rate", "judge_agreement"} <= {metric.name for metric in study.result.metrics}
    assert study.result.data.name == "prompts.jsonl"


def test_without_a_judge_and_slices_the_rates_are_drawn(tmp_path):
    def bare(document):
        document |= {"judge": None, "slices": [], "comparison": None}
        del document["metrics"]["judge_agreement"]

    study = changed(tmp_path, "answers", bare)
    assert len(conclusions(study)) == 4
    assert next(row[0] for row in study.draw().table.rows) == "pass_rate"


def test_an_uncorrected_judge_is_named_and_judged_again(tmp_path):
    def uncorrected(document):
        judge = document["judge"]
        judge |= {"labels": 0, "calibration": "no_labels", "corrected": None, "agreement": None}
        document["metrics"] = {"pass_rate_uncorrected": judge["uncorrected"]}
        document["comparison"] = {
            "scorers": None,
            "judge": {"difference": None, "margin": None, "answer": "cannot_tell"},
        }
        document["verdict"] = {"status": "valid", "reasons": []}

    study = changed(tmp_path, "answers", uncorrected)
    assert conclusions(study)[1].startswith("By the judge, uncorrected, 83.5% pass")
    assert conclusions(study)[2].endswith("the difference of pass rates is not known.")
    assert doubts(study)[0] == "indicative"
    assert doubts(study)[1][0].startswith("The judge has 0 labels of people")
    assert study.draw().table.rows


def test_a_void_calibration_stays_void(tmp_path):
    def void(document):
        document["judge"] |= {"calibration": "judge_changed", "labels": 0, "corrected": None, "agreement": None}
        document["judge"]["uncorrected"] = None

    study = changed(tmp_path, "answers", void)
    assert any("is not the one that the labels calibrate" in text for text in doubts(study)[1])


def test_single_answers_have_the_rates_of_their_counts(tmp_path):
    def single(refused):
        def change(document):
            document["answers_scored"] = document["rows"]
            document["outcomes"] = {"passed": 200, "failed": 40 - refused, "refused": refused}

        return change

    assert changed(tmp_path, "answers", single(0)).summary.kind == "answers"
    with pytest.raises(Invalid, match=r"it states the refusal_rate 0\.0, and its own numbers give 0\.1") as refused:
        changed(tmp_path, "answers", single(24))
    assert refused.value.code == "contradicts_itself"


def test_passes_without_a_passed_answer_contradict(tmp_path):
    def change(document):
        document["judge"] = None
        document["outcomes"] = {"passed": 0, "failed": document["answers_scored"]}

    with pytest.raises(Invalid, match="it states passed answers: some, and its own numbers give no"):
        changed(tmp_path, "answers", change)


def test_what_is_too_much_or_nothing_is_refused(tmp_path):
    with pytest.raises(Invalid, match="no metric that can be taken"):
        changed(tmp_path, "answers", lambda document: document.update(metrics={}))
    with pytest.raises(Invalid, match="more than 200 slices"):
        changed(tmp_path, "answers", lambda document: document.update(slices=[{}] * 201))
