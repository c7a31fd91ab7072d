"""What systems of model files have in common: the file, its size, and a call on arrays."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.measure import metrics
from weighbridge.measure.conditions.model_file import BYTES_PER_MB, digest_of_file
from weighbridge.measure.inputs.spec import InputSpec
from weighbridge.measure.loops.latency import Feed
from weighbridge.measure.scenarios import ProfileSettings
from weighbridge.systems.registry import Sizes

FEATURES = "x"


@dataclasses.dataclass(frozen=True)
class LoadedFile:
    """A loaded model: `call` gets the array of the only input and returns the array of each output."""

    inputs: tuple[InputSpec, ...]
    outputs: tuple[str, ...]
    call: Callable[[Any], Sequence[NDArray[Any]]]
    engine: Mapping[str, Any]

    def infer(self, feed: Feed) -> Sequence[NDArray[Any]]:
        """Run once and return all outputs."""
        return self.call(feed[FEATURES])

    def describe(self) -> dict[str, Any]:
        """Return the engine's part of the manifest."""
        return dict(self.engine)


class LoadedTable(LoadedFile):
    """A loaded model with an input for each column of a table: `call` gets all of them by name."""

    def infer(self, feed: Feed) -> Sequence[NDArray[Any]]:
        """Run once and return all outputs."""
        return self.call(feed)


class ModelFileSystem:
    """The file of the option `model`, before it is loaded."""

    is_here = True

    def __init__(self, options: Mapping[str, Any], settings: ProfileSettings) -> None:
        """Find the file; raise Invalid if it is missing."""
        self.path, self.settings = Path(options["model"]), settings
        if not self.path.is_file():
            raise Invalid(f"There is no model file {self.path.name}.", code="model_missing", field="model")
        if not self.path.stat().st_size:
            # XGBoost would end the process on an empty file.
            raise Invalid(f"{self.path.name} is empty.", code="empty_artifact", field="model")
        self.model = {"digest": digest_of_file(self.path)}

    def sizes(self, _shapes: Mapping[str, Sequence[int]] | None) -> Sizes:
        """Return the size of the file; parameters and operations are counted only for ONNX files."""
        size = metrics.point_metric(self.path.stat().st_size / BYTES_PER_MB, "MB")
        names = ("parameters", "flops")
        return Sizes({"model_size_mb": size}, {name: f"{name} are counted only for ONNX files." for name in names})


def features(count: int, names: Sequence[str] | None = None) -> tuple[InputSpec, ...]:
    """Return the input of a model of numbers: rows of `count` features, with the names that it was trained on."""
    known = tuple(map(str, names)) if names is not None and len(names) == count else ()
    return (InputSpec(FEATURES, "float64", ("n", count), known),)


def unreadable(path: Path, kind: str, error: BaseException) -> Invalid:
    """Return the error of a file that the library of its kind cannot load."""
    lines = str(error).splitlines() or [type(error).__name__]
    text = f"{path.name} cannot be loaded as a model of {kind}: {lines[0]}."
    return Invalid(text, code="model_unreadable", field="model")
