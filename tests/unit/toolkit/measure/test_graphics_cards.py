"""The graphics card of a run, with cards that are not there."""

import contextlib
import hashlib
import json
import re
from datetime import UTC, datetime

import pynvml
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.standins.graphics_cards import ANSWERS, UUID, Card, CudaDriver, Nvml, Runtime, installed
from tests.unit.toolkit import builders
from tests.unit.toolkit.cli.test_cli import weighbridge
from tests.unit.toolkit.test_extras import without
from weighbridge.core.errors import Invalid
from weighbridge.measure.conditions.gpu import cards, readings
from weighbridge.measure.conditions.gpu.readings import Reading, energy_between
from weighbridge.measure.conditions.gpu.watch import CardWatch, watched
from weighbridge.measure.scenarios import ProfileSettings, RuntimeSettings, Server, SingleStream, WarmUp
from weighbridge.measure.stopping import StopMeasurement
from weighbridge.measure.verdict import card_reasons
from weighbridge.systems import onnx_runtime

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
GPU = ("gpu_energy_per_query_j", "gpu_peak_memory_mb", "gpu_peak_memory_delta_mb")
QUICK = WarmUp(value_ms=0.0, max_duration_s=0.2)


@pytest.fixture
def machine(monkeypatch):
    """Return a function that puts cards into this machine."""
    real = onnx_runtime.engine()

    def use(*visible, others=()):
        runtime = Runtime(real)
        monkeypatch.setattr(onnx_runtime, "engine", lambda: runtime)
        return installed(list(visible), list(others), monkeypatch)

    return use


def profiled(tmp_path, *, min_duration_s=1.1, scenario=SingleStream, **engine):
    named = {"provider": "cuda", **engine}
    wanted = scenario(min_samples=700, min_duration_s=min_duration_s, warmup=QUICK)
    return builders.measured(
        builders.classifier(tmp_path / "m.onnx"),
        settings=ProfileSettings(scenario=wanted, engine=RuntimeSettings(**named), bootstraps=100),
        data=None,
        on_progress=lambda *_: None,
        now=NOW,
    )


def watch_of(number=0):
    watch = CardWatch()
    watch.open(number)
    return watch


def missing(result):
    return {entry["metric"]: entry["message"] for entry in result["missing"] if entry["metric"] in GPU}


@pytest.mark.slow
@pytest.mark.parametrize("provider", ["cuda", "tensorrt"])
def test_a_run_on_a_card_has_its_conditions(tmp_path, machine, provider):
    nvml = machine(Card())
    result = profiled(tmp_path, provider=provider)
    gpu = result["manifest"]["gpu"]
    assert gpu["card"] == {
        "name": "NVIDIA T4",
        "uuid_hash": hashlib.sha256(f"{UUID}0".encode()).hexdigest()[:16],
        "memory_mb": 16_000,
        "driver": "570.86",
        "cuda_of_driver": "12.8",
        "power_limit_w": 70.0,
        "highest_sm_mhz": 1_590,
        "is_divided": False,
    }
    assert UUID not in json.dumps(result)
    assert (gpu["not_recorded"], gpu["energy_j"], gpu["other_processes"]) == (None, 30.0, 1)
    assert gpu["memory"] == {"before_mb": 1_000.0, "peak_mb": 1_700.0}
    assert gpu["utilization_before"] == 0.0
    assert gpu["utilization"] == {"min": 0.8, "median": 0.8, "max": 0.8}
    # Read before the run, in each of its pauses (four a second), and after it; never while a query runs.
    assert gpu["readings"] >= 5
    assert gpu["sm_mhz"]["max"] - gpu["sm_mhz"]["min"] == gpu["readings"] - 1
    assert gpu["memory_mhz"] == {"min": 5_000, "median": 5_000, "max": 5_000}
    assert gpu["power_w"] == {"min": 65.5, "median": 65.5, "max": 65.5}
    assert (gpu["throttled_readings"], gpu["throttling"]) == (0, {})
    queries = result["run"]["warmup"]["inferences"] + result["metrics"]["error_rate"]["n"]
    energy = result["metrics"]["gpu_energy_per_query_j"]
    assert (energy["value"], energy["n"], energy["unit"], energy["basis"]) == (30 / queries, queries, "J", "measured")
    assert [result["metrics"][name]["value"] for name in GPU[1:]] == [1_700.0, 700.0]
    assert missing(result) == {}
    engine = result["manifest"]["engine"]
    name = {"cuda": "CUDA", "tensorrt": "Tensorrt"}[provider]
    assert engine["providers"][0] == f"{name}ExecutionProvider"
    assert engine["nodes"] == {name: 1}
    assert engine["provider_options"]["arena_extend_strategy"] == "kNextPowerOfTwo"
    assert not {"gpu.throttling", "gpu.busy"} & {reason["code"] for reason in result["verdict"]["reasons"]}
    assert not nvml.is_running


