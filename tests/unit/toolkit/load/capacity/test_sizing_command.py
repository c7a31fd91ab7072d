"""`weighbridge size` and `weighbridge.size_replicas`: documents, tables, exit codes, refusals."""

import json

import pytest
from typer.testing import CliRunner

import weighbridge
from tests.refusals import has_code
from tests.unit.toolkit.load.capacity.builders import LIMITS, SHARES, load_test
from weighbridge.cli import app as cli
from weighbridge.core.errors import Invalid


def run(*words):
    return CliRunner().invoke(cli.app, ["size", *map(str, words)])


@pytest.fixture
def table(tmp_path):
    """The runs as a table."""
    file = tmp_path / "runs.csv"
    lines = [f"{rate},{share},1000,{seed}" for rate, each in SHARES.items() for seed, share in enumerate(each)]
    file.write_text("\n".join(["rate,good,n,seed", *lines]))
    return file


def documents():
    return [load_test(rate, share, seed=seed) for rate, each in SHARES.items() for seed, share in enumerate(each)]


def test_a_table_gives_replicas_with_their_interval(table, tmp_path):
    done = run("--runs", table, "--peak-rate", 20, "--json", tmp_path / "sizing.json")
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "sizing.json").read_text())
    assert (found["schema"], found["basis"], found["verdict"]["status"]) == (
        "weighbridge.sizing/1",
        "measured",
        "valid",
    )
    rate, replicas = found["highest_rate_per_s"], found["replicas"]
    assert 2.4 < rate["lower"] < rate["value"] < rate["upper"] < 2.8
    assert replicas["value"] == replicas["upper"] == -(-20 // (rate["lower"] * 0.9)) + 1 == 10
    assert replicas["lower"] == -(-20 // (rate["upper"] * 0.9)) + 1
    assert found["demand"]["good_share"] == 0.95
    assert [point["rate_per_s"] for point in found["curve"]] == list(SHARES)
    assert len(found["runs"]) == 18
    assert found["sources"][0]["file"] == "runs.csv"
    assert found["notes"][0]["code"] == "queue.unfit"
    assert "replicas for 20 requests per second: 10, 1 of them spare (measured); balance 0.9" in done.output
    assert "highest rate of a replica with 95% good: 2.6" in done.output
    assert "█" * 30 in done.output


def test_results_may_follow_the_option_as_a_shell_gives_them(tmp_path):
    files = [tmp_path / f"{place}.json" for place, _ in enumerate(documents())]
    for file, document in zip(files, documents(), strict=True):
        file.write_text(json.dumps(document))
    options = ("--peak-rate", 20, "--input-tokens", 900, "--spare", 0, "--quiet", "--json", tmp_path / "sizing.out")
    assert run("--runs", *files, *options).output == ""
    found = json.loads((tmp_path / "sizing.out").read_text())
    assert found["basis"] == "extrapolated"
    assert [reason["code"] for reason in found["verdict"]["reasons"]] == ["workload.differs"]
    assert (found["limits"], len(found["sources"])) == (LIMITS, 18)
    assert found["mean_tokens"]["input_tokens_mean"] == 600


def test_no_number_that_is_enough_is_a_no(table):
    done = run("--runs", table, "--peak-rate", 20, "--good", 0.9999)
    assert done.exit_code == 1
    assert "replicas for 20 requests per second: no number is shown to be enough" in done.output
    assert "target.missed" in done.output


def test_a_server_that_answers_nothing_in_time_has_no_number(tmp_path):
    file = tmp_path / "runs.csv"
    file.write_text("rate,good,n,seed\n1,0,10,1\n")
    assert run("--runs", file, "--peak-rate", 20).exit_code == 1


@pytest.mark.parametrize(
    "options", [("--peak-rate", 0), ("--peak-rate", 20, "--good", 2), ("--peak-rate", 5, "--balance", 0)]
)
def test_what_is_refused_writes_nothing(table, tmp_path, options):
    done = run("--runs", table, *options, "--json", tmp_path / "sizing.json")
    assert (done.exit_code, done.stderr.startswith("weighbridge: ")) == (2, True)
    assert not (tmp_path / "sizing.json").exists()


def test_the_function_takes_results_or_files_and_gives_rows(table):
    from_results = weighbridge.size_replicas(documents(), peak_rate=20, output_tokens=201)
    assert from_results["basis"] == "measured"
    rows = from_results.to_pandas()
    assert list(rows["rate_per_s"]) == list(SHARES)
    assert (rows["good_share_lower"] <= rows["good_share_value"]).all()
    assert weighbridge.size_replicas([table], peak_rate=20)["replicas"] == from_results["replicas"]
    with pytest.raises(Invalid, check=has_code("runs_mixed")):
        weighbridge.size_replicas([table, documents()[0]], peak_rate=20)
    with pytest.raises(Invalid, check=has_code("runs_missing")):
        weighbridge.size_replicas([], peak_rate=20)
