"""`weighbridge cost`: what it prints, writes and refuses, with its exit codes."""

import json

import pytest

from tests.unit.toolkit.cli.test_cli import weighbridge
from weighbridge.cli.costs.cost import read_pairs
from weighbridge.core.errors import Invalid
from weighbridge.tradeoff.sheets import printing

ON = ("--on", "2026-11-25")
WIDE = {"COLUMNS": "200"}


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text(weighbridge("cost", "template").stdout)
    return path


def test_the_template_may_go_to_a_file(tmp_path):
    assert weighbridge("cost", "template", "--out", tmp_path / "spec.yaml").stdout == ""
    assert (tmp_path / "spec.yaml").read_text() == weighbridge("cost", "template").stdout
    done = weighbridge("cost", "template", "--out", tmp_path)
    assert (done.exit_code, "cannot be written" in done.stderr) == (2, True)


def test_the_template_is_projected_printed_and_written(spec, tmp_path):
    done = weighbridge("cost", "project", spec, "--draws", 200, "--json", tmp_path / "a.json", *ON, env=WIDE)
    assert done.exit_code == 0, done.stderr
    found = json.loads((tmp_path / "a.json").read_text())
    assert (found["schema"], found["draws"], found["seed"]) == ("weighbridge.projection/1", 200, 20_260_101)
    assert "Fine-tuned open model on own replicas has the lowest total cost of ownership" in done.stdout
    assert "Managed API depends most on: requests_per_year" in done.stdout
    assert f"digest: {found['digest']}" in done.stdout
    again = weighbridge(
        "cost", "project", spec, "--draws", 200, "--seed", 7, "--json", tmp_path / "b.json", "--quiet", *ON
    )
    assert (again.exit_code, again.stdout) == (0, "")
    moved = weighbridge("cost", "compare", tmp_path / "a.json", tmp_path / "b.json", "--json", tmp_path / "c.json")
    assert moved.exit_code == 0
    assert moved.stdout.startswith("api: total_cost_1y_usd (P50)")
    assert json.loads((tmp_path / "c.json").read_text())["schema"] == "weighbridge.projection-change/1"
    silent = weighbridge("cost", "compare", tmp_path / "a.json", tmp_path / "a.json", "--quiet")
    assert (silent.exit_code, silent.stdout) == (0, "")
    assert weighbridge("cost", "compare", tmp_path / "c.json", tmp_path / "a.json").exit_code == 2


CERTAIN = """
apiVersion: weighbridge/v1
kind: CostSpec
name: certain
load: {requests_per_year: 1000000}
horizon: {years: 1, discount_rate: 0}
options:
- id: bought
  title: Bought
  serving:
    kind: managed-api
    prices:
      input_usd: {usd: 2, unit: million_tokens, as_of: 2026-10-01, source: a quotation}
      output_usd: {usd: 8, unit: million_tokens, as_of: 2026-10-01, source: a quotation}
    input_tokens: 1000
    output_tokens: 50
  ownership: {development_usd: 10, maintenance_fte: 0}
"""


def test_an_option_without_ranges_is_moved_by_nothing(tmp_path):
    path = tmp_path / "certain.yaml"
    path.write_text(CERTAIN)
    done = weighbridge("cost", "project", path, "--draws", 200, *ON, env=WIDE)
    assert done.exit_code == 0, done.stderr
    assert "Bought" in done.stdout
    assert "depends most on" not in done.stdout