@pytest.mark.slow
def test_a_run_on_the_processor_has_no_card(tmp_path, machine):
    machine(Card())
    result = profiled(tmp_path, provider="cpu", min_duration_s=0.0)
    assert "gpu" not in result["manifest"]
    assert not set(GPU) & (result["metrics"].keys() | missing(result).keys())


@pytest.mark.slow
def test_where_queries_may_be_due_the_card_is_read_only_before_and_after(tmp_path, machine):
    machine(Card())
    result = profiled(tmp_path, scenario=lambda **named: Server(**named, rate_per_s=2_000.0))
    gpu = result["manifest"]["gpu"]
    assert (gpu["readings"], gpu["energy_j"]) == (2, 30.0)


@pytest.mark.slow
def test_without_nvml_the_run_goes_on_and_says_what_was_not_recorded(tmp_path, machine, monkeypatch):
    machine(Card())
    without(monkeypatch, "gpu")
    result = profiled(tmp_path, min_duration_s=0.0)
    gpu = result["manifest"]["gpu"]
    assert gpu["card"] == {"name": "NVIDIA T4"}
    assert gpu["not_recorded"] == 'This needs pynvml. Install it: pip install "weighbridge[gpu]".'
    assert set(missing(result)) == set(GPU)
    assert all("weighbridge[gpu]" in message for message in missing(result).values())
    assert "latency_p95_ms" in result["metrics"]


@pytest.mark.slow
def test_a_card_that_is_lost_ends_the_readings_and_not_the_run(tmp_path, machine):
    nvml = machine(Card(lost_after=4))
    result = profiled(tmp_path)
    gpu = result["manifest"]["gpu"]
    assert (gpu["not_recorded"], gpu["readings"]) == ("NVML failed after 2 readings: lost.", 2)
    assert gpu["energy_j"] is None
    assert not set(GPU) & result["metrics"].keys()
    assert missing(result)["gpu_peak_memory_mb"] == "No memory of the card: NVML failed after 2 readings: lost."
    assert result["metrics"]["error_rate"]["value"] == 0.0
    assert not nvml.is_running


@pytest.mark.slow
def test_a_throttled_and_busy_card_makes_a_result_indicative(tmp_path, machine):
    machine(Card(throttling=[0x1, 0x1, 0x1, 0x4, 0x44, 0x1], busy=55))
    result = profiled(tmp_path)
    reasons = {reason["code"]: reason for reason in result["verdict"]["reasons"]}
    gpu = result["manifest"]["gpu"]
    assert gpu["throttling"] == {"heat, by the hardware": 1, "power cap": 2}
    assert reasons["gpu.throttling"] == {
        "code": "gpu.throttling",
        "status": "indicative",
        "message": f"The card lowered its clocks in 2 of {gpu['readings']} readings"
        " (heat, by the hardware, power cap).",
    }
    assert reasons["gpu.busy"]["message"] == "The card was 55% busy before the model was loaded."
    assert result["verdict"]["status"] != "valid"


@pytest.mark.parametrize(("utilization", "codes"), [(None, []), (0.0, []), (0.1, []), (0.11, ["gpu.busy"])])
def test_a_card_is_busy_above_a_tenth(utilization, codes):
    card = {"throttling": {}, "throttled_readings": 0, "readings": 2, "utilization_before": utilization}
    assert [reason.code for reason in card_reasons(card)] == codes


def test_the_card_of_a_run_is_found_by_its_address_not_by_its_number(machine):
    slow, fast = Card("NVIDIA T4", "0000:3B:00.0", 0), Card("NVIDIA H100 PCIe", "0000:AF:00.0", 1)
    hidden = Card("NVIDIA L4", "0000:17:00.0", 2)
    # NVML has the hidden one first; CUDA the fast one.
    machine(fast, slow, others=[hidden])
    found = {}
    for number in (0, 1):
        watch = watch_of(number)
        found[number] = (watch.device.name, watch.described["uuid_hash"])
        watch.close()
    hashes = [hashlib.sha256(f"{UUID}{number}".encode()).hexdigest()[:16] for number in (1, 0)]
    assert found == {0: ("NVIDIA H100 PCIe", hashes[0]), 1: ("NVIDIA T4", hashes[1])}


