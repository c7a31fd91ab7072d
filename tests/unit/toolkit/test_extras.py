"""Optional libraries: each command works without them, or names what to install."""

import importlib.abc
import json
import re
import sys
import tomllib
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from typer.main import get_command
from typer.testing import CliRunner

from tests.unit.toolkit import builders
from tests.unit.toolkit.optimization.language.builders import alternatives_file
from tests.unit.toolkit.quality.prompts.builders import desk
from tests.unit.toolkit.subjects.deployment.configs import LLAMA_8B, written
from tests.unit.toolkit.tradeoff.builders import candidates_file, points_file
from tests.unit.toolkit.tradeoff.matrices import matrix_file
from tests.unit.toolkit.tradeoff.portfolios import portfolio_file
from weighbridge.api.results import Result
from weighbridge.cli import app as cli
from weighbridge.core.extras import EXTRAS, ExtraMissing, import_extra, require_extra

pytestmark = pytest.mark.slow
TOOLKIT = Path(__file__).parents[3] / "benchmarking" / "toolkit"

BY_EXTRA = {
    "torch": ["profile --torch os:getcwd --shape n,4", "optimize --torch os:getcwd --data d.npz --test d.npz"],
    "mlflow": [
        "track r.json --to mlflow --uri file:///tmp/none",
        "import-runs --json c.json --uri file:///tmp/none",
        "feed mlflow-promote models:/m/1 --alias a --env prod --feed f.json --public-key k.pem --uri file:///tmp/none",
        "feed mlflow-draft models:/m/1 --request r.yaml --uri file:///tmp/none --server http://127.0.0.1:9 --token t",
    ],
    "wandb": ["track r.json --to wandb --offline --folder w"],
    "quality": [
        "score t.npz --metric wer",
        "score t.npz --metric chrf",
        "score q.npz --metric ndcg",
        "answers score --prompts regex.jsonl --answers answers.jsonl",
    ],
    "http2": ["load http://127.0.0.1:9/ --http2-prior-knowledge"],
    "charts": [
        "pareto c.json --chart c.svg",
        "recommend c.json --out page",
        "decide m.yaml --draws 100 --out page",
        "learning-curve p.csv --chart c.svg",
        "cost project spec.yaml --draws 100 --out page",
    ],
}
WITHOUT = [
    "profile m.onnx --samples 140 --json r.json",
    "compare m.onnx n.onnx --rounds 6 --block-ms 1",
    "sweep m.onnx --batch 1 --samples 140",
    "prepare-data d.npz --out e.npz",
    "result check r.json --fail-if latency_p50_ms>1e9",
    "result new-key --out k.pem",
    "result sign r.json --key k.pem --out s.json",
    (
        "result attest r.json --plan plan.json --key k.pem --out a.json --started-at 2026-07-20T10:00:00Z "
        "--finished-at 2026-07-20T10:05:00Z"
    ),
    "result verify s.json --key k.pem.pub",
    "import r.json --json i.json",
    "score s.npz --resamples 100",
    "answers score --prompts prompts.jsonl --answers answers.jsonl",
    "answers alternatives alternatives.yaml --draws 100",
    "answers prompts-needed --difference 0.02",
    "rerun r.json --model m.onnx",
    "max-rate --p99-ms 0.000001 m.onnx --samples 662",
    "pareto c.json",
    "recommend c.json",
    "decide m.yaml --draws 100",
    "portfolio portfolio.json",
    "learning-curve p.csv",
    "experiment --control 100/2000 --treatment 120/2010",
    "track r.json --to jsonl --out lines.jsonl",
    "cost training gpu_hours=80..150 usd_per_gpu_h=2",
    "cost serving requests_per_year=2e9 service_s=0.12 limit_s=0.5 slots=4 usd_per_replica_h=1",
    "cost managed requests_per_year=1e6 input_tokens=900 prices.input_usd=0.15 prices.output_usd=0.6",
    "cost tco development_usd=80000 serving_usd=26000 years=3 maintenance_fte=0.5",
    "cost energy device_hours=80..150 watts=700 pue=1.2 kg_per_kwh=0.35",
    "cost lock-in rework_hours=80..200 code_hours=60 engineer_usd_per_h=100 termination_usd=5000",
    (
        "cost value recall=0.8 recall_after=0.85 stakes.prevalence=0.01 stakes.cases_per_year=1e7 "
        "stakes.loss_per_false_negative_usd=120"
    ),
    "cost request openai/gpt-5-mini --input 1200 --output 250",
    (
        "cost own-or-api own.usd_per_replica_h=2.5 own.goodput_per_s=2.2..2.6 own.utilization=0.35 "
        "api.prices=openai/gpt-5-mini api.input_tokens=600 api.output_tokens=200"
    ),
    "cost accepted options.a.usd_per_try=0.001 options.a.passed=80 options.a.items=100",
    "cost project spec.yaml --draws 100 --json a.json",
    "cost compare a.json a.json",
    "cost template",
    "prices list openai/*",
    "prices show aws/us-east-1/g5.xlarge",
    "prices disagreements",
    "prices pin openai/gpt-4o-mini --json pinned.json",
    "prices replay pinned.json",
    "manifest folder",
    "fit config.json --accelerator h100",
    "size --runs runs.csv --peak-rate 5",
]
# Stopped by what they are given, before any server is asked; no library is missed on the way.
REFUSED = [
    "load http://127.0.0.1:9/ --duration 1s",
    "gate sha256:ab --env prod --public-key none.pem",
    "feed pull none.json --public-key none.pem",
    "feed prove 1 --public-key none.pem",
    "feed keys none.pem",
    "feed litellm none.yaml --out out.yaml --env prod --feed none.json --public-key none.pem",
    "admission --env prod --feed none.json --public-key none.pem --host 0.0.0.0",
    "request create none.yaml --server http://127.0.0.1:9 --token t",
    "request attach MRR-2026-0001 none.json --server http://127.0.0.1:9 --token t",
    "request sync none --server http://127.0.0.1:9 --token t",
    "request draft none.yaml --server http://127.0.0.1:9 --token t",
    "request from-mlflow m 1 --request none.yaml --uri http://127.0.0.1:9 --server http://127.0.0.1:9 --token t",
    "usage report none.csv --gateway g --env prod --server http://127.0.0.1:9 --token t",
    "workloads report none.json --cluster c --env prod --server http://127.0.0.1:9 --token t",
    "worker --token-file none --key none.pem --server http://127.0.0.1:9",
    "prices import litellm none.json --as-of 2026-11-01 --json x.json",
    "optimize none.onnx --data d.npz",
    "device none.onnx --runtime none",
]


