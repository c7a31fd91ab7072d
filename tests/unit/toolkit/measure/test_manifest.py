"""The manifest and its digest."""

import platform
from importlib import metadata

import numpy as np

from weighbridge.measure.conditions.manifest import cpu_governors, describe_machine, library_versions, seal_manifest

CPUINFO = (
    "processor\t: 0\nmodel name\t: Example 9000\nflags\t\t: fpu avx2 avx512_vnni hypervisor\n\nprocessor\t: 1\nmodel "
    "name\t: Other\n"
)


def test_a_machine_is_described(tmp_path):
    (tmp_path / "cpuinfo").write_text(CPUINFO)
    (tmp_path / "meminfo").write_text("MemTotal:       2000000 kB\nMemFree: 1 kB\n")
    folder = tmp_path / "devices/system/cpu/cpu0/cpufreq"
    folder.mkdir(parents=True)
    (folder / "scaling_governor").write_text("powersave\n")
    found = describe_machine(proc=tmp_path, sys=tmp_path)
    assert (found["cpu"], found["cpu_flags"], found["is_virtual"]) == ("Example 9000", ["avx2", "avx512_vnni"], True)
    assert (found["memory_mb"], found["governor"]) == (2_048, "powersave")
    assert found["python"] == f"CPython {platform.python_version()}"


def test_what_cannot_be_seen_says_so(tmp_path):
    found = describe_machine(proc=tmp_path, sys=tmp_path)
    assert (found["cpu"], found["cpu_flags"]) == (platform.machine(), [])
    assert (found["memory_mb"], found["governor"], found["is_virtual"]) == ("not visible",) * 3
    assert cpu_governors(sys=tmp_path) == "not visible"


def test_libraries_have_versions():
    assert library_versions(("numpy", "no-such-library")) == {
        "numpy": np.__version__,
        "no-such-library": "not installed",
    }


def test_another_distribution_of_a_library_has_its_own_name(monkeypatch):
    installed = {"onnxruntime-gpu": "1.31.0"}

    def version(name):
        if name not in installed:
            raise metadata.PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(metadata, "version", version)
    assert library_versions(("onnxruntime", "onnx")) == {"onnxruntime-gpu": "1.31.0", "onnx": "not installed"}
    installed["onnxruntime"] = "1.32.0"
    assert library_versions(("onnxruntime",)) == {"onnxruntime": "1.32.0", "onnxruntime-gpu": "1.31.0"}


def test_a_manifest_is_sealed_over_everything_but_the_seal():
    one = seal_manifest({"b": [1, 2.5], "a": {"x": None}})
    assert one["digest"].startswith("sha256:")
    assert seal_manifest({"a": {"x": None}, "b": [1, 2.5]})["digest"] == one["digest"] == seal_manifest(one)["digest"]
    assert seal_manifest({"a": {"x": None}, "b": [1, 2.6]})["digest"] != one["digest"]
