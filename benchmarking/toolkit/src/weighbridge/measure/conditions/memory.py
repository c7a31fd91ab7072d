"""Peak memory of this process, recorded by the kernel: without sampling, so that no peak is missed."""

import os
from pathlib import Path

from weighbridge.measure.conditions.interference import text_of


def reset_peak(process: Path = Path("/proc/self")) -> bool:
    """Reset the high-water mark of the kernel to the resident size; return False if not possible."""
    try:
        # Opened without creating or truncating, which the sandbox forbids.
        descriptor = os.open(process / "clear_refs", os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return False
    with os.fdopen(descriptor, "w") as file:
        file.write("5")
    return True


def peak_bytes(process: Path = Path("/proc/self")) -> int | None:
    """Return the largest resident size since the last reset (VmHWM), None if not available."""
    return _field(process, "VmHWM:")


def resident_bytes(process: Path = Path("/proc/self")) -> int | None:
    """Return the resident size now (VmRSS), None if not available."""
    return _field(process, "VmRSS:")


def _field(process: Path, name: str) -> int | None:
    lines = text_of(process / "status").splitlines()
    values = (line.split() for line in lines if line.startswith(name))
    return next((int(words[1]) * 1024 for words in values), None)
