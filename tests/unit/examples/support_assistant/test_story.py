"""The whole case in its smallest size, without the language model: asked, fired at, priced, decided, written; and gone
on with, not done again. The real model has its own test.
"""

import dataclasses
import json
import sys
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from examples.support_assistant import asking, load_tests, serving, specialist, story
from examples.support_assistant.__main__ import app
from examples.support_assistant.settings import QUICK, TITLES
from examples.support_assistant.story import SupportOutcome, run_case
from examples.support_assistant.tickets import tickets
from tests.refusals import has_code
from weighbridge.core.errors import Invalid
from weighbridge.quality.prompts.answer_file import Finish, read_answers
from weighbridge.tradeoff.sheets.printing import PrintRefused

NOW = datetime(2026, 11, 28, 3, tzinfo=UTC)
TINY = dataclasses.replace(QUICK, tickets=12, seconds=3.0, training=200, sizing_requests=100, sizing_seeds=1, draws=300)
WITHOUT = "C was left out by the test."


def unprinted(_source, _target):
    raise PrintRefused("No PDF: no printer.")


def run_tiny(folder, **options) -> SupportOutcome:
    defaults = {"settings": TINY, "say": lambda *_: None, "now": lambda: NOW, "why_no_model": WITHOUT}
    return run_case(folder, **(defaults | {"print_page": unprinted} | options))


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    folder, heard = tmp_path_factory.mktemp("support"), []
    ending = run_tiny(folder, say=lambda share, doing: heard.append((share, doing)))
    return ending, folder, heard


@pytest.mark.slow
def test_it_ends_with_a_choice_and_its_papers(told) -> None:
    ending, folder, heard = told
    names = {path.name for path in folder.iterdir()}
    assert names >= {"choice.html", "choice.md", "matrix.svg", "quality-and-cost.svg", "steps"}
    results = ("accepted", "candidates", "decision", "evidence", "fit", "frontier", "own-or-api", "pairs", "scores")
    assert names >= {f"{name}.json" for name in (*results, "sizing")}
    assert (ending.without_model, ending.without_pdf) == (WITHOUT, "No PDF: no printer.")
    assert ending.winner in TITLES.values()
    assert json.loads((folder / "decision.json").read_text())["winner"] == ending.winner
    shares = [share for share, _ in heard]
    assert (shares, shares[-1]) == (sorted(shares), 1.0)
    said = {doing for _, doing in heard}
    assert {
        "training the specialist",
        "answers of A to tickets, 12 of 12",
        "answers of A to attacks, 12 of 12",
        "load test of B",
        "load test of D",
    } <= said


@pytest.mark.slow
def test_doubles_are_labeled_wherever_they_appear(told) -> None:
    _, folder, _ = told
    for option in "abd":
        load = json.loads((folder / "steps" / f"load-{option}.json").read_text())["found"]
        assert load["schema"] == "weighbridge.load/1"
        assert bool(load["double"]) is (option in "ab")
        assert {each["basis"] for each in load["metrics"].values()} == {"measured" if option == "d" else "estimated"}
    required = json.loads((folder / "evidence.json").read_text())
    assert not any(each["is_satisfied"] for each in required if each["option"] in "ab")
    report = (folder / "choice.md").read_text()
    assert "A managed API (double)" in report
    assert "B open weights 8B on one GPU (double)" in report
    assert WITHOUT in report
    assert "What is not known" in report
    assert json.loads((folder / "sizing.json").read_text())["is_double"] is True


@pytest.mark.slow
def test_what_was_finished_is_not_done_again(told, monkeypatch) -> None:
    ending, folder, _ = told

    def fail(*_, **__):
        raise AssertionError("done twice")

    monkeypatch.setattr(asking, "ask_all", fail)
    monkeypatch.setattr(load_tests, "load_test", fail)
    monkeypatch.setattr(specialist, "train", fail)
    again = run_tiny(folder, print_page=lambda *_: None)
    assert (again.headline, again.winner, again.without_pdf) == (ending.headline, ending.winner, None)


