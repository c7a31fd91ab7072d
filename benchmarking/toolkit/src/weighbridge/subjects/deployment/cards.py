"""Accelerators with the memory that their driver reports, their bandwidth, and their dense peak in 16 bits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.accelerators import ACCELERATORS
from weighbridge.core.parsing.yaml_text import parse_yaml

MIB = 2**20


@dataclass(frozen=True, kw_only=True)
class AcceleratorCard:
    """An accelerator: memory in bytes, bandwidth in bytes per second, dense peak in FLOP/s at 16 bits."""

    name: str
    label: str
    memory_bytes: int
    bytes_per_s: float
    flops: float
    source: str
    as_of: date


@cache
def cards() -> Mapping[str, AcceleratorCard]:
    """Return all accelerators by name, in the order of `core.metrics.accelerators`."""
    text = files("weighbridge.subjects.deployment").joinpath("accelerators.yaml").read_text(encoding="utf-8")
    stated = {reader.text("name"): reader for reader in map(Reader, parse_yaml(text, name="accelerators.yaml"))}
    return MappingProxyType(
        {
            each.name: AcceleratorCard(
                name=each.name,
                label=each.label,
                memory_bytes=stated[each.name].whole("memory_mib") * MIB,
                bytes_per_s=float(stated[each.name].number("bandwidth_gb_per_s")) * 1e9,
                flops=float(each.tflops) * 1e12,
                source=stated[each.name].text("source"),
                as_of=stated[each.name].day("as_of"),
            )
            for each in ACCELERATORS
        }
    )


def cards_named(names: Sequence[str]) -> tuple[AcceleratorCard, ...]:
    """Return the accelerators of these names, all without a name; raise Invalid for a name that is not known."""
    known = cards()
    for name in names:
        if name not in known:
            text = f"{name} is no known accelerator; use {', '.join(known)}."
            raise Invalid(text, code="accelerator_unknown", field="accelerator")
    return tuple(known[name] for name in dict.fromkeys(names or known))
