"""Inputs: find the ranges of nested inputs by path, and replace them by numbers.

Paths are field names joined by dots, as in the spec file: `serving.service_s`.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from weighbridge.costs.lines import Number
from weighbridge.costs.uncertainty import Draws, Range, bounds_of

T = TypeVar("T")


def ranges_in(spec: Any) -> dict[str, Range]:
    """Return all ranges by path, including those of nested dataclasses, with the bounds of their fields."""
    return {path: value for path, value in _values_in(spec) if isinstance(value, Range)}


def amounts_in(spec: Any) -> dict[str, Any]:
    """Return all plain values and ranges by path, to show the inputs used."""
    return {
        path: [value.low, value.high] if isinstance(value, Range) else value
        for path, value in _values_in(spec)
        if isinstance(value, int | float | str | Range)
    }


def laws_in(spec: Any) -> dict[str, str]:
    """Return the name of the distribution of each range by path."""
    return {path: spread.law for path, spread in ranges_in(spec).items()}


def replaced(spec: T, values: Mapping[str, Number], path: str = "") -> T:
    """Return the same inputs with `values` at their paths; the inputs are validated again."""
    changes = {}
    for field in dataclasses.fields(spec):  # type: ignore[arg-type]  # a data class, whose type the stubs cannot name
        value, at = getattr(spec, field.name), f"{path}.{field.name}" if path else field.name
        if at in values:
            changes[field.name] = values[at]
        elif dataclasses.is_dataclass(value) and not isinstance(value, Range):
            changes[field.name] = replaced(value, values, at)
    return dataclasses.replace(spec, **changes)  # type: ignore[type-var]  # as above


def tiled(spec: T, times: int) -> T:
    """Return the same inputs with all draws repeated `times` times."""
    draws = {path: value for path, value in _values_in(spec) if isinstance(value, np.ndarray)}
    return replaced(spec, {path: np.tile(value, times) for path, value in draws.items()})


def draw_all(ranges: Mapping[str, Range], *, seed: int, n: int, stream: str = "") -> dict[str, Draws]:
    """Return `n` draws of each range; `stream` and the path seed each one: a new range does not change the others."""
    return {
        path: spread.draw(np.random.default_rng([seed, *f"{stream}{path}".encode()]), n)
        for path, spread in ranges.items()
    }


def _values_in(spec: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    bounds = bounds_of(spec.__class__)
    for field in dataclasses.fields(spec):
        value, at = getattr(spec, field.name), f"{path}.{field.name}" if path else field.name
        if isinstance(value, Range):
            yield at, value.within(bounds[field.name])
        elif dataclasses.is_dataclass(value):
            yield from _values_in(value, at)
        else:
            yield at, value
