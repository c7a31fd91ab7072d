"""Every command that writes files, found in the command line itself: names are checked first, `-` is for programs."""

import functools
import json
import types
from pathlib import Path

import numpy as np
import pytest
from typer.main import get_command

from tests.unit.toolkit import builders
from tests.unit.toolkit.cli.test_cli import weighbridge
from tests.unit.toolkit.costs.test_importers import ITEM
from tests.unit.toolkit.load.test_judgment import calm
from tests.unit.toolkit.load.test_report import fired
from tests.unit.toolkit.optimization.language.builders import alternatives_file
from tests.unit.toolkit.quality.prompts.builders import desk
from tests.unit.toolkit.subjects.deployment.configs import LLAMA_8B, written
from tests.unit.toolkit.test_extras import leaves
from tests.unit.toolkit.tradeoff.builders import candidates_file, points_file
from tests.unit.toolkit.tradeoff.matrices import matrix_file
from tests.unit.toolkit.tradeoff.portfolios import portfolio_file
from weighbridge.api import optimizing
from weighbridge.api.documents import check_kept, write_file
from weighbridge.api.results import Result
from weighbridge.cli import app as cli
from weighbridge.cli import tracking
from weighbridge.core.errors import Invalid
from weighbridge.load.results import report

pytestmark = pytest.mark.slow

WRITTEN = ("--json", "--out", "--junit", "--markdown", "--hdr", "--chart")
# Files and folders that a program cannot read from standard output.
KEPT = {("new-key", "--out"), ("litellm", "--out"), ("prepare-data", "--out"), ("track", "--out")}
FOLDERS = {"decide", "recommend", "optimize", "project"}
LINES = {
    "profile": "profile m.onnx --samples 140",
    "compare": "compare m.onnx n.onnx --rounds 6 --block-ms 1",
    "sweep": "sweep m.onnx --batch 1 --samples 140",
    "max-rate": "max-rate --p99-ms 0.000001 m.onnx --samples 662",
    "rerun": "rerun r.json --model m.onnx",
    "load": "load http://127.0.0.1:9/ --rate 5",
    "optimize": "optimize m.onnx --data d.npz",
    "prepare-data": "prepare-data d.npz --out e.npz",
    "score": "score s.npz --resamples 100",
    "experiment": "experiment --control 100/2000 --treatment 120/2000",
    "pareto": "pareto c.json",
    "recommend": "recommend c.json",
    "decide": "decide m.yaml --draws 100",
    "portfolio": "portfolio portfolio.json",
    "learning-curve": "learning-curve p.csv",
    "import-runs": "import-runs --uri http://127.0.0.1:9",
    "import": "import r.json",
    "result verify": "result verify signed.json --key k.pem.pub",
    "prices list": "prices list openai/gpt-4o-mini",
    "prices show": "prices show aws/us-east-1/g5.xlarge",
    "prices import": "prices import azure list.json --as-of 2026-11-01",
    "prices disagreements": "prices disagreements",
    "prices pin": "prices pin openai/gpt-4o-mini",
    "prices replay": "prices replay pinned.json",
    "cost training": "cost training gpu_hours=80..150 usd_per_gpu_h=2",
    "cost serving": "cost serving requests_per_year=2e9 service_s=0.12 limit_s=0.5 slots=4 usd_per_replica_h=1",
    "cost managed": "cost managed requests_per_year=1e6 input_tokens=9 prices.input_usd=0.15 prices.output_usd=0.6",
    "cost tco": "cost tco development_usd=80000 serving_usd=26000 years=3 maintenance_fte=0.5",
    "cost energy": "cost energy device_hours=80..150 watts=700 pue=1.2 kg_per_kwh=0.35",
    "cost lock-in": "cost lock-in rework_hours=80..200 code_hours=60 engineer_usd_per_h=100 termination_usd=5000",
    "cost value": (
        "cost value recall=0.8 recall_after=0.85 stakes.prevalence=0.01 stakes.cases_per_year=1e7 "
        "stakes.loss_per_false_negative_usd=120"
    ),
    "cost request": "cost request openai/gpt-5-mini --input 1200 --output 250",
    "cost own-or-api": (
        "cost own-or-api own.usd_per_replica_h=2.5 own.goodput_per_s=2.4 own.utilization=0.35 "
        "api.prices=openai/gpt-5-mini api.input_tokens=600 api.output_tokens=200 --draws 100"
    ),
    "cost accepted": "cost accepted options.a.usd_per_try=0.001 options.a.pass_rate=0.8 --draws 100",
    "cost project": "cost project spec.yaml --draws 100",
    "cost compare": "cost compare a.json a.json",
    "manifest": "manifest folder",
    "fit": "fit config.json --accelerator h100",
    "answers score": "answers score --prompts prompts.jsonl --answers answers.jsonl",
    "answers alternatives": "answers alternatives alternatives.yaml --draws 100",
    "answers prompts-needed": "answers prompts-needed --difference 0.02",
    "usage report": "usage report usage.csv --gateway g --env prod",
    "size": "size --runs runs.csv --peak-rate 5",
    "workloads report": "workloads report workloads.json --cluster c --env prod",
}


