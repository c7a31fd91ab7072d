"""The manifest: the conditions of a measurement, with a digest, so that a run can be repeated and compared."""

import os
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from weighbridge.core.canonical import digest_of
from weighbridge.measure.conditions.interference import text_of

NOT_VISIBLE = "not visible"
LIBRARIES = ("numpy", "scipy", "onnx", "onnxruntime")
# Other distributions of the same library, of which one may be installed in its place.
VARIANTS = {"onnxruntime": ("onnxruntime-gpu", "onnxruntime-openvino")}
# Processor flags that decide which kernels an engine uses.
AVX_FLAGS = ("avx", "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512vl", "avx512_vnni", "avx512_bf16", "avx_vnni")
AMX_FLAGS = ("amx_tile", "amx_int8", "amx_bf16")
ARM_FLAGS = ("asimd", "asimdhp", "asimddp", "i8mm", "bf16", "sve")


def describe_machine(*, proc: Path = Path("/proc"), sys: Path = Path("/sys")) -> dict[str, Any]:
    """Describe processor, memory, system and Python of this machine; hidden values are `not visible`."""
    fields = _cpu_fields(proc / "cpuinfo")
    flags = set(fields.get("flags", fields.get("Features", "")).split())
    return {
        "cpu": fields.get("model name", fields.get("CPU part", platform.machine())),
        "cpu_flags": sorted(flags & {*AVX_FLAGS, *AMX_FLAGS, *ARM_FLAGS}),
        "cpus_usable": len(os.sched_getaffinity(0)),
        "cpus_installed": os.cpu_count() or 0,
        "architecture": platform.machine(),
        "governor": cpu_governors(sys=sys),
        "is_virtual": "hypervisor" in flags if flags else NOT_VISIBLE,
        "memory_mb": _memory_mb(proc / "meminfo"),
        "os": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def cpu_governors(*, sys: Path = Path("/sys")) -> str:
    """Return the frequency governors of all processors, or `not visible` (the usual case in a virtual machine)."""
    governors = {text_of(path) for path in sys.glob("devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor")}
    return ", ".join(sorted(governors - {""})) or NOT_VISIBLE


def library_versions(names: tuple[str, ...] = LIBRARIES) -> dict[str, str]:
    """Return the installed versions of the libraries that affect a measurement, by the names of their distributions."""
    versions: dict[str, str] = {}
    for name in names:
        found = {each: version for each in (name, *VARIANTS.get(name, ())) if (version := _version(each)) is not None}
        versions |= found or {name: "not installed"}
    return versions


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def seal_manifest(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest with its `digest`: SHA-256 over the canonical JSON of everything else in it."""
    content = {key: value for key, value in manifest.items() if key != "digest"}
    return {**content, "digest": digest_of(content)}


def _cpu_fields(path: Path) -> dict[str, str]:
    first = text_of(path).partition("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _memory_mb(path: Path) -> int | str:
    words = text_of(path).partition("\n")[0].split()
    return int(words[1]) * 1024 // 1_000_000 if len(words) == 3 and words[1].isdigit() else NOT_VISIBLE
