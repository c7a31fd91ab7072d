"""An ONNX file, run by ONNX Runtime."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from weighbridge.measure import metrics
from weighbridge.measure.conditions.flops import count_flops
from weighbridge.measure.conditions.model_file import read_model
from weighbridge.measure.scenarios import PROVIDERS, ProfileSettings
from weighbridge.systems.onnx_runtime import OnnxRuntimeRunner, engine
from weighbridge.systems.registry import Sizes, register


@register("onnx", is_data_file=True, providers=tuple(PROVIDERS))
class OnnxFile:
    """The ONNX file of the option `model`."""

    is_here = True

    def __init__(self, options: Mapping[str, Any], settings: ProfileSettings) -> None:
        """Read the file without running it; raise Invalid if it cannot be measured."""
        self._path, self._settings = Path(options["model"]), settings
        self._file = file = read_model(self._path)
        self.model: dict[str, Any] = {
            "digest": file.digest,
            "opsets": file.opsets,
            "operators": file.operators,
            **({"weights": file.weights} if file.weights else {}),
        }

    def sizes(self, shapes: Mapping[str, Sequence[int]] | None) -> Sizes:
        """Return the size of the file, its parameters and the operations of one query, as far as they are counted."""
        counted, missing = {"model_size_mb": metrics.point_metric(self._file.size_mb, "MB")}, {}
        if self._file.parameters is None:
            missing["parameters"] = "parameters are not counted: the model keeps none in tensors."
        else:
            counted["parameters"] = metrics.point_metric(self._file.parameters, "1")
        if shapes is None:
            missing["flops"] = "flops are not counted: they depend on the sizes of the inputs."
            return Sizes(counted, missing)
        flops = count_flops(self._path, shapes)
        if flops.uncounted:
            names = ", ".join(f"{name} {count}" for name, count in sorted(flops.uncounted.items()))
            missing["flops"] = f"flops are not counted: the operations of some operators are not known ({names})."
        elif flops.total is None:
            missing["flops"] = "flops are not counted: the model multiplies no matrices."
        else:
            counted["flops"] = metrics.point_metric(flops.total, "FLOP")
        return Sizes(counted, missing)

    def ready(self) -> object:
        """Import ONNX Runtime."""
        return engine()

    def load(self) -> OnnxRuntimeRunner:
        """Load the file into a session."""
        threads = self._settings.scenario.threads
        return OnnxRuntimeRunner(self._path, threads=threads, settings=self._settings.engine)
