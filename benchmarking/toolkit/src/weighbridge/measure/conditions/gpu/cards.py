"""The graphics card that a run uses: its name and PCI address from CUDA, everything else from NVML.

CUDA numbers the cards that CUDA_VISIBLE_DEVICES shows, by default the fastest first; NVML numbers all cards by their
PCI address. A number of one is therefore never given to the other: the card is matched by its PCI address.
"""

import ctypes
import dataclasses
import hashlib
from collections.abc import Callable
from typing import Any

from weighbridge.core.errors import Invalid, Refused
from weighbridge.core.extras import import_extra
from weighbridge.measure.conditions.model_file import BYTES_PER_MB

CUDA_DRIVER = "libcuda.so.1"
# NVML's codes for what this card does not have, this user may not read, and this driver does not know.
ABSENT = frozenset({3, 4, 13})
HASH_CHARS = 16


class NotRecorded(Refused):
    """Something about the card is not known; the run goes on without it."""

    default_code = "gpu_not_recorded"


@dataclasses.dataclass(frozen=True)
class CudaDevice:
    """A card as CUDA knows it; the name of a part of a divided card (MIG) says so."""

    name: str
    pci_address: str


@dataclasses.dataclass(frozen=True)
class NvmlCard:
    """A card in NVML: the module, the handle of the card, and its `ask`."""

    nvml: Any
    handle: Any

    def ask(self, function: str, *arguments: Any) -> Any:
        """Call a function of NVML on this card; None if the card, the user or the driver does not have it.

        Raises NVMLError for other failures, such as a card that was lost.
        """
        try:
            return getattr(self.nvml, function)(self.handle, *arguments)
        except self.nvml.NVMLError as error:
            if error.value in ABSENT:
                return None
            raise


def cuda_device(number: int, *, open_library: Callable[[str], Any] | None = None) -> CudaDevice:
    """Return the card with this number of CUDA in this process; raise NotRecorded if the driver does not tell.

    Source: cuDeviceGetName and cuDeviceGetPCIBusId of the CUDA driver API.
    """
    try:
        driver = (open_library or ctypes.CDLL)(CUDA_DRIVER)
    except OSError as error:
        raise NotRecorded(f"The CUDA driver ({CUDA_DRIVER}) cannot be opened.") from error
    device, name, address = ctypes.c_int(), ctypes.create_string_buffer(256), ctypes.create_string_buffer(32)
    calls: tuple[tuple[str, tuple[Any, ...]], ...] = (
        ("cuInit", (0,)),
        ("cuDeviceGet", (ctypes.byref(device), number)),
        ("cuDeviceGetName", (name, len(name), device)),
        ("cuDeviceGetPCIBusId", (address, len(address), device)),
    )
    for function, arguments in calls:
        status = getattr(driver, function)(*arguments)
        if status:
            raise NotRecorded(f"{function} of the CUDA driver failed for card {number} with status {status}.")
    return CudaDevice(name.value.decode(errors="replace"), address.value.decode())


def nvml_card(device: CudaDevice) -> NvmlCard:
    """Start NVML and return the card at the PCI address of `device`; raise NotRecorded if that is not possible."""
    try:
        nvml = import_extra("pynvml")
    except Invalid as missing:
        raise NotRecorded(missing.reason) from missing
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        raise NotRecorded(f"NVML does not start: {error}.") from error
    try:
        return NvmlCard(nvml, nvml.nvmlDeviceGetHandleByPciBusId(device.pci_address.encode()))
    except nvml.NVMLError as error:
        nvml.nvmlShutdown()
        raise NotRecorded(f"NVML does not know the card at {device.pci_address}: {error}.") from error


def is_divided(card: NvmlCard) -> bool:
    """Return whether the card is divided into instances (MIG); its readings are then of all of them together."""
    mode = card.ask("nvmlDeviceGetMigMode")
    return mode is not None and mode[0] == 1


def describe_card(card: NvmlCard) -> dict[str, Any]:
    """Return the conditions that the card brings along: memory in MB, driver, limits of clock and power.

    Of the serial number (UUID), only a hash is kept: it tells two cards of one name apart, and nothing else.
    """
    nvml = card.nvml
    uuid, memory = card.ask("nvmlDeviceGetUUID"), card.ask("nvmlDeviceGetMemoryInfo")
    limit_mw, version = card.ask("nvmlDeviceGetEnforcedPowerLimit"), nvml.nvmlSystemGetCudaDriverVersion()
    return {
        "uuid_hash": hashlib.sha256(uuid.encode()).hexdigest()[:HASH_CHARS] if uuid else None,
        "memory_mb": memory.total // BYTES_PER_MB if memory else None,
        "driver": nvml.nvmlSystemGetDriverVersion(),
        "cuda_of_driver": f"{version // 1000}.{version % 1000 // 10}",
        "power_limit_w": limit_mw / 1_000 if limit_mw is not None else None,
        "highest_sm_mhz": card.ask("nvmlDeviceGetMaxClockInfo", nvml.NVML_CLOCK_SM),
        "is_divided": is_divided(card),
    }
