"""`weighbridge fit`: tables, the document, exit codes, and what is refused."""

import json

import pytest
from typer.testing import CliRunner

import weighbridge
from tests.unit.toolkit.subjects.deployment import configs
from tests.unit.toolkit.subjects.deployment.configs import written
from tests.unit.toolkit.subjects.deployment.models import llama_gguf
from weighbridge.cli.app import app
from weighbridge.core.errors import Invalid


def run(*words):
    return CliRunner().invoke(app, ["fit", *map(str, words)])


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "llama-8b"
    folder.mkdir()
    written(folder, configs.LLAMA_8B)
    return folder


def test_the_table_says_where_a_model_fits(folder):
    done = run(folder, "--accelerator", "t4", "--accelerator", "h100")
    assert done.exit_code == 0
    assert "llama-8b: llama, from config.json" in done.output
    assert "8 heads, 128 + 128 wide, all tokens" in done.output
    assert "need: 16.46 GiB for 1 x 4,096 tokens, cache of 16 bits; at most 90% of the memory is used" in done.output
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in done.output.splitlines() if "│ " in line]
    assert rows[-2][:5] == ["T4", "15.00", "no", "0", "0"]
    assert rows[-1][:5] == ["H100", "79.65", "yes", "111", "456,500"]


def test_the_document_is_written_and_conditions_read_it(folder, tmp_path):
    kept = tmp_path / "fit.json"
    done = run(folder, "--json", kept, "--quiet", "--sequences", "10", "--context", "8192", "--cache-bits", "8")
    assert (done.exit_code, done.output) == (0, "")
    document = json.loads(kept.read_text())
    assert document["metrics"]["kv_bytes_per_token"]["value"] == 65_536
    assert len(document["accelerators"]) == 10
    checked = CliRunner().invoke(app, ["result", "check", str(kept), "--fail-if", "memory_fit_gb > 20"])
    assert checked.exit_code == 1, checked.output


def test_what_fits_nowhere_exits_with_one(folder):
    assert run(folder, "--accelerator", "t4").exit_code == 1
    done = run(folder, "--accelerator", "t4", "--tensor-parallel", "2")
    assert done.exit_code == 0
    assert "on each of 2 accelerators" in done.output


def test_windows_experts_and_unknown_contexts_are_shown(tmp_path):
    windows = run(written(tmp_path, configs.MISTRAL_7B, max_position_embeddings=None))
    assert "the last 4,096 tokens" in windows.output
    assert "no limit" in windows.output
    assert "unknown" in windows.output
    experts = run(written(tmp_path, configs.DEEPSEEK_V3))
    assert "latent, 576 + 0 wide" in experts.output
    assert "37,552,297,472" in experts.output
    assert run(written(tmp_path, configs.SMOLLM2_135M), "--context", "9000").output.rstrip().endswith("of no use.")


def test_a_gguf_file_shows_license_and_template(tmp_path):
    done = run(llama_gguf(tmp_path / "m.gguf"))
    assert done.exit_code == 0
    assert "apache-2.0" in done.output
    assert "sha256:" in done.output


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["none"], "There is no file none."),
        (["config.json", "--accelerator", "abacus"], "abacus is no known accelerator"),
    ],
)
def test_refusals_are_one_sentence(tmp_path, monkeypatch, words, reason):
    monkeypatch.chdir(tmp_path)
    written(tmp_path, configs.LLAMA_8B)
    done = run(*words)
    assert done.exit_code == 2
    assert done.output.startswith(f"weighbridge: {reason}")


def test_the_python_function_has_a_row_for_each_accelerator(folder):
    result = weighbridge.fit(folder, accelerators=("l4", "h200"), sequences=4)
    assert [row["name"] for row in result.rows] == ["l4", "h200"]
    assert result["serving"]["sequences"] == 4
    frame = result.to_pandas()
    assert list(frame["fits"]) == [True, True]


def load_test(**metrics):
    found = {
        "input_tokens_mean": 1_000,
        "cached_token_share": 0.5,
        "ttft_service_p50_ms": 90,
        "tpot_p50_ms": 20,
    } | metrics
    found = {name: value for name, value in found.items() if value is not None}
    return {"schema": "weighbridge.load/1", "metrics": {name: {"value": value} for name, value in found.items()}}


# 15 GB of weights are read in 17.4 ms; 500 tokens (half a prompt, half of it cached) are multiplied in 20.7 ms.
@pytest.mark.parametrize(
    ("metrics", "named"),
    [
        ({}, []),
        ({"input_tokens_mean": 2_000, "ttft_service_p50_ms": 19}, ["ttft_service_p50_ms"]),
        ({"input_tokens_mean": 2_000, "ttft_service_p50_ms": 19, "cached_token_share": 1}, []),
        ({"ttft_service_p50_ms": 17, "cached_token_share": 1}, ["ttft_service_p50_ms"]),
        ({"tpot_p50_ms": 17}, ["tpot_p50_ms"]),
        ({"tpot_p50_ms": 17, "ttft_service_p50_ms": None, "cached_token_share": None}, ["tpot_p50_ms"]),
    ],
)
def test_measured_times_below_the_floors_are_named(folder, tmp_path, metrics, named):
    kept = tmp_path / "load.json"
    kept.write_text(json.dumps(load_test(**metrics)))
    done = run(folder, "--accelerator", "l40s", "--measured", kept, "--json", tmp_path / "fit.json")
    assert done.exit_code == (1 if named else 0)
    found = json.loads((tmp_path / "fit.json").read_text())
    assert found["measured"].startswith("sha256:")
    assert [each["metric"] for each in found["accelerators"][0]["implausible"]] == named
    assert [
        f"implausible on L40S: {name} is at most" in done.output for name in ("ttft_service_p50_ms", "tpot_p50_ms")
    ] == [name in named for name in ("ttft_service_p50_ms", "tpot_p50_ms")]


def test_the_upper_bound_of_a_measured_time_is_compared(folder):
    result = load_test(tpot_p50_ms=None)
    result["metrics"]["tpot_p50_ms"] = {"value": 16, "lower": 15, "upper": 18.5}
    assert weighbridge.fit(folder, accelerators=["l40s"], measured=result)["accelerators"][0]["implausible"] == []
    result["metrics"]["tpot_p50_ms"]["upper"] = 17
    found = weighbridge.fit(folder, accelerators=["l40s", "h100"], measured=result)["accelerators"]
    assert [len(each["implausible"]) for each in found] == [1, 0]


@pytest.mark.parametrize("missing", ["input_tokens_mean", "times"])
def test_a_result_without_times_is_refused(folder, missing):
    gone = {"ttft_service_p50_ms": None, "tpot_p50_ms": None} if missing == "times" else {missing: None}
    with pytest.raises(Invalid, match="give that of `weighbridge load --chat`"):
        weighbridge.fit(folder, measured=load_test(**gone))
