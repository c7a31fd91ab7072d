"""An ONNX file, run by ONNX Runtime."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from weighbridge.measure import metrics
from weighbridge.measure.conditions.flops import count_flops
from weighbridge.measure.conditions.model_file import read_model
from weighbridge.measure.scenarios import ProfileSettings
from weighbridge.systems.onnx_runtime import OnnxRuntimeRunner, engine
from weighbridge.systems.registry import register


@register("onnx", is_data_file=True)
class OnnxFile:
    """The ONNX file of the option `model`."""

    is_here = True

    def __init__(self, options: Mapping[str, Any], settings: ProfileSettings) -> None:
        """Read the file without running it; raise Invalid if it cannot be measured."""
        self._path, self._settings = Path(options["model"]), settings
        file, flops = read_model(self._path), count_flops(self._path)
        self.model = {"digest": file.digest, "opsets": file.opsets, "operators": file.operators}
        self.sizes = {
            "model_size_mb": metrics.point_metric(file.size_mb, "MB"),
            "parameters": metrics.point_metric(file.parameters, "1"),
            **({} if flops.uncounted else {"flops": metrics.point_metric(flops.total, "FLOP")}),
        }
        names = ", ".join(f"{name} {count}" for name, count in sorted(flops.uncounted.items()))
        text = f"flops have no total: some operators could not be counted ({names})."
        self.missing = [{"metric": "flops", "message": text}] if flops.uncounted else []

    def ready(self) -> object:
        """Import ONNX Runtime."""
        return engine()

    def load(self) -> OnnxRuntimeRunner:
        """Load the file into a session."""
        threads = self._settings.scenario.threads
        return OnnxRuntimeRunner(self._path, threads=threads, settings=self._settings.engine)
