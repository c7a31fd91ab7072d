"""LightGBM models in its own text format, which holds data only."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.extras import import_extra
from weighbridge.systems.files.model_file import LoadedFile, ModelFileSystem, features, unreadable
from weighbridge.systems.registry import OF_ONNX_RUNTIME, register


@register("lightgbm", is_data_file=True, ignores=OF_ONNX_RUNTIME)
class LightgbmFile(ModelFileSystem):
    """A `.txt` file of `Booster.save_model`."""

    def ready(self) -> object:
        """Import LightGBM."""
        return import_extra("lightgbm")

    def load(self) -> LoadedFile:
        """Load the booster; raise Invalid if it is none."""
        lightgbm, threads = import_extra("lightgbm"), self.settings.scenario.threads
        try:
            booster = lightgbm.Booster(model_str=self.path.read_text())
        except (lightgbm.basic.LightGBMError, UnicodeDecodeError, ValueError) as error:
            raise unreadable(self.path, "LightGBM", error) from error

        def call(x: NDArray[Any]) -> list[NDArray[Any]]:
            return [np.asarray(booster.predict(x, num_threads=threads))]

        engine = {"engine": "lightgbm", "version": lightgbm.__version__, "threads": threads}
        names = booster.feature_name()
        # The names that LightGBM makes up for an array without any.
        is_made_up = names == [f"Column_{place}" for place in range(len(names))]
        inputs = features(int(booster.num_feature()), None if is_made_up else names)
        return LoadedFile(inputs, ("predictions",), call, engine)
