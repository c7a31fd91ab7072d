"""The whole case in its smallest size: trained, fired at, priced, decided, written; and gone on with, not
done again.
"""

import json
import sys
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from examples.fraud_api import load_tests, training
from examples.fraud_api import story as telling
from examples.fraud_api.__main__ import app
from examples.fraud_api.story import FraudOutcome, run_case
from examples.fraud_api.transactions import Transactions
from tests.refusals import has_code
from tests.unit.examples.fraud_api.fraud import TINY
from weighbridge.core.errors import Invalid
from weighbridge.tradeoff.sheets.printing import PrintRefused

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)


def unprinted(_source, _target):
    raise PrintRefused("No PDF: no printer.")


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    folder, heard = tmp_path_factory.mktemp("fraud"), []
    ending = run_case(
        folder,
        settings=TINY,
        say=lambda share, doing: heard.append((share, doing)),
        now=lambda: NOW,
        print_page=unprinted,
    )
    return ending, folder, heard


@pytest.mark.nightly
def test_it_ends_with_a_choice_and_its_papers(told) -> None:
    ending, folder, heard = told
    assert {path.name for path in folder.iterdir()} >= {
        "justification.html",
        "justification.md",
        "matrix.svg",
        "cost-spec.json",
        "projection.json",
        "decision.json",
        "steps",
    }
    decision = json.loads((folder / "decision.json").read_text())
    assert decision["winner"] == ending.winner
    assert {place["name"][0] for place in decision["places"]} == {"A", "B", "C"}
    assert json.loads((folder / "projection.json").read_text())["schema"] == "weighbridge.projection/1"
    assert ending.without_pdf == "No PDF: no printer."
    shares = [share for share, _ in heard]
    assert (shares == sorted(shares), shares[-1]) == (True, 1.0)
    assert {"load test of A managed API (stand-in)", "projecting three years of costs"} <= {doing for _, doing in heard}


@pytest.mark.nightly
def test_a_and_b_were_really_fired_at(told) -> None:
    _, folder, _ = told
    for option in "abc":
        found = json.loads((folder / "steps" / f"load-{option}.json").read_text())["found"]
        assert found["load"]["schema"] == "weighbridge.load/1"
        assert found["timings"]["answered"] > 150
        assert found["timings"]["mean_s"] > 0
    stand_in = json.loads((folder / "steps" / "load-a.json").read_text())["found"]["load"]["metrics"]
    assert stand_in["service_time_p50_ms"]["value"] > 60  # the declared median is 80 ms


@pytest.mark.nightly
def test_what_was_finished_is_not_done_again(told, monkeypatch) -> None:
    ending, folder, _ = told

    def fail(*_, **__):
        raise AssertionError("done twice")

    monkeypatch.setattr(load_tests, "run_load_test", fail)
    monkeypatch.setattr(training, "fit", fail)
    again = run_case(folder, settings=TINY, say=lambda *_: None, now=lambda: NOW, print_page=lambda *_: None)
    assert (again.headline, again.winner, again.without_pdf) == (ending.headline, ending.winner, None)


@pytest.mark.nightly
def test_a_model_that_was_changed_is_trained_anew(told) -> None:
    _, folder, _ = told
    model = folder / "steps" / "c.onnx"
    before = model.read_bytes()
    model.write_bytes(b"torn")
    training.train_option("c", folder / "steps", TINY, lambda *_: None)
    assert model.read_bytes() == before


def test_errors_that_do_not_fall_give_no_curve_but_a_reason(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(training, "_measured_c", lambda *_: {"recall": 0.5})
    found = training.learning_curve(tmp_path, TINY, lambda *_: None)
    assert (found["curve"], found["beyond"]) == (None, 0.5)
    assert "do not get better with more rows" in found["why"]


def test_test_rows_without_a_fraud_judge_nobody() -> None:
    import numpy as np

    with pytest.raises(Invalid, check=has_code("rows")):
        training._recall(np.zeros(3), Transactions(np.zeros((3, 12), np.float32), np.zeros(3, np.int64), np.zeros(3)))


def test_a_folder_that_cannot_be_written_is_refused(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Invalid, check=has_code("folder")):
        run_case(tmp_path / "file", settings=TINY, say=lambda *_: None, now=lambda: NOW)


def run(*options):
    return CliRunner().invoke(app, [str(option) for option in options])


@pytest.mark.parametrize(("winner", "code"), [("C light custom model", 0), (None, 1)])
def test_the_command_tells_the_choice(tmp_path, monkeypatch, winner, code) -> None:
    ending = FraudOutcome("Take C.", winner, tmp_path, "No PDF: no printer.")
    monkeypatch.setattr(telling, "run_case", lambda *_, now, **__: ending if now() else None)
    done = run("--out", tmp_path, "--quick")
    assert (done.exit_code, done.stdout.splitlines()[0]) == (code, "Take C.")
    assert "No PDF: no printer." in done.stderr
    monkeypatch.setattr(telling, "run_case", lambda *_, **__: FraudOutcome("Take C.", winner, tmp_path, None))
    done = run("--out", tmp_path, "--quiet")
    assert (done.exit_code, done.stdout, done.stderr) == (code, "", "")


def test_the_command_says_what_went_wrong(tmp_path, monkeypatch) -> None:
    def refuse(*_, **__):
        raise Invalid("The local server did not start.")

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(telling, "run_case", refuse)
    assert run("--out", tmp_path).stderr.endswith("weighbridge: The local server did not start.\n")
    monkeypatch.setattr(telling, "run_case", interrupt)
    done = run("--out", tmp_path)
    assert (done.exit_code, "Run the same command to continue" in done.stderr) == (130, True)


@pytest.mark.parametrize(("library", "extra"), [("torch", "torch"), ("altair", "charts")])
def test_the_command_names_a_library_that_is_missing(monkeypatch, library, extra) -> None:
    # An import of a name that holds None fails as if nothing was installed.
    monkeypatch.setitem(sys.modules, library, None)
    done = run("--quick")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f'weighbridge: This needs {library}. Install it: pip install "weighbridge[{extra}]".\n'
