"""Declared inputs of a model, and the sizes that a run needs for their free dimensions."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from weighbridge.core.errors import Invalid

# A dimension with such a name counts rows, whatever its place.
ROWS_NAME = re.compile(r"(?i).*batch.*|n|b|bs|rows?|num_?rows|examples?|none")
# Names that exporters make up for a dimension without a name.
MADE_UP_NAME = re.compile(r"unk__\d+|s\d+|dim_?\d+|(p2o\.)?DynamicDimension\.\d+|\?")
TEXT = "string"
ROWS = 0
NO_SIZES: Mapping[str, int] = MappingProxyType({})


@dataclasses.dataclass(frozen=True)
class InputSpec:
    """A declared input of a model: its NumPy dtype (`string` for text) and its dimensions.

    A dimension is a size, the name of a free dimension, or None for a free one without a name. `features` are the names
    of the columns of a model of tables, if it knows them.
    """

    name: str
    dtype: str
    shape: tuple[int | str | None, ...]
    features: tuple[str, ...] = ()

    def as_document(self) -> dict[str, Any]:
        """Return the declaration as it is written into manifests."""
        features = {"features": list(self.features)} if self.features else {}
        return {"name": self.name, "dtype": self.dtype, "shape": self.shape, **features}

    def label(self, axis: int) -> str:
        """Return the name by which a person states the size of a dimension: its own, or `input[axis]`."""
        size = self.shape[axis]
        return size if isinstance(size, str) and not MADE_UP_NAME.fullmatch(size) else f"{self.name}[{axis}]"

    def counts_rows(self, axis: int) -> bool:
        """Whether a free dimension is the number of rows: by its name, or as the first one without a name.

        A tensor of numbers with one free dimension may as well be a signal, so that its dimension has to be stated.
        """
        size = self.shape[axis]
        if isinstance(size, str) and not MADE_UP_NAME.fullmatch(size):
            return ROWS_NAME.fullmatch(size) is not None
        return axis == 0 and (len(self.shape) > 1 or self.dtype == TEXT)


@dataclasses.dataclass(frozen=True)
class Dimensions:
    """The sizes of the free dimensions: `stated` by a person, by name or as `input[axis]`; ROWS is the row count."""

    stated: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def size(self, spec: InputSpec, axis: int) -> int | None:
        """Return the size of a dimension, ROWS for the number of rows, None for a free dimension without a size."""
        size, label = spec.shape[axis], spec.label(axis)
        for name in (f"{spec.name}[{axis}]", label):
            if name in self.stated:
                return self.stated[name]
        if isinstance(size, int):
            return size
        return ROWS if spec.counts_rows(axis) else None

    def shape(self, spec: InputSpec, *, rows: int) -> tuple[int, ...]:
        """Return the shape of one query; a free dimension without a size is 1."""
        sizes = (self.size(spec, axis) for axis in range(len(spec.shape)))
        return tuple(1 if size is None else rows if size == ROWS else size for size in sizes)

    def unstated(self, specs: Sequence[InputSpec]) -> tuple[str, ...]:
        """Return the labels of the free dimensions without a size, each once."""
        labels = (
            spec.label(axis) for spec in specs for axis in range(len(spec.shape)) if self.size(spec, axis) is None
        )
        return tuple(dict.fromkeys(labels))

    def check(self, specs: Sequence[InputSpec]) -> None:
        """Raise Invalid for a stated name that no input has, and for another size than a fixed dimension has."""
        fixed = {f"{spec.name}[{axis}]": size for spec in specs for axis, size in enumerate(spec.shape)}
        free = {
            spec.label(axis): spec for spec in specs for axis, size in enumerate(spec.shape) if type(size) is not int
        }
        for name, size in self.stated.items():
            if name not in fixed and name not in free:
                known = ", ".join(free) or "none"
                text = f"The model has no dimension {name!r}; its free dimensions are: {known}."
                raise Invalid(text, code="model_dimension", field="dim")
            declared = fixed.get(name)
            if isinstance(declared, int) and size != declared:
                text = f"The dimension {name} of the model is fixed at {declared}, so it cannot be {size}."
                raise Invalid(text, code="model_dimension", field="dim")


def read_dimensions(pairs: Sequence[tuple[str, str]]) -> dict[str, tuple[int, ...]]:
    """Parse pairs like `("seq", "128,512")` or `("n", "rows")` into sizes; raise Invalid for anything else."""
    sizes: dict[str, tuple[int, ...]] = {}
    for name, text in pairs:
        parts = [part.strip() for part in text.split(",")]
        if parts != ["rows"] and not all(part.isdigit() and int(part) > 0 for part in parts):
            reason = f"--dim takes NAME=SIZE, like seq=128, or NAME=rows for the number of rows, not {name}={text}."
            raise Invalid(reason, field="dim")
        if name in sizes:
            raise Invalid(f"--dim states {name} twice; separate several sizes by commas.", field="dim")
        sizes[name] = (ROWS,) if parts == ["rows"] else tuple(map(int, parts))
    return sizes
