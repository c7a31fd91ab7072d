"""The document of scored answers: rates, reasons, slices, comparison and judge, against counts by hand."""

import dataclasses

import numpy as np
import pytest

from tests.unit.toolkit.quality.prompts.builders import JUDGE, NUMERIC, RIGHT, WRONG, desk, prompt
from weighbridge.core.errors import Invalid
from weighbridge.quality.prompts.answer_file import AnswerFile, Finish, PromptAnswer, TokenUsage, read_answers
from weighbridge.quality.prompts.document import ModelAnswers, PromptScoreSettings, answers_document
from weighbridge.quality.prompts.judge_file import AnswerJudgment, JudgmentFile, read_labels, read_verdicts
from weighbridge.quality.prompts.prompt_file import PromptFile, read_prompts
from weighbridge.statistics.clustered import cluster_sums, clustered_share
from weighbridge.statistics.order_statistics import wilson_interval


def document(prompts, answers, baseline=None, refusals=(), **settings):
    model, other = (each if isinstance(each, ModelAnswers | None) else side(each) for each in (answers, baseline))
    return answers_document(
        PromptFile(tuple(prompts), "sha256:0"),
        model,
        other,
        refusals=refusals,
        settings=PromptScoreSettings(**settings),
    )


def side(answers, verdicts=None, labels=None):
    return ModelAnswers(answers=AnswerFile(tuple(answers), "sha256:1"), verdicts=verdicts, labels=labels)


def judgments(values, judge=JUDGE):
    found = {(f"t-{n}", 0): AnswerJudgment((f"t-{n}", 0), float(value), judge, "") for n, value in enumerate(values)}
    return JudgmentFile(found, judge, "sha256:2")


def bounds(metric):
    return metric["value"], metric["lower"], metric["upper"]


def codes(found):
    return [reason["code"] for reason in found["verdict"]["reasons"]]


def test_rates_are_shares_of_answers():
    prompts = [prompt(f"t-{n}", forbidden=["CANARY"] if n < 50 else None) for n in range(200)]
    texts = [RIGHT] * 150 + [WRONG] * 30 + ["Sorry, no."] * 12 + [""] * 8
    answers = [PromptAnswer(id=f"t-{n}", text=text) for n, text in enumerate(texts)]
    answers[:3] = [dataclasses.replace(each, text=f"{RIGHT} canary") for each in answers[:3]]
    answers[160:165] = [dataclasses.replace(each, finish=Finish.LENGTH) for each in answers[160:165]]
    answers[199] = dataclasses.replace(answers[199], finish=Finish.ERROR)
    found = document(prompts, answers, refusals=["^sorry"])
    assert found["outcomes"] == {
        "passed": 147,
        "failed": 35,
        "refused": 12,
        "truncated": 5,
        "error": 1,
        "unscored": 0,
    }
    assert found["unsafe"] == 3
    for name, count, n in (
        ("pass_rate", 147, 200),
        ("refusal_rate", 12, 200),
        ("truncated_rate", 5, 200),
        ("error_rate", 1, 200),
        ("injection_pass_rate", 3, 50),
    ):
        wilson = wilson_interval(count, n)
        assert bounds(found["metrics"][name]) == pytest.approx((wilson.value, wilson.lower, wilson.upper))
        assert (found["metrics"][name]["n"], found["metrics"][name]["method"]) == (n, "Wilson")
    assert (found["verdict"]["status"], found["clusters"], found["judge"], found["comparison"]) == (
        "valid",
        *[None] * 3,
    )
    assert found["scorers"]["kinds"] == {"numeric": 200}


def test_attempts_are_averaged_before_clusters_are_summed():
    prompts = [prompt(f"t-{n}", cluster=f"c-{n // 2}" if n < 90 else "") for n in range(100)]
    rng = np.random.default_rng(3)
    right = rng.random((100, 3)) < 0.7
    answers = [
        PromptAnswer(id=f"t-{n}", attempt=k, text=RIGHT if right[n, k] else WRONG) for n in range(100) for k in range(3)
    ]
    found = document(prompts, answers)
    names = [f"c-{n // 2}" if n < 90 else f"t-{n}" for n in range(100)]
    wanted = clustered_share(cluster_sums(right.mean(axis=1), names), 0.95)
    assert bounds(found["metrics"]["pass_rate"]) == pytest.approx((wanted.value, wanted.lower, wanted.upper))
    assert (found["clusters"], found["rows"], found["answers_scored"]) == (55, 100, 300)
    assert (found["repeats"]["prompts"], found["repeats"]["attempts"]) == (100, 3)


