"""Judges: files, calibration by labels, and figures that are named as uncorrected."""

import json

import numpy as np
import pytest

from tests.unit.toolkit.quality.prompts.builders import JUDGE, OTHER_JUDGE, RIGHT, prompt
from weighbridge.core.errors import Invalid
from weighbridge.quality.prompts.answer_file import PromptAnswer
from weighbridge.quality.prompts.attempts import attempts_of
from weighbridge.quality.prompts.judge_file import read_labels, read_verdicts
from weighbridge.quality.prompts.judging import (
    Calibration,
    enough_labels,
    judge_entry,
    judge_reasons,
    paired_corrected,
    text_digest,
    verdicts_of,
)
from weighbridge.quality.prompts.outcomes import Scoring
from weighbridge.statistics.prediction_powered import JudgedSample, ppi_mean


def lines(path, objects):
    path.write_text("".join(json.dumps(each) + "\n" for each in objects))
    return path


def verdicts(path, values, **changes):
    judged = [{"id": f"t-{n}", "verdict": value, "judge": JUDGE} | changes for n, value in enumerate(values)]
    return read_verdicts(lines(path / "j.jsonl", judged))


def labels(path, values, **changes):
    return read_labels(lines(path / "l.jsonl", [{"id": f"t-{n}", "label": v} | changes for n, v in enumerate(values)]))


def attempts(n, **changes):
    prompts = [prompt(f"t-{place}", expected=None, **changes) for place in range(n)]
    return attempts_of(prompts, [PromptAnswer(id=each.id, text=RIGHT) for each in prompts], Scoring(prompts))


def test_a_file_has_verdicts_of_one_judge(tmp_path):
    found = verdicts(tmp_path, [True, False, 0.4])
    assert [(key, each.value) for key, each in found.judgments.items()] == [
        (("t-0", 0), 1.0),
        (("t-1", 0), 0.0),
        (("t-2", 0), 0.4),
    ]
    assert found.judge == JUDGE
    assert labels(tmp_path, [1]).judge == ""


@pytest.mark.parametrize(
    ("objects", "code", "reason"),
    [
        ([{"id": "a", "verdict": 2, "judge": JUDGE}], "invalid", "must be true, false, or a number from 0 to 1"),
        ([{"id": "a", "verdict": "yes", "judge": JUDGE}], "invalid", "must be true, false, or a number from 0 to 1"),
        ([{"id": "a", "verdict": True}], "invalid", "judge is missing"),
        ([{"id": "a", "verdict": True, "judge": "gpt"}], "invalid", "must be sha256: and 64 hexadecimal digits"),
        ([{"id": "a", "verdict": True, "judge": JUDGE}] * 2, "judge_repeat", "judges an answer twice"),
        (
            [{"id": n, "verdict": True, "judge": judge} for n, judge in (("a", JUDGE), ("b", OTHER_JUDGE))],
            "judge_mixed",
            "names 2 judges",
        ),
    ],
)
def test_a_bad_file_of_verdicts_is_refused(tmp_path, objects, code, reason):
    with pytest.raises(Invalid, match=reason) as refused:
        read_verdicts(lines(tmp_path / "j.jsonl", objects))
    assert refused.value.code == code


def test_verdicts_belong_to_answers(tmp_path):
    with pytest.raises(Invalid, match=r"1 answers that were judged are not in the file of answers: t-1 \(attempt 0\)"):
        verdicts_of(attempts(1), verdicts(tmp_path, [True, True]), None)
    same = verdicts(tmp_path, [True], answer=text_digest(RIGHT))
    assert verdicts_of(attempts(1), same, None).keys == (("t-0", 0),)
    with pytest.raises(Invalid, match="has changed since it was judged") as refused:
        verdicts_of(attempts(1), same, labels(tmp_path, [1], answer=text_digest("x")))
    assert (refused.value.code, refused.value.field) == ("judge_stale", "labels")


