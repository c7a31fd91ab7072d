"""XGBoost models in its own formats, JSON and UBJSON, which hold data only."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.extras import import_extra
from weighbridge.systems.files.model_file import LoadedFile, ModelFileSystem, features, unreadable
from weighbridge.systems.registry import OF_ONNX_RUNTIME, register


@register("xgboost", is_data_file=True, ignores=OF_ONNX_RUNTIME)
class XgboostFile(ModelFileSystem):
    """A `.ubj` or `.json` file of `Booster.save_model`."""

    def ready(self) -> object:
        """Import XGBoost."""
        return import_extra("xgboost")

    def load(self) -> LoadedFile:
        """Load the booster; raise Invalid if it is none."""
        xgboost, threads = import_extra("xgboost"), self.settings.scenario.threads
        try:
            booster = xgboost.Booster({"nthread": threads})
            booster.load_model(bytearray(self.path.read_bytes()))
            count = int(booster.num_features())
        except (xgboost.core.XGBoostError, ValueError) as error:
            raise unreadable(self.path, "XGBoost", error) from error
        booster.set_param({"nthread": threads})

        def call(x: NDArray[Any]) -> list[NDArray[Any]]:
            return [np.asarray(booster.inplace_predict(x))]

        engine = {"engine": "xgboost", "version": xgboost.__version__, "threads": threads}
        return LoadedFile(features(count, booster.feature_names), ("predictions",), call, engine)