class Missing(importlib.abc.MetaPathFinder):
    """Finds none of some libraries."""

    def __init__(self, libraries):
        self.libraries = libraries

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.libraries:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def without(monkeypatch, *missing):
    """Let the libraries of these extras not be installed in this process."""
    libraries = {library for library, extra in EXTRAS.items() if extra in missing}
    for name in [name for name in sys.modules if name.partition(".")[0] in libraries]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Missing(libraries), *sys.meta_path])


@pytest.fixture
def bare(monkeypatch):
    """Let no extra be installed in this process."""
    without(monkeypatch, *EXTRAS.values())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Lay out what the commands read, and stand in it."""
    monkeypatch.chdir(tmp_path)
    for name in ("WEIGHBRIDGE_URL", "WEIGHBRIDGE_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    builders.classifier(tmp_path / "m.onnx")
    builders.classifier(tmp_path / "n.onnx")
    builders.data_set(tmp_path / "d.npz")
    np.savez(tmp_path / "s.npz", answers=np.eye(4), y=np.arange(4))
    np.savez(tmp_path / "t.npz", prediction=np.array(["a b", "c"]), truth=np.array(["a b", "d"]))
    np.savez(tmp_path / "q.npz", score=np.arange(4.0), relevance=np.arange(4), query=np.zeros(4))
    candidates_file(tmp_path / "c.json")
    matrix_file(tmp_path / "m.yaml")
    points_file(tmp_path / "p.csv")
    portfolio_file(tmp_path / "portfolio.json")
    written(tmp_path, LLAMA_8B)
    (tmp_path / "runs.csv").write_text("rate,good,n,seed\n1,1,900,1\n2,0.5,900,1\n")
    desk(tmp_path, 60)
    alternatives_file(tmp_path / "alternatives.yaml")
    pattern = {"id": "t-0", "prompt": "x", "expected": {"scorer": "regex", "pattern": "x"}}
    (tmp_path / "regex.jsonl").write_text(json.dumps(pattern))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/w.bin").write_bytes(b"w")
    plan = {"subject": f"sha256:{sha256((tmp_path / 'm.onnx').read_bytes()).hexdigest()}"}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    (tmp_path / "spec.yaml").write_text(run("cost template").stdout)
    return tmp_path


def run(line):
    return CliRunner().invoke(cli.app, line.split())


def leaves(command, words=()):
    """Yield the words of every command that does something."""
    for name, inner in getattr(command, "commands", {}).items():
        yield from leaves(inner, (*words, name))
    if not hasattr(command, "commands"):
        yield " ".join(words)


def test_every_command_is_tried():
    tried = [*WITHOUT, *REFUSED, *(line for lines in BY_EXTRA.values() for line in lines)]
    missed = [
        name for name in leaves(get_command(cli.app)) if not any(f"{line} ".startswith(name + " ") for line in tried)
    ]
    assert missed == []


@pytest.mark.nightly
def test_every_command_works_without_any_extra(folder, bare):
    # In this order, since some read what others wrote.
    for line in WITHOUT:
        done = run(line)
        assert done.exit_code in (0, 1, 2), (line, done.output)
        assert "pip install" not in done.output.replace("No PDF", ""), line
        assert done.exit_code != 2 or line.startswith("rerun"), (line, done.output)
        assert done.exception is None or isinstance(done.exception, SystemExit), line


@pytest.mark.parametrize("line", REFUSED)
def test_what_is_refused_is_refused_for_its_own_reason(folder, bare, line):
    done = run(line)
    assert (done.exit_code, done.output.startswith("weighbridge: "), "pip" in done.output) == (2, True, False)


@pytest.mark.parametrize(("extra", "line"), [(extra, line) for extra, lines in BY_EXTRA.items() for line in lines])
def test_a_command_that_needs_an_extra_names_it_in_one_sentence(folder, monkeypatch, extra, line):
    (folder / "r.json").write_text('{"schema": "weighbridge.result/1", "metrics": {}}')
    without(monkeypatch, extra)
    if "profile" in line:
        # It is measured in a child process, which finds the caller's modules first.
        (folder / "torch.py").write_text("raise ModuleNotFoundError('No module named torch', name='torch')")
    done = run(line)
    assert (done.exit_code, done.stdout) == (2, ""), done.output
    assert done.stderr.endswith(f'Install it: pip install "weighbridge[{extra}]".\n'), done.stderr
    assert done.stderr.count("\n") == 1


def test_a_frame_needs_its_library(bare):
    result = Result({}, ({"a": 1},), list)
    with pytest.raises(ExtraMissing, match=r"This needs pandas\. Install it: pip install \"weighbridge\[pandas\]\"\."):
        result.to_pandas()
    with pytest.raises(ExtraMissing, match=r"weighbridge\[polars\]"):
        result.to_polars()


def test_a_page_without_a_printer_says_what_prints_it(folder, monkeypatch):
    monkeypatch.setattr("weighbridge.tradeoff.sheets.printing.shutil.which", lambda *_, **__: None)
    done = run("decide m.yaml --draws 100 --out page --quiet")
    assert done.exit_code == 0
    reason = "No PDF: neither weasyprint nor chromium is installed."
    assert f'{reason} Install it: pip install "weighbridge[pdf]".' in done.stderr
    assert (folder / "page/decision.html").is_file()


def test_a_library_that_is_there_but_broken_is_not_called_missing(tmp_path, monkeypatch):
    (tmp_path / "wandb.py").write_text("import no_such_module")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "wandb", raising=False)
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        import_extra("wandb")
    monkeypatch.delitem(sys.modules, "wandb", raising=False)


def test_what_is_installed_is_imported():
    require_extra("polars")
    assert import_extra("polars").__name__ == "polars"


def test_the_page_of_the_toolkit_names_every_extra():
    readme = (TOOLKIT / "README.md").read_text()
    extras = tomllib.loads((TOOLKIT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(re.findall(r"`weighbridge\[(\w+)\]`", readme)) == set(extras) - {"all"}