def test_a_folder_gets_the_page_and_a_word_where_there_is_no_pdf(spec, tmp_path, monkeypatch):
    monkeypatch.setattr(printing, "_command", lambda source, target: None)
    done = weighbridge("cost", "project", spec, "--draws", 200, "--out", tmp_path / "out", "--quiet", *ON)
    assert done.exit_code == 0
    assert "No PDF" in done.stderr
    assert (tmp_path / "out" / "costs.html").exists()

    def printed(source, target):
        return ["cp", str(source), str(target)]

    monkeypatch.setattr(printing, "_command", printed)
    done = weighbridge("cost", "project", spec, "--draws", 200, "--out", tmp_path / "out", "--quiet", *ON)
    assert (done.exit_code, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("name", "inputs", "words"),
    [
        (
            "training",
            ["gpu_hours=80..125", "usd_per_gpu_h=aws/us-east-1/g5.xlarge"],
            ["100.60", "price: aws/us-east-1/g5.xlarge 1.006 USD of 2026-07-20"],
        ),
        (
            "training",
            [
                "gpu_hours=10",
                "usd_per_gpu_h.usd=2",
                "usd_per_gpu_h.unit=gpu_h",
                "usd_per_gpu_h.as_of=2026-10-01",
                "usd_per_gpu_h.source=a quotation",
            ],
            ["20.00", "price: usd_per_gpu_h 2.0 USD of 2026-10-01, a quotation"],
        ),
        (
            "serving",
            ["requests_per_year=2e9", "service_s=0.12", "limit_s=0.5", "slots=4", "usd_per_replica_h=1.006"],
            ["peak_replicas: 5", "replica_hours · usd_per_replica_h"],
        ),
        ("managed", ["requests_per_year=1000000", "fee_usd=0.0075"], ["7,500.00"]),
        (
            "tco",
            ["development_usd=10", "serving_usd=5", "years=4", "discount_rate=0"],
            ["30.00", "equivalent_annual_usd: 7.5"],
        ),
        (
            "energy",
            ["device_hours=100", "watts=700", "pue=1.2", "kg_per_kwh=0.35"],
            ["energy_kwh: 84", "carbon_kg: 29.4"],
        ),
        ("lock-in", ["code_hours=3", "engineer_usd_per_h=100"], ["300.00"]),
        (
            "value",
            [
                "recall=0.8",
                "recall_after=0.85",
                "stakes.prevalence=0.01",
                "stakes.cases_per_year=1e7",
                "stakes.loss_per_false_negative_usd=120",
            ],
            ["gain_per_year_usd: 600,000", "probability of a value above zero: 100%"],
        ),
        (
            "serving",
            ["requests_per_year=1000000", "service_s=0.03..0.12", "limit_s=0.2", "usd_per_replica_h=1"],
            ["unlimited at its P90", "peak_replicas: 2 (2 to unlimited)"],
        ),
    ],
)
def test_each_calculator_prints_lines_formulas_and_what_moves_them(name, inputs, words, tmp_path):
    done = weighbridge("cost", name, *inputs, "--json", tmp_path / "found.json", *ON, env=WIDE)
    assert done.exit_code == 0, done.stderr
    assert all(each in done.stdout for each in words), done.stdout
    assert json.loads((tmp_path / "found.json").read_text())["calculator"] == name
    assert weighbridge("cost", name, *inputs, "--quiet", *ON).stdout == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["training", "gpu_hours"], "'gpu_hours' is not in the form NAME=VALUE"),
        (["training", "gpu_hours=1", "gpu_hours.x=2"], "already has a value"),
        (["training", "gpu_hours=1", "usd_per_gpu_h=aws/us-east-1/g5.xlarg"], "Nearest: aws/us-east-1/g5.xlarge"),
        (["training", "gpu_hours=-1", "usd_per_gpu_h=1"], "gpu_hours must be a number of zero or more"),
        (
            ["serving", "requests_per_year=1e9", "service_s=2", "limit_s=1", "usd_per_replica_h=1"],
            "No number of replicas",
        ),
        (["tco", "development_usd=1", "serving_usd=1", "--on", "soon"], "'soon' is not a date"),
        (["project", "missing.yaml"], "missing.yaml cannot be read"),
    ],
)
def test_what_cannot_be_told_ends_with_two_and_the_reason(arguments, words):
    done = weighbridge("cost", *arguments)
    assert done.exit_code == 2
    assert words in done.stderr


def test_a_file_that_is_no_spec_ends_with_two(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text("a: [")
    assert "is not valid YAML" in weighbridge("cost", "project", path).stderr
    path.write_text("kind: Something")
    done = weighbridge("cost", "project", path)
    assert (done.exit_code, "apiVersion is missing" in done.stderr) == (2, True)


def test_without_a_day_prices_are_asked_for_today():
    assert weighbridge("cost", "tco", "development_usd=1", "serving_usd=1").exit_code == 0


def test_pairs_become_nested_inputs():
    assert read_pairs(["a.b=1..2", "a.c=aws/x/y", "d=7", "e=0.5", "f=word"]) == {
        "a": {"b": ["1", "2"], "c": {"sku": "aws/x/y"}},
        "d": 7,
        "e": "0.5",
        "f": "word",
    }
    for wrong in ("=1", "a=", "a"):
        with pytest.raises(Invalid):
            read_pairs([wrong])
