"""Cards of NVIDIA that are not there: their CUDA driver, NVML (the module `pynvml`), and an ONNX Runtime that runs on
the processor what it is asked to run on them.

CUDA sees the cards in the order of `visible`; NVML has them in the order of their PCI addresses, as on a machine where
CUDA_VISIBLE_DEVICES or the speed of the cards changes the numbers.
"""

import ctypes
import dataclasses
import importlib.machinery
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

UUID = "GPU-5d2c7a3e-0000-4000-8000-00000000000"


class NVMLError(Exception):
    """An error of NVML with its code."""

    def __init__(self, value: int) -> None:
        super().__init__({3: "Not Supported", 6: "Not Found", 12: "NVML Shared Library Not Found"}.get(value, "lost"))
        self.value = value


@dataclasses.dataclass
class Card:
    """A card: what it is, what it lacks (functions of NVML), and the energy (mJ) that it tells, one value a reading.

    It is lost after `lost_after` readings.
    """

    name: str = "NVIDIA T4"
    pci: str = "0000:3B:00.0"
    number: int = 0
    lacks: frozenset[str] = frozenset()
    energy_mj: list[int] = dataclasses.field(default_factory=lambda: [1_000_000, 1_000_000, 1_030_000, 1_060_000])
    throttling: list[int] = dataclasses.field(default_factory=lambda: [0x1])
    busy: int = 0
    mig: int = 0
    lost_after: int | None = None
    readings: int = 0

    def next(self, script: list[int]) -> int:
        """Return the value of this reading; the last one stays."""
        return script[min(self.readings, len(script)) - 1]


class Nvml:
    """The module `pynvml`, with these cards."""

    NVML_CLOCK_SM, NVML_CLOCK_MEM, NVML_TEMPERATURE_GPU = 1, 2, 0
    NVMLError = NVMLError
    __spec__ = importlib.machinery.ModuleSpec("pynvml", None)

    def __init__(self, cards: list[Card], *, starts: bool = True) -> None:
        self.cards = sorted(cards, key=lambda card: card.pci)
        self.starts, self.is_running = starts, False
        self.nvmlInit, self.nvmlShutdown = self._start, lambda: setattr(self, "is_running", False)
        self.nvmlSystemGetDriverVersion = lambda: "570.86"
        self.nvmlSystemGetCudaDriverVersion = lambda: 12_080
        self.nvmlDeviceGetHandleByPciBusId = self._at

    def _start(self) -> None:
        if not self.starts:
            raise NVMLError(12)
        self.is_running = True

    def _at(self, address: bytes) -> Card:
        for card in self.cards:
            if card.pci.encode() == address:
                return card
        raise NVMLError(6)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in ANSWERS:
            raise AttributeError(name)

        def ask(card: Card, *arguments: Any) -> Any:
            if name in card.lacks:
                raise NVMLError(3)
            if name == "nvmlDeviceGetMemoryInfo":
                card.readings += 1
                if card.lost_after is not None and card.readings > card.lost_after:
                    raise NVMLError(15)
            return ANSWERS[name](card, *arguments)

        return ask


# The memory is asked first in each reading, and once before to describe the card.
ANSWERS: dict[str, Callable[..., Any]] = {
    "nvmlDeviceGetUUID": lambda card: f"{UUID}{card.number}",
    "nvmlDeviceGetMemoryInfo": lambda card: SimpleNamespace(
        total=16_000_000_000, used=1_000_000_000 if card.readings < 3 else 1_700_000_000
    ),
    "nvmlDeviceGetEnforcedPowerLimit": lambda _: 70_000,
    "nvmlDeviceGetMaxClockInfo": lambda _, kind: 1_590,
    "nvmlDeviceGetMigMode": lambda card: [card.mig, card.mig],
    "nvmlDeviceGetUtilizationRates": lambda card: SimpleNamespace(gpu=card.busy if card.readings < 3 else 80),
    "nvmlDeviceGetPowerUsage": lambda _: 65_500,
    "nvmlDeviceGetTotalEnergyConsumption": lambda card: card.next(card.energy_mj),
    "nvmlDeviceGetCurrentClocksEventReasons": lambda card: card.next(card.throttling),
    "nvmlDeviceGetCurrentClocksThrottleReasons": lambda card: card.next(card.throttling),
    "nvmlDeviceGetClockInfo": lambda card, kind: 1_500 - card.readings if kind == Nvml.NVML_CLOCK_SM else 5_000,
    "nvmlDeviceGetTemperature": lambda card, _: 60 + card.readings,
    "nvmlDeviceGetComputeRunningProcesses": lambda _: ["another"],
}


class CudaDriver:
    """libcuda.so.1 with these cards, in CUDA's order."""

    def __init__(self, visible: list[Card]) -> None:
        self._visible = visible
        self.cuInit = lambda _flags: 0 if visible else 100
        self.cuDeviceGet = self._choose
        self.cuDeviceGetName = lambda name, _, device: self._tell(name, visible[device.value].name)
        self.cuDeviceGetPCIBusId = lambda address, _, device: self._tell(address, visible[device.value].pci)

    def _choose(self, device: Any, number: int) -> int:
        device._obj.value = number
        return 0 if number < len(self._visible) else 101

    def _tell(self, buffer: Any, text: str) -> int:
        buffer.value = text.encode()
        return 0


class Runtime:
    """ONNX Runtime where `names` are installed; its sessions say `uses` and run on the processor."""

    def __init__(self, real: Any, names: tuple[str, ...] = ("Tensorrt", "CUDA"), uses: str | None = None) -> None:
        self._real, self._names, self._uses = real, names, uses
        self.asked: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def get_available_providers(self) -> list[str]:
        return [f"{name}ExecutionProvider" for name in (*self._names, "CPU")]

    def InferenceSession(self, path: str, options: Any, *, providers: Any, enable_fallback: int) -> "Session":  # noqa: N802 -- the name of ONNX Runtime's class
        assert enable_fallback == 0
        self.asked.append(providers)
        real = self._real.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return Session(real, self._uses or providers[0][0], providers[0][1])


class Session:
    """A session on the processor that says it is on a card."""

    def __init__(self, real: Any, provider: str, options: dict[str, str]) -> None:
        self._real, self._provider, self._options = real, provider, options

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def get_providers(self) -> list[str]:
        return [self._provider, "CPUExecutionProvider"]

    def get_provider_options(self) -> dict[str, dict[str, str]]:
        return {self._provider: {"arena_extend_strategy": "kNextPowerOfTwo", **self._options}}

    def get_provider_graph_assignment_info(self) -> list[Any]:
        return [SimpleNamespace(ep_name=self._provider, get_nodes=lambda: ["MatMul"])]


def installed(visible: list[Card], others: list[Card], patch: pytest.MonkeyPatch) -> Nvml:
    """Put these cards in the place of the machine's; CUDA does not see the `others`."""
    nvml, real = Nvml([*visible, *others]), ctypes.CDLL

    def open_library(name: str | None, **named: Any) -> Any:
        return CudaDriver(visible) if name == "libcuda.so.1" else real(name, **named)

    patch.setitem(sys.modules, "pynvml", nvml)  # type: ignore[arg-type]
    patch.setattr(ctypes, "CDLL", open_library)
    return nvml


def start_child() -> None:
    """Give the child of a run, which no test can reach, one card and an ONNX Runtime for it."""
    from weighbridge.systems import onnx_runtime

    runtime, patch = Runtime(onnx_runtime.engine()), pytest.MonkeyPatch()
    patch.setattr(onnx_runtime, "engine", lambda: runtime)
    installed([Card()], [], patch)