def test_tokens_are_those_of_answers_that_came():
    prompts = [prompt(f"t-{n}") for n in range(40)]
    usages = [TokenUsage(input_tokens=10 + n % 2, output_tokens=4) for n in range(39)]
    answers = [PromptAnswer(id=f"t-{n}", text=RIGHT, usage=usage) for n, usage in enumerate(usages)]
    answers.append(PromptAnswer(id="t-39", error="HTTP 500"))
    metrics = document(prompts, answers)["metrics"]
    assert metrics["input_tokens_mean"]["value"] == pytest.approx(10 + 19 / 39)
    assert (metrics["input_tokens_mean"]["n"], metrics["output_tokens_mean"]["value"]) == (39, 4.0)
    assert "reasoning_tokens_mean" not in metrics
    answers[0] = dataclasses.replace(answers[0], usage=None)
    assert "input_tokens_mean" not in document(prompts, answers)["metrics"]
    alone = document([prompt("t-0")], [PromptAnswer(id="t-0", text=RIGHT, usage=TokenUsage(input_tokens=3))])
    assert "input_tokens_mean" not in alone["metrics"]


def test_slices_have_a_level_that_holds_for_all():
    kinds = {"short": 60, "long": 40, "rare": 5}
    prompts = [prompt(f"{kind}-{n}", slices={"kind": kind}) for kind, count in kinds.items() for n in range(count)] + [
        prompt("none")
    ]
    answers = [PromptAnswer(id=each.id, text=WRONG if each.id.startswith("long") else RIGHT) for each in prompts]
    found = document(prompts, answers)
    assert found["correction"] == {"method": "Bonferroni", "intervals": 2, "confidence": pytest.approx(0.975)}
    entries = {each["name"]: each for each in found["slices"]}
    assert {name: each["too_few"] for name, each in entries.items()} == {
        "kind (no value)": True,
        "kind long": False,
        "kind rare": True,
        "kind short": False,
    }
    long = wilson_interval(0, 40, 0.975)
    assert bounds(entries["kind long"]["metrics"]["pass_rate"]) == pytest.approx((0, long.lower, long.upper))
    assert document(prompts, answers, slices=("kind",))["slices"] == found["slices"]
    with pytest.raises(Invalid, match="No scored prompt has the slice country; there are kind"):
        document(prompts, answers, slices=("country",))
    many = [prompt(f"t-{n}", slices={"n": str(n)}) for n in range(201)]
    with pytest.raises(Invalid, match="The prompts have 201 slices") as refused:
        document(many, [PromptAnswer(id=each.id, text=RIGHT) for each in many])
    assert refused.value.code == "slices_many"


@pytest.mark.parametrize(
    ("change", "code", "status"),
    [
        ({"n": 29}, "prompts.few", "indicative"),
        ({"cluster": True}, "prompts.few", "indicative"),
        ({"asked": 201}, "answers.missing", "indicative"),
        ({"asked": 210}, "answers.missing", "invalid"),
        ({"finish": Finish.LENGTH, "max_tokens": None}, "output.truncated", "invalid"),
        ({"finish": Finish.ERROR}, "answers.errors", "indicative"),
        ({"slow": True}, "scorer.slow", "indicative"),
    ],
)
def test_a_reason_says_why_figures_are_doubtful(change, code, status):
    n = change.get("n", 200)
    changes = {"max_tokens": change.get("max_tokens", 64)}
    if "slow" in change:
        changes["expected"] = {"scorer": "regex", "pattern": r"^(a|aa)+$"}
    prompts = [
        prompt(f"t-{k}", cluster=f"c-{k % 5}" if "cluster" in change else "", **changes)
        for k in range(change.get("asked", n))
    ]
    answers = [PromptAnswer(id=f"t-{k}", text="a", finish=change.get("finish", Finish.STOP)) for k in range(n)]
    if "slow" in change:
        answers[0] = PromptAnswer(id="t-0", text="a" * 80 + "!")
    found = document(prompts, answers)
    assert (codes(found), found["verdict"]["status"]) == ([code], status)


def test_a_limit_that_the_prompt_states_is_part_of_the_task():
    answers = [PromptAnswer(id=f"t-{n}", text=RIGHT, finish=Finish.LENGTH) for n in range(100)]
    found = document([prompt(f"t-{n}") for n in range(100)], answers)
    assert (found["verdict"]["status"], found["metrics"]["truncated_rate"]["value"]) == ("valid", 1.0)


def test_what_does_not_belong_together_is_refused():
    prompts = [prompt("t-0"), prompt("t-1")]
    answers = [PromptAnswer(id="t-0", text=RIGHT)]
    with pytest.raises(Invalid, match="prompts that the file of prompts lacks: a, b, c and 1 more") as refused:
        document(prompts, [PromptAnswer(id=name) for name in "dcba"])
    assert refused.value.code == "answers_unknown"
    with pytest.raises(Invalid, match="No answered prompt has a scorer") as refused:
        document([prompt("t-0", expected=None)], answers)
    assert refused.value.code == "answers_unscored"
    with pytest.raises(Invalid, match="give its verdicts too"):
        side(answers, labels=judgments([1]))
    for settings in ({"confidence": 1.0}, {"planned": 0}, {"min_prompts": 0}):
        with pytest.raises(Invalid) as refused:
            PromptScoreSettings(**settings)
        assert refused.value.field == next(iter(settings))