@pytest.mark.slow
def test_the_chosen_card_is_used_by_all_providers_and_recorded(tmp_path, machine):
    machine(Card(), Card("NVIDIA L4", "0000:17:00.0", 1))
    result = profiled(tmp_path, provider="tensorrt", options={"device_id": "1"}, min_duration_s=0.0)
    assert result["manifest"]["gpu"]["card"]["name"] == "NVIDIA L4"
    assert onnx_runtime.engine().asked[-1] == [
        ("TensorrtExecutionProvider", {"device_id": "1"}),
        ("CUDAExecutionProvider", {"device_id": "1"}),
        ("CPUExecutionProvider", {}),
    ]


@pytest.mark.parametrize(
    ("arrange", "reason"),
    [
        (lambda use, _: use(), r"cuInit of the CUDA driver failed for card 0 with status 100\."),
        (lambda use, _: use(Card()).cards.clear(), r"NVML does not know the card at 0000:3B:00\.0: Not Found\."),
        (
            lambda use, _: setattr(use(Card()), "starts", False),
            r"NVML does not start: NVML Shared Library Not Found\.",
        ),
        (lambda use, _: use(Card(mig=1)), r"The card is divided \(MIG\): .*"),
        (lambda use, _: use(Card(lost_after=0)), r"NVML failed after 0 readings: lost\."),
    ],
)
def test_a_card_that_cannot_be_read_is_never_replaced_by_another(machine, monkeypatch, arrange, reason):
    arrange(machine, monkeypatch)
    watch = watch_of()
    watch.read()
    report = watch.report(queries=10, duration_s=5.0)
    assert re.fullmatch(reason, report.manifest["not_recorded"])
    assert (report.metrics, set(report.missing), report.manifest["readings"]) == ({}, set(GPU), 0)
    watch.close()


def test_the_driver_of_a_machine_without_a_card_is_missing():
    def open_library(name):
        raise OSError(name)

    with pytest.raises(cards.NotRecorded, match=r"libcuda\.so\.1\) cannot be opened"):
        cards.cuda_device(0, open_library=open_library)
    with pytest.raises(cards.NotRecorded, match="cuDeviceGet of the CUDA driver failed for card 3 with status 101"):
        cards.cuda_device(3, open_library=lambda _: CudaDriver([Card()]))


def test_what_an_old_card_does_not_tell_is_not_counted_and_never_zero(machine):
    lacking = frozenset(ANSWERS) - {"nvmlDeviceGetCurrentClocksThrottleReasons"}
    machine(Card(lacks=lacking, throttling=[0x20]))
    watch = watch_of()
    watch.read()
    watch.read()
    report = watch.report(queries=10, duration_s=5.0)
    gpu = report.manifest
    assert gpu["card"] == {
        "name": "NVIDIA T4",
        **dict.fromkeys(("uuid_hash", "memory_mb", "power_limit_w", "highest_sm_mhz")),
        "driver": "570.86",
        "cuda_of_driver": "12.8",
        "is_divided": False,
    }
    assert [gpu[name] for name in readings.SUMMARIZED] == [None] * 5
    assert (gpu["energy_j"], gpu["utilization_before"], gpu["other_processes"]) == (None, None, None)
    assert gpu["memory"] == {"before_mb": None, "peak_mb": None}
    # The name of the function before driver 535.
    assert gpu["throttling"] == {"heat, by the driver": 2}
    assert report.metrics == {}
    assert report.missing["gpu_energy_per_query_j"] == (
        "No energy of the card: this card has no energy counter (only Volta and later do)."
    )
    assert report.missing["gpu_peak_memory_mb"] == "No memory of the card: it does not tell how much of it is used."
    watch.close()