def commands():
    """Return each command by its words."""
    whole = get_command(cli.app)
    return {
        words: functools.reduce(lambda group, word: group.commands[word], words.split(), whole)
        for words in leaves(whole)
    }


COMMANDS = commands()


def writing():
    """Yield the words of each command with each of its options that name what it writes."""
    for words, command in COMMANDS.items():
        for parameter in command.params:
            for option in set(parameter.opts) & set(WRITTEN):
                yield words, option


def nothing_for(command, besides):
    """Arguments that a command must have, of which none is a file that exists."""
    line = []
    for parameter in command.params:
        if parameter.required and besides not in parameter.opts:
            values = {"--p99-ms": "1", "--peak-rate": "1", "--to": "jsonl", "--difference": "0.02"}
            value = values.get(parameter.opts[0], "none.json")
            line += [value] if parameter.param_type_name == "argument" else [parameter.opts[0], value]
    return line


def test_every_option_that_names_a_written_file_is_known():
    begins = ("write", "also write", "draw", "where to write", "file for", "folder for")
    for words, command in COMMANDS.items():
        for parameter in command.params:
            text = (parameter.help or "").lower()
            if parameter.param_type_name == "option" and text.startswith(begins):
                assert set(parameter.opts) & set(WRITTEN), words


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_text("kept")
    return tmp_path


@pytest.mark.parametrize(("words", "option"), sorted(writing()))
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_read(folder, words, option):
    command = COMMANDS[words]
    done = weighbridge(*words.split(), *nothing_for(command, option), option, "taken/x.json")
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.output
    assert "taken/x.json cannot be written: Not a directory" in done.stderr
    assert [(path.name, path.read_text()) for path in folder.iterdir()] == [("taken", "kept")]


@pytest.mark.parametrize(("words", "option"), sorted(writing()))
def test_what_no_program_reads_is_not_written_to_standard_output(folder, words, option):
    last = words.split()[-1]
    if not (option == "--chart" or (last, option) in KEPT or (last in FOLDERS and option == "--out")):
        return
    done = weighbridge(*words.split(), *nothing_for(COMMANDS[words], option), option, "-")
    assert (done.exit_code, done.stdout) == (2, ""), done.output
    assert "- is standard output, which cannot hold this; name a file or folder." in done.stderr
    assert [path.name for path in folder.iterdir()] == ["taken"]


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """What the commands read."""
    folder = tmp_path_factory.mktemp("stage")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        builders.classifier(folder / "m.onnx")
        builders.classifier(folder / "n.onnx")
        builders.data_set(folder / "d.npz")
        np.savez(folder / "s.npz", answers=np.eye(4), y=np.arange(4))
        candidates_file(folder / "c.json")
        matrix_file(folder / "m.yaml")
        points_file(folder / "p.csv")
        portfolio_file(folder / "portfolio.json")
        written(folder, LLAMA_8B)
        desk(folder, 60)
        alternatives_file(folder / "alternatives.yaml")
        (folder / "folder").mkdir()
        (folder / "folder/w.bin").write_bytes(b"w")
        (folder / "usage.csv").write_text("day,model,input_tokens,output_tokens,requests\n2026-11-01,openai/a,5,1,1\n")
        (folder / "runs.csv").write_text("rate,good,n,seed\n1,1,900,1\n2,0.5,900,1\n")
        (folder / "workloads.json").write_text(json.dumps([{"name": "a"}]))
        (folder / "list.json").write_text(
            json.dumps({"BillingCurrency": "USD", "Items": [ITEM], "NextPageLink": None, "Count": 1})
        )
        for line in (
            "cost template --out spec.yaml",
            "cost project spec.yaml --draws 100 --json a.json",
            "profile m.onnx --samples 140 --json r.json",
            "result new-key --out k.pem",
            "result sign r.json --key k.pem --out signed.json",
            "prices pin openai/gpt-4o-mini --json pinned.json",
        ):
            assert weighbridge(*line.split()).exit_code in (0, 1), line
    return folder


