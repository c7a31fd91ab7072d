"""scikit-learn models in the format of skops, which holds data and names of types, and no code."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from weighbridge.core.errors import Invalid
from weighbridge.core.extras import import_extra
from weighbridge.measure.inputs.binding import check_columns
from weighbridge.measure.inputs.data_set import read_data_set
from weighbridge.measure.inputs.spec import TEXT, InputSpec
from weighbridge.measure.scenarios import ProfileSettings
from weighbridge.systems.files.model_file import (
    FEATURES,
    LoadedFile,
    LoadedTable,
    ModelFileSystem,
    features,
    unreadable,
)
from weighbridge.systems.registry import OF_ONNX_RUNTIME, register

# Types outside these libraries may run code of their own when they are made.
LIBRARIES = ("sklearn.", "numpy.", "scipy.")


@register("sklearn", is_data_file=True, ignores=OF_ONNX_RUNTIME, reads_data=True)
class SklearnFile(ModelFileSystem):
    """A `.skops` file with an estimator or a pipeline; the option `data` is the file of its data set."""

    def __init__(self, options: Mapping[str, Any], settings: ProfileSettings) -> None:
        """Find the file; raise Invalid if it is missing."""
        super().__init__(options, settings)
        self.data = Path(options["data"]) if options.get("data") else None

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
        threads = self.settings.scenario.threads
        # Forests answer with as many threads as they were trained with.
        for name in [key for key in estimator.get_params() if key.split("__")[-1] == "n_jobs"]:
            estimator.set_params(**{name: threads})
        has_scores = hasattr(estimator, "predict_proba")
        answer = estimator.predict_proba if has_scores else estimator.predict
        # Rows come in the order of the names, but without them, of which scikit-learn would warn at every call.
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        engine = {
            "engine": "scikit-learn",
            "version": import_extra("sklearn").__version__,
            "estimator": type(estimator).__name__,
            "threads": threads,
        }
        outputs = ("probabilities" if has_scores else "predictions",)
        names = [str(name) for name in getattr(estimator, "feature_names_in_", ())]
        columns, count = self._columns(names), getattr(estimator, "n_features_in_", None)
        if columns:
            table = import_extra("pandas").DataFrame
            return LoadedTable(columns, outputs, lambda feed: [np.asarray(answer(table(dict(feed))))], engine)
        inputs = features(int(count), names) if count else (InputSpec(FEATURES, TEXT, ("n",)),)
        if selects_by_name(estimator):
            if self.data is None:
                text = f"{self.path.name} takes the columns {', '.join(names)} of a table; give --data with them."
                raise Invalid(text, code="model_inputs", field="data")
            table = import_extra("pandas").DataFrame
            return LoadedFile(inputs, outputs, lambda x: [np.asarray(answer(table(x, columns=names)))], engine)
        return LoadedFile(inputs, outputs, lambda x: [np.asarray(answer(x))], engine)

    def _columns(self, names: Sequence[str]) -> tuple[InputSpec, ...]:
        """Return an input for each column that the model was trained on, if the data set has an array for each.

        A table of numbers alone is one array, for which this is empty.
        """
        arrays = read_data_set(self.data).columns if self.data is not None else {}
        if len(arrays) > 1:
            check_columns(names, arrays)
        types = {
            name: TEXT if array.dtype.kind == "U" else str(array.dtype)
            for name in names
            if isinstance(array := arrays.get(name), np.ndarray) and array.ndim == 1
        }
        return tuple(InputSpec(name, types[name], ("n",)) for name in names) if len(types) == len(names) else ()


def selects_by_name(estimator: Any) -> bool:
    """Return whether a part of the estimator takes columns by their names, which only a table has."""
    parts = [estimator, *estimator.get_params().values()]
    selections = [columns for part in parts for _, _, columns in getattr(part, "transformers_", ())]
    return any(isinstance(each, str) or _has_names(each) for each in selections)


def _has_names(columns: Any) -> bool:
    """Return whether a selection is a list with a name; others are numbers, masks and slices."""
    return not isinstance(columns, slice) and any(isinstance(name, str) for name in columns)
