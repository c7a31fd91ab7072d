"""Keeps what the performance tests measured: docs/reference/performance.json, and the page that is made of it.

Figures are kept only where WEIGHBRIDGE_FIGURES=keep, as `make bench` sets it; a single test is then free to be tried.
A figure is kept whether it held its limit or not.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from config.reference.performance import FIGURES, performance
from weighbridge.measure.conditions import manifest

KEEP = "WEIGHBRIDGE_FIGURES"
DIGITS = 5


@dataclass(frozen=True, kw_only=True)
class Found:
    """One figure: what it is of, its value, what it is held to (None where it is for reading), and what stood beside
    it.
    """

    name: str
    title: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None
    beside: str = ""

    @property
    def is_held(self) -> bool | None:
        """Whether the figure keeps its limits; None where it has none."""
        if self.at_most is None and self.at_least is None:
            return None
        return (self.at_most is None or self.value <= self.at_most) and (
            self.at_least is None or self.value >= self.at_least
        )


@dataclass
class Recorder:
    """The figures of one test; `write` puts them in the place of those of the same names."""

    command: str
    load_before: float = field(default_factory=lambda: os.getloadavg()[0])
    found: list[Found] = field(default_factory=list)

    def __call__(
        self,
        name: str,
        value: float,
        unit: str,
        *,
        title: str,
        at_most: float | None = None,
        at_least: float | None = None,
        beside: str = "",
    ) -> Found:
        """Note a figure under `part.name`, print it, and return it."""
        figure = Found(
            name=name, title=title, value=float(value), unit=unit, at_most=at_most, at_least=at_least, beside=beside
        )
        print(f"\n{name}: {figure.value:.{DIGITS}g} {unit} {beside}")
        self.found.append(figure)
        return figure

    def write(self, figures: Path = FIGURES, *, at: str) -> None:
        """Write the figures and the page, where there are any."""
        if not self.found:
            return
        kept = json.loads(figures.read_text(encoding="utf-8")) if figures.exists() else {}
        stamp = {
            "at": at,
            "machine": machine(),
            "load_before": round(self.load_before, 1),
            "command": self.command,
        }
        for figure in self.found:
            rounded = float(f"{figure.value:.{DIGITS}g}")
            kept[figure.name] = {**asdict(figure), "value": rounded, "is_held": figure.is_held, **stamp}
        figures.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        figures.with_suffix(".md").write_text(performance(figures), encoding="utf-8")


def machine() -> str:
    """What the figures were measured on, in one line."""
    seen = manifest.describe_machine()
    virtual = ", virtual" if seen["is_virtual"] is True else ""
    engine = manifest.library_versions(("onnxruntime",))["onnxruntime"]
    return (
        f"{seen['cpus_usable']} processors ({seen['cpu']}{virtual}), {seen['memory_mb'] // 1000} GB, "
        f"{seen['python']}, ONNX Runtime {engine}"
    )
