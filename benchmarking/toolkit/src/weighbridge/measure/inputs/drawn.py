"""Drawn and constant inputs: what a model gets where no data set has an array for it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs.spec import TEXT, InputSpec

DRAWN_TYPES = (
    *(f"float{bits}" for bits in (16, 32, 64)),
    *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)),
    "bool",
)
TRUTH_VALUES = {"true": 1, "false": 0}


def draw(spec: InputSpec, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[Any]:
    """Draw one input: standard normal floats, integers 0 or 1 (valid for every embedding table), random booleans.

    Raises Invalid for other types.
    """
    if spec.dtype not in DRAWN_TYPES:
        text = (
            f"Inputs of type {spec.dtype} cannot be drawn for {spec.name!r}; give --data with them, or the same value "
            f"for all queries with --input {spec.name}=VALUE."
        )
        raise Invalid(text, code="model_inputs", field="model")
    if spec.dtype.startswith("float"):
        return rng.standard_normal(shape).astype(spec.dtype)
    return rng.integers(0, 2, shape).astype(spec.dtype)


def valued(spec: InputSpec, value: str, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[Any]:
    """Return an input with a stated value everywhere, or with whole numbers drawn from `LOW:HIGH`; raise Invalid."""
    if spec.dtype == TEXT:
        return np.full(shape, value, dtype=object)
    low, colon, high = value.partition(":")
    try:
        if colon:
            return rng.integers(int(low), int(high), shape).astype(spec.dtype)
        return np.full(shape, _number(value, spec), dtype=spec.dtype)
    except (ValueError, OverflowError, TypeError) as error:
        text = f"{spec.name}={value} is no value of type {spec.dtype}; write a number, or LOW:HIGH for drawn ones."
        raise Invalid(text, code="model_inputs", field="input") from error


def _number(value: str, spec: InputSpec) -> float:
    if spec.dtype.startswith("float"):
        return float(value)
    return TRUTH_VALUES[value.lower()] if value.lower() in TRUTH_VALUES else int(value)