def test_the_entry_has_the_counts_of_a_table(tmp_path):
    # Of 120 labelled: 80 right, of which the judge accepts 72; 40 wrong, of which it accepts 10.
    human = [True] * 80 + [False] * 40
    judge = [True] * 72 + [False] * 8 + [True] * 10 + [False] * 30 + [True] * 60 + [False] * 20
    found = verdicts_of(attempts(210), verdicts(tmp_path, judge), labels(tmp_path, human, judge=JUDGE))
    entry = judge_entry(found, 0.95, seed=1)
    assert {key: entry[key] for key in ("judge", "calibration", "verdicts", "labels", "unjudged")} == {
        "judge": JUDGE,
        "calibration": "calibrated",
        "verdicts": 200,
        "labels": 120,
        "unjudged": 10,
    }
    shares = {key: entry[key]["value"] for key in ("uncorrected", "people", "agreement", "sensitivity", "specificity")}
    assert shares == {
        "uncorrected": pytest.approx(142 / 200),
        "people": pytest.approx(80 / 120),
        "agreement": pytest.approx(102 / 120),
        "sensitivity": pytest.approx(72 / 80),
        "specificity": pytest.approx(30 / 40),
    }
    arrays = (np.array(part, dtype=np.float64) for part in (human, judge[:120], judge[120:]))
    wanted = ppi_mean(JudgedSample(*arrays), 0.95, seed=1)
    assert (entry["corrected"]["value"], entry["corrected"]["lam"]) == pytest.approx(
        (wanted.interval.value, wanted.lam)
    )
    assert entry["corrected"]["lower"] == pytest.approx(wanted.interval.lower, abs=1e-3)


def test_labels_of_another_judge_are_void(tmp_path):
    found = verdicts_of(attempts(120), verdicts(tmp_path, [1] * 120), labels(tmp_path, [1] * 120, judge=OTHER_JUDGE))
    entry = judge_entry(found, 0.95, seed=1)
    assert (entry["calibration"], entry["labels"], entry["corrected"]) == ("judge_changed", 0, None)
    assert (entry["agreement"], entry["people"], entry["sensitivity"]) == (None, None, None)
    assert entry["uncorrected"]["value"] == 1.0


@pytest.mark.parametrize(
    ("n", "state"),
    [
        (0, Calibration.NO_LABELS),
        (9, Calibration.NO_LABELS),
        (10, Calibration.FEW_LABELS),
        (99, Calibration.FEW_LABELS),
        (100, Calibration.CALIBRATED),
    ],
)
def test_a_hundred_labels_calibrate(n, state):
    assert enough_labels(n) is state


def test_each_doubt_has_a_code_of_its_own():
    codes = [[each.code for each in judge_reasons(state, 5, 0)] for state in Calibration]
    assert codes == [[], ["judge.few_labels"], ["judge.no_labels"], ["judge.judge_changed"]]
    (unjudged,) = judge_reasons(Calibration.CALIBRATED, 100, 3)
    assert (unjudged.code, unjudged.status) == ("judge.unjudged", "indicative")


def test_labels_of_one_cluster_correct_nothing(tmp_path):
    found = verdicts_of(attempts(12, cluster="c"), verdicts(tmp_path, [1] * 12), labels(tmp_path, [1] * 12))
    assert judge_entry(found, 0.95, seed=1)["corrected"] is None


def test_two_models_are_compared_by_differences(tmp_path):
    rng = np.random.default_rng(41)
    sides = []
    for share in (0.8, 0.6):
        human = rng.random(300) < share
        judge = np.where(rng.random(300) < 0.9, human, ~human)
        sides.append((human, judge))
    asked = attempts(300)
    model, baseline = (
        verdicts_of(asked, verdicts(tmp_path, judge.tolist()), labels(tmp_path, human[:150].tolist()))
        for human, judge in sides
    )
    found = paired_corrected(model, baseline, 0.95, seed=1)
    (first, judged), (second, other) = ((h.astype(float), j.astype(float)) for h, j in sides)
    wanted = ppi_mean(
        JudgedSample((first - second)[:150], (judged - other)[:150], (judged - other)[150:]),
        0.95,
        seed=1,
        is_share=False,
    )
    assert (found["value"], found["lower"]) == pytest.approx((wanted.interval.value, wanted.interval.lower), abs=1e-9)
    few = verdicts_of(asked, verdicts(tmp_path, [1] * 300), None)
    assert paired_corrected(model, few, 0.95, seed=1) is None
    another = verdicts_of(asked, verdicts(tmp_path, [1] * 300, judge=OTHER_JUDGE), None)
    with pytest.raises(Invalid, match="of the same judge") as refused:
        paired_corrected(model, another, 0.95, seed=1)
    assert refused.value.code == "judge_mixed"