@pytest.fixture
def staged(stage, monkeypatch):
    """Stand where the commands read, with stand-ins of what takes long or needs a server."""
    monkeypatch.chdir(stage)
    monkeypatch.setattr(report, "generate_load", lambda *_, **__: fired(calm()))
    candidates = json.loads((stage / "c.json").read_text())
    monkeypatch.setattr(optimizing, "optimize", lambda *_, **__: Result(candidates, (), lambda: ["a table"]))
    found = types.SimpleNamespace(as_document=lambda: candidates, candidates=[1], baseline="a")
    monkeypatch.setattr(tracking, "_mlflow", lambda *_: types.SimpleNamespace(documents=lambda _: []))
    monkeypatch.setattr("weighbridge.client.trackers.imported.candidates_of", lambda *_, **__: found)
    return stage


def test_every_command_with_a_document_is_tried():
    # The page of devices waits for a browser; its file is looked at in tests/unit/toolkit/api/test_devices.py.
    assert sorted([*LINES, "device"]) == sorted(words for words, option in writing() if option == "--json")


@pytest.mark.parametrize("words", sorted(LINES))
def test_a_document_on_standard_output_is_all_that_is_there(staged, words):
    before = sorted(path.name for path in staged.iterdir())
    done = weighbridge(*LINES[words].split(), "--json", "-")
    assert done.exit_code in (0, 1, 2), done.output
    assert json.loads(done.stdout) is not None
    assert done.stderr, "the table is for people, on the other stream"
    assert sorted(path.name for path in staged.iterdir()) in (before, sorted([*before, "e.npz"]))


@pytest.mark.parametrize("option", ["--junit", "--markdown"])
@pytest.mark.parametrize(
    "line", ["profile m.onnx --samples 140", "load http://127.0.0.1:9/ --rate 5", "result check r.json"]
)
def test_a_report_on_standard_output_is_all_that_is_there(staged, line, option):
    done = weighbridge(*line.split(), "--fail-if", "error_rate>2", option, "-")
    assert done.stdout.startswith("<?xml" if option == "--junit" else "#"), done.output
    assert "error_rate>2" in done.stderr
    assert not (staged / "-").exists()


def test_conditions_are_not_beside_a_document_on_standard_output(staged):
    done = weighbridge("profile", "m.onnx", "--samples", 140, "--json", "-", "--fail-if", "latency_p50_ms>1e9")
    assert json.loads(done.stdout)["schema"] == "weighbridge.result/1"
    assert "latency_p50_ms" in done.stderr


def test_other_texts_on_standard_output(staged):
    histogram = weighbridge(*LINES["load"].split(), "--hdr", "-")
    assert histogram.stdout.startswith("#")
    assert "verdict" in histogram.stderr
    signed = weighbridge("result", "sign", "r.json", "--key", "k.pem", "--out", "-")
    assert json.loads(signed.stdout)["payloadType"] == "application/vnd.in-toto+json"
    template = weighbridge("cost", "template")
    assert template.stdout == (staged / "spec.yaml").read_text()


@pytest.mark.parametrize(
    ("words", "options", "sentence"),
    [
        ("load", ("--json", "-", "--hdr", "-"), "- cannot hold two results; name another file."),
        ("load", ("--json", "-", "--junit", "-"), "Only one of the files can be standard output (-)."),
        ("profile", ("--junit", "-", "--markdown", "-"), "Only one of the files can be standard output (-)."),
        ("score", ("--json", "-", "--markdown", "-"), "Only one of the files can be standard output (-)."),
    ],
)
def test_one_stream_holds_one_file(staged, words, options, sentence):
    done = weighbridge(*LINES[words].split(), *options)
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", f"weighbridge: {sentence}\n")


def test_folders_that_cannot_be_written(tmp_path):
    check_kept(None)
    check_kept(tmp_path / "new" / "folder")
    check_kept(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(Invalid, match="Not a directory"):
        check_kept(tmp_path / "file" / "x")


def test_a_folder_without_permission(tmp_path, monkeypatch):
    monkeypatch.setattr("weighbridge.api.documents.os.access", lambda *_: False)
    with pytest.raises(Invalid, match=r"Permission denied\. Nothing was run"):
        check_kept(tmp_path / "x")


def test_a_feed_is_no_stream(tmp_path, monkeypatch):
    from weighbridge.client.feed.document import write_whole

    monkeypatch.chdir(tmp_path)
    with pytest.raises(Invalid, match="standard output"):
        write_whole(Path("-"), "x")
    assert list(tmp_path.iterdir()) == []


def test_text_on_standard_output(capsys):
    write_file(Path("-"), "é\n".encode(), field="out")
    assert capsys.readouterr().out == "é\n"