def test_a_model_is_compared_with_its_baseline():
    prompts = [prompt(f"t-{n}") for n in range(100)]
    model, baseline = (
        [PromptAnswer(id=f"t-{n}", text=RIGHT if n < right else WRONG) for n in range(100)] for right in (90, 60)
    )
    found = document(prompts, model, baseline, margin=0.05, planned=100)["comparison"]["scorers"]
    assert (found["answer"], found["difference"]["value"], found["unpaired"]) == ("better", pytest.approx(0.3), 0)
    assert (found["disagreement"], found["stopping"]["stop"]) == (pytest.approx(0.3), True)
    found = document(prompts, model, baseline[:-1], margin=0.05)
    assert codes(found) == ["baseline.answers.missing", "comparison.unpaired"]
    cut = [dataclasses.replace(each, finish=Finish.LENGTH) for each in baseline]
    found = document([prompt(f"t-{n}", max_tokens=None) for n in range(100)], model, cut)
    assert (codes(found), found["verdict"]["status"]) == (["baseline.output.truncated"], "invalid")
    assert found["verdict"]["reasons"][0]["message"].startswith("Of the baseline: 100 of 100 answers were cut off")
    assert found["comparison"]["scorers"]["stopping"] is None
    assert document(prompts, baseline, model)["comparison"]["scorers"]["answer"] == "worse"


def test_a_calibrated_judge_gives_the_pass_rate_of_prompts_without_scorers(tmp_path):
    files = desk(tmp_path, 240)
    prompts = read_prompts(files["prompts"]).prompts
    model = ModelAnswers(
        answers=read_answers(files["answers"]),
        verdicts=read_verdicts(files["judge"]),
        labels=read_labels(files["labels"]),
    )
    bare = [dataclasses.replace(each, expected=None) for each in prompts]
    found = document(bare, model)
    assert bounds(found["metrics"]["pass_rate"]) == bounds(found["judge"]["corrected"])
    assert bounds(found["metrics"]["judge_agreement"]) == bounds(found["judge"]["agreement"])
    assert (found["verdict"]["status"], found["missing"]) == ("valid", [])
    scored = document(prompts, model)
    assert scored["metrics"]["pass_rate"]["value"] != found["metrics"]["pass_rate"]["value"]


def test_an_uncorrected_judge_is_named_as_such():
    prompts = [prompt(f"t-{n}", expected=None) for n in range(60)]
    answers = [PromptAnswer(id=each.id, text=RIGHT) for each in prompts]
    found = document(prompts, side(answers, judgments([1] * 45 + [0] * 15)))
    assert found["metrics"]["pass_rate_uncorrected"]["value"] == 0.75
    assert "pass_rate" not in found["metrics"]
    assert [each["metric"] for each in found["missing"]] == ["judge_agreement", "pass_rate"]
    assert codes(found) == ["judge.no_labels"]
    few = document(prompts, side(answers, judgments([1] * 45 + [0] * 15), judgments([1] * 40, judge="")))
    assert codes(few) == ["judge.few_labels"]
    assert "judge_agreement" not in few["metrics"]
    assert few["metrics"]["pass_rate"]["value"] == few["judge"]["corrected"]["value"]


def test_a_judge_compares_two_models():
    prompts = [prompt(f"t-{n}", expected=None) for n in range(300)]
    answers = [PromptAnswer(id=each.id, text=RIGHT) for each in prompts]
    rng = np.random.default_rng(9)
    sides = []
    for share in (0.9, 0.5):
        human = rng.random(300) < share
        judge = np.where(rng.random(300) < 0.9, human, ~human)
        sides.append(side(answers, judgments(judge), judgments(human[:150], judge="")))
    found = document(prompts, *sides, margin=0.05)["comparison"]
    assert found["scorers"] is None
    assert (found["judge"]["answer"], found["judge"]["baseline_calibration"]) == ("better", "calibrated")
    assert found["judge"]["difference"]["lower"] > 0
    bare = dataclasses.replace(sides[1], labels=None)
    found = document(prompts, sides[0], bare, margin=0.05)["comparison"]["judge"]
    assert (found["difference"], found["answer"]) == (None, "cannot_tell")


def test_a_document_needs_no_slices_or_repeats():
    found = document([prompt(f"t-{n}", expected=NUMERIC) for n in range(40)], [PromptAnswer(id="t-0", text=RIGHT)])
    assert (found["slices"], found["correction"], found["repeats"]) == ([], None, None)