def test_an_interrupted_step_is_done_and_those_before_it_are_not(tmp_path, monkeypatch) -> None:
    asked, candidates = [], [serving.managed(), serving.trained(tmp_path, "d")]

    def ask_all(candidate, *_, **__):
        asked.append(candidate.option)
        if asked == ["a", "d"]:
            raise KeyboardInterrupt
        return ""

    monkeypatch.setattr(asking, "ask_all", ask_all)
    with pytest.raises(KeyboardInterrupt):
        story.ask(tmp_path, candidates, tickets(12), lambda *_: None)
    found = story.ask(tmp_path, candidates, tickets(12), lambda *_: None)
    assert (asked, list(found)) == (["a", "d", "d"], ["a", "d"])
    story.ask(tmp_path, candidates, tickets(13), lambda *_: None)
    assert asked == ["a", "d", "d", "a", "d"]  # other tickets, another digest
    story.ask(tmp_path, [serving.trained(tmp_path, "another")], tickets(13), lambda *_: None)
    assert asked[-1] == "d"
    assert len(asked) == 6


def test_a_load_test_is_run_once_for_each_rate(tmp_path, monkeypatch) -> None:
    prompts, fired = tmp_path / "prompts.jsonl", []
    prompts.write_text("")
    monkeypatch.setattr(load_tests, "load_test", lambda *given: fired.append(given[0].option) or {"n": len(fired)})
    for settings, count in ((TINY, 1), (TINY, 1), (dataclasses.replace(TINY, rate_per_s=5.0), 2)):
        found = story.load(tmp_path, [serving.managed()], prompts, settings, lambda *_: None)
        assert (found["a"]["n"], len(fired)) == (count, count)


def test_a_specialist_that_was_lost_is_trained_again(tmp_path) -> None:
    first = story.train(tmp_path, TINY, lambda *_: None)
    model = tmp_path / "specialist.npz"
    before = model.read_bytes()
    model.unlink()
    again = story.train(tmp_path, TINY, lambda *_: None)
    assert (again.decides, model.read_bytes()) == (first.decides, before)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Invalid, check=has_code("folder")):
        run_tiny(tmp_path / "file")


@pytest.mark.slow
def test_the_real_model_is_asked_like_the_others(tmp_path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text(asking.ask_all(serving.local(), tickets(12)[:2], lambda *_: None))
    first, second = read_answers(path).answers
    assert {first.finish, second.finish} <= {Finish.STOP, Finish.LENGTH}
    assert first.usage.input_tokens > 60
    assert 1 <= second.usage.output_tokens <= 16


def run(*options):
    return CliRunner().invoke(app, [str(option) for option in options])


@pytest.mark.parametrize(("winner", "code"), [(TITLES["d"], 0), (None, 1)])
def test_the_command_tells_the_choice(tmp_path, monkeypatch, winner, code) -> None:
    ending = SupportOutcome("Take D.", winner, tmp_path, WITHOUT, "No PDF: no printer.")
    monkeypatch.setattr(story, "run_case", lambda *_, now, **__: ending if now() else None)
    done = run("--out", tmp_path, "--quick")
    assert (done.exit_code, done.stdout.splitlines()[0]) == (code, "Take D.")
    assert WITHOUT in done.stderr
    assert "No PDF: no printer." in done.stderr
    quiet = SupportOutcome("Take D.", winner, tmp_path, "", None)
    monkeypatch.setattr(story, "run_case", lambda *_, **__: quiet)
    done = run("--out", tmp_path, "--quiet")
    assert (done.exit_code, done.stdout, done.stderr) == (code, "", "")


def test_the_command_says_what_went_wrong(tmp_path, monkeypatch) -> None:
    def refuse(*_, **__):
        raise Invalid("The double did not start.")

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(story, "run_case", refuse)
    assert run("--out", tmp_path).stderr.endswith("weighbridge: The double did not start.\n")
    monkeypatch.setattr(story, "run_case", interrupt)
    done = run("--out", tmp_path)
    assert (done.exit_code, "Run the same command to continue" in done.stderr) == (130, True)


@pytest.mark.parametrize(("library", "extra"), [("altair", "charts"), ("regex", "quality"), ("jsonschema", "quality")])
def test_the_command_names_a_library_that_is_missing(monkeypatch, library, extra) -> None:
    # An import of a name that holds None fails as if nothing was installed.
    monkeypatch.setitem(sys.modules, library, None)
    done = run("--quick")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f'weighbridge: This needs {library}. Install it: pip install "weighbridge[{extra}]".\n'
