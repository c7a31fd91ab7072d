"""Peak memory of this process, as the kernel keeps it: no sampling, so no peak is missed."""

import os
from pathlib import Path


def reset_peak(process: Path = Path("/proc/self")) -> bool:
    """Set the kernel's high-water mark back to what is resident now; False where that is not possible."""
    try:
        # Opened as what exists already: behind the fence no file may be made or cut.
        descriptor = os.open(process / "clear_refs", os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return False
    with os.fdopen(descriptor, "w") as file:
        file.write("5")
    return True


def peak_bytes(process: Path = Path("/proc/self")) -> int | None:
    """Return the largest resident size since the last reset (VmHWM), None where the kernel does not tell."""
    return _field(process, "VmHWM:")


def resident_bytes(process: Path = Path("/proc/self")) -> int | None:
    """Return the resident size now (VmRSS), None where the kernel does not tell."""
    return _field(process, "VmRSS:")


def _field(process: Path, name: str) -> int | None:
    try:
        lines = (process / "status").read_text().splitlines()
    except OSError:
        return None
    values = (line.split() for line in lines if line.startswith(name))
    return next((int(words[1]) * 1024 for words in values), None)