def test_a_card_that_tells_its_memory_only_later_has_no_memory_of_the_model(machine):
    card = Card(lacks=frozenset({"nvmlDeviceGetMemoryInfo"}))
    machine(card)
    watch = watch_of()
    card.lacks = frozenset()
    watch.read()
    report = watch.report(queries=0, duration_s=5.0)
    assert set(report.metrics) == {"gpu_peak_memory_mb"}
    assert "No memory of the model of the card" in report.missing["gpu_peak_memory_delta_mb"]
    watch.close()


def at(energy_j):
    return Reading(None, None, None, None, None, None, energy_j, ())


@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=5), st.floats(0, 100))
def test_energy_is_the_difference_of_the_counter_or_not_counted(counter, duration_s):
    joules, why = energy_between([at(each) for each in counter], duration_s=duration_s)
    if counter[-1] < counter[0]:
        assert (joules, why) == (None, "the energy counter of the card went backward during the run, as after a reset.")
    elif duration_s < 1:
        assert (joules, why) == (None, "the energy counter of a card is too coarse for a run of less than 1 s.")
    else:
        assert (joules, why) == (counter[-1] - counter[0], "")


def test_a_stopped_run_stops_nvml(machine):
    nvml = machine(Card())
    stack = contextlib.ExitStack()
    stack.enter_context(watched(RuntimeSettings(provider="cuda")))
    assert nvml.is_running
    with pytest.raises(StopMeasurement), stack:
        raise StopMeasurement
    assert not nvml.is_running


@pytest.mark.parametrize("number", ["-1", "1.5", "first", ""])
def test_a_card_has_a_number(number):
    with pytest.raises(Invalid, match="device_id is the number of a card"):
        RuntimeSettings(provider="tensorrt", options={"device_id": number})
    assert RuntimeSettings(provider="openvino", options={"device_id": number}).card is None


def test_the_stand_in_and_the_limits_are_those_of_nvml():
    known = {name for name in vars(Nvml([])) if name.startswith("nvml")} | ANSWERS.keys()
    assert [name for name in sorted(known) if not hasattr(pynvml, name)] == []
    for name in ("NVML_CLOCK_SM", "NVML_CLOCK_MEM", "NVML_TEMPERATURE_GPU"):
        assert getattr(Nvml, name) == getattr(pynvml, name)
    absent = ("NOT_SUPPORTED", "NO_PERMISSION", "FUNCTION_NOT_FOUND")
    assert {getattr(pynvml, f"NVML_ERROR_{name}") for name in absent} == cards.ABSENT
    names = ("SwPowerCap", "HwSlowdown", "SyncBoost", "SwThermalSlowdown", "HwThermalSlowdown", "HwPowerBrakeSlowdown")
    assert [getattr(pynvml, f"nvmlClocksEventReason{name}") for name in names] == list(readings.THROTTLING)
    with pytest.raises(pynvml.NVMLError) as error:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)
    assert error.value.value not in cards.ABSENT


@pytest.mark.slow
def test_the_command_measures_on_a_card_in_a_process_of_its_own(tmp_path, monkeypatch):
    builders.classifier(tmp_path / "m.onnx")
    start = "from tests.standins import graphics_cards\ngraphics_cards.start_child()\n"
    root = str(builders.__file__).partition("/tests/")[0]
    (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.path.append({root!r})\n{start}")
    monkeypatch.chdir(tmp_path)
    words = ("profile", "m.onnx", "--provider", "cuda", "--samples", 200, "--json", "r.json")
    refused = weighbridge(*words)
    assert (refused.exit_code, "add --trust" in refused.stderr) == (2, True)
    done = weighbridge(*words, "--trust", "--no-operators")
    assert done.exit_code == 0, done.output
    result = json.loads((tmp_path / "r.json").read_text())
    assert result["manifest"]["gpu"]["card"]["name"] == "NVIDIA T4"
    assert result["manifest"]["isolation"] == "none, a process of its own outside every fence"
    assert result["metrics"]["gpu_energy_per_query_j"]["unit"] == "J"
    assert done.stdout.startswith("SingleStream, onnxruntime, NVIDIA T4")
    assert "peak memory of the card" in done.stdout
    again = weighbridge("rerun", "r.json", "--model", "m.onnx", "--trust", "--json", "again.json")
    assert again.exit_code in (0, 1, 2), again.output
    compared = json.loads((tmp_path / "again.json").read_text())
    assert [each["condition"] for each in compared["differences"] if each["condition"].startswith("card")] == []
    assert compared["result"]["manifest"]["gpu"]["card"] == result["manifest"]["gpu"]["card"]
