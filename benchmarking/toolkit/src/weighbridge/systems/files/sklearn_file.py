"""scikit-learn models in the format of skops, which holds data and names of types, and no code."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.core.extras import import_extra
from weighbridge.measure.inputs.spec import TEXT, InputSpec
from weighbridge.systems.files.model_file import FEATURES, LoadedFile, ModelFileSystem, features, unreadable
from weighbridge.systems.registry import OF_ONNX_RUNTIME, register

# Types outside these libraries may run code of their own when they are made.
LIBRARIES = ("sklearn.", "numpy.", "scipy.")


@register("sklearn", is_data_file=True, ignores=OF_ONNX_RUNTIME)
class SklearnFile(ModelFileSystem):
    """A `.skops` file with an estimator or a pipeline."""

    def ready(self) -> object:
        """Import skops, which needs scikit-learn."""
        return import_extra("skops.io")

    def load(self) -> LoadedFile:
        """Load the estimator; raise Invalid for a file with types of other libraries, or without a model."""
        skops = import_extra("skops.io")
        try:
            types = skops.get_untrusted_types(file=self.path)
        except Exception as error:
            # skops raises errors of zip, JSON and its own.
            raise unreadable(self.path, "skops", error) from error
        foreign = [name for name in types if not name.startswith(LIBRARIES)]
        if foreign:
            listed = ", ".join(foreign)
            text = f"{self.path.name} has types that may run code, because they are not of scikit-learn: {listed}."
            raise Invalid(text, code="model_types", field="model")
        try:
            estimator = skops.load(self.path, trusted=types)
        except Exception as error:
            raise unreadable(self.path, "skops", error) from error
        if not callable(getattr(estimator, "predict", None)):
            text = f"{self.path.name} holds a {type(estimator).__name__}, which predicts nothing; save a fitted model."
            raise Invalid(text, code="model_unreadable", field="model")
        return self._loaded(estimator)

    def _loaded(self, estimator: Any) -> LoadedFile:
        sklearn = import_extra("sklearn")
        threads = self.settings.scenario.threads
        # Forests answer with as many threads as they were trained with.
        for name in [key for key in estimator.get_params() if key.split("__")[-1] == "n_jobs"]:
            estimator.set_params(**{name: threads})
        has_scores = hasattr(estimator, "predict_proba")
        count = getattr(estimator, "n_features_in_", None)
        inputs = features(int(count)) if count else (InputSpec(FEATURES, TEXT, ("n",)),)
        answer = estimator.predict_proba if has_scores else estimator.predict

        def call(x: NDArray[Any]) -> list[NDArray[Any]]:
            return [np.asarray(answer(x))]

        engine = {
            "engine": "scikit-learn",
            "version": sklearn.__version__,
            "estimator": type(estimator).__name__,
            "threads": threads,
        }
        return LoadedFile(inputs, ("probabilities" if has_scores else "predictions",), call, engine)
