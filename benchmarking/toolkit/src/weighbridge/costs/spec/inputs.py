"""Inputs: find the ranges of nested inputs by path, and replace them by numbers.

Paths are field names joined by dots, as in the spec file: `serving.service_s`.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from weighbridge.costs.lines import Number
from weighbridge.costs.uncertainty import Draws, Range

T = TypeVar("T")


def ranges_in(spec: Any, path: str = "") -> dict[str, Range]:
    """Return all ranges by path, including those of nested dataclasses."""
    return dict(_found(spec, path))


def amounts_in(spec: Any, path: str = "") -> dict[str, Any]:
    """Return all plain values and ranges by path, to show the inputs used."""
    found: dict[str, Any] = {}
    for field in dataclasses.fields(spec):
        value, at = getattr(spec, field.name), f"{path}.{field.name}" if path else field.name
        if isinstance(value, Range):
            found[at] = [value.low, value.high]
        elif dataclasses.is_dataclass(value):
            found |= amounts_in(value, at)
        elif isinstance(value, int | float | str):
            found[at] = value
    return found


def replaced(spec: T, values: Mapping[str, Number], path: str = "") -> T:
    """Return the same inputs with `values` at their paths; the inputs are validated again."""
    changes = {}
    for field in dataclasses.fields(spec):  # type: ignore[arg-type]
        value, at = getattr(spec, field.name), f"{path}.{field.name}" if path else field.name
        if at in values:
            changes[field.name] = values[at]
        elif dataclasses.is_dataclass(value) and not isinstance(value, Range):
            changes[field.name] = replaced(value, values, at)
    return dataclasses.replace(spec, **changes)  # type: ignore[type-var]


def tiled(spec: T, times: int) -> T:
    """Return the same inputs with all draws repeated `times` times."""
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(spec):  # type: ignore[arg-type]
        value = getattr(spec, field.name)
        if isinstance(value, np.ndarray):
            changes[field.name] = np.tile(value, times)
        elif dataclasses.is_dataclass(value):
            changes[field.name] = tiled(value, times)
    return dataclasses.replace(spec, **changes)  # type: ignore[type-var]


def draw_all(ranges: Mapping[str, Range], *, seed: int, n: int, stream: str = "") -> dict[str, Draws]:
    """Return `n` draws of each range; `stream` and the path seed each one, so that a new range does not change the
    others.
    """
    return {
        path: spread.draw(np.random.default_rng([seed, *f"{stream}{path}".encode()]), n)
        for path, spread in ranges.items()
    }


def _found(spec: Any, path: str) -> Iterator[tuple[str, Range]]:
    for field in dataclasses.fields(spec):
        value, at = getattr(spec, field.name), f"{path}.{field.name}" if path else field.name
        if isinstance(value, Range):
            yield at, value
        elif dataclasses.is_dataclass(value):
            yield from _found(value, at)
