"""`weighbridge answers`: scoring, conditions, comparison, and planning."""

import json

import pytest

from tests.unit.toolkit.cli.test_cli import weighbridge
from tests.unit.toolkit.quality.prompts.builders import desk
from tests.unit.toolkit.readers.studies.files import document_of
from weighbridge.api.scoring import score_answers
from weighbridge.cli.tables.language.answers_table import answers_parts
from weighbridge.core.errors import Invalid


@pytest.fixture
def files(tmp_path):
    return desk(tmp_path, 240)


def scored(files, *options):
    given = ["--prompts", files["prompts"], "--answers", files["answers"]]
    return weighbridge("answers", "score", *given, *options)


def test_answers_are_scored_and_written(files, tmp_path):
    done = scored(files, "--json", tmp_path / "r.json")
    assert (done.exit_code, done.stderr) == (0, "")
    document = json.loads((tmp_path / "r.json").read_text())
    assert document["schema"] == "weighbridge.answers/1"
    assert document["prompts"]["digest"].startswith("sha256:")
    assert (document["prompts"]["file"], document["baseline"]) == ("prompts.jsonl", None)
    assert "240 answers to 240 prompts in 30 clusters" in done.stdout
    assert "kind short" in done.stdout
    assert "verdict: valid" in done.stdout
    assert weighbridge("import", tmp_path / "r.json").exit_code == 0


def test_a_model_that_is_worse_ends_with_1(files):
    swapped = files | {"answers": files["baseline"], "baseline": files["answers"]}
    done = scored(swapped, "--baseline", swapped["baseline"], "--margin", "0.05", "--planned-prompts", "30")
    assert done.exit_code == 1
    assert ", margin 0.05: worse" in done.stdout
    assert "go on: there is no look before 50 prompts or clusters" in done.stdout
    assert scored(files, "--baseline", files["baseline"]).exit_code == 0


def test_the_judge_is_shown_with_its_worth(files, tmp_path):
    judged = ["--judge", files["judge"]]
    done = scored(files, *judged, "--labels", files["labels"], "--refusals", refusals(tmp_path))
    assert done.exit_code == 0
    assert "judge (calibrated): 240 verdicts, 120 labels of people" in done.stdout
    assert "  pass rate corrected by labels: " in done.stdout
    both = ["--baseline", files["baseline"], "--baseline-judge", files["baseline_judge"]]
    done = scored(files, *judged, *both, "--slice", "kind", "--min-prompts", "200")
    assert "judge (not calibrated): 240 verdicts, 0 labels of people" in done.stdout
    assert "difference by the judge, corrected: not known: cannot tell" in done.stdout
    assert "kind long: too few prompts (120)" in done.stdout
    assert "judge.no_labels" in done.stdout


def refusals(folder):
    (folder / "refusals.json").write_text('{"patterns": ["^sorry"]}')
    return folder / "refusals.json"


def test_conditions_are_checked(files):
    assert scored(files, "--fail-if", "pass_rate.lower < 0.99").exit_code == 1
    assert scored(files, "--fail-if", "pass_rate < 0.5").exit_code == 0


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--margin", "0.1"], "--margin"),
        (["--labels", "l.jsonl"], "--labels"),
        (["--baseline", "none.jsonl"], "cannot be read"),
        (["--confidence", "2"], "The confidence must be between 0 and 1."),
    ],
)
def test_what_does_not_fit_is_refused(files, options, reason):
    done = scored(files, *options)
    assert done.exit_code == 2
    assert reason in done.stderr


def test_prompts_are_planned(tmp_path):
    done = weighbridge(
        *("answers", "prompts-needed", "--difference", "0.02", "--cluster-size", "10", "--icc", "0.1"),
        *("--json", tmp_path / "n.json"),
    )
    assert (done.exit_code, done.stderr) == (0, "")
    assert "  7,452 prompts that both models answer, if they disagree on 20%" in done.stdout
    assert "design effect of clusters, included: 1.9" in done.stdout
    assert json.loads((tmp_path / "n.json").read_text())["paired"] == 7_452
    assert weighbridge("answers", "prompts-needed", "--difference", "0.5").exit_code == 2
    assert "design effect" not in weighbridge("answers", "prompts-needed", "--difference", "0.02").stdout


def lines_of(document):
    return [part for part in answers_parts(document) if isinstance(part, str)]


def test_repeats_are_shown_where_they_are_known():
    document = document_of("answers")
    shown = lines_of(document)
    assert "pass@2: 0.9833 (0.9677 to 0.999), 240 prompts with several answers" in shown
    assert "prompts whose answers differ between attempts: 0.275 (0.2234 to 0.3266)" in shown
    document["repeats"] |= {"pass_at": {"1": None}, "different": None}
    document["slices"] = []
    assert not [line for line in lines_of(document) if line.startswith(("pass@", "prompts whose"))]


@pytest.mark.parametrize(("is_over", "start"), [(True, "  stop: for any number of looks"), (False, "  go on: for any")])
def test_a_look_says_whether_to_stop(is_over, start):
    document = document_of("answers")
    entry = document["comparison"]["scorers"]
    entry["stopping"] |= {"interval": entry["difference"], "stop": is_over}
    assert any(line.startswith(start) for line in lines_of(document))


def test_verdicts_on_a_baseline_need_its_answers(files):
    with pytest.raises(Invalid, match="name them with --baseline") as refused:
        score_answers(files["prompts"], files["answers"], baseline_judge=files["baseline_judge"])
    assert refused.value.field == "baseline_judge"
